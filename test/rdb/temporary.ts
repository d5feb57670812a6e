/** A folder for the files of one test. */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

/** Removed when it goes out of scope. */
export class Temporary implements Disposable {
  readonly folder = mkdtempSync(join(tmpdir(), 'holdfast-rdb-'));

  path(name: string): string {
    return join(this.folder, name);
  }

  [Symbol.dispose](): void {
    rmSync(this.folder, { recursive: true, force: true });
  }
}
