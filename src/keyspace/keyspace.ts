/** One process's keyspace: the commands of the table, run at once by the native code. */

import { checkNames, checkPath } from '../commands/options.js';
import { SyncCommands } from '../commands/sync.js';
import { WaitingRoom } from '../commands/waiting-room.js';
import { HoldfastError } from '../errors.js';
import {
  type LoadOptions,
  type LoadResult,
  loadFile,
  type SaveOptions,
  type SaveResult,
  Saves,
} from '../rdb/index.js';
import { type CollectionLimits, checkLimits } from './collection-limits.js';
import { checkMemoryOptions, MEMORY_OPTIONS, type MemoryOptions } from './memory-options.js';
import { type NativeStatistics, native } from './native.js';

/** Options of a {@link Keyspace}. An unknown one is refused. */
export interface KeyspaceOptions extends MemoryOptions {
  /** Sizes up to which collections are held in their compact forms. Default: Redis's. */
  limits?: Partial<CollectionLimits>;
}

/** What a keyspace holds and needs. */
export type KeyspaceMemory = NativeStatistics;

/** Stands in for options when a keyspace exists already. */
class Attachment {
  readonly id: number;

  constructor(id: number) {
    this.id = id;
  }
}

/**
 * The Redis data model in this process's memory, off the JavaScript heap: every command is a method, named as in Redis in
 * lower case, and returns at once. No log, no peers: what a process holds goes with it.
 *
 * All threads of a process can use one keyspace at the same time: hand its {@link id} to a worker thread, and
 * {@link Keyspace.attach} there. A command, and a transaction, is atomic for all threads.
 *
 * Strings are stored as UTF-8; what is not UTF-8 reads as replacement characters, and exactly on {@link bytes}.
 *
 * @example
 * const keyspace = new Keyspace();
 * keyspace.set('k', 'v', { px: 5000 });
 * keyspace.zadd('scores', { ann: 10, bob: 7 });
 */
export class Keyspace extends SyncCommands<string> implements Disposable {
  /** Names the keyspace in all threads of this process. */
  readonly id: number;
  /** The same commands on the same data, with Buffers in place of strings. */
  readonly bytes: SyncCommands<Buffer>;
  readonly #release: () => void;
  readonly #created: boolean;
  readonly #saves = new Saves();
  #closed = false;

  /** @throws TypeError or RangeError for an option that is unknown or impossible. */
  constructor(options?: KeyspaceOptions);
  /** @internal */
  constructor(attachment: Attachment);
  constructor(options: KeyspaceOptions | Attachment = {}) {
    const attached = options instanceof Attachment;
    const id = attached ? options.id : create(options);
    const strings = native.attach([id], 'plain', false);
    const buffers = native.attach([id], 'plain', true);
    const room = new WaitingRoom();
    super({ handle: strings, bytes: false, refusal: closed, room });
    this.id = id;
    this.bytes = new SyncCommands({ handle: buffers, bytes: true, refusal: closed, room });
    this.#created = !attached;
    this.#release = () => {
      room.refuse(closed());
      strings.release();
      buffers.release();
    };
  }

  /**
   * The keyspace of this id, made by this thread or another one.
   *
   * @throws TypeError if `id` is no integer.
   * @throws HoldfastError `CLOSED` if there is no such keyspace, or if it was closed where it was made.
   */
  static attach(id: number): Keyspace {
    if (!Number.isSafeInteger(id)) throw new TypeError('id must be the id of a keyspace');
    return new Keyspace(new Attachment(id));
  }

  /**
   * Bytes in use (keys, values and the tables that hold them, as they are asked of the allocator) and number of keys, of keys
   * with an expiry, and of keys that expired or were evicted; beside that, bytes that are kept for a save under way. It looks at
   * 256 counters, not at keys.
   *
   * @throws HoldfastError `CLOSED`.
   */
  memory(): KeyspaceMemory {
    this.#checkOpen();
    return native.statistics(this.id);
  }

  /**
   * 32 hex digits over everything in the keyspace. Equal contents have equal digests, in whatever order they were built.
   * It looks at every key.
   *
   * @throws HoldfastError `CLOSED`.
   */
  digest(): string {
    this.#checkOpen();
    return native.digest(this.id);
  }

  /**
   * Loads an RDB file, in the place of what the keyspace holds. The work is done by another thread; until it is complete, all
   * threads see what was there before, and so they do if it fails. Keys that have expired are left out.
   *
   * @throws TypeError at once, for a path that is no string or an unknown option.
   * @throws HoldfastError `CORRUPT` (names file, reason and offset), `IO`, `CLOSED`; or the reason of an aborted `signal`.
   */
  load(path: string, options: LoadOptions = {}): Promise<LoadResult> {
    checkPath(path);
    checkNames('load', options, ['onProgress', 'signal', 'db']);
    if (this.#closed) return Promise.reject(closed());
    return loadFile(path, this.id, options);
  }

  /**
   * Saves the keyspace as an RDB file, which real servers read, too: the state of one instant between the call and its end,
   * while all threads go on reading and writing. The work is done by other threads; the file is there when it is complete and on disk,
   * and not before. Saves of one keyspace come one after the other, the first come first.
   *
   * @throws TypeError or RangeError at once, for a path that is no string, an unknown option or version.
   * @throws HoldfastError `IO`; `CLOSED`, also if the keyspace is closed meanwhile; `ERR` names a key that the version cannot hold; or
   * the reason of an aborted `signal`.
   */
  save(path: string, options: SaveOptions = {}): Promise<SaveResult> {
    checkPath(path);
    checkNames('save', options, ['onProgress', 'signal', 'aux', 'exact', 'version', 'compress']);
    if (this.#closed) return Promise.reject(closed());
    return this.#saves.save([this.id], path, options);
  }

  /**
   * Ends the use of the keyspace through this object: from now on its methods throw `CLOSED`, and so do calls that wait for a key. Where it was made with `new`,
   * nobody can attach to it any more either. Those who have may go on; its memory is free when the last one has closed. Does nothing
   * if it was closed before.
   */
  close(): void {
    if (this.#closed) return;
    this.#closed = true;
    void this.#saves.close(closed());
    if (this.#created) native.keyspaceClose(this.id);
    this.#release();
  }

  /** {@link close}, for `using`. */
  [Symbol.dispose](): void {
    this.close();
  }

  #checkOpen(): void {
    if (this.#closed) throw closed();
  }
}

function create(options: KeyspaceOptions): number {
  checkNames('Keyspace', options, [...MEMORY_OPTIONS, 'limits']);
  return native.keyspaceCreate(checkMemoryOptions(options), checkLimits(options.limits));
}

function closed(): HoldfastError {
  return new HoldfastError('CLOSED', 'CLOSED the keyspace is closed');
}
