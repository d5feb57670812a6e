/**
 * How a leader keeps its process's limit of memory: before it appends requests, it looks at its own memory, names the keys
 * that have to go in the same entry ahead of them, or marks the entry so that every peer refuses what needs memory.
 */
import type { NativeRoom } from '../keyspace/native.js';
import type { LogIndex } from '../raft/types.js';
import { encodeBatch, encodeControlResp } from './batch.js';
import type { StateMachine } from './state-machine.js';

const ROOM: NativeRoom = { full: false, more: false };

/** An entry, and how many of the runs it was asked to hold are in it. */
interface Encoded {
  readonly data: Buffer;
  readonly taken: number;
}

/** The evictions of one shard. */
export class Evictions {
  readonly #machine: StateMachine;
  readonly #limited: boolean;
  /** Whether the entry made last evicts. */
  #evicts = false;
  /** The newest entry proposed here in this term that evicts. */
  #index: LogIndex = 0;

  /** @param limited - Whether this process has a limit of memory. */
  constructor(machine: StateMachine, limited: boolean) {
    this.#machine = machine;
    this.#limited = limited;
  }

  /**
   * Whether requests have to wait because an entry that evicts is under way: what it frees is known when it is applied. So
   * requests do not outrun evictions.
   */
  get underWay(): boolean {
    return this.#index > this.#machine.applied;
  }

  /** The entry of these runs. It holds none of them if there is more to evict than one entry should. */
  encode(stampMs: number, seed: readonly [number, number], runs: readonly Uint8Array[]): Encoded {
    const room = this.#limited && runs.length > 0 ? this.#machine.room() : undefined;
    const { full, more, eviction } = room ?? ROOM;
    const behind = more ? [] : runs;
    this.#evicts = eviction !== undefined;
    const all = eviction === undefined ? behind : [encodeControlResp(eviction), ...behind];
    return { data: encodeBatch(stampMs, seed, all, full), taken: behind.length };
  }

  /** The entry made last stands at this index of the log. */
  proposed(index: LogIndex): void {
    if (this.#evicts) this.#index = index;
  }

  /** This peer begins or ends to lead. */
  clear(): void {
    this.#index = 0;
  }
}
