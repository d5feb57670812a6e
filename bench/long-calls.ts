/**
 * The longest of many calls, and the longest of those during which the engine collected no garbage: its pauses fall on whoever
 * calls just then, and say nothing of what was called.
 */
import { PerformanceObserver } from 'node:perf_hooks';
import { setImmediate as nextTurn } from 'node:timers/promises';

/** Calls that are kept to find one without a collection. */
const KEPT = 1_024;

interface Span {
  readonly startMs: number;
  readonly endMs: number;
}

const duration = ({ startMs, endMs }: Span): number => endMs - startMs;

/** The longest of `calls` that shares no instant with any of `pauses`; 0 if there is none. */
export function longestOutside(calls: readonly Span[], pauses: readonly Span[]): number {
  const outside = calls.filter(
    (call) => !pauses.some((pause) => pause.startMs < call.endMs && call.startMs < pause.endMs),
  );
  return Math.max(0, ...outside.map(duration));
}

/** Spans of garbage collection, from when it is made until it is stopped. */
export class CollectionWatch {
  readonly #pauses: Span[] = [];
  readonly #observer = new PerformanceObserver((list) => {
    for (const { startTime, duration: ms } of list.getEntries()) {
      this.#pauses.push({ startMs: startTime, endMs: startTime + ms });
    }
  });

  constructor() {
    this.#observer.observe({ entryTypes: ['gc'] });
  }

  /** What there was until now. Entries come in a later turn of the event loop than what they tell of. */
  async pauses(): Promise<readonly Span[]> {
    await nextTurn();
    await nextTurn();
    return this.#pauses;
  }

  /** Ends the watch. */
  stop(): void {
    this.#observer.disconnect();
  }
}

/** The {@link KEPT} longest calls. */
export class LongCalls {
  #calls: Span[] = [];
  /** What is shorter need not be kept. */
  #leastMs = 0;

  /** Notes a call, in the milliseconds of `performance.now()`. */
  note(startMs: number, endMs: number): void {
    if (endMs - startMs < this.#leastMs) return;
    this.#calls.push({ startMs, endMs });
    if (this.#calls.length === 2 * KEPT) this.#keepLongest();
  }

  #keepLongest(): void {
    this.#calls.sort((a, b) => duration(b) - duration(a));
    this.#calls = this.#calls.slice(0, KEPT);
    const shortest = this.#calls.at(-1);
    this.#leastMs = shortest === undefined ? 0 : duration(shortest);
  }

  /** The longest that none of these pauses fell on; if they fell on all that were kept, how long the shortest was. */
  longestOutside(pauses: readonly Span[]): number {
    return longestOutside(this.#calls, pauses) || this.#leastMs;
  }
}
