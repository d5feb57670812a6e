/** Memory: what data of the common kinds needs. */
import {
  type DataDriver,
  type DataMaker,
  keyspaceDataDriver,
  redisDataDriver,
} from '../drivers/stored-data.js';
import { defineTrial, type Figure, type RunResult, type Scale } from '../trial.js';
import { hashOf, keyOf, takenNumber, ValueMaker } from '../workload.js';

const FIELDS = 10;
const ELEMENTS = 20;
const MEMBERS = 10_000;
const COUNTS = {
  real: { strings: 1_000_000, hashes: 100_000, lists: 100_000, sortedSets: 100 },
  tiny: { strings: 1_000, hashes: 100, lists: 100, sortedSets: 1 },
} as const;

/** Values of one kind. */
interface Dataset {
  readonly what: string;
  readonly count: number;
  /** Bytes of text in the `i`th that are not counted. */
  readonly textBytes: (i: number) => number;
  readonly make: (maker: DataMaker, i: number) => unknown;
}

/** A value of 20 bytes. */
const word = (i: number): string => `value of number ${String(i % 10_000).padStart(4, '0')}`;

function record<T>(length: number, entry: (i: number) => [string, T]): Record<string, T> {
  return Object.fromEntries(Array.from({ length }, (_, i) => entry(i)));
}

function datasets(scale: Scale): Dataset[] {
  const { strings, hashes, lists, sortedSets } = COUNTS[scale];
  const values = new ValueMaker();
  const none = (): number => 0;
  return [
    {
      what: 'string of 100 bytes, beyond key and value',
      count: strings,
      textBytes: (i) => keyOf(i).length + values.make(i, 0).length,
      make: (maker, i) => maker.set(keyOf(i), values.make(i, 0)),
    },
    {
      what: `hash of ${FIELDS} fields`,
      count: hashes,
      textBytes: none,
      make: (maker, i) =>
        maker.hset(
          `hash:${i}`,
          record(FIELDS, (j) => [`field:${j}`, word(i + j)]),
        ),
    },
    {
      what: `list of ${ELEMENTS} elements`,
      count: lists,
      textBytes: none,
      make: (maker, i) =>
        maker.rpush(
          `list:${i}`,
          Array.from({ length: ELEMENTS }, (_, j) => word(i + j)),
        ),
    },
    {
      what: `sorted set of ${MEMBERS.toLocaleString('en')} members`,
      count: sortedSets,
      textBytes: none,
      make: (maker, i) =>
        maker.zadd(
          `board:${i}`,
          record(MEMBERS, (j) => [`player:${j}`, (j * 7919) % 1_000_003]),
        ),
    },
  ];
}

async function measure(driver: DataDriver, scale: Scale): Promise<RunResult> {
  await using data = await driver.open();
  const figures: Figure[] = [];
  const sums: number[] = [];
  // What comes with the first of everything is not the data's.
  for (const { make } of datasets(scale)) await data.fill(1, (maker) => make(maker, -1));
  for (const { what, count, textBytes, make } of datasets(scale)) {
    let text = 0;
    for (let i = 0; i < count; i++) text += textBytes(i);
    const before = await data.usage();
    await data.fill(count, make);
    const after = await data.usage();
    for (const kind of ['counted', 'resident'] as const) {
      const value = Math.max(0, (after[kind] - before[kind] - text) / count);
      figures.push({ metric: `${what}, ${kind}`, unit: 'bytes', value });
    }
    sums.push(takenNumber(text, count));
  }
  return { figures, hash: hashOf(sums) };
}

/** Bytes of memory, beside a redis-server. */
export const compactTrial = defineTrial({
  name: 'compact',
  about: 'bytes of memory for each value, as the store counts them and as the process has them',
  drivers: [redisDataDriver, keyspaceDataDriver],
  runs: 3,
  measure: (driver, { scale }) => measure(driver, scale),
});
