/**
 * Runs commands on a replicated store. Writes go through the log of their shard. Reads are linearizable: at once where
 * this process holds the shard's lease, otherwise from local memory behind a read barrier.
 */
import type { Attempt, Executor, Request } from '../commands/executor.js';
import type { Bulk } from '../commands/form.js';
import type { WaitingRoom } from '../commands/waiting-room.js';
import { HoldfastError } from '../errors.js';
import type { NativeHandle, ReplyValue, Word } from '../keyspace/native.js';
import type { ShardClient } from './client.js';
import { type Route, routeOf, routeOfAll } from './router.js';

/** Bytes of one word, and of one request: what Redis takes for a value (`proto-max-bulk-len`). */
const REQUEST_BYTES_MAX = 512 * 1024 * 1024;
/** No string of so many UTF-16 units can be longer in UTF-8 than the limit. */
const SURELY_SHORT_LENGTH = REQUEST_BYTES_MAX / 3 / 1024;

/** What an executor stands on. */
export interface ReplicatedParts {
  readonly clients: readonly ShardClient[];
  readonly leased: NativeHandle<Bulk>;
  readonly local: NativeHandle<Bulk>;
  /** Whether bulks come back as Buffers. */
  readonly bytes: boolean;
  /** Where callers of blocking commands wait. */
  readonly room: WaitingRoom;
}

/** The executor of one surface of a replicated store. */
export class ReplicatedExecutor implements Executor {
  readonly #parts: ReplicatedParts;

  constructor(parts: ReplicatedParts) {
    this.#parts = parts;
  }

  get room(): WaitingRoom {
    return this.#parts.room;
  }

  get reads(): NativeHandle<Bulk> {
    return this.#parts.leased;
  }

  // Not async: a write's promise is the one that its outcome settles, with none around it.
  execute({ words, command, attempt }: Request): Promise<ReplyValue> {
    try {
      checkSize(words);
      const route = routeOf(words, command, this.#parts.clients.length);
      if (command.write) return this.#write(words, route, attempt);
      const reply = this.#parts.leased.call(words);
      if (reply !== undefined) return Promise.resolve(reply);
      return this.#behindBarrier(route, (local) => local.call(words));
    } catch (error) {
      return Promise.reject(error);
    }
  }

  async transaction(requests: readonly Request[]): Promise<ReplyValue[]> {
    const shards = this.#parts.clients.length;
    const route = routeOfAll(requests.map(({ words, command }) => routeOf(words, command, shards)));
    const words = requests.map((request) => request.words);
    checkSize(words.flat());
    if (requests.some(({ command }) => command.write)) {
      const replies = await this.#client(route).transaction(words, this.#parts.bytes);
      if (!Array.isArray(replies)) throw new TypeError('a transaction was not answered with an array');
      return replies;
    }
    const leased = this.#parts.leased.transaction(words);
    return leased ?? this.#behindBarrier(route, (local) => local.transaction(words));
  }

  #write(words: readonly Word[], route: Route, attempt: Attempt | undefined): Promise<ReplyValue> {
    const { clients, bytes } = this.#parts;
    if (route !== 'all') return this.#client(route === 'any' ? 0 : route).request(words, bytes, attempt);
    return Promise.all(clients.map((client) => client.request(words, bytes))).then(
      ([first]) => first ?? null,
    );
  }

  async #behindBarrier<R>(route: Route, read: (local: NativeHandle<Bulk>) => R | undefined): Promise<R> {
    const { clients, local } = this.#parts;
    const waited = route === 'all' ? clients : [this.#client(route === 'any' ? 0 : route)];
    await Promise.all(waited.map((client) => client.barrier()));
    const reply = read(local);
    if (reply === undefined) throw new HoldfastError('NOT_READY', 'this peer is not ready to answer reads');
    return reply;
  }

  #client(shard: number): ShardClient {
    const client = this.#parts.clients[shard];
    if (client === undefined) throw new RangeError(`there is no shard ${shard}`);
    return client;
  }
}

/** Refuses, before anything is copied, what no peer would take. */
function checkSize(words: readonly Word[]): void {
  let bytes = 0;
  for (const word of words) {
    if (typeof word === 'object') bytes += word.byteLength;
    else if (typeof word === 'string')
      bytes += word.length < SURELY_SHORT_LENGTH ? word.length : Buffer.byteLength(word);
  }
  if (bytes <= REQUEST_BYTES_MAX) return;
  throw new HoldfastError('ERR', 'ERR string exceeds maximum allowed size (proto-max-bulk-len)');
}
