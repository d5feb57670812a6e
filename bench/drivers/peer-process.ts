/** One peer in a process of its own, which puts load on its own store when it is told to. */
import { type OpenOptions, open, type Store } from 'holdfast';
import { quantile } from '../statistics.js';
import { timeBlocks } from '../stopwatch.js';
import { keyOf, taken, ValueMaker } from '../workload.js';

/** Calls of which so many are under way at a time. */
export interface Load {
  readonly calls: number;
  readonly inFlight: number;
}

/** How a {@link Load} went. */
export interface LoadResult {
  readonly perSecond: number;
  readonly p50Us: number;
  readonly p99Us: number;
  /** Over the answers. */
  readonly sum: number;
}

/** What a {@link BenchPeer.startCounting} did. */
export interface Counted {
  readonly acknowledged: number;
  /** Longest time between two acknowledged writes since {@link BenchPeer.watchGaps}. */
  readonly longestGapMs: number;
}

/** Writes that go on until they are stopped. */
class Counting {
  readonly #store: Store;
  readonly #key: string;
  readonly #lanes: Promise<void>[];
  #acknowledged = 0;
  #lastMs = performance.now();
  #longestGapMs = 0;
  #stopped = false;
  #waiting: { readonly until: number; readonly done: () => void } | undefined;

  constructor(store: Store, key: string, inFlight: number) {
    this.#store = store;
    this.#key = key;
    this.#lanes = Array.from({ length: inFlight }, () => this.#lane());
  }

  watchGaps(): void {
    this.#lastMs = performance.now();
    this.#longestGapMs = 0;
  }

  /** Resolves when so many more are acknowledged. */
  more(count: number): Promise<void> {
    return new Promise((done) => {
      this.#waiting = { until: this.#acknowledged + count, done };
    });
  }

  async stop(): Promise<Counted> {
    this.#stopped = true;
    await Promise.all(this.#lanes);
    return { acknowledged: this.#acknowledged, longestGapMs: this.#longestGapMs };
  }

  async #lane(): Promise<void> {
    while (!this.#stopped) {
      await this.#store.incr(this.#key);
      const now = performance.now();
      this.#longestGapMs = Math.max(this.#longestGapMs, now - this.#lastMs);
      this.#lastMs = now;
      this.#acknowledged++;
      if (this.#waiting !== undefined && this.#acknowledged >= this.#waiting.until) this.#waiting.done();
    }
  }
}

async function run({ calls, inFlight }: Load, call: (i: number) => Promise<number>): Promise<LoadResult> {
  const latenciesMs = new Float64Array(calls);
  let sum = 0;
  let next = 0;
  const lane = async (): Promise<void> => {
    while (next < calls) {
      const i = next++;
      const start = performance.now();
      const value = await call(i);
      sum = (sum + value) | 0;
      latenciesMs[i] = performance.now() - start;
    }
  };
  const start = performance.now();
  await Promise.all(Array.from({ length: inFlight }, lane));
  const seconds = (performance.now() - start) / 1_000;
  const us = (p: number): number => quantile(latenciesMs, p) * 1_000;
  return { perSecond: calls / seconds, p50Us: us(0.5), p99Us: us(0.99), sum };
}

/** The peer of this process, and what it can be asked for. */
class BenchPeer {
  readonly #values = new ValueMaker();
  #opened: Store | undefined;
  #counting: Counting | undefined;

  async open(options: OpenOptions): Promise<void> {
    this.#opened = await open(options);
  }

  /** Name of the leader, if this peer knows one that has the right to answer. */
  async leader(): Promise<string | undefined> {
    const { shards, name } = await this.#store.status();
    const leads = shards[0]?.role === 'leader';
    if (leads) return shards[0]?.leased ? name : undefined;
    return shards[0]?.leader;
  }

  /** Sets keys to 100-byte values. */
  write(load: Load): Promise<LoadResult> {
    const store = this.#store;
    return run(load, async (i) => Number(await store.set(keyOf(i), this.#values.make(i, load.inFlight))));
  }

  /** Linearizable reads of `keys` keys. */
  read(load: Load, keys: number): Promise<LoadResult> {
    const store = this.#store;
    return run(load, async (i) => taken(0, await store.get(keyOf(i % keys)), i));
  }

  /** Nanoseconds of a synchronous read of one of `keys` keys. */
  readNow(mode: 'local' | 'leased', count: number, keys: number): number {
    const reads = this.#store[mode];
    let sum = 0;
    const block = (from: number, to: number): void => {
      for (let i = from; i < to; i++) sum = taken(sum, reads.get(keyOf(i % keys)), i);
    };
    timeBlocks(Math.floor(count / 5), block);
    return timeBlocks(count, block);
  }

  /** Increments `key` from now on. */
  startCounting(key: string, inFlight: number): void {
    this.#counting = new Counting(this.#store, key, inFlight);
  }

  watchGaps(): void {
    this.#counted.watchGaps();
  }

  moreCounted(count: number): Promise<void> {
    return this.#counted.more(count);
  }

  stopCounting(): Promise<Counted> {
    return this.#counted.stop();
  }

  value(key: string): Promise<string | null> {
    return this.#store.get(key);
  }

  digest(): Promise<string> {
    return this.#store.digest();
  }

  /** Microseconds of processor time that all threads of this process have had. */
  cpuUs(): number {
    const { user, system } = process.cpuUsage();
    return user + system;
  }

  /** The last entry that this peer has applied, and the last in its log. */
  async reached(): Promise<readonly [number, number]> {
    const { shards } = await this.#store.status();
    return [shards[0]?.applied ?? 0, shards[0]?.lastIndex ?? 0];
  }

  get #store(): Store {
    if (this.#opened === undefined) throw new Error('the store is not open');
    return this.#opened;
  }

  get #counted(): Counting {
    if (this.#counting === undefined) throw new Error('nothing is being counted');
    return this.#counting;
  }
}

/** What the process can be asked for. */
export type PeerCalls = Pick<BenchPeer, keyof BenchPeer>;

/** A question to the process. */
export interface PeerQuestion {
  readonly id: number;
  readonly method: keyof PeerCalls;
  readonly args: readonly unknown[];
}

/** Its answer. */
export interface PeerAnswer {
  readonly id: number;
  readonly value?: unknown;
  readonly error?: string;
}

const peer = new BenchPeer();

async function answer({ id, method, args }: PeerQuestion): Promise<PeerAnswer> {
  const call: (...args: never[]) => unknown = peer[method];
  try {
    return { id, value: await call.apply(peer, args as never[]) };
  } catch (error) {
    return { id, error: error instanceof Error ? (error.stack ?? error.message) : String(error) };
  }
}

process.on('message', async (question: PeerQuestion) => {
  process.send?.(await answer(question));
});
process.on('disconnect', () => process.exit());
