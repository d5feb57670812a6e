/** Looking into RDB files: structure and checksum verified, keys counted. */
import { join } from 'node:path';
import { Keyspace } from 'holdfast';
import {
  type InspectDriver,
  inspectCommandDriver,
  inspectDriver,
  redisCheckDriver,
} from '../drivers/rdb-inspectors.js';
import { defineTrial, type Figure, type RunResult, type RunSetting, type Scale } from '../trial.js';
import { hashOf, keyOf, takenNumber, ValueMaker } from '../workload.js';

const COUNTS = {
  real: { strings: 1_000_000, hashes: 200_000, lists: 100_000, sortedSets: 100, members: 10_000 },
  tiny: { strings: 1_000, hashes: 200, lists: 100, sortedSets: 1, members: 1_000 },
} as const;
const FIELDS = 10;
const ELEMENTS = 20;
/** The first look warms what is read up: the file in the system's memory, the code. */
const LOOKS = 4;

function fillStrings(keyspace: Keyspace, scale: Scale): void {
  const values = new ValueMaker();
  for (let i = 0; i < COUNTS[scale].strings; i++) keyspace.set(keyOf(i), values.make(i, 0));
}

function fillMixed(keyspace: Keyspace, scale: Scale): void {
  const { hashes, lists, sortedSets, members } = COUNTS[scale];
  const number = (i: number, j: number): number => (i * 7_919 + j * 104_729) % 1_048_573;
  const entries = <T>(count: number, make: (j: number) => [string, T]): Record<string, T> =>
    Object.fromEntries(Array.from({ length: count }, (_, j) => make(j)));
  for (let i = 0; i < hashes; i++)
    keyspace.hset(
      `hash:${i}`,
      entries(FIELDS, (j) => [`field${j}`, `value:${number(i, j)}`]),
    );
  for (let i = 0; i < sortedSets; i++)
    keyspace.zadd(
      `zset:${i}`,
      entries(members, (j) => [`member:${j}:${number(i, j)}`, number(j, i) / 4]),
    );
  for (let i = 0; i < lists; i++)
    keyspace.rpush(
      `list:${i}`,
      Array.from({ length: ELEMENTS }, (_, j) => `element:${number(i, j)}`),
    );
}

async function measure(driver: InspectDriver, { scale, scratch }: RunSetting): Promise<RunResult> {
  const figures: Figure[] = [];
  const sums: number[] = [];
  for (const [what, fill] of [
    ['a million strings', fillStrings],
    ['hashes, lists, sorted sets', fillMixed],
  ] as const) {
    const path = join(scratch, `${sums.length}.rdb`);
    const keyspace = new Keyspace();
    fill(keyspace, scale);
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
