/**
 * What a request of a connection means: a command of the connection, a step of a transaction, or a command of the store. Requests
 * come one after the other and may be under way together; they take effect in their order.
 */
import type { EncodedExecutor, ReadWay, Request } from '../commands/executor.js';
import { factOf } from '../commands/table.js';
import { waitOf } from '../commands/wait.js';
import type { HoldfastError } from '../errors.js';
import type { CommandFact, Encoded } from '../keyspace/native.js';
import { limits } from '../limits.js';
import { Blocked } from './blocked.js';
import type { Client, Surroundings } from './client.js';
import { CONNECTION_COMMANDS, fitsArity, nameOf, wrongArity } from './connection-commands.js';
import * as encode from './encode.js';
import { TransactionQueue } from './transaction-queue.js';

const QUOTED_CHARACTERS_MAX = 128;

/** A reply, at once or later; `undefined`: not before something that is under way is done. Ask again then. */
export type Dispatched = Encoded | Promise<Encoded> | undefined;

/** Commands that change what the connection is in the middle of, with their numbers of words. */
const CONTROLS: ReadonlyMap<string, number> = new Map([
  ['MULTI', 1],
  ['EXEC', 1],
  ['DISCARD', 1],
  ['WATCH', -2],
  ['UNWATCH', 1],
  ['QUIT', -1],
  ['RESET', 1],
]);

/** What a browser sends first when a page makes it post to this port. */
const HTTP_WORDS = ['POST', 'HOST:'];

/** The dispatcher of one connection. */
export class Dispatcher {
  readonly #executor: EncodedExecutor;
  readonly #client: Client;
  readonly #around: Surroundings;
  #queue: TransactionQueue | undefined;
  /** Requests in the log, and reads behind a barrier, that have no reply yet. Never both: see `#run`. */
  #logged = 0;
  #behindBarrier = 0;
  #blocked: Blocked | undefined;
  #ended = false;

  constructor(executor: EncodedExecutor, client: Client, around: Surroundings) {
    this.#executor = executor;
    this.#client = client;
    this.#around = around;
  }

  /** Whether the client has said that it is done: no request may follow. */
  get ended(): boolean {
    return this.#ended;
  }

  /** Whether a blocking command keeps the client waiting: no request is taken meanwhile. */
  get blocked(): boolean {
    return this.#blocked !== undefined;
  }

  /** The client has gone: it stops waiting. */
  leave(): void {
    this.#blocked?.leave();
  }

  /** Ends a wait because of an error. */
  stopWaiting(error: HoldfastError): void {
    this.#blocked?.stop(error);
  }

