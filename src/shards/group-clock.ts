/**
 * The clock of a shard's log (rule D3): Unix milliseconds that never run backwards and never jump, whatever the wall
 * clocks of the peers do. Only the leader reads it, to stamp entries; everybody else has the stamps.
 */

/** How fast the clock is drawn towards the wall clock: half a percent of the time that passes. */
const SLEW = 0.005;

/** A group clock as one peer keeps it. `nowMs` is of the lease clock throughout. */
export class GroupClock {
  /** What the clock showed at `#atMs`, with its fraction: dropping that at every stamp would make the clock slow. */
  #shownMs = 0;
  #atMs = 0;

  /** The newest stamp made or seen, Unix milliseconds. */
  get stampMs(): number {
    return Math.floor(this.#shownMs);
  }

  /** An entry with this stamp arrived, or was found in the log. */
  observe(stampMs: number, nowMs: number): void {
    if (stampMs <= this.#shownMs) return;
    this.#shownMs = stampMs;
    this.#atMs = nowMs;
  }

  /** The stamp for an entry made now. Whole milliseconds, never below an earlier one. */
  stamp(nowMs: number, wallMs: number): number {
    this.#shownMs = this.#estimate(nowMs, wallMs);
    this.#atMs = Math.max(this.#atMs, nowMs);
    return this.stampMs;
  }

  /** A clock that has never been set takes the wall's time. */
  #estimate(nowMs: number, wallMs: number): number {
    if (this.#shownMs === 0) return wallMs;
    const elapsedMs = Math.max(0, nowMs - this.#atMs);
    const straightMs = this.#shownMs + elapsedMs;
    const slewMs = Math.min(Math.max(wallMs - straightMs, -elapsedMs * SLEW), elapsedMs * SLEW);
    return straightMs + slewMs;
  }
}
