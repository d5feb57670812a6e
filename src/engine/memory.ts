/** A store without a log. */

import type { Executor, Request } from '../commands/executor.js';
import type { Bulk } from '../commands/form.js';
import { WaitingRoom } from '../commands/waiting-room.js';
import { HoldfastError } from '../errors.js';
import { type NativeHandle, native, type ReplyValue } from '../keyspace/native.js';
import type { CheckedOptions } from '../options.js';
import { loadKeys, wordsOfRequest } from '../shards/load.js';
import { type Engine, type ShardStatus, StoreReads } from './engine.js';

/** A store that is one keyspace of this process. */
export function memoryEngine({ self, memoryLimit, limits }: CheckedOptions): Engine {
  const id = native.keyspaceCreate(memoryLimit, limits);
  const strings = native.attach([id], 'plain', false);
  const buffers = native.attach([id], 'plain', true);
  const room = new WaitingRoom();
  const closed = () => new HoldfastError('CLOSED', 'the store is closed');
  const reads = new StoreReads(strings, buffers, closed, () => 0);
  const shard: ShardStatus = {
    ...{ shard: 0, role: 'leader', leader: self.name, term: 0, commit: 0, applied: 0, lastIndex: 0 },
    ...{ leased: true, ready: true, silentMs: 0, logBytes: 0, snapshotIndex: 0 },
  };
  return {
    executor: (bytes) => new MemoryExecutor(bytes ? buffers : strings, room),
    encodedExecutor: () => ({
      handle: strings,
      room,
      execute: ({ words }, protocol) => answered(strings.callEncoded(words, protocol)),
      transaction: (requests, protocol) => {
        const words = requests.map((request) => request.words);
        return answered(strings.transactionEncoded(words, protocol));
      },
    }),
    local: reads,
    leased: reads,
    keyspaces: [id],
    start: async () => {},
    load: (path, options) =>
      loadKeys(path, 1, async (_, resp) => buffers.call(wordsOfRequest(resp)), options),
    status: async () => {
      native.statistics(id);
      return { name: self.name, shards: [shard], peers: [{ ...self, up: true }] };
    },
    transfer: async () => false,
    close: async () => {
      room.refuse(closed());
      native.keyspaceClose(id);
      strings.release();
      buffers.release();
    },
  };
}

/** A plain handle answers everything. */
function answered<T>(reply: T | undefined): T {
  if (reply === undefined) throw new TypeError('a keyspace gave no answer');
  return reply;
}

/** Commands straight down, as promises. */
class MemoryExecutor implements Executor {
  readonly room: WaitingRoom;
  readonly #handle: NativeHandle<Bulk>;

  constructor(handle: NativeHandle<Bulk>, room: WaitingRoom) {
    this.#handle = handle;
    this.room = room;
  }

  get reads(): NativeHandle<Bulk> {
    return this.#handle;
  }

  async execute({ words }: Request): Promise<ReplyValue> {
    return this.#handle.call(words) ?? null;
  }

  async transaction(requests: readonly Request[]): Promise<ReplyValue[]> {
    return this.#handle.transaction(requests.map(({ words }) => words)) ?? [];
  }
}
