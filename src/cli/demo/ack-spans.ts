/** A stretch of time in which acknowledgements of a shard's writes came steadily. Monotonic milliseconds. */
export interface AckSpan {
  shard: number;
  fromMs: number;
  toMs: number;
}

/** Acknowledgements further apart than this belong to two spans. Also the resolution of what is measured. */
export const STEADY_MS = 5;

/** Milliseconds of the clock that all processes of a machine share. */
export function monotonicMs(): number {
  return Number(process.hrtime.bigint()) / 1e6;
}

/** Turns single acknowledgements into spans, in the process that gets them. */
export class AckRecorder {
  #spans: AckSpan[] = [];
  readonly #open = new Map<number, AckSpan>();

  note(shard: number, atMs: number): void {
    const span = this.#open.get(shard);
    if (span !== undefined && atMs - span.toMs <= STEADY_MS) {
      span.toMs = atMs;
      return;
    }
    const next = { shard, fromMs: atMs, toMs: atMs };
    this.#open.set(shard, next);
    this.#spans.push(next);
  }

  /** The spans since the last call. */
  take(): AckSpan[] {
    const spans = this.#spans;
    this.#spans = [];
    this.#open.clear();
    return spans;
  }
}

/** The spans of several processes together. */
export class Availability {
  readonly #spans: AckSpan[] = [];

  add(spans: readonly AckSpan[]): void {
    this.#spans.push(...spans);
  }

  /** Whether a write of the shard was acknowledged at or after this instant. */
  since(shard: number, atMs: number): boolean {
    return this.#spans.some((span) => span.shard === shard && span.toMs >= atMs);
  }

  /** The longest time without an acknowledged write of the shard that touches `fromMs..toMs`. */
  longestGapMs(shard: number, fromMs: number, toMs: number): number {
    const spans = this.#spans
      .filter((span) => span.shard === shard)
      .sort((one, other) => one.fromMs - other.fromMs);
    let longestMs = 0;
    let lastMs: number | undefined;
    for (const span of [...spans, { shard, fromMs: toMs, toMs }]) {
      const gapStartMs = lastMs ?? fromMs;
      const touches = span.fromMs >= fromMs && gapStartMs <= toMs;
      if (touches) longestMs = Math.max(longestMs, span.fromMs - gapStartMs);
      lastMs = Math.max(lastMs ?? span.toMs, span.toMs);
    }
    return longestMs;
  }
}
