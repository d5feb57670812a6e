import { quorumValue } from './quorum.js';
import type { LogIndex, Milliseconds, SnapshotMark, Term, Timers } from './types.js';

/** What decides whether a leader's lease serves reads. */
export interface LeaseView {
  readonly relinquished: boolean;
  readonly barrierUntil: Milliseconds;
  readonly applied: LogIndex;
  readonly noopIndex: LogIndex;
}

/**
 * The decisions that safety rests on, as pure functions apart from the machinery: each can be read beside its rule,
 * tested alone, and broken alone by the simulator, which must then notice.
 */
export class Rules {
  /** E2: a log is up to date if its last term is larger, or equal and the log is no shorter. */
  upToDate(candidate: SnapshotMark, own: SnapshotMark): boolean {
    if (candidate.term !== own.term) return candidate.term > own.term;
    return candidate.index >= own.index;
  }

  /** E5: how long a leader that this voter supported may still believe in its lease. */
  promiseRemaining(until: Milliseconds, forgottenUntil: Milliseconds, now: Milliseconds): Milliseconds {
    return Math.max(0, until - now, forgottenUntil - now);
  }

  /** E6: until when a new leader waits because of one vote. Both clocks may be off by the drift bound. */
  barrierEnd(receivedAt: Milliseconds, remaining: Milliseconds, timers: Timers): Milliseconds {
    return receivedAt + (remaining * (1 + timers.drift)) / (1 - timers.drift);
  }

  /** E8: the newest instant such that a majority has acknowledged a frame SENT at or after it. */
  leaseBase(sendTimes: readonly Milliseconds[]): Milliseconds {
    return quorumValue(sendTimes);
  }

  /** E8: how long a lease lasts from its base, so that it ends before the promises do at any pair of clock rates. */
  leaseLength(timers: Timers): Milliseconds {
    return (timers.promiseMs * (1 - timers.drift)) / (1 + timers.drift) - 1;
  }

  /** E8: whether the lease may serve reads at all; the reader still compares its end with the clock. */
  leaseServes(view: LeaseView, now: Milliseconds): boolean {
    return !view.relinquished && now >= view.barrierUntil && view.applied >= view.noopIndex;
  }

  /** E9: leadership is handed over only when no leader of an earlier term can believe in its lease any more. */
  mayHandOver(barrierUntil: Milliseconds, now: Milliseconds): boolean {
    return now >= barrierUntil;
  }

  /** How far a leader's commit index holds for a log that is known to match the leader's up to `matched`. */
  knownCommit(commit: LogIndex, matched: LogIndex, _last: LogIndex): LogIndex {
    return Math.min(commit, matched);
  }

  /** R5: only an entry of the own term commits by count, and nothing does before the barrier ends (E7). */
  mayCommit(entryTerm: Term, term: Term, barrierUntil: Milliseconds, now: Milliseconds): boolean {
    return entryTerm === term && now >= barrierUntil;
  }

  /** R1: whether an entry that the log has already is the one that arrived. */
  sameEntry(ownTerm: Term | undefined, arrivedTerm: Term): boolean {
    return ownTerm === arrivedTerm;
  }

  /** E1: how long without a leader's frame a voter waits before it agrees to an election. */
  silence(timers: Timers): Milliseconds {
    return 0.9 * timers.electionMs;
  }
}