  /** Takes a request. Never throws, and the promise never rejects: whatever goes wrong is the client's reply. */
  dispatch(words: readonly Buffer[]): Dispatched {
    if (this.#blocked !== undefined) return undefined;
    try {
      return this.#understand(words);
    } catch (thrown) {
      return encode.failure(thrown);
    }
  }

  #understand(words: readonly Buffer[]): Dispatched {
    const name = nameOf(words[0]);
    this.#client.lastCommand = name;
    const controlArity = CONTROLS.get(name);
    if (controlArity !== undefined) {
      return fitsArity(controlArity, words.length) ? this.#control(name) : this.#refuse(wrongArity(name));
    }
    if (HTTP_WORDS.includes(name)) {
      this.#ended = true;
      return '';
    }
    if (this.#queue !== undefined) return this.#enqueue(this.#queue, name, words);
    const own = CONNECTION_COMMANDS.get(name);
    if (own !== undefined) {
      if (!fitsArity(own.arity, words.length)) return wrongArity(name);
      return settled(own.run(words, this.#client, this.#around));
    }
    const fact = factOf(name);
    if (fact === undefined) return unknownCommand(words);
    return fitsArity(fact.arity, words.length) ? this.#execute(words, fact) : wrongArity(name);
  }

  #control(name: string): Dispatched {
    switch (name) {
      case 'MULTI':
        if (this.#queue !== undefined) return encode.error('ERR MULTI calls can not be nested');
        this.#setQueue(new TransactionQueue());
        return encode.OK;
      case 'EXEC':
        return this.#exec();
      case 'DISCARD':
        if (this.#queue === undefined) return encode.error('ERR DISCARD without MULTI');
        this.#setQueue(undefined);
        return encode.OK;
      case 'WATCH':
        if (this.#queue !== undefined) return encode.error('ERR WATCH inside MULTI is not allowed');
        return encode.error('ERR WATCH is not supported here yet; MULTI and EXEC are');
      case 'UNWATCH':
        return encode.OK;
      case 'QUIT':
        this.#ended = true;
        return encode.OK;
      default:
        this.#setQueue(undefined);
        this.#client.reset();
        return encode.status('RESET');
    }
  }

  #setQueue(queue: TransactionQueue | undefined): void {
    this.#queue = queue;
    this.#client.queued = queue === undefined ? -1 : 0;
  }

  /** A refused command of a transaction keeps it from being run. */
  #refuse(reply: string): string {
    if (this.#queue !== undefined) this.#queue.refused = true;
    return reply;
  }

  #enqueue(queue: TransactionQueue, name: string, words: readonly Buffer[]): string {
    const fact = factOf(name);
    if (fact === undefined) {
      if (!CONNECTION_COMMANDS.has(name)) return this.#refuse(unknownCommand(words));
      return this.#refuse(encode.error('ERR Command not allowed inside a transaction'));
    }
    if (!fitsArity(fact.arity, words.length)) return this.#refuse(wrongArity(name));
    if (!queue.add(words, fact)) {
      const text = `ERR transactions are limited to ${limits.respTransactionBytesMax} bytes`;
      return this.#refuse(encode.error(text));
    }
    this.#client.queued = queue.requests.length;
    return encode.status('QUEUED');
  }

  #exec(): Dispatched {
    const queue = this.#queue;
    if (queue === undefined) return encode.error('ERR EXEC without MULTI');
    if (queue.refused) {
      this.#setQueue(undefined);
      return encode.error('EXECABORT Transaction discarded because of previous errors.');
    }
    const { requests } = queue;
    const { protocol } = this.#client;
    if (queue.writes && this.#behindBarrier > 0) return undefined;
    this.#setQueue(undefined);
    if (requests.length === 0) return encode.array([]);
    return this.#run(queue.writes, (way) => this.#executor.transaction(requests, protocol, way));
  }

  #execute(words: readonly Buffer[], command: CommandFact): Dispatched {
    const { protocol } = this.#client;
    const wait = waitOf({ words, command });
    if (wait !== undefined) return this.#block({ words, command }, wait.timeoutMs);
    // A read of every key has no place in one shard's log: it waits until the log is behind it.
    if (this.#logged > 0 && !command.write && command.keys === 'all') return undefined;
    return this.#run(command.write, (way) => this.#executor.execute({ words, command }, protocol, way));
  }

  /** Begins a wait, when everything before it is done. */
  #block(request: Request, timeoutMs: number | undefined): Dispatched {
    if (this.#logged > 0 || this.#behindBarrier > 0) return undefined;
    const blocked = new Blocked(this.#executor, request, timeoutMs, this.#client.protocol);
    this.#blocked = blocked;
    this.#client.unblock = (kind) => blocked.unblock(kind);
    return blocked.reply.finally(() => {
      this.#blocked = undefined;
      this.#client.unblock = undefined;
    });
  }

  /**
   * Starts something of the store, unless it would overtake what is under way: a write waits for reads behind a barrier, a read
   * behind writes goes through the log after them, and one behind reads joins them at the barrier.
   */
  #run(writes: boolean, start: (way: ReadWay) => Encoded | Promise<Encoded>): Dispatched {
    if (writes && this.#behindBarrier > 0) return undefined;
    const way = this.#logged > 0 ? 'log' : this.#behindBarrier > 0 ? 'barrier' : 'quickest';
    const reply = start(way);
    return reply instanceof Promise ? this.#counted(reply, writes || way === 'log') : reply;
  }

  async #counted(reply: Promise<Encoded>, logged: boolean): Promise<Encoded> {
    const by = (n: number): void => {
      if (logged) this.#logged += n;
      else this.#behindBarrier += n;
    };
    by(1);
    try {
      return await reply;
    } catch (thrown) {
      return encode.failure(thrown);
    } finally {
      by(-1);
    }
  }
}

function settled(reply: Encoded | Promise<Encoded>): Encoded | Promise<Encoded> {
  return reply instanceof Promise ? reply.catch(encode.failure) : reply;
}

function unknownCommand([name, ...args]: readonly Buffer[]): string {
  // Up to the first zero byte, as Redis quotes.
  const text = (word: Buffer | undefined): string =>
    word?.toString('utf8', 0, QUOTED_CHARACTERS_MAX).split('\0', 1)[0] ?? '';
  let quoted = '';
  for (const arg of args) {
    if (quoted.length >= QUOTED_CHARACTERS_MAX) break;
    quoted += `'${text(arg).slice(0, QUOTED_CHARACTERS_MAX - quoted.length)}' `;
  }
  return encode.error(`ERR unknown command '${text(name)}', with args beginning with: ${quoted}`);
}
