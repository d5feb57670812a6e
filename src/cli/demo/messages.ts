/** What the demo and its peers say to each other over the IPC channel. */
import type { AckSpan } from './ack-spans.js';
import type { Trace } from './check.js';

/** One shard as one peer sees it. */
export interface ShardView {
  shard: number;
  role: string;
  leader: string | undefined;
  term: number;
  commit: number;
  applied: number;
}

/** How a peer process opens its store. */
export interface PeerOptions {
  name: string;
  peers: Record<string, string>;
  secret: string;
  shards: number;
  dir: string;
  /** Removed by the peer if the demo is gone without having removed it. */
  orphanedDir: string | undefined;
}

/** What a peer can be asked, and what it answers. */
export interface PeerCalls {
  /** Answered when the peer has caught up. */
  open: { params: PeerOptions; answer: null };
  /** Restores an RDB file into the cluster. */
  load: { params: { path: string }; answer: { keys: number } };
  /** Makes the keys of the workload empty. */
  prepare: { params: null; answer: null };
  /** Starts writing, `inFlight` writes at a time. */
  write: { params: { writer: string; inFlight: number }; answer: null };
  /** Stops writing, waits for what is under way, and answers how many writes were issued. */
  stop: { params: null; answer: { writer: string; issued: number } };
  status: { params: null; answer: ShardView[] };
  digest: { params: null; answer: string };
  trace: { params: null; answer: Trace };
}

/** The name of a call. */
export type PeerCall = keyof PeerCalls;

/** Demo to peer. */
export type ToPeer = {
  [C in PeerCall]: { id: number; call: C; params: PeerCalls[C]['params'] };
}[PeerCall];

/** What a peer says unasked. */
export type PeerNews =
  /** Sequence numbers below `below` may be in use once this was sent. */
  | { type: 'issuing'; writer: string; below: number }
  | { type: 'written'; writer: string; acknowledged: number[]; refused: number[]; spans: AckSpan[] }
  | { type: 'restored'; keys: number; totalKeys: number }
  | { type: 'status'; shards: ShardView[] }
  | { type: 'failover'; shard: number; leader: string; term: number; unavailableMs: number };

/** Peer to demo. */
export type FromPeer =
  | PeerNews
  | { type: 'answer'; id: number; answer: unknown }
  | { type: 'failed'; id: number; code: string; message: string };
