import { quorumValue } from '../../src/raft/quorum.js';
import { type LeaseView, Rules } from '../../src/raft/rules.js';
import type { LogIndex, Milliseconds, SnapshotMark, Term, Timers } from '../../src/raft/types.js';
import type { Flavour } from './swarm.js';

/**
 * The protocol with one rule broken on purpose. A simulator that does not notice is worth nothing. Those that are a
 * decision of the core replace `Rules`; the others are a host that does not keep its side of the contract.
 */
export const BREAKS = {
  'lease-from-newest-ack': 'E8: the lease counts from the newest single ack instead of a majority',
  'lease-from-ack-arrival': 'E8: the lease counts from the arrival of acks instead of the sending of frames',
  'lease-too-long': 'E8: the lease lasts as long as the promise, without regard to clock rates',
  'no-commit-barrier': 'E6: a new leader does not wait for what its voters promised',
  'restart-forgets-promise': 'E5: a restarted voter reports no promise',
  'vote-not-durable': 'E2: the vote is not on disk when it is given',
  'term-not-durable': '2.11: replies leave in a term that is not on disk',
  'ack-before-fsync': 'R7: a follower acknowledges entries that are not on disk',
  'self-ack-before-fsync': 'R4: a leader counts its own entries before they are on disk',
  'read-before-noop': 'E8: a lease serves reads before the no-op of its term is applied',
  'lease-after-transfer': 'E9: the lease goes on after leadership was handed over',
  'transfer-before-barrier': 'E9: leadership is handed over before the own barrier ends',
  'commit-without-match': 'R5: a follower takes the commit index of a beat for entries that may be others',
  'commit-old-term': 'R5: entries of an earlier term commit by count',
  'announce-before-apply': 'R6: the leader announces a commit that it has not applied',
  'no-session-dedup': 'X2: a request that comes twice is executed twice',
  'snapshot-without-sessions': 'X5: a snapshot does not carry the sessions',
  'snapshot-keeps-conflict': 'S3: a snapshot is published without dropping the log that contradicts it',
  'install-refused-snapshot': 'S3: a host loads a snapshot that is behind what it has applied',
  'truncate-without-compare': 'R1: an append truncates what it overlaps, equal or not',
  'vote-without-log-check': 'E2: votes are given to candidates with a shorter log',
  'read-index-unconfirmed': '2.10: any echo confirms a round of reads',
} as const;

export type Break = keyof typeof BREAKS;

export function isBreak(name: string): name is Break {
  return Object.hasOwn(BREAKS, name);
}

class NewestAck extends Rules {
  override leaseBase(sendTimes: readonly Milliseconds[]): Milliseconds {
    return sendTimes.length === 1 ? quorumValue(sendTimes) : Math.max(...sendTimes.slice(1));
  }
}

class TooLong extends Rules {
  override leaseLength(timers: Timers): Milliseconds {
    return timers.promiseMs;
  }
}

class NoBarrier extends Rules {
  override barrierEnd(): Milliseconds {
    return Number.NEGATIVE_INFINITY;
  }
}

class BeforeNoop extends Rules {
  override leaseServes(view: LeaseView, now: Milliseconds): boolean {
    return super.leaseServes({ ...view, applied: view.noopIndex }, now);
  }
}

class AfterTransfer extends Rules {
  override leaseServes(view: LeaseView, now: Milliseconds): boolean {
    return super.leaseServes({ ...view, relinquished: false }, now);
  }
}

class OldTerm extends Rules {
  override mayCommit(_entry: Term, _term: Term, barrierUntil: Milliseconds, now: Milliseconds): boolean {
    return now >= barrierUntil;
  }
}

class EarlyHandOver extends Rules {
  override mayHandOver(): boolean {
    return true;
  }
}

class AnyCommit extends Rules {
  override knownCommit(commit: LogIndex, _matched: LogIndex, last: LogIndex): LogIndex {
    return Math.min(commit, last);
  }
}

class Truncating extends Rules {
  override sameEntry(): boolean {
    return false;
  }
}

class AnyLog extends Rules {
  override upToDate(_candidate: SnapshotMark, _own: SnapshotMark): boolean {
    return true;
  }
}

const RULES: Partial<Record<Break, new () => Rules>> = {
  'lease-from-newest-ack': NewestAck,
  'lease-too-long': TooLong,
  'no-commit-barrier': NoBarrier,
  'read-before-noop': BeforeNoop,
  'lease-after-transfer': AfterTransfer,
  'transfer-before-barrier': EarlyHandOver,
  'commit-without-match': AnyCommit,
  'commit-old-term': OldTerm,
  'truncate-without-compare': Truncating,
  'vote-without-log-check': AnyLog,
};

/** Where the rarer ones are looked for in every other schedule. Without a break, such schedules are among the others. */
export const HUNTING: Partial<Record<Break, Flavour>> = {
  'lease-from-newest-ack': 'usurpers',
  'lease-from-ack-arrival': 'usurpers',
  'lease-too-long': 'usurpers',
  'lease-after-transfer': 'handOvers',
  'read-index-unconfirmed': 'usurpers',
  'restart-forgets-promise': 'usurpers',
  'transfer-before-barrier': 'usurpers',
  'commit-old-term': 'tugOfWar',
  'vote-not-durable': 'duels',
  'term-not-durable': 'duels',
};

/** The rules that cores run by. */
export function rulesFor(broken: Break | undefined): Rules {
  const Broken = broken === undefined ? undefined : RULES[broken];
  return Broken === undefined ? new Rules() : new Broken();
}
