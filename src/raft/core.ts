import { invariant } from './invariant.js';
import { LIMITS } from './limits.js';
import { Log } from './log.js';
import { Outbox } from './outbox.js';
import { majority } from './quorum.js';
import type { Rules } from './rules.js';
import type {
  Limits,
  LogIndex,
  MemberId,
  Milliseconds,
  RaftOptions,
  ReadAnswer,
  Role,
  SnapshotMark,
  Term,
  Timers,
} from './types.js';

/** The state that the parts of a core share. Roles and terms change in `Raft` only. */
export class Core {
  readonly id: MemberId;
  readonly voters: readonly MemberId[];
  /** The other voters. */
  readonly peers: readonly MemberId[];
  readonly timers: Timers;
  readonly limits: Limits;
  readonly rules: Rules;
  readonly random: () => number;
  readonly leaseReads: boolean;
  readonly log: Log;
  readonly outbox: Outbox;
  /** The newest time seen: never falls. */
  now: Milliseconds;
  term: Term;
  vote: MemberId;
  role: Role = 'follower';
  /** 0: unknown. */
  leader: MemberId = 0;
  /** Newest index known to be committed. `applied <= given <= commit <= last index`. */
  commit: LogIndex;
  /** Newest index given out to be applied. */
  given: LogIndex;
  applied: LogIndex;
  /** Peers to whom no connection is open. */
  readonly down = new Set<MemberId>();
  /** A snapshot that the host is loading. */
  installing: SnapshotMark | undefined;
  readonly reads: ReadAnswer[] = [];

  constructor(options: RaftOptions, rules: Rules) {
    invariant(options.voters.includes(options.id), 'options: a peer is one of the voters');
    invariant(new Set(options.voters).size === options.voters.length, 'options: voters differ');
    this.id = options.id;
    this.voters = options.voters;
    this.peers = options.voters.filter((voter) => voter !== options.id);
    this.timers = options.timers;
    this.limits = { ...LIMITS, ...options.limits };
    this.rules = rules;
    this.random = options.random;
    this.leaseReads = options.leaseReads ?? true;
    this.log = new Log(options.snapshot, options.entries, rules);
    this.outbox = new Outbox(this.log);
    this.now = options.now;
    this.term = options.hardState.term;
    this.vote = options.hardState.vote;
    this.commit = options.snapshot.index;
    this.given = options.snapshot.index;
    this.applied = options.snapshot.index;
    invariant(this.log.last.term <= this.term, 'storage: no entry is of a later term than the term on disk');
  }

  get majority(): number {
    return majority(this.voters.length);
  }

  /** Uniform in [from, to). */
  between(from: Milliseconds, to: Milliseconds): Milliseconds {
    return from + this.random() * (to - from);
  }

  /** What everyone may be told is committed: only what is applied here (R6). */
  get announced(): LogIndex {
    return this.applied;
  }

  /** Moves commit forward; never back. */
  advanceCommit(index: LogIndex): void {
    if (index <= this.commit) return;
    invariant(index <= this.log.lastIndex, 'commit stays within the log');
    this.commit = index;
  }
}
