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

type Loads = ReadonlyMap<string, Load>;

/** The loads of a kind, by name. */
function loadsOf(kind: string, load: Omit<Load, 'readsPercent'>): Loads {
  return new Map(MIXES.map(({ what, readsPercent }) => [`${what}, ${kind}`, { ...load, readsPercent }]));
}

/** The loads, those together for which the same threads are there: each meets one kind of store, or the engine would know two. */
function loads(scale: Scale): Loads[] {
  const { keys, fewKeys, calls } = SIZES[scale];
  const own = { keys, shared: false, apart: false, calls };
  const same = { keys: fewKeys, shared: true, apart: false, calls };
  return [
    new Map([...loadsOf('keys of their own', own), ...loadsOf(`the same ${fewKeys} keys`, same)]),
    loadsOf('a Map of their own', { ...own, apart: true }),
  ];
}

async function measure(driver: TeamDriver, scale: Scale): Promise<RunResult> {
  const results: RunResult[] = [];
  for (const some of loads(scale)) results.push(await measureSome(driver, some));
  return {
    figures: results.flatMap(({ figures }) => figures),
    hash: results.map(({ hash }) => hash).join(''),
  };
}

async function measureSome(driver: TeamDriver, loads: Loads): Promise<RunResult> {
  await using team = new ThreadTeam(driver.threads);
  const figures: Figure[] = [];
  const sums: number[] = [];
  for (const [metric, load] of loads) {
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
    'get and set of 100-byte values by one thread and by two at the same time: calls a second of all together; with a Map for each thread, what the machine makes of two threads',
  drivers: [oneThreadDriver, twoThreadsDriver],
  measure: (driver, { scale }) => measure(driver, scale),
});
