import type { Core } from './core.js';
import type { LogIndex, Milliseconds } from './types.js';

/**
 * The voter's side of the lease: what it has promised to all leaders it ever heard. A change of term does not reset it
 * (§2.3), since an earlier leader may still serve reads.
 */
export class Promises {
  readonly #core: Core;
  #until: Milliseconds = Number.NEGATIVE_INFINITY;
  /** Until when an earlier run of this incarnation may be bound by promises that this run does not know (E5). */
  readonly #forgottenUntil: Milliseconds;

  constructor(core: Core, restarted: boolean) {
    this.#core = core;
    this.#forgottenUntil = restarted ? core.now + core.timers.promiseMs : Number.NEGATIVE_INFINITY;
  }

  /** E4: a leader's frame was processed. */
  renew(): void {
    this.#until = Math.max(this.#until, this.#core.now + this.#core.timers.promiseMs);
  }

  /** E5 */
  get remaining(): Milliseconds {
    return this.#core.rules.promiseRemaining(this.#until, this.#forgottenUntil, this.#core.now);
  }
}

/** The leader's side (E7, E8): one term of leadership. */
export class Lease {
  readonly #core: Core;
  readonly noopIndex: LogIndex;
  readonly barrierUntil: Milliseconds;
  /** E9: given up for the rest of the term. */
  relinquished = false;
  /** The newest send time that a majority has acknowledged. */
  #base: Milliseconds;
  /** Whether a majority has acknowledged anything yet: until then there is no lease, but no reason to give up. */
  #supported = false;

  constructor(core: Core, noopIndex: LogIndex, barrierUntil: Milliseconds) {
    this.#core = core;
    this.noopIndex = noopIndex;
    this.barrierUntil = barrierUntil;
    this.#base = core.now;
  }

  /** E8: `acks` are the send times echoed by the other voters; the leader itself counts as of now. */
  support(acks: readonly Milliseconds[]): void {
    const base = this.#core.rules.leaseBase([this.#core.now, ...acks]);
    if (base === Number.NEGATIVE_INFINITY) return;
    this.#supported = true;
    this.#base = Math.max(this.#base, base);
  }

  /** When the support of a majority ends, whether or not the lease serves reads. */
  get supportedUntil(): Milliseconds {
    const length = this.#core.rules.leaseLength(this.#core.timers);
    return this.#supported ? this.#base + length : Number.NEGATIVE_INFINITY;
  }

  /** E10: the lease has been over for longer than the give-up time. */
  get hopeless(): boolean {
    const end = this.#base + this.#core.rules.leaseLength(this.#core.timers);
    return this.#core.now - end > this.#core.timers.giveUpMs;
  }

  get barrierOver(): boolean {
    return this.#core.now >= this.barrierUntil;
  }

  /** E8: what readers compare their clock with; 0 for no lease. */
  get until(): Milliseconds {
    const { relinquished, barrierUntil, noopIndex } = this;
    const view = { relinquished, barrierUntil, noopIndex, applied: this.#core.applied };
    if (!this.#core.rules.leaseServes(view, this.#core.now)) return 0;
    const end = this.supportedUntil;
    return end > this.#core.now ? end : 0;
  }
}
