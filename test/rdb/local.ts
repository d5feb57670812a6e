/** A keyspace of the native part's, as the files of a test are read into it and written of it. */
import { native } from '../../dist/keyspace/native.js';

/** A keyspace with a handle. */
export class Local implements Disposable {
  readonly id = native.keyspaceCreate();
  readonly handle = native.attach([this.id], 'plain', true);

  [Symbol.dispose](): void {
    this.handle.release();
    native.keyspaceClose(this.id);
  }
}

/** An expiry that is not met. */
export const FAR_MS = 4_102_444_800_000;
