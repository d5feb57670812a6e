/**
 * The vocabulary of the protocol: what goes into the core, what comes out of it. Plain data only.
 *
 * The core is a function of its inputs: it reads no clock, draws from the generator it is given, and does no I/O.
 * Times are milliseconds of the lease clock (CLOCK_BOOTTIME), with a fraction, of the peer that reads them.
 */

/** A term of Raft (thesis §3.3). Starts at 0, never falls. */
export type Term = number;
/** A place in a log. The first entry has index 1. */
export type LogIndex = number;
/** A member of a group, fixed when the cluster is founded. 1 to the number of peers. */
export type MemberId = number;
/** Milliseconds of the lease clock. */
export type Milliseconds = number;

/** `noop`: what a new leader appends first. `batch`: requests, opaque to the core. */
export type EntryKind = 'noop' | 'batch';

/** One entry of the log. Immutable. */
export interface Entry {
  readonly index: LogIndex;
  readonly term: Term;
  readonly kind: EntryKind;
  readonly data: Uint8Array;
}

/** What must be durable before anything is said in its term (rule E2, one record: rule 6 of the summary). */
export interface HardState {
  readonly term: Term;
  /** The candidate voted for in `term`, 0 for none. */
  readonly vote: MemberId;
}

/** Where a snapshot stands in the log. */
export interface SnapshotMark {
  readonly index: LogIndex;
  readonly term: Term;
}

interface Envelope {
  readonly from: MemberId;
  readonly to: MemberId;
  readonly term: Term;
}

/** Asks whether an election could be won, without changing anything (rule E1). `term` is the proposed one. */
export interface PreVote extends Envelope {
  readonly type: 'preVote';
  readonly lastIndex: LogIndex;
  readonly lastTerm: Term;
  /** Names the round, so that a late answer is not counted in another. */
  readonly round: number;
}
export interface PreVoteReply extends Envelope {
  readonly type: 'preVoteReply';
  readonly granted: boolean;
  readonly round: number;
}
/** Asks for a vote in `term` (rule E2). */
export interface Vote extends Envelope {
  readonly type: 'vote';
  readonly lastIndex: LogIndex;
  readonly lastTerm: Term;
  /** Carries the right to skip the barrier: handed over by the leader of `term - 1` (rule E9). */
  readonly transfer: boolean;
}
export interface VoteReply extends Envelope {
  readonly type: 'voteReply';
  readonly granted: boolean;
  /** How long an earlier leader may still believe in a lease that this voter supports (rule E5). */
  readonly promiseRemaining: Milliseconds;
}
/** The heartbeat. Its echo extends the leader's lease and confirms read rounds. */
export interface Beat extends Envelope {
  readonly type: 'beat';
  /** The leader's applied commit index (rule R6). */
  readonly commit: LogIndex;
  /** Leader's clock when the beat was made; echoed. */
  readonly sentAt: Milliseconds;
  /** The newest round of reads that waits for a quorum; echoed. */
  readonly readRound: number;
  /** Whether the leader held its lease at `sentAt`, so that `commit` is fresh (rule in §2.6.4). */
  readonly leased: boolean;
  /** Follower's time of the newest beat reply that the leader had got from it, or 0: lets it date `commit`. */
  readonly echoAt: Milliseconds;
}
export interface BeatReply extends Envelope {
  readonly type: 'beatReply';
  readonly sentAt: Milliseconds;
  readonly readRound: number;
  /** Follower's clock when it answered; comes back as `echoAt`. */
  readonly repliedAt: Milliseconds;
}
export interface Append extends Envelope {
  readonly type: 'append';
  readonly prevIndex: LogIndex;
  readonly prevTerm: Term;
  readonly commit: LogIndex;
  readonly sentAt: Milliseconds;
  readonly entries: readonly Entry[];
}
export interface AppendReply extends Envelope {
  readonly type: 'appendReply';
  readonly ok: boolean;
  /** ok: the durable index that matches the leader's log. Otherwise the refused `prevIndex`. */
  readonly index: LogIndex;
  /** Refusal: the largest own index at or before `prevIndex` with a term not above `prevTerm` (rule R2). */
  readonly hintIndex: LogIndex;
  readonly hintTerm: Term;
  readonly sentAt: Milliseconds;
}
/** A snapshot's bytes are on their way on the bulk connection; each chunk counts as a sign of life (rules E4, S3). */
export interface SnapshotChunk extends Envelope {
  readonly type: 'snapshotChunk';
  readonly mark: SnapshotMark;
  readonly sentAt: Milliseconds;
}
/** The follower has a snapshot durable and loaded (or refused it): `index` is what it holds now. */
export interface SnapshotReply extends Envelope {
  readonly type: 'snapshotReply';
  readonly ok: boolean;
  readonly index: LogIndex;
  readonly sentAt: Milliseconds;
}
/** Hands leadership to the receiver, which campaigns at exactly `term + 1` (rule E9). */
export interface TimeoutNow extends Envelope {
  readonly type: 'timeoutNow';
}
/** A follower asks how far it must have applied before it may answer reads (§2.10, mode `index`). */
export interface ReadIndex extends Envelope {
  readonly type: 'readIndex';
  /** Unique in this run of the asking process, never reused. */
  readonly id: number;
}
export interface ReadIndexReply extends Envelope {
  readonly type: 'readIndexReply';
  readonly id: number;
  /** -1: not the leader, or not able to say; ask again. */
  readonly index: LogIndex;
}

export type Message =
  | PreVote
  | PreVoteReply
  | Vote
  | VoteReply
  | Beat
  | BeatReply
  | Append
  | AppendReply
  | SnapshotChunk
  | SnapshotReply
  | TimeoutNow
  | ReadIndex
  | ReadIndexReply;

