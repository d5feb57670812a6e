import type { LogIndex, MemberId, Term } from '../../../src/raft/types.js';
import { check } from './violation.js';

interface Acknowledged {
  readonly at: number;
  readonly index: LogIndex;
}

/** What readers may rely on, against the acknowledgements that clients really had. Times are real ones. */
export class Freshness {
  /** Ascending in both: the newest index acknowledged by each instant. */
  readonly #acknowledged: Acknowledged[] = [{ at: Number.NEGATIVE_INFINITY, index: 0 }];
  leasedReads = 0;
  indexReads = 0;

  get newest(): LogIndex {
    return this.#acknowledged[this.#acknowledged.length - 1]?.index ?? 0;
  }

  acknowledge(at: number, index: LogIndex): void {
    if (index > this.newest) this.#acknowledged.push({ at, index });
  }

  before(at: number): LogIndex {
    let low = 0;
    let high = this.#acknowledged.length - 1;
    while (low < high) {
      const middle = (low + high + 1) >> 1;
      if ((this.#acknowledged[middle]?.at ?? 0) < at) low = middle;
      else high = middle - 1;
    }
    return this.#acknowledged[low]?.index ?? 0;
  }

  /** A read sees at least what was acknowledged when it began. */
  read(kind: 'leased' | 'index', id: MemberId, needed: LogIndex, applied: LogIndex): void {
    if (kind === 'leased') this.leasedReads++;
    else this.indexReads++;
    check(
      applied >= needed,
      kind === 'leased' ? 'fresh leased read' : 'fresh index read',
      () => `${id} reads at ${applied}, ${needed} was acknowledged`,
    );
  }

  /** A peer that says how old its state is does not flatter itself. */
  claims(id: MemberId, freshAt: number, applied: LogIndex): void {
    const needed = this.before(freshAt);
    check(
      applied >= needed,
      'true age',
      () => `${id} claims ${freshAt} at ${applied}, but ${needed} is older`,
    );
  }

  /** Lease exclusivity: while a leader commits, no leader of an earlier term may believe in its lease. */
  commits(term: Term, id: MemberId, leased: { readonly id: MemberId; readonly term: Term }): void {
    check(
      leased.term >= term,
      'lease exclusivity',
      () => `${id} commits in term ${term} while ${leased.id} holds the lease of term ${leased.term}`,
    );
  }
}
