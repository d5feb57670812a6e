/** What one shard's host sees of its leaders, and what of it users are told. Pure. */
import type { MemberId, RaftStatus, Term } from '../raft/types.js';
import type { HostEvent, ShardId } from './protocol.js';

/** Follows one shard. Times are of the lease clock. */
export class Observer {
  readonly #shard: ShardId;
  readonly #emit: (event: HostEvent) => void;
  #role: RaftStatus['role'] = 'follower';
  #leader: MemberId = 0;
  #term: Term = 0;
  /** The newest term in which an entry was applied, and when its leader was last heard. */
  #servedTerm: Term = 0;
  #servedAtMs = 0;

  constructor(shard: ShardId, emit: (event: HostEvent) => void) {
    this.#shard = shard;
    this.#emit = emit;
  }

  /** The leader of the term in which this peer last applied something was heard, or is this peer and holds its lease. */
  heard(term: Term, nowMs: number): void {
    if (term === this.#servedTerm) this.#servedAtMs = nowMs;
  }

  /** Milliseconds since the leader was heard. */
  silentMs(nowMs: number): number {
    return this.#servedAtMs === 0 ? 0 : Math.max(0, nowMs - this.#servedAtMs);
  }

  /** Role, leader or term may have changed. True if the way of requests to the leader has. */
  status(status: RaftStatus): boolean {
    const changed = status.leader !== this.#leader || status.term !== this.#term;
    if (status.role !== this.#role) {
      this.#role = status.role;
      this.#emit({ event: 'role', shard: this.#shard, role: status.role, term: status.term });
    }
    if (status.leader !== this.#leader) {
      this.#leader = status.leader;
      this.#emit({ event: 'leader', shard: this.#shard, leader: status.leader, term: status.term });
    }
    this.#term = status.term;
    return changed;
  }

  /**
   * An entry of this term was applied: whoever leads it serves. `live`: this peer had caught up before, so that what it
   * sees is news and not the log being read again.
   */
  applied(term: Term, nowMs: number, live: boolean): void {
    if (term <= this.#servedTerm) return;
    if (live && term === this.#term) {
      const unavailableMs = nowMs - this.#servedAtMs;
      this.#emit({ event: 'failover', shard: this.#shard, leader: this.#leader, term, unavailableMs });
    }
    this.#servedTerm = term;
    this.#servedAtMs = nowMs;
  }
}
