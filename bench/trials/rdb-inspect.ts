/** Looking into RDB files: structure and checksum verified, keys counted. */
import { join } from 'node:path';
import { Keyspace } from 'holdfast';
import {
  type InspectDriver,
  inspectCommandDriver,
  inspectDriver,
  redisCheckDriver,
} from '../drivers/rdb-inspectors.js';
import { fillFor } from '../rdb-data.js';
import { defineTrial, type Figure, type RunResult, type RunSetting } from '../trial.js';
import { hashOf, takenNumber } from '../workload.js';

/** The first look warms what is read up: the file in the system's memory, the code. */
const LOOKS = 4;

async function measure(driver: InspectDriver, { scale, scratch }: RunSetting): Promise<RunResult> {
  const figures: Figure[] = [];
  const sums: number[] = [];
  for (const [what, data] of [
    ['a million strings', 'strings'],
    ['hashes, lists, sorted sets', 'mixed'],
  ] as const) {
    const path = join(scratch, `${sums.length}.rdb`);
    const keyspace = new Keyspace();
    fillFor(data, keyspace, scale);
    await keyspace.save(path);
    keyspace.close();
    const looks = [];
    for (let i = 0; i < LOOKS; i++) looks.push(await driver.inspect(path));
    const warm = looks.slice(1);
    const least = (of: (look: (typeof warm)[number]) => number) => Math.min(...warm.map(of));
    figures.push({ metric: `${what}, wall`, unit: 'ms', value: least(({ wallMs }) => wallMs) });
    figures.push({
      metric: `${what}, processor`,
      unit: 'ms',
      value: least(({ processorMs }) => processorMs),
    });
    for (const { keys } of looks) sums.push(takenNumber(keys, sums.length));
  }
  return { figures, hash: hashOf(sums) };
}

/** Beside the tool that comes with Redis. */
export const rdbInspectTrial = defineTrial({
  name: 'rdb-inspect',
  about: 'an RDB file read, verified and counted: the quickest of three looks at it',
  drivers: [redisCheckDriver, inspectCommandDriver, inspectDriver],
  runs: 3,
  measure,
});
