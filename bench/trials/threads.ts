/** One thread and two on the same keyspace. */
import {
  type Load,
  oneThreadDriver,
  type TeamDriver,
  ThreadTeam,
  twoThreadsDriver,
} from '../drivers/threads.js';
import { defineTrial, type Figure, type RunResult, type Scale } from '../trial.js';
import { hashOf } from '../workload.js';

const SIZES = {
  real: { keys: 100_000, fewKeys: 8, calls: 1_000_000 },
  tiny: { keys: 100, fewKeys: 8, calls: 2_000 },
} as const;
const MIXES = [
  { what: 'reads', readsPercent: 100 },
  { what: 'writes', readsPercent: 0 },
  { what: '90 reads to 10 writes', readsPercent: 90 },
] as const;

/** The loads by name. */
function loads(scale: Scale): Map<string, Load> {
  const { keys, fewKeys, calls } = SIZES[scale];
  const all = new Map<string, Load>();
  for (const { what, readsPercent } of MIXES) {
    all.set(`${what}, keys of their own`, { readsPercent, keys, shared: false, calls });
  }
  for (const { what, readsPercent } of MIXES) {
    all.set(`${what}, the same ${fewKeys} keys`, { readsPercent, keys: fewKeys, shared: true, calls });
  }
  return all;
}

async function measure(driver: TeamDriver, scale: Scale): Promise<RunResult> {
  await using team = new ThreadTeam(driver.threads);
  const figures: Figure[] = [];
  const sums: number[] = [];
  for (const [metric, load] of loads(scale)) {
    const reports = await team.run(load);
    const ms =
      Math.max(...reports.map(({ endedAt }) => endedAt)) -
      Math.min(...reports.map(({ startedAt }) => startedAt));
    figures.push({ metric, unit: 'ops/s', value: (reports.length * load.calls * 1_000) / ms });
    // The first thread does the same however many there are, unless others write what it reads.
    if (!load.shared) sums.push(reports[0]?.sum ?? 0);
  }
  return { figures, hash: hashOf(sums) };
}

/** What a second thread adds. */
export const threadsTrial = defineTrial({
  name: 'threads',
  about:
    'get and set of 100-byte values by one thread and by two at the same time: calls a second of all together',
  drivers: [oneThreadDriver, twoThreadsDriver],
  measure: (driver, { scale }) => measure(driver, scale),
});
