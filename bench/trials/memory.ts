/** Strings by key, in one thread of one process. */
import { join } from 'node:path';
import type { KeyValueDriver, KeyValueStore, OpenKeyValue } from '../drivers/key-value.js';
import { keyspaceDriver } from '../drivers/keyspace.js';
import { lmdbDriver } from '../drivers/lmdb.js';
import { mapDriver } from '../drivers/map.js';
import { betterSqliteDriver, nodeSqliteDriver } from '../drivers/sqlite.js';
import { BLOCK_CALLS, timeBlocks } from '../stopwatch.js';
import { defineTrial, type Figure, type RunResult, type RunSetting, type Trial } from '../trial.js';
import { allIndices, type Distribution, drawIndices, hashOf, keyOf, taken, ValueMaker } from '../workload.js';

const REAL_CALLS = 1_000_000;
const TINY = { keys: 500, calls: 2_000 };
const WARM_UP_SHARE = 0.2;
const DISTRIBUTIONS: readonly Distribution[] = ['uniform', 'zipf'];

interface Size {
  readonly keys: number;
  readonly calls: number;
}

function readAll(store: KeyValueStore, indices: Uint32Array, from: number, to: number, sum: number): number {
  let all = sum;
  for (let i = from; i < to; i++) all = taken(all, store.get(keyOf(indices[i] ?? 0)), i);
  return all;
}

function writeAll(store: KeyValueStore, indices: Uint32Array, values: readonly string[], from: number): void {
  for (let i = 0; i < values.length; i++) store.set(keyOf(indices[from + i] ?? 0), values[i] ?? '');
}

function makeKeys(indices: Uint32Array, from: number, to: number): number {
  let sum = 0;
  for (let i = from; i < to; i++) sum = taken(sum, keyOf(indices[i] ?? 0), i);
  return sum;
}

/** One run: the store and what has been computed so far. */
class MemoryRun {
  readonly #open: OpenKeyValue;
  readonly #values = new ValueMaker();
  readonly #figures: Figure[] = [];
  readonly #sums: number[] = [];

  constructor(open: OpenKeyValue) {
    this.#open = open;
  }

  get result(): RunResult {
    return { figures: this.#figures, hash: hashOf(this.#sums) };
  }

  /** Sets keys to values that were made beforehand, a block of them at a time. */
  write(metric: string | undefined, indices: Uint32Array, version: number): void {
    const { store, batch } = this.#open;
    let values: string[] = [];
    const ns = timeBlocks(
      indices.length,
      (from) => batch(() => writeAll(store, indices, values, from)),
      (from, to) => {
        values = Array.from(indices.subarray(from, to), (index) => this.#values.make(index, version));
      },
    );
    if (metric !== undefined) this.#note(metric, ns);
  }

  read(metric: string | undefined, indices: Uint32Array): void {
    let sum = 0;
    const ns = timeBlocks(indices.length, (from, to) => {
      sum = readAll(this.#open.store, indices, from, to, sum);
    });
    this.#sums.push(sum);
    if (metric !== undefined) this.#note(metric, ns);
  }

  /** What is in every other figure beside the store: the loop, and the key that is made. */
  keysAlone(indices: Uint32Array): void {
    let sum = 0;
    const ns = timeBlocks(indices.length, (from, to) => {
      sum = (sum + makeKeys(indices, from, to)) | 0;
    });
    this.#sums.push(sum);
    this.#note('key alone', ns);
  }

  #note(metric: string, value: number): void {
    this.#figures.push({ metric, unit: 'ns', value });
  }
}

async function measure(driver: KeyValueDriver, { keys, calls }: Size, scratch: string): Promise<RunResult> {
  const open = await driver.open(join(scratch, 'store'));
  const run = new MemoryRun(open);
  const warmUp = Math.max(BLOCK_CALLS, Math.floor(calls * WARM_UP_SHARE));
  run.keysAlone(drawIndices('uniform', keys, calls, 1));
  run.write('fill', allIndices(keys), 0);
  run.read(undefined, drawIndices('uniform', keys, warmUp, 2));
  for (const distribution of DISTRIBUTIONS)
    run.read(`get ${distribution}`, drawIndices(distribution, keys, calls, 3));
  run.write(undefined, drawIndices('uniform', keys, warmUp, 4), 1);
  for (const distribution of DISTRIBUTIONS)
    run.write(`set ${distribution}`, drawIndices(distribution, keys, calls, 5), 2);
  run.read(undefined, allIndices(keys));
  await open.close();
  return run.result;
}

function memoryTrial(name: string, keys: number): Trial {
  return defineTrial({
    name,
    about: `get and set of 100-byte values among ${keys.toLocaleString('en')} keys, each key made for its call`,
    drivers: [mapDriver, keyspaceDriver, lmdbDriver, nodeSqliteDriver, betterSqliteDriver],
    measure: (driver, { scale, scratch }: RunSetting) =>
      measure(driver, scale === 'tiny' ? TINY : { keys, calls: REAL_CALLS }, scratch),
  });
}

/** At a size where much fits into the caches, and at one where little does. */
export const memoryTrials: readonly Trial[] = [
  memoryTrial('memory-100k', 100_000),
  memoryTrial('memory-1m', 1_000_000),
];
