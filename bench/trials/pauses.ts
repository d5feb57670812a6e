/** How long single calls take where most are short: while a table grows, and where much has to be freed at once. */
import type { Keyspace } from 'holdfast';
import { type LocalKeyspaceDriver, localKeyspaceDriver } from '../drivers/local-keyspace.js';
import { Histogram } from '../histogram.js';
import { CollectionWatch, LongCalls } from '../long-calls.js';
import { defineTrial, type Figure, type RunResult } from '../trial.js';
import { hashOf, keyOf, takenNumber, ValueMaker } from '../workload.js';

const NS_PER_MS = 1e6;
const NS_PER_US = 1e3;

const GROWTH = {
  real: { from: 1_000_000, to: 10_000_000 },
  tiny: { from: 1_000, to: 10_000 },
} as const;
const MEMBERS = { real: 1_000_000, tiny: 2_000 } as const;
/** Calls behind a removal that are timed with it: what it has put off may fall on them. */
const CALLS_BEHIND = 20_000;
const VALUES = 1_000;
/** Multiplies numbers in a row so that they are far from each other. */
const SCATTER = 0x9e3779b1;

/** Values made beforehand. */
function valuesOf(): (i: number) => string {
  const maker = new ValueMaker();
  const values = Array.from({ length: VALUES }, (_, i) => maker.make(i, 0));
  return (i) => values[i % VALUES] ?? '';
}

/** What no call may take. */
const ALLOWED_MS = 2;

/** Calls one after the other. */
interface Timed {
  /** In nanoseconds. */
  readonly histogram: Histogram;
  readonly long: LongCalls;
  /** Calls of more than {@link ALLOWED_MS}. */
  readonly above: number;
}

function timeEach(from: number, to: number, call: (i: number) => void): Timed {
  const [histogram, long] = [new Histogram(), new LongCalls()];
  let above = 0;
  for (let i = from; i < to; i++) {
    const start = performance.now();
    call(i);
    const end = performance.now();
    histogram.note((end - start) * NS_PER_MS);
    long.note(start, end);
    if (end - start > ALLOWED_MS) above++;
  }
  return { histogram, long, above };
}

/** The longest call, and the longest on which no garbage collection fell. */
async function longest(what: string, { histogram, long }: Timed, watch: CollectionWatch): Promise<Figure[]> {
  const outsideMs = long.longestOutside(await watch.pauses());
  return [
    { metric: `${what}, longest`, unit: 'us', value: histogram.largest / NS_PER_US },
    {
      metric: `${what}, longest outside of garbage collection`,
      unit: 'us',
      value: (outsideMs * NS_PER_MS) / NS_PER_US,
    },
  ];
}

function above(what: string, { above: value }: Timed): Figure {
  return { metric: `${what}, longer than ${ALLOWED_MS} ms`, unit: 'calls', value };
}

async function quantiles(what: string, timed: Timed, watch: CollectionWatch): Promise<Figure[]> {
  const { histogram } = timed;
  const us = (ns: number): number => ns / NS_PER_US;
  return [
    { metric: `${what}, p50`, unit: 'us', value: us(histogram.quantile(0.5)) },
    { metric: `${what}, p99`, unit: 'us', value: us(histogram.quantile(0.99)) },
    { metric: `${what}, p99.9`, unit: 'us', value: us(histogram.quantile(0.999)) },
    ...(await longest(what, timed, watch)),
  ];
}

/**
 * The machine's own part: writes to memory that is there already, with nothing to be collected and nothing of the store, as many and
 * timed as the others are.
 */
function timeWrites(bytes: number, calls: number): Timed {
  const memory = new Uint8Array(bytes).fill(1);
  return timeEach(0, calls, (i) => {
    memory[(Math.imul(i, SCATTER) >>> 0) % bytes] = i;
  });
}

/** The same with memory that nobody has touched before, from its beginning to its end. */
function timeFirstWrites(bytes: number, calls: number): Timed {
  const memory = Buffer.allocUnsafeSlow(bytes);
  const each = Math.floor(bytes / calls);
  return timeEach(0, calls, (i) => {
    memory.fill(1, i * each, (i + 1) * each);
  });
}

