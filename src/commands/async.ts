/** The promised surface: commands over an {@link Executor}. */
import type { Bytes, NativeHandle, ReplyValue, Word } from '../keyspace/native.js';
import { type BlockingCommands, type BlockingDefinition, installBlocking, WAIT } from './blocking.js';
import type { Definition } from './definition.js';
import { type DirectAsyncSurface, directAsyncReads, HANDLE } from './direct.js';
import type { Executor } from './executor.js';
import type { Async, Bulk } from './form.js';
import type { FieldValue } from './hashes.js';
import type { KeyScanOptions } from './keys.js';
import type { ScanOptions } from './scan.js';
import type { ScoredMember } from './sorted-sets.js';
import { encoded, install, RUN, requestOf, wordsOf } from './surface.js';
import { type Commands, reads, type ScanIterators, writes } from './table.js';
import { Transaction } from './transaction.js';
import { replyWay, type WaitWay } from './waiting-room.js';

// The methods come from the table; `install` below gives the class every one that the interface names.
export interface AsyncCommands<B extends Bulk>
  extends Commands<Async<B>>,
    ScanIterators<Async<B>>,
    BlockingCommands<B> {}

/** All commands, each promised. Misuse throws at once, before there is a promise; everything else rejects. */
// biome-ignore lint/suspicious/noUnsafeDeclarationMerging: every method of the interface is installed
export class AsyncCommands<B extends Bulk> {
  /** @internal */
  readonly [HANDLE]: NativeHandle<Bulk>;
  readonly #executor: Executor;
  readonly #bytes: boolean;
  readonly #way: WaitWay<ReplyValue>;

  /** @internal */
  constructor(executor: Executor, bytes: boolean) {
    this[HANDLE] = executor.reads;
    this.#executor = executor;
    this.#bytes = bytes;
    this.#way = replyWay(executor.reads, bytes, (request) => executor.execute(request));
  }

  /**
   * Runs any command: its name in any case and its words. Integers beyond 2^53 are bigints. A blocking command waits, for as long as
   * its own word for the timeout says.
   *
   * @throws TypeError at once, for a word that is none; whatever a command answers as an error rejects.
   */
  call(name: Bytes, ...words: Word[]): Promise<ReplyValue> {
    return this.#execute(wordsOf(name, words));
  }

  /** Begins a transaction: note commands on it, then `await exec()` runs them as one. */
  multi(): Transaction<B, 'promised', []> {
    return new Transaction((requests) => this.#executor.transaction(requests), this.#bytes);
  }

  /** Keys, as `scan` finds them. */
  async *scanIterator(options?: KeyScanOptions): AsyncGenerator<B, void, undefined> {
    let cursor = '0';
    do {
      const page = await this.scan(cursor, options);
      yield* page.keys;
      cursor = page.cursor;
    } while (cursor !== '0');
  }

  /** The fields of a hash with their values, as `hscan` finds them. */
  async *hscanIterator(key: Bytes, options?: ScanOptions): AsyncGenerator<FieldValue<B>, void, undefined> {
    let cursor = '0';
    do {
      const page = await this.hscan(key, cursor, options);
      yield* page.entries;
      cursor = page.cursor;
    } while (cursor !== '0');
  }

  /** The members of a set, as `sscan` finds them. */
  async *sscanIterator(key: Bytes, options?: ScanOptions): AsyncGenerator<B, void, undefined> {
    let cursor = '0';
    do {
      const page = await this.sscan(key, cursor, options);
      yield* page.members;
      cursor = page.cursor;
    } while (cursor !== '0');
  }

  /** The members of a sorted set with their scores, as `zscan` finds them. */
  async *zscanIterator(key: Bytes, options?: ScanOptions): AsyncGenerator<ScoredMember<B>, void, undefined> {
    let cursor = '0';
    do {
      const page = await this.zscan(key, cursor, options);
      yield* page.members;
      cursor = page.cursor;
    } while (cursor !== '0');
  }

  /** @internal */
  [RUN]<A extends readonly unknown[], R>(definition: Definition<A, R>, args: A): Promise<R> {
    const request = encoded(definition, args);
    return this.#executor.execute(request).then((reply) => definition.shape(reply, args, this.#bytes));
  }

  /** @internal */
  [WAIT]<A extends readonly unknown[], R>(definition: BlockingDefinition<A, R>, args: A): Promise<R | null> {
    const end = definition.waits(...args);
    const reply = this.#executor.room.wait(encoded(definition, args), this.#way, end);
    return reply.then((value) => definition.shape(value, args, this.#bytes));
  }

  async #execute(words: readonly Word[]): Promise<ReplyValue> {
    return this.#executor.room.wait(requestOf(words), this.#way);
  }
}

install(AsyncCommands.prototype satisfies DirectAsyncSurface, { ...reads, ...writes }, directAsyncReads);
installBlocking(AsyncCommands.prototype);
