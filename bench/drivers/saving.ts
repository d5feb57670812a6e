/** Threads that write to a keyspace as fast as they can while it is saved. */
import { once } from 'node:events';
import { setTimeout as sleep } from 'node:timers/promises';
import type { Worker } from 'node:worker_threads';
import type { Keyspace } from 'holdfast';
import { startThread } from '../fork.js';
import type { Driver } from '../trial.js';
import { keyOf, ValueMaker } from '../workload.js';

/** What a keyspace is filled with, and what the writers change. */
export type Data = 'strings' | 'mixed';

/** How much of it. */
export interface Amounts {
  readonly strings: number;
  readonly hashes: number;
  readonly zsets: number;
  readonly members: number;
  readonly lists: number;
}

/** Fields of a hash, and elements of a list. */
export const FIELDS = 10;
export const ELEMENTS = 20;

/** Places in the memory that writers and the trial share; each writer has {@link PLACES} of its own behind them. */
export const STOP = 0;
/** Counted up by the trial: each period is measured by itself. */
export const PERIOD = 1;
export const OWN = 2;
/** Of a writer's own: its calls so far, */
export const CALLS = 0;
/** the longest of the last period, */
export const LONGEST_MS = 1;
/** the longest of those without a collection of garbage, */
export const LONGEST_OUTSIDE_MS = 2;
/** which period that was, */
export const TOLD = 3;
/** and which one it is in. */
export const BEGUN = 4;
export const PLACES = 5;
/** How often to look whether the writers have told. */
const LOOK_EVERY_MS = 1;

/** What a writer is told. */
export interface WriterData {
  readonly keyspaceId: number;
  readonly data: Data;
  readonly amounts: Amounts;
  readonly writer: number;
  readonly shared: SharedArrayBuffer;
}

/** So many writers of such data. */
export interface SavingDriver extends Driver {
  readonly data: Data;
  readonly writers: number;
}

/** The drivers of the trial. */
export const savingDrivers: readonly [SavingDriver, ...SavingDriver[]] = [
  { name: 'strings, 1 writer', data: 'strings', writers: 1 },
  { name: 'strings, 2 writers', data: 'strings', writers: 2 },
  { name: 'mixed, 1 writer', data: 'mixed', writers: 1 },
  { name: 'mixed, 2 writers', data: 'mixed', writers: 2 },
];

/** Fills a keyspace. */
export function fill(keyspace: Keyspace, data: Data, amounts: Amounts): void {
  const maker = new ValueMaker();
  if (data === 'strings') {
    for (let i = 0; i < amounts.strings; i++) keyspace.set(keyOf(i), maker.make(i, 0));
    return;
  }
  for (let i = 0; i < amounts.hashes; i++) {
    const fields = Array.from({ length: FIELDS }, (_, n) => [`field:${n}`, `value:${i * n}`] as const);
    keyspace.hset(`hash:${i}`, Object.fromEntries(fields));
  }
  for (let i = 0; i < amounts.lists; i++) {
    keyspace.rpush(
      `list:${i}`,
      Array.from({ length: ELEMENTS }, (_, n) => `element:${i + n}`),
    );
  }
  for (let i = 0; i < amounts.zsets; i++) {
    for (let n = 0; n < amounts.members; n++) keyspace.zadd(`zset:${i}`, (n * 7919) % 10_007, `member:${n}`);
  }
}

/** Calls of all writers in a period; the longest of them in milliseconds, and of those without a collection of garbage. */
export interface Period {
  readonly perSecond: number;
  readonly longestMs: number;
  readonly longestOutsideMs: number;
}

/** Writers at work. */
export class Writers implements AsyncDisposable {
  readonly #shared: Float64Array;
  readonly #threads: Worker[];

  private constructor(keyspace: Keyspace, { data, writers }: SavingDriver, amounts: Amounts) {
    const shared = new SharedArrayBuffer(8 * (OWN + PLACES * writers));
    this.#shared = new Float64Array(shared);
    const script = new URL('./saving-thread.ts', import.meta.url);
    this.#threads = Array.from({ length: writers }, (_, writer) =>
      startThread(script, { keyspaceId: keyspace.id, data, amounts, writer, shared } satisfies WriterData),
    );
  }

  /** Resolves when all of them write. */
  static async start(keyspace: Keyspace, driver: SavingDriver, amounts: Amounts): Promise<Writers> {
    const writers = new Writers(keyspace, driver, amounts);
    await Promise.all(writers.#threads.map((thread) => once(thread, 'message')));
    return writers;
  }

  /** What each has in one of its places. */
  #all(place: number): readonly number[] {
    return this.#threads.map((_, writer) => this.#shared[OWN + PLACES * writer + place] ?? 0);
  }

  /** What they do while `work` is done. */
  async during(work: () => Promise<unknown>): Promise<Period> {
    const calls = () => this.#all(CALLS).reduce((sum, n) => sum + n, 0);
    const period = this.#beginPeriod();
    await this.#allHave(BEGUN, period);
    const [before, startMs] = [calls(), performance.now()];
    await work();
    const perSecond = ((calls() - before) * 1_000) / (performance.now() - startMs);
    this.#beginPeriod();
    await this.#allHave(TOLD, period);
    const longestMs = Math.max(...this.#all(LONGEST_MS));
    return { perSecond, longestMs, longestOutsideMs: Math.max(...this.#all(LONGEST_OUTSIDE_MS)) };
  }

  #beginPeriod(): number {
    const period = (this.#shared[PERIOD] ?? 0) + 1;
    this.#shared[PERIOD] = period;
    return period;
  }

  async #allHave(place: number, period: number): Promise<void> {
    while (this.#all(place).some((reached) => reached < period)) await sleep(LOOK_EVERY_MS);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    const ends = this.#threads.map((thread) => once(thread, 'exit'));
    this.#shared[STOP] = 1;
    await Promise.all(ends);
  }
}
