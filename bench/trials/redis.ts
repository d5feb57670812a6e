/** The hot command of each collection, in this process and behind a connection to a redis-server. */
import {
  type Call,
  ioredisDriver,
  keyspaceModelDriver,
  type ModelDriver,
  type OpenModel,
  pipelineDriver,
} from '../drivers/data-model.js';
import { BLOCK_CALLS } from '../stopwatch.js';
import { defineTrial, type Figure, type RunResult } from '../trial.js';
import { drawIndices, hashOf, keyOf, takenNumber, ValueMaker } from '../workload.js';

interface Size {
  readonly hashes: number;
  readonly boards: number;
  readonly players: number;
  /** A multiple of {@link BLOCK_CALLS}. */
  readonly calls: number;
}

const REAL: Size = { hashes: 1_000, boards: 10, players: 1_000, calls: 10_000 };
const TINY: Size = { hashes: 20, boards: 2, players: 50, calls: 1_000 };
const FIELDS = 10;
const QUEUES = 100;
const TOP = 9;
const NS_PER_MS = 1e6;

/** A command, with keys, fields and members made for each call. */
interface Operation {
  readonly metric: string;
  /** What is there before, if anything has to be. */
  readonly fill?: { readonly count: number; readonly call: Call };
  readonly call: Call;
}

const boardOf = (index: number, { boards }: Size): string => `board:${index % boards}`;
const playerOf = (index: number, { boards }: Size): string => `player:${Math.floor(index / boards)}`;

function hashOperations(size: Size, value: (i: number) => string): Operation[] {
  const count = size.hashes * FIELDS;
  const order = drawIndices('uniform', count, size.calls, 1);
  const place = (i: number): number => order[i] ?? 0;
  const key = (index: number): string => keyOf(Math.floor(index / FIELDS));
  const field = (index: number): string => `field:${index % FIELDS}`;
  const write =
    (index: (i: number) => number): Call =>
    (commands, i) =>
      commands.hset(key(index(i)), field(index(i)), value(i));
  return [
    { metric: 'hset', fill: { count, call: write((i) => i) }, call: write(place) },
    { metric: 'hget', call: (commands, i) => commands.hget(key(place(i)), field(place(i))) },
  ];
}

function sortedSetOperations(size: Size): Operation[] {
  const count = size.boards * size.players;
  const order = drawIndices('uniform', count, size.calls, 2);
  const place = (i: number): number => order[i] ?? 0;
  return [
    {
      metric: 'zadd',
      fill: { count, call: (commands, i) => commands.zadd(boardOf(i, size), i, playerOf(i, size)) },
      call: (commands, i) => commands.zadd(boardOf(place(i), size), i, playerOf(place(i), size)),
    },
    {
      metric: 'zscore',
      call: (commands, i) => commands.zscore(boardOf(place(i), size), playerOf(place(i), size)),
    },
    { metric: 'zrange top 10', call: (commands, i) => commands.zrange(boardOf(i, size), -1 - TOP, -1) },
  ];
}

function otherOperations(size: Size, value: (i: number) => string): Operation[] {
  const counters = drawIndices('uniform', size.hashes, size.calls, 3);
  return [
    { metric: 'lpush', call: (commands, i) => commands.lpush(`queue:${i % QUEUES}`, value(i)) },
    { metric: 'rpop', call: (commands, i) => commands.rpop(`queue:${i % QUEUES}`) },
    { metric: 'incr', call: (commands, i) => commands.incr(`count:${counters[i] ?? 0}`) },
  ];
}

/** A reply as a number that tells it from others. */
function summary(reply: unknown): number {
  if (Array.isArray(reply)) return reply.reduce((sum: number, one) => takenNumber(sum, summary(one)), 0);
  if (typeof reply === 'number') return reply;
  if (typeof reply !== 'string') return -1;
  const number = Number(reply);
  return Number.isNaN(number) ? (reply.charCodeAt(reply.length - 1) << 8) + reply.length : number;
}

/** What a round of calls computes, and nanoseconds a call of the rounds behind it. */
async function time(
  model: OpenModel,
  { call }: Operation,
  calls: number,
  rounds: number,
): Promise<{ sum: number; ns: number }> {
  let sum = 0;
  let last: unknown;
  let ms = 0;
  for (let from = 0; from < calls; from += BLOCK_CALLS) {
    await model.run(from, from + BLOCK_CALLS, call, (reply) => {
      sum = takenNumber(sum, summary(reply));
    });
  }
  const keep = (reply: unknown): void => {
    last = reply;
  };
  for (let timed = 0; timed < calls * rounds; timed += BLOCK_CALLS) {
    const from = timed % calls;
    const start = performance.now();
    await model.run(from, from + BLOCK_CALLS, call, keep);
    ms += performance.now() - start;
  }
  if (last === undefined) throw new Error('the calls gave nothing');
  return { sum, ns: (ms * NS_PER_MS) / (calls * rounds) };
}

async function measure(driver: ModelDriver, size: Size): Promise<RunResult> {
  const values = new ValueMaker();
  const made = Array.from({ length: 1_000 }, (_, i) => values.make(i, 0));
  const value = (i: number): string => made[i % 1_000] ?? '';
  await using model = await driver.open();
  const figures: Figure[] = [];
  const sums: number[] = [];
  const operations = [
    ...hashOperations(size, value),
    ...sortedSetOperations(size),
    ...otherOperations(size, value),
  ];
  for (const operation of operations) {
    if (operation.fill !== undefined) await model.fill(operation.fill.count, operation.fill.call);
    const { ns, sum } = await time(model, operation, size.calls, driver.rounds);
    figures.push({ metric: operation.metric, unit: 'ns', value: ns });
    sums.push(sum);
  }
  return { figures, hash: hashOf(sums) };
}

/** Against a redis-server on the loopback. */
export const redisTrials = [
  defineTrial({
    name: 'collections-redis',
    about: `hset, hget, zadd, zscore, zrange top 10, lpush, rpop and incr, against a redis-server on the loopback: one call at a time, and ${BLOCK_CALLS.toLocaleString('en')} in a pipeline`,
    drivers: [keyspaceModelDriver, ioredisDriver, pipelineDriver],
    measure: (driver, { scale }) => measure(driver, scale === 'tiny' ? TINY : REAL),
  }),
];
