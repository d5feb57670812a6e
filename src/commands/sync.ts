/** The synchronous surfaces: commands straight down to a native handle. */
import type { HoldfastError } from '../errors.js';
import type { Bytes, NativeHandle, ReplyValue, Word } from '../keyspace/native.js';
import { bytes } from './arguments.js';
import { type BlockingCommands, type BlockingDefinition, installBlocking, WAIT } from './blocking.js';
import type { Definition } from './definition.js';
import { type DirectSurface, directReads, directWrites, HANDLE, REFUSE } from './direct.js';
import type { Request } from './executor.js';
import type { Bulk, Sync } from './form.js';
import type { FieldValue } from './hashes.js';
import type { KeyScanOptions } from './keys.js';
import type { ScanOptions } from './scan.js';
import type { ScoredMember } from './sorted-sets.js';
import { encoded, install, RUN, requestOf, wordsOf } from './surface.js';
import { type ReadCommands, reads, type ScanIterators, type WriteCommands, writes } from './table.js';
import { Transaction } from './transaction.js';
import { replyWay, type WaitingRoom } from './waiting-room.js';

/** Most words that go to the native side as arguments, which are cheaper to read there than elements of an array. */
const ARGUMENTS_MAX = 16;

/** What a synchronous surface stands on. */
export interface Door<B extends Bulk> {
  /** The native functions. */
  readonly handle: NativeHandle<B>;
  /** Whether the handle was attached for Buffers. */
  readonly bytes: boolean;
  /** Why the handle may not answer for this key just now, when it gave `undefined`. */
  refusal(key: Word | undefined): HoldfastError;
}

// The methods come from the table; `install` below gives the class every one that the interface names.
export interface ReadOnlyCommands<B extends Bulk> extends ReadCommands<Sync<B>>, ScanIterators<Sync<B>> {}

/** The commands that read, answered at once from this process's memory. */
// biome-ignore lint/suspicious/noUnsafeDeclarationMerging: every method of the interface is installed
export class ReadOnlyCommands<B extends Bulk> {
  /** @internal */
  readonly [HANDLE]: NativeHandle<B>;
  readonly #door: Door<B>;

  /** @internal */
  constructor(door: Door<B>) {
    this[HANDLE] = door.handle;
    this.#door = door;
  }

  /**
   * Runs any command that reads: its name in any case and its words. Integers beyond 2^53 are bigints.
   *
   * @throws TypeError for a command that writes.
   * @throws HoldfastError whatever the command answers as an error.
   */
  call(name: Bytes, ...words: Word[]): ReplyValue {
    const request = requestOf(wordsOf(name, words));
    if (request.command.write) throw new TypeError(`${String(name)} writes, and this surface only reads`);
    return this[HANDLE].call(request.words) ?? this[REFUSE](words[0]);
  }

  /** Keys, as `scan` finds them. */
  *scanIterator(options?: KeyScanOptions): Generator<B, void, undefined> {
    let cursor = '0';
    do {
      const page = this.scan(cursor, options);
      yield* page.keys;
      cursor = page.cursor;
    } while (cursor !== '0');
  }

  /** The fields of a hash with their values, as `hscan` finds them. */
  *hscanIterator(key: Bytes, options?: ScanOptions): Generator<FieldValue<B>, void, undefined> {
    let cursor = '0';
    do {
      const page = this.hscan(key, cursor, options);
      yield* page.entries;
      cursor = page.cursor;
    } while (cursor !== '0');
  }

  /** The members of a set, as `sscan` finds them. */
  *sscanIterator(key: Bytes, options?: ScanOptions): Generator<B, void, undefined> {
    let cursor = '0';
    do {
      const page = this.sscan(key, cursor, options);
      yield* page.members;
      cursor = page.cursor;
    } while (cursor !== '0');
  }

  /** The members of a sorted set with their scores, as `zscan` finds them. */
  *zscanIterator(key: Bytes, options?: ScanOptions): Generator<ScoredMember<B>, void, undefined> {
    let cursor = '0';
    do {
      const page = this.zscan(key, cursor, options);
      yield* page.members;
      cursor = page.cursor;
    } while (cursor !== '0');
  }

  /** @internal */
  [RUN]<A extends readonly unknown[], R>(definition: Definition<A, R>, args: A): R {
    const words = definition.encode(...args);
    const reply = words.length > ARGUMENTS_MAX ? this[HANDLE].call(words) : this[HANDLE].call(...words);
    return definition.shape(reply === undefined ? this[REFUSE](words[1]) : reply, args, this.#door.bytes);
  }

  /** @internal */
  [REFUSE](key: Word | undefined): never {
    throw this.#door.refusal(key);
  }
}

install(ReadOnlyCommands.prototype satisfies DirectSurface, reads, directReads);

/** As {@link Door}, for commands that write, and those that wait. */
export interface WritableDoor<B extends Bulk> extends Door<B> {
  /** Where its callers wait. */
  readonly room: WaitingRoom;
}

// As above.
export interface SyncCommands<B extends Bulk> extends WriteCommands<Sync<B>>, BlockingCommands<B> {}

/** All commands, run at once on this process's memory. Those that wait are promised. */
// biome-ignore lint/suspicious/noUnsafeDeclarationMerging: every method of the interface is installed
export class SyncCommands<B extends Bulk> extends ReadOnlyCommands<B> {
  readonly #bytes: boolean;
  readonly #room: WaitingRoom;

  /** @internal */
  constructor(door: WritableDoor<B>) {
    super(door);
    this.#bytes = door.bytes;
    this.#room = door.room;
  }

  /**
   * Runs any command: its name in any case and its words. Integers beyond 2^53 are bigints. A blocking command does not wait: it
   * answers `null`, as in a transaction; its method waits.
   *
   * @throws HoldfastError whatever the command answers as an error.
   */
  override call(name: Bytes, ...words: Word[]): ReplyValue {
    return this[HANDLE].call([bytes(name, 'name'), ...words]) ?? null;
  }

  /** Begins a transaction: note commands on it, then `exec()` runs them as one. */
  multi(): Transaction<B, 'now', []> {
    const run = (requests: readonly Request[]): ReplyValue[] =>
      this[HANDLE].transaction(requests.map(({ words }) => words)) ?? this[REFUSE](undefined);
    return new Transaction(run, this.#bytes);
  }

  /** @internal */
  [WAIT]<A extends readonly unknown[], R>(definition: BlockingDefinition<A, R>, args: A): Promise<R | null> {
    const request = encoded(definition, args);
    const way = replyWay(this[HANDLE], this.#bytes, ({ words }) => this[HANDLE].call(words) ?? null);
    const reply = this.#room.wait(request, way, definition.waits(...args));
    return reply.then((value) => definition.shape(value, args, this.#bytes));
  }
}

install(SyncCommands.prototype, writes, directWrites);
installBlocking(SyncCommands.prototype);
