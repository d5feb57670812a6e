/** What the threads of one peer say to each other. Plain data. */
import type { MessagePort } from 'node:worker_threads';
import type { CollectionLimits } from '../keyspace/collection-limits.js';
import type { MemberId, RaftStatus, Timers } from '../raft/types.js';
import type { DataClientId } from '../replication/data-clients.js';
import type { FsyncMode } from '../replication/disk-protocol.js';
import type { FrameKind } from '../replication/frame.js';
import type { FoundingRecord } from '../replication/identity.js';
import type { Member } from './membership.js';
import type { Abandoned } from './session.js';

/** Number of a shard, from 0. */
export type ShardId = number;

/** Application thread to a worker, about one of its shards. */
export type ToShard =
  | {
      readonly type: 'requests';
      readonly shard: ShardId;
      readonly count: number;
      readonly requests: Uint8Array;
    }
  /** Requests whose callers give them up: those that have not left for a leader take no effect. */
  | { readonly type: 'withdraw'; readonly shard: ShardId; readonly tickets: readonly number[] }
  | { readonly type: 'barrier'; readonly shard: ShardId }
  | {
      readonly type: 'transfer';
      readonly id: number;
      readonly shard: ShardId;
      readonly to: MemberId | undefined;
    };

/** The thread with the sockets to the application thread: what clients that restore and back up do. */
export type FromData =
  | { readonly type: 'data'; readonly client: DataClientId; readonly event: 'opened' | 'closed' }
  | {
      readonly type: 'data';
      readonly client: DataClientId;
      readonly event: 'frame';
      readonly kind: FrameKind;
      readonly body: Uint8Array<ArrayBuffer>;
    };

/** The application thread to the one with the sockets: a frame for such a client. */
export interface ToData {
  readonly type: 'data';
  readonly client: DataClientId;
  readonly frame: Uint8Array;
  /** The batch that it answers. */
  readonly answers: number | undefined;
  /** Whether it is the last one that the client is sent. */
  readonly last: boolean;
}

/** Application thread to a worker. */
export type ToWorker =
  | ToShard
  | ToData
  | { readonly type: 'status'; readonly id: number }
  | { readonly type: 'founded'; readonly founding: FoundingRecord; readonly restarted: boolean }
  | { readonly type: 'handOver' }
  /** Another thread of the store failed, and the store with it. */
  | { readonly type: 'fault'; readonly failure: Failure }
  /** `clean`: the threads that ended before this one wrote all that was acknowledged to their logs. */
  | { readonly type: 'stop'; readonly clean: boolean };

/** What a shard's host tells about itself. */
export interface HostStatus extends RaftStatus {
  readonly shard: ShardId;
  readonly leased: boolean;
  readonly ready: boolean;
  /** Milliseconds since the leader was heard; 0 on the leader. */
  readonly silentMs: number;
  /** Bytes of the log since the last snapshot. */
  readonly logBytes: number;
  readonly snapshotIndex: number;
}

/** What one worker tells about itself. */
export interface WorkerStatus {
  readonly shards: readonly HostStatus[];
  /** Members that the sockets' thread is connected to; empty from the others. */
  readonly up: readonly MemberId[];
}

/** Something that users can be told about. */
export type HostEvent =
  | {
      readonly event: 'role';
      readonly shard: ShardId;
      readonly role: RaftStatus['role'];
      readonly term: number;
    }
  | { readonly event: 'leader'; readonly shard: ShardId; readonly leader: MemberId; readonly term: number }
  | {
      readonly event: 'failover';
      readonly shard: ShardId;
      readonly leader: MemberId;
      readonly term: number;
      readonly unavailableMs: number;
    }
  | { readonly event: 'peer'; readonly member: MemberId; readonly up: boolean }
  | {
      readonly event: 'refused';
      /** 0: nobody knows who. */
      readonly member: MemberId;
      readonly code: string;
      readonly message: string;
    };

/** Worker to the application thread. */
export type FromWorker =
  | FromData
  | {
      readonly type: 'outcomes';
      readonly shard: ShardId;
      /** What makes a ticket of a sequence number. */
      readonly base: number;
      readonly outcomes: Uint8Array;
    }
  | { readonly type: 'abandoned'; readonly shard: ShardId; readonly abandoned: readonly Abandoned[] }
  | { readonly type: 'barrier'; readonly shard: ShardId; readonly failure: Failure | undefined }
  | { readonly type: 'status'; readonly id: number; readonly status: WorkerStatus }
  | { readonly type: 'transferred'; readonly id: number; readonly begun: boolean }
  | { readonly type: 'founded'; readonly founding: FoundingRecord; readonly restarted: boolean }
  | { readonly type: 'ready'; readonly shard: ShardId }
  | { readonly type: 'event'; readonly event: HostEvent }
  | { readonly type: 'fault'; readonly failure: Failure }
  | { readonly type: 'handedOver' }
  /** The last word of a thread: whether all that was acknowledged is in its logs. */
  | { readonly type: 'stopped'; readonly clean: boolean };

/** An error on its way to another thread. */
export interface Failure {
  readonly code: string;
  readonly message: string;
}

/** What every worker of a peer is started with. */
export interface WorkerSetup {
  readonly self: Member;
  /** All members, ascending by id. */
  readonly members: readonly Member[];
  /** Shards of the cluster. */
  readonly shardCount: number;
  /** This worker's shards: the native replica of each and, where there is a directory, its way to the disk thread. */
  readonly shards: readonly {
    readonly shard: ShardId;
    readonly replica: number;
    readonly disk: MessagePort | undefined;
  }[];
  readonly timers: Timers;
  readonly limits: CollectionLimits;
  /** How long a request may wait for its outcome. */
  readonly timeoutMs: number;
  /** Whether this process has a limit of memory. */
  readonly limited: boolean;
  /** By shard: up to when, on the lease clock, this process's memory is known to be complete. */
  readonly freshness: Float64Array;
  readonly dir: string | undefined;
  readonly fsync: FsyncMode;
  /** Bytes of log, above which a shard takes a snapshot and drops it. */
  readonly snapshotLogBytes: number;
  /** Set for the worker that has the sockets. */
  readonly sockets: SocketsSetup | undefined;
  /** Set for the others: the way to the one that has them. */
  readonly relay: MessagePort | undefined;
}

/** What the worker with the sockets is started with besides. */
export interface SocketsSetup {
  readonly secret: string | undefined;
  /** False: a cluster of one that nobody can reach. */
  readonly reachable: boolean;
  /** Where to listen, if not at the own address. */
  readonly listen: string | undefined;
  /** The other workers, and their shards. */
  readonly relays: readonly { readonly port: MessagePort; readonly shards: readonly ShardId[] }[];
}
