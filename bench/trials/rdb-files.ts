/** Whole RDB files, in and out, while nothing else is going on. */
import { mkdirSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { Keyspace } from 'holdfast';
import { keyspaceStoreDriver, redisStoreDriver, type StoreDriver } from '../drivers/rdb-stores.js';
import { fillFor, type RdbData } from '../rdb-data.js';
import { quartiles } from '../statistics.js';
import { defineTrial, type Figure, type RunResult, type RunSetting } from '../trial.js';
import { hashOf, takenNumber } from '../workload.js';

const PROCESSES = 3;
const PERCENT = 100;

/** The file of a run: every driver's is the same, byte for byte. */
async function makeFile(data: RdbData, path: string, small: string, setting: RunSetting): Promise<void> {
  using keyspace = new Keyspace();
  keyspace.set('small', 'file');
  await keyspace.save(small);
  keyspace.flushall();
  fillFor(data, keyspace, setting.scale);
  await keyspace.save(path);
}

async function measure(data: RdbData, driver: StoreDriver, setting: RunSetting): Promise<RunResult> {
  const directory = join(setting.scratch, 'data');
  mkdirSync(directory);
  const [path, small] = [join(directory, 'dump.rdb'), join(setting.scratch, 'small.rdb')];
  await makeFile(data, path, small, setting);
  const { size } = statSync(path);
  const runs = [];
  for (let i = 0; i < PROCESSES; i++) runs.push(await driver.run(path, small));
  const median = (values: number[]): number => quartiles(values).median;
  const figures: Figure[] = [
    { metric: 'file', unit: 'MB', value: size / 1e6 },
    { metric: 'load', unit: 'ms', value: median(runs.map(({ loadMs }) => loadMs)) },
    { metric: 'save', unit: 'ms', value: median(runs.map(({ saveMs }) => saveMs)) },
  ];
  const peaks = runs.flatMap(({ peak }) => (peak === undefined ? [] : [peak]));
  if (peaks.length > 0)
    figures.push({
      metric: 'most memory of the load, of the data',
      unit: '%',
      value: median(peaks) * PERCENT,
    });
  return { figures, hash: hashOf(runs.map(({ keys }) => takenNumber(1, keys))) };
}

function trial(data: RdbData, what: string) {
  return defineTrial({
    name: `rdb-${data}`,
    about: `a process loads a file of ${what}, checksum and compression as they are by default, and saves it`,
    drivers: [redisStoreDriver, keyspaceStoreDriver],
    runs: 3,
    measure: (driver, setting) => measure(data, driver, setting),
  });
}

/** Beside a redis-server. */
export const rdbFileTrials = [
  trial('strings', 'a million strings of 100 bytes'),
  trial(
    'mixed',
    '200,000 hashes of 10 fields, 100 sorted sets of 10,000 members, 100,000 lists of 20 elements',
  ),
];
