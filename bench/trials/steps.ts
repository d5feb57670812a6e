/** What a call is made of: each metric does what the one before it does, and a step more. */
import type { Keyspace } from 'holdfast';
import { plainDriver } from '../drivers/boundary.js';
import { type LocalKeyspaceDriver, localKeyspaceDriver } from '../drivers/local-keyspace.js';
import type { FloorFunctions } from '../floor/build.js';
import { timeBlocks } from '../stopwatch.js';
import { defineTrial, type Figure, type RunResult } from '../trial.js';
import { drawIndices, hashOf, keyOf, taken, takenNumber, ValueMaker } from '../workload.js';

/** At the first size everything is in the caches: the difference to the others is what misses cost. */
const SIZES = {
  real: { keys: [1_000, 100_000, 1_000_000], calls: 500_000 },
  tiny: { keys: [100, 200, 300], calls: 2_000 },
} as const;
const VALUES = 1_000;
const WARM_UP_SHARE = 0.2;

/** What a step works with. */
interface Bench {
  readonly keyspace: Keyspace;
  readonly floor: FloorFunctions;
  readonly values: readonly string[];
}

type Step = (bench: Bench, index: number, i: number) => number;

/** A key that is not there, of the same length. */
const missingKeyOf = (index: number): string => `sessiox:${index}`;

const STEPS: Readonly<Record<string, Step>> = {
  'key made': (_, index, i) => taken(0, keyOf(index), i),
  '+ empty call': ({ floor }, index, i) => {
    floor.empty();
    return taken(0, keyOf(index), i);
  },
  '+ key read': ({ floor }, index) => floor.stringIn(keyOf(index)),
  '+ hash, lock, look-up without result (exists)': ({ keyspace }, index) =>
    keyspace.exists(missingKeyOf(index)),
  '+ entry reached (exists)': ({ keyspace }, index) => keyspace.exists(keyOf(index)),
  '+ value made (get)': ({ keyspace }, index, i) => taken(0, keyspace.get(keyOf(index)), i),
  'key and value read, entry overwritten (set)': ({ keyspace, values }, index, i) =>
    Number(keyspace.set(keyOf(index), values[i % VALUES] ?? '')),
};

function measureAt(bench: Bench, keys: number, calls: number): { figures: Figure[]; sums: number[] } {
  const order = drawIndices('uniform', keys, calls, 8);
  const figures: Figure[] = [];
  const sums: number[] = [];
  for (let i = 0; i < keys; i++) bench.keyspace.set(keyOf(i), bench.values[i % VALUES] ?? '');
  for (const [what, step] of Object.entries(STEPS)) {
    let sum = 0;
    const block = (from: number, to: number): void => {
      for (let i = from; i < to; i++) sum = takenNumber(sum, step(bench, order[i] ?? 0, i));
    };
    timeBlocks(Math.floor(calls * WARM_UP_SHARE), block);
    const metric = `${keys.toLocaleString('en')} keys: ${what}`;
    figures.push({ metric, unit: 'ns', value: timeBlocks(calls, block) });
    sums.push(sum);
  }
  return { figures, sums };
}

function measure(driver: LocalKeyspaceDriver, { keys, calls }: (typeof SIZES)['real' | 'tiny']): RunResult {
  const maker = new ValueMaker();
  const values = Array.from({ length: VALUES }, (_, i) => maker.make(i, 0));
  const bench = { keyspace: driver.make(), floor: plainDriver.functions(), values };
  const parts = keys.map((count) => measureAt(bench, count, calls));
  bench.keyspace.close();
  return {
    figures: parts.flatMap(({ figures }) => figures),
    hash: hashOf(parts.flatMap(({ sums }) => sums)),
  };
}

/** Where the time of a call goes. */
export const stepsTrial = defineTrial({
  name: 'steps',
  about: 'what a call is made of, step by step',
  drivers: [{ ...localKeyspaceDriver, unavailable: async () => plainDriver.unavailable?.() }],
  measure: async (driver, { scale }) => measure(driver, SIZES[scale]),
});
