/** A sorted set of a million members. */
import {
  keyspaceSortedSetDriver,
  type Ranged,
  redisCommandDriver,
  redisCpuDriver,
  type SortedSetDriver,
} from '../drivers/large-sorted-set.js';
import { defineTrial, type Figure, type RunResult } from '../trial.js';
import { drawIndices, hashOf } from '../workload.js';

const SIZES = {
  real: { members: 1_000_000, calls: 200_000 },
  tiny: { members: 1_000, calls: 2_000 },
} as const;

async function measure(driver: SortedSetDriver, members: number, calls: number): Promise<RunResult> {
  await using set = await driver.open(members);
  const order = drawIndices('uniform', members, calls, 7);
  const near = (middle: number, i: number): number => middle + (i % 100);
  const asked: [string, 'zrank' | 'zrange', (set: Ranged, i: number) => unknown][] = [
    ['zrank of any', 'zrank', (ranged, i) => ranged.zrank(`player:${order[i] ?? 0}`)],
    ['zrange, lowest 10', 'zrange', (ranged) => ranged.zrange(0)],
    ['zrange, 10 in the middle', 'zrange', (ranged, i) => ranged.zrange(near(members / 2, i))],
    ['zrange, any 10', 'zrange', (ranged, i) => ranged.zrange(order[i] ?? 0)],
  ];
  const figures: Figure[] = [];
  const sums: number[] = [];
  for (const [metric, command, call] of asked) {
    const { us, sum } = await set.cost(command, calls, call);
    figures.push({ metric, unit: 'us', value: us });
    sums.push(sum);
  }
  return { figures, hash: hashOf(sums) };
}

/** Against what a redis-server needs for the command itself. */
export const largeSortedSetTrial = defineTrial({
  name: 'large-sorted-set',
  about:
    'zrank and zrange in a sorted set of a million members: the whole call here, what the command alone and what all of it costs a redis-server',
  drivers: [keyspaceSortedSetDriver, redisCommandDriver, redisCpuDriver],
  runs: 3,
  measure: (driver, { scale }) => measure(driver, SIZES[scale].members, SIZES[scale].calls),
});
