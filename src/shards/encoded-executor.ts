/**
 * Runs commands of Redis clients on a replicated store: the same ways as `ReplicatedExecutor`, chosen so that requests of one
 * connection take effect in their order, with replies that stay bytes.
 */
import type { EncodedExecutor, ReadWay, Request } from '../commands/executor.js';
import type { WaitingRoom } from '../commands/waiting-room.js';
import { HoldfastError } from '../errors.js';
import { type Encoded, type NativeHandle, native, type RespProtocol } from '../keyspace/native.js';
import type { ShardClient } from './client.js';
import { type Route, routeOf, routeOfAll } from './router.js';

/** Replies through the log up to this length are given as strings. */
const TEXT_BYTES_MAX = 4096;

/** What an executor stands on. */
export interface EncodedParts {
  readonly clients: readonly ShardClient[];
  readonly leased: NativeHandle;
  readonly local: NativeHandle;
  readonly room: WaitingRoom;
}

/** The executor of a replicated store's Redis endpoint. */
export class ReplicatedEncodedExecutor implements EncodedExecutor {
  readonly #parts: EncodedParts;

  constructor(parts: EncodedParts) {
    this.#parts = parts;
  }

  get room(): WaitingRoom {
    return this.#parts.room;
  }

  get handle(): NativeHandle {
    return this.#parts.local;
  }

  execute(
    { words, command, attempt }: Request,
    protocol: RespProtocol,
    way: ReadWay,
  ): Encoded | Promise<Encoded> {
    const { clients, leased } = this.#parts;
    const route = routeOf(words, command, clients.length);
    if (command.write || way === 'log') {
      const replies = this.#clientsOf(route).map((client) => client.requestForBytes(words, attempt));
      return Promise.all(replies).then(([first]) => forClient(first, protocol));
    }
    const reply = way === 'quickest' ? leased.callEncoded(words, protocol) : undefined;
    return reply ?? this.#behindBarrier(route, (local) => local.callEncoded(words, protocol));
  }

  transaction(
    requests: readonly Request[],
    protocol: RespProtocol,
    way: ReadWay,
  ): Encoded | Promise<Encoded> {
    const { clients, leased } = this.#parts;
    const route = routeOfAll(requests.map(({ words, command }) => routeOf(words, command, clients.length)));
    const words = requests.map((request) => request.words);
    if (way === 'log' || requests.some(({ command }) => command.write)) {
      const [client] = this.#clientsOf(route);
      const reply = client?.transactionForBytes(words) ?? Promise.resolve(undefined);
      return reply.then((resp) => forClient(resp, protocol));
    }
    const reply = way === 'quickest' ? leased.transactionEncoded(words, protocol) : undefined;
    return reply ?? this.#behindBarrier(route, (local) => local.transactionEncoded(words, protocol));
  }

  async #behindBarrier(route: Route, read: (local: NativeHandle) => Encoded | undefined): Promise<Encoded> {
    await Promise.all(this.#clientsOf(route).map((client) => client.barrier()));
    const reply = read(this.#parts.local);
    if (reply === undefined) throw new HoldfastError('NOT_READY', 'this peer is not ready to answer reads');
    return reply;
  }

  /** Not empty: a store has a shard 0, and routes name shards that there are. */
  #clientsOf(route: Route): readonly ShardClient[] {
    const { clients } = this.#parts;
    if (route === 'all') return clients;
    const shard = route === 'any' ? 0 : route;
    return clients.slice(shard, shard + 1);
  }
}

/** Statuses, errors, integers and bulks are the same bytes for all clients. */
function forClient(reply: Buffer | undefined, protocol: RespProtocol): Encoded {
  if (reply === undefined) throw new RangeError('there is no such shard');
  const [kind] = reply;
  const plain = kind === 0x2b || kind === 0x2d || kind === 0x3a || kind === 0x24;
  if (!plain) return native.transcodeReply(reply, protocol);
  return reply.length <= TEXT_BYTES_MAX ? reply.toString('latin1') : reply;
}
