/** What the disk thread and the writers of the shards say to each other over a MessagePort. */

import type { Entry, HardState, LogIndex, SnapshotMark } from '../raft/types.js';

/**
 * When a write counts as durable: `always`, when it is synced; `everysec`, when it is written, with a sync every
 * second.
 */
export type FsyncMode = 'always' | 'everysec';

/** What the thread is started with. */
export interface DiskThreadData {
  readonly fsync: FsyncMode;
  readonly syncMs: number;
  readonly blockBytes: number;
  readonly segmentBytes: number;
}

/** To the thread. */
export type DiskRequest =
  | { readonly type: 'open'; readonly dir: string; readonly shard: number; readonly clusterId: string }
  | { readonly type: 'append'; readonly seq: number; readonly records: Uint8Array }
  | { readonly type: 'mark'; readonly seq: number; readonly mark: SnapshotMark }
  | { readonly type: 'compact'; readonly index: LogIndex }
  | { readonly type: 'close' };

/** What a log held when it was opened. */
export interface RecoveredShard {
  readonly hardState: HardState;
  readonly mark: SnapshotMark;
  readonly entries: readonly Entry[];
  /** Bytes of an unfinished write that were dropped. */
  readonly droppedBytes: number;
}

/**
 * From the thread. `durable` covers everything up to `seq`. `failed` is the last word on a log, unless it is closed
 * afterwards.
 */
export type DiskReply =
  | { readonly type: 'opened'; readonly recovered: RecoveredShard }
  | { readonly type: 'durable'; readonly seq: number; readonly logBytes: number }
  | { readonly type: 'failed'; readonly code: string; readonly message: string }
  | { readonly type: 'closed' };

/** From the host of the thread to it: another port to serve, or the end. */
export type DiskControl =
  | { readonly type: 'serve'; readonly port: import('node:worker_threads').MessagePort }
  | { readonly type: 'end' };
