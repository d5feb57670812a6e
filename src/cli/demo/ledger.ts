/** What is known of a write's outcome. `unknown`: it may have taken effect once, or not at all. */
export type Outcome = 'acknowledged' | 'refused' | 'unknown';

interface Account {
  issued: number;
  readonly acknowledged: Set<number>;
  readonly refused: Set<number>;
}

/**
 * The record of every write that was issued. Writers announce a sequence number before they use it, so a write
 * that nobody reported on afterwards is in the record all the same, as unknown.
 */
export class Ledger {
  readonly #accounts = new Map<string, Account>();
  #acknowledged = 0;

  /** Sequence numbers below `below` may be in use from now on. */
  issue(writer: string, below: number): void {
    const account = this.#account(writer);
    account.issued = Math.max(account.issued, below);
  }

  /** A writer that stopped in order says how far it really went. */
  settle(writer: string, below: number): void {
    this.#account(writer).issued = below;
  }

  acknowledge(writer: string, sequence: number): void {
    const { acknowledged } = this.#account(writer);
    if (acknowledged.has(sequence)) throw new Error(`${writer}-${sequence} was acknowledged twice`);
    acknowledged.add(sequence);
    this.#acknowledged++;
  }

  /** The write failed and cannot take effect any more. */
  refuse(writer: string, sequence: number): void {
    this.#account(writer).refused.add(sequence);
  }

  /** `undefined`: never issued. */
  outcome(writer: string, sequence: number): Outcome | undefined {
    const account = this.#accounts.get(writer);
    if (account === undefined || sequence >= account.issued) return undefined;
    if (account.acknowledged.has(sequence)) return 'acknowledged';
    return account.refused.has(sequence) ? 'refused' : 'unknown';
  }

  /** All writes that were issued. */
  *writes(): Iterable<{ writer: string; sequence: number; outcome: Outcome }> {
    for (const [writer, { issued }] of this.#accounts) {
      for (let sequence = 0; sequence < issued; sequence++) {
        const outcome = this.outcome(writer, sequence);
        if (outcome !== undefined) yield { writer, sequence, outcome };
      }
    }
  }

  /** Acknowledged writes so far. */
  get acknowledged(): number {
    return this.#acknowledged;
  }

  /** How many writes had which outcome. */
  totals(): Record<Outcome, number> {
    const totals = { acknowledged: 0, refused: 0, unknown: 0 };
    for (const { outcome } of this.writes()) totals[outcome]++;
    return totals;
  }

  #account(writer: string): Account {
    let account = this.#accounts.get(writer);
    if (account === undefined) {
      account = { issued: 0, acknowledged: new Set(), refused: new Set() };
      this.#accounts.set(writer, account);
    }
    return account;
  }
}