/**
 * What a peer is in a shard. `leader`: takes the writes and answers for them. `follower`: applies what the leader sends.
 * `candidate`: asks for votes, because it has heard no leader.
 */
export type Role = 'follower' | 'candidate' | 'leader';

/** The timers (CONSENSUS §2.5): milliseconds, but for `drift`. A promise spans three beats at least, an election timeout a promise. */
export interface Timers {
  /** Between two beats of a leader. Default: 50. */
  readonly beatMs: Milliseconds;
  /** What a voter promises with each accepted frame of a leader: P of rule E4. Bounds the wait after a crash. Default: 300. */
  readonly promiseMs: Milliseconds;
  /** Least silence before a follower campaigns; the timeout is uniform in [this, 2 x this). Default: 600. */
  readonly electionMs: Milliseconds;
  /** A leader whose lease has been over for so long steps down (rule E10). Default: 600. */
  readonly giveUpMs: Milliseconds;
  /** Bound of the drift between two lease clocks, a fraction from 0 to below 0.5: rho of M3. Default: 0.1. */
  readonly drift: number;
}

/** What each queue of a core may hold. */
export interface Limits {
  /** Payload of one `Append`; a single larger entry goes alone. */
  readonly appendBytesMax: number;
  /** Payload on its way to one follower (rule R3). */
  readonly inflightBytesMax: number;
  /** Frames with entries on their way to one follower (rule R3). */
  readonly inflightFramesMax: number;
  /** Payload that a leader holds uncommitted before it refuses proposals (rule R8). */
  readonly uncommittedBytesMax: number;
  /** Payload given out to be applied and not yet reported as applied. */
  readonly applyBytesMax: number;
  /** Index reads that wait at one peer, its own and those it answers for others. */
  readonly readsMax: number;
}

/** How a core starts: what storage held. */
export interface RaftOptions {
  /** Overrides of single limits; the rest is as `LIMITS` says. */
  readonly limits?: Partial<Limits>;
  readonly id: MemberId;
  readonly voters: readonly MemberId[];
  readonly timers: Timers;
  /** Uniform in [0, 1). Seeded by the caller. */
  readonly random: () => number;
  /** Whether a leader that holds its lease answers index reads without a round of beats. Default: true. */
  readonly leaseReads?: boolean;
  /** The clock now. */
  readonly now: Milliseconds;
  readonly hardState: HardState;
  /** The newest durable snapshot, `{ index: 0, term: 0 }` for none. Everything up to it is applied. */
  readonly snapshot: SnapshotMark;
  /** The durable log behind the snapshot, ascending and without gaps. */
  readonly entries: readonly Entry[];
  /** Whether this incarnation ran before, and so may have made promises that it forgot (rule E5). */
  readonly restarted: boolean;
}

/** What has to be made durable together, in the order of `seq`. */
export interface Persist {
  /** Handed back through `persisted(seq)`. Ascending by 1. */
  readonly seq: number;
  readonly hardState: HardState | undefined;
  /** Entries to append. Those at or behind `entries[0].index` are replaced in the same durable step (rule R1). */
  readonly entries: readonly Entry[];
  /** Messages that may leave only after this is durable. */
  readonly messages: readonly Message[];
}

/** The outcome of a `readIndex` call. */
export interface ReadAnswer {
  readonly id: number;
  /** Answer when applied has reached this; -1: the leader changed or is unknown, ask again. */
  readonly index: LogIndex;
}

/** Everything the host has to do after one or more inputs. Taken with `ready()`; the host does it in this order. */
export interface Ready {
  /** Lease end to publish BEFORE anything else is done, 0 for none; undefined if unchanged. */
  readonly leaseUntil: Milliseconds | undefined;
  /** May leave at once. */
  readonly messages: readonly Message[];
  /** To be made durable; undefined if nothing is. */
  readonly persist: Persist | undefined;
  /** To be applied in order; the host then calls `applied(index)`. */
  readonly committed: readonly Entry[];
  readonly reads: readonly ReadAnswer[];
  /** Followers that need a snapshot: the host streams one and calls `snapshotSent` or `snapshotFailed`. */
  readonly snapshots: readonly MemberId[];
  /** What users may be told about. */
  readonly status: RaftStatus | undefined;
}

/** The observable state. `Ready.status` is set when role, leader or term changed. */
export interface RaftStatus {
  readonly id: MemberId;
  readonly role: Role;
  readonly term: Term;
  /** 0: unknown. */
  readonly leader: MemberId;
  readonly commit: LogIndex;
  readonly applied: LogIndex;
  readonly lastIndex: LogIndex;
  /** A leader before this instant commits and serves nothing (rule E7). */
  readonly barrierUntil: Milliseconds;
}

/** Why a proposal was not taken. `busy`: over the cap of uncommitted bytes, or leadership is being handed over. */
export type Refusal = 'notLeader' | 'busy';

/**
 * What a follower may do with a complete snapshot (rule S3). `refused`: nothing. Otherwise the host publishes and loads
 * it; `keepLog`: the log continues it and stays, `dropLog`: the log goes in the same durable step.
 */
export type SnapshotVerdict = 'refused' | 'keepLog' | 'dropLog';

/** What a leader knows of one follower. */
export interface FollowerStatus {
  readonly id: MemberId;
  /** The newest index known to be durable there. */
  readonly match: LogIndex;
  readonly state: 'probe' | 'replicate' | 'snapshot';
  /** It lost what it had acknowledged, and is no longer counted (rule I4). */
  readonly amnesiac: boolean;
}