async function measureGrowth(
  driver: LocalKeyspaceDriver,
  { from, to }: { from: number; to: number },
): Promise<RunResult> {
  const watch = new CollectionWatch();
  const keyspace = driver.make();
  const value = valuesOf();
  for (let i = 0; i < from; i++) keyspace.set(keyOf(i), value(i));
  const timed = timeEach(from, to, (i) => keyspace.set(keyOf(i), value(i)));
  const sums = [keyspace.dbsize()];
  const bytes = keyspace.memory().memoryBytes;
  const writes = timeWrites(bytes, to - from);
  const firstWrites = timeFirstWrites(bytes, to - from);
  keyspace.close();
  const figures = [
    ...(await quantiles('set', timed, watch)),
    above('set', timed),
    ...(await longest('write to memory that is there', writes, watch)),
    above('write to memory that is there', writes),
    ...(await longest('write to fresh memory', firstWrites, watch)),
    above('write to fresh memory', firstWrites),
  ];
  watch.stop();
  return { figures, hash: hashOf(sums) };
}

/** A value of many members, and the call that adds the `i`th. */
const COLLECTIONS: Readonly<Record<string, (keyspace: Keyspace, i: number, value: string) => void>> = {
  hash: (keyspace, i, value) => {
    keyspace.hset('large', `field:${i}`, value);
  },
  set: (keyspace, i) => {
    keyspace.sadd('large', `member:${i}`);
  },
  'sorted set': (keyspace, i) => {
    keyspace.zadd('large', (i * 7919) % 1_000_003, `player:${i}`);
  },
  list: (keyspace, _i, value) => {
    keyspace.rpush('large', value);
  },
  stream: (keyspace, i, value) => {
    keyspace.xadd('large', { number: i, value }, { id: `${i + 1}-1` });
  },
};

async function measurePauses(driver: LocalKeyspaceDriver, members: number): Promise<RunResult> {
  const watch = new CollectionWatch();
  const keyspace = driver.make();
  const value = valuesOf();
  const figures: Figure[] = [];
  const sums: number[] = [];
  const small = (i: number): void => {
    keyspace.set(keyOf(i % VALUES), value(i));
  };
  /** The longest of a removal and the calls behind it. */
  const removal = async (what: string, remove: () => number): Promise<void> => {
    let removed = 0;
    const timed = timeEach(0, CALLS_BEHIND, (i) => {
      if (i === 0) removed = remove();
      else small(i);
    });
    sums.push(removed);
    figures.push(...(await longest(what, timed, watch)));
  };
  timeEach(0, CALLS_BEHIND, small);
  for (const [type, add] of Object.entries(COLLECTIONS)) {
    const timed = timeEach(0, members, (i) => add(keyspace, i, value(i)));
    figures.push(...(await quantiles(`adding to a ${type}`, timed, watch)));
    await removal(`del of a ${type}`, () => keyspace.del('large'));
  }
  for (let i = 0; i < members; i++) keyspace.set(keyOf(i), value(i));
  await removal('flushall', () => {
    keyspace.flushall();
    return 1;
  });
  sums.push(takenNumber(0, keyspace.dbsize()));
  keyspace.close();
  watch.stop();
  return { figures, hash: hashOf(sums) };
}

/** The longest calls. */
export const pauseTrials = [
  defineTrial({
    name: 'growth',
    about:
      'single calls of set of 100-byte values, each timed, while a table grows from 1 to 10 million keys; as many writes to memory that is there, and to fresh memory',
    drivers: [localKeyspaceDriver],
    runs: 3,
    measure: async (driver, { scale }) => measureGrowth(driver, GROWTH[scale]),
  }),
  defineTrial({
    name: 'pauses',
    about: `adding to a value until it has a million members, each call timed; removing it, and a million keys: the longest call of that and of ${CALLS_BEHIND.toLocaleString('en')} behind it`,
    drivers: [localKeyspaceDriver],
    runs: 3,
    measure: async (driver, { scale }) => measurePauses(driver, MEMBERS[scale]),
  }),
];
