/** What stands below a store: a log and peers, or this process's memory and nothing else. */
import type { EncodedExecutor, Executor } from '../commands/executor.js';
import { ReadOnlyCommands } from '../commands/sync.js';
import type { HoldfastError } from '../errors.js';
import type { NativeHandle, Word } from '../keyspace/native.js';
import type { Role } from '../raft/types.js';
import type { StoreLoadOptions, StoreLoadResult } from '../shards/load.js';

/** One shard as one peer sees it. */
export interface ShardStatus {
  /** Number of the shard, from 0. */
  readonly shard: number;
  /** This peer's role in it. */
  readonly role: Role;
  /** Name of the leader; `undefined` while this peer knows of none. */
  readonly leader: string | undefined;
  /** The term that this peer is in; 0 before the first election, and in a store without a log. */
  readonly term: number;
  /** The last entry known to be on a majority. */
  readonly commit: number;
  /** The last entry in this peer's memory. */
  readonly applied: number;
  /** The last entry in this peer's log. */
  readonly lastIndex: number;
  /** Whether this peer leads and may answer reads by itself. */
  readonly leased: boolean;
  /** Whether this peer has caught up since it started. */
  readonly ready: boolean;
  /** Milliseconds since the leader was heard; 0 on the leader. */
  readonly silentMs: number;
  /** Bytes of the log behind the last snapshot. */
  readonly logBytes: number;
  /** The entry that the last snapshot reaches to. */
  readonly snapshotIndex: number;
}

/** A store as one peer sees it. */
export interface StoreStatus {
  /** The name of the peer that answers. */
  readonly name: string;
  /** Every shard, in the order of their numbers. */
  readonly shards: readonly ShardStatus[];
  /** All peers; `up`: connected to this one (which is always up). */
  readonly peers: readonly { readonly name: string; readonly address: string; readonly up: boolean }[];
}

/** Reads from this process's memory, at once. See `Store.local` and `Store.leased`. */
export class StoreReads extends ReadOnlyCommands<string> {
  /** The same reads, with Buffers in place of strings. */
  readonly bytes: ReadOnlyCommands<Buffer>;
  readonly #staleness: () => number;

  /** @internal */
  constructor(
    strings: NativeHandle<string>,
    buffers: NativeHandle<Buffer>,
    why: Why,
    staleness: () => number,
  ) {
    super({ handle: strings, bytes: false, refusal: why });
    this.bytes = new ReadOnlyCommands({ handle: buffers, bytes: true, refusal: why });
    this.#staleness = staleness;
  }

  /** Milliseconds by which these reads are behind at the most: 0 on a leader with a lease, Infinity if nobody can say. */
  staleness(): number {
    return this.#staleness();
  }
}

/** Why a handle gave no answer for a key. */
export type Why = (key: Word | undefined) => HoldfastError;

/** What differs between a store with a log and one that is memory and nothing else. */
export interface Engine {
  executor(bytes: boolean): Executor;
  encodedExecutor(): EncodedExecutor;
  readonly local: StoreReads;
  readonly leased: StoreReads;
  /** Ids of the keyspaces, by shard. */
  readonly keyspaces: readonly number[];
  /** Resolves when the store can be used. */
  start(): Promise<void>;
  load(path: string, options: StoreLoadOptions): Promise<StoreLoadResult>;
  status(): Promise<StoreStatus>;
  transfer(shard: number, to: string | undefined): Promise<boolean>;
  close(): Promise<void>;
}
