/** Hashes, sorted sets, lists and counters, in one thread of one process. */
import type { CollectionDriver, Collections } from '../drivers/collections.js';
import { keyspaceCollectionDriver } from '../drivers/keyspace.js';
import { nestedMapsDriver } from '../drivers/nested-maps.js';
import { timeBlocks } from '../stopwatch.js';
import { defineTrial, type Figure, type RunResult } from '../trial.js';
import { allIndices, drawIndices, hashOf, keyOf, taken, takenNumber, ValueMaker } from '../workload.js';

interface Size {
  readonly hashes: number;
  readonly fields: number;
  readonly sortedSets: number;
  readonly members: number;
  readonly counters: number;
  readonly calls: number;
}

const REAL: Size = {
  ...{ hashes: 10_000, fields: 10, sortedSets: 10, members: 10_000, counters: 100_000, calls: 500_000 },
};
const TINY: Size = { hashes: 20, fields: 10, sortedSets: 2, members: 200, counters: 100, calls: 2_000 };
/** Values that stand in a list between their lpush and their rpop. */
const QUEUE_LENGTH = 100;
const QUEUES = 100;

type Step = (i: number) => number;

/** Times `step` over all calls, after a fifth of them untimed. */
class Phases {
  readonly figures: Figure[] = [];
  readonly sums: number[] = [];

  run(metric: string, calls: number, step: Step): void {
    let sum = 0;
    const block = (from: number, to: number): void => {
      for (let i = from; i < to; i++) sum = takenNumber(sum, step(i));
    };
    timeBlocks(Math.floor(calls / 5), block);
    const value = timeBlocks(calls, block);
    this.sums.push(sum);
    this.figures.push({ metric, unit: 'ns', value });
  }
}

function hashes(store: Collections, phases: Phases, { hashes: count, fields, calls }: Size): void {
  const values = new ValueMaker();
  const order = drawIndices('uniform', count * fields, calls, 1);
  const value = Array.from({ length: 1_000 }, (_, i) => values.make(i, 0));
  const place = (i: number): number => order[i] ?? 0;
  for (const index of allIndices(count * fields)) {
    store.hset(keyOf(Math.floor(index / fields)), `field:${index % fields}`, values.make(index, 0));
  }
  phases.run('hget', calls, (i) => {
    const index = place(i);
    return taken(0, store.hget(keyOf(Math.floor(index / fields)), `field:${index % fields}`), i);
  });
  phases.run('hset', calls, (i) => {
    const index = place(i);
    store.hset(keyOf(Math.floor(index / fields)), `field:${index % fields}`, value[i % 1_000] ?? '');
    return index;
  });
}

function sortedSets(store: Collections, phases: Phases, { sortedSets: count, members, calls }: Size): void {
  const order = drawIndices('uniform', count * members, calls, 2);
  for (const index of allIndices(count * members)) {
    store.zadd(`board:${index % count}`, index, `player:${Math.floor(index / count)}`);
  }
  phases.run('zscore', calls, (i) => {
    const index = order[i] ?? 0;
    return store.zscore(`board:${index % count}`, `player:${Math.floor(index / count)}`) ?? -1;
  });
  phases.run('zadd', calls, (i) => {
    const index = order[i] ?? 0;
    store.zadd(`board:${index % count}`, i, `player:${Math.floor(index / count)}`);
    return index;
  });
}

function lists(store: Collections, phases: Phases, { calls }: Size): void {
  const values = new ValueMaker();
  const value = Array.from({ length: 1_000 }, (_, i) => values.make(i, 0));
  for (let i = 0; i < QUEUES * QUEUE_LENGTH; i++) store.lpush(`queue:${i % QUEUES}`, value[i % 1_000] ?? '');
  phases.run('lpush + rpop', calls, (i) => {
    store.lpush(`queue:${i % QUEUES}`, value[i % 1_000] ?? '');
    return taken(0, store.rpop(`queue:${i % QUEUES}`), i);
  });
}

function counters(store: Collections, phases: Phases, { counters: count, calls }: Size): void {
  const order = drawIndices('uniform', count, calls, 3);
  for (const index of allIndices(count)) store.incr(`count:${index}`);
  phases.run('incr', calls, (i) => store.incr(`count:${order[i] ?? 0}`));
}

async function measure(driver: CollectionDriver, size: Size): Promise<RunResult> {
  const store = await driver.open();
  const phases = new Phases();
  for (const part of [hashes, sortedSets, lists, counters]) part(store, phases, size);
  store.close();
  return { figures: phases.figures, hash: hashOf(phases.sums) };
}

/** The hot command of each collection. */
export const collectionTrials = [
  defineTrial({
    name: 'collections-map',
    about: 'hget, hset, zscore, zadd, lpush with rpop and incr, keys and members made for each call',
    drivers: [nestedMapsDriver, keyspaceCollectionDriver],
    measure: (driver, { scale }) => measure(driver, scale === 'tiny' ? TINY : REAL),
  }),
];
