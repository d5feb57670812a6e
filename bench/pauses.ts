/**
 * `npx tsx bench/pauses.ts [members [fields]]`: the longest that one call keeps its thread, for calls that make something large,
 * or make it go. Everything is done three times, and of the three the shortest counts, call by call, so that what other
 * programs take from the processor does not.
 */
import { monitorEventLoopDelay } from 'node:perf_hooks';
import { setTimeout as sleep } from 'node:timers/promises';
import { Keyspace } from 'holdfast';

const NS_PER_MS = 1e6;
const ROUNDS = 3;
const BATCH = 1_000;
/** Calls between two looks at the clock while something grows or shrinks one by one. */
const CALLS_PER_LOOK = 8;
const members = Number(process.argv[2] ?? 1_000_000);

function report(name: string, ms: number): void {
  process.stdout.write(`${name.padEnd(44)}${ms.toFixed(3).padStart(10)} ms\n`);
}

/** Times one call, each time with something to do. */
function once(name: string, prepare: () => void, call: () => unknown): void {
  let shortest = Number.POSITIVE_INFINITY;
  for (let round = 0; round < ROUNDS; round++) {
    prepare();
    const start = performance.now();
    call();
    shortest = Math.min(shortest, performance.now() - start);
  }
  report(name, shortest);
}

/** Times calls that make something grow and others that make it shrink again, a few at a time; reports the longest few. */
function each(name: string, grow: (i: number) => unknown, shrink: (i: number) => unknown): void {
  const looks = Math.ceil(members / CALLS_PER_LOOK);
  const [growing, shrinking] = [new Float64Array(looks), new Float64Array(looks)];
  growing.fill(Number.POSITIVE_INFINITY);
  shrinking.fill(Number.POSITIVE_INFINITY);
  for (let round = 0; round < ROUNDS; round++) {
    pass(growing, grow);
    pass(shrinking, shrink);
  }
  report(`${name}: growing, ${CALLS_PER_LOOK} calls`, longest(growing));
  report(`${name}: shrinking, ${CALLS_PER_LOOK} calls`, longest(shrinking));
}

function pass(shortest: Float64Array, call: (i: number) => unknown): void {
  for (let look = 0; look < shortest.length; look++) {
    const from = look * CALLS_PER_LOOK;
    const start = performance.now();
    for (let i = from; i < Math.min(members, from + CALLS_PER_LOOK); i++) call(i);
    shortest[look] = Math.min(shortest[look] ?? 0, performance.now() - start);
  }
}

const longest = (times: Float64Array): number => times.reduce((max, ms) => Math.max(max, ms), 0);

interface Kind {
  readonly name: string;
  /** The words that add these members, if one command can. */
  readonly words?: (key: string, from: number, to: number) => string[];
  /** Adds one member to `k`. */
  readonly grow: (keyspace: Keyspace, i: number) => unknown;
  /** Takes one member out. */
  readonly shrink: (keyspace: Keyspace, key: string, i: number) => unknown;
  /** Takes all but ten out. */
  readonly cut?: (keyspace: Keyspace, key: string) => unknown;
}

const numbers = (from: number, to: number): number[] => Array.from({ length: to - from }, (_, i) => from + i);

const KINDS: readonly Kind[] = [
  {
    name: 'hash',
    words: (key, from, to) => [
      'HSET',
      key,
      ...numbers(from, to).flatMap((i) => [`field:${i}`, `value:${i}`]),
    ],
    grow: (keyspace, i) => keyspace.hset('k', `field:${i}`, 'value'),
    shrink: (keyspace, key, i) => keyspace.hdel(key, `field:${i}`),
  },
  {
    name: 'set',
    words: (key, from, to) => ['SADD', key, ...numbers(from, to).map((i) => `member:${i}`)],
    grow: (keyspace, i) => keyspace.sadd('k', `member:${i}`),
    shrink: (keyspace, key, i) => keyspace.srem(key, `member:${i}`),
  },
  {
    name: 'zset',
    words: (key, from, to) => [
      ...['ZADD', key],
      ...numbers(from, to).flatMap((i) => [String((i * 7919) % 1_000_003), `member:${i}`]),
    ],
    grow: (keyspace, i) => keyspace.zadd('k', (i * 7919) % 1_000_003, `member:${i}`),
    shrink: (keyspace, key, i) => keyspace.zrem(key, `member:${i}`),
    cut: (keyspace, key) => keyspace.call('ZREMRANGEBYRANK', key, '10', '-1'),
  },
  {
    name: 'list',
    words: (key, from, to) => ['RPUSH', key, ...numbers(from, to).map((i) => `element:${i}`)],
    grow: (keyspace, i) => keyspace.rpush('k', `element:${i}`),
    shrink: (keyspace, key) => keyspace.lpop(key),
    cut: (keyspace, key) => keyspace.call('LTRIM', key, '0', '9'),
  },
  {
    name: 'stream',
    grow: (keyspace, i) => keyspace.xadd('k', { n: `entry:${i}` }),
    shrink: (keyspace, key, i) => keyspace.call('XTRIM', key, 'MAXLEN', String(members - i - 1)),
    cut: (keyspace, key) => keyspace.call('XTRIM', key, 'MAXLEN', '10'),
  },
];

function make(keyspace: Keyspace, kind: Kind, key: string): void {
  const { words, grow } = kind;
  if (words === undefined) {
    for (let i = 0; i < members; i++) grow(keyspace, i);
    return;
  }
  for (let from = 0; from < members; from += BATCH) {
    keyspace.call(...(words(key, from, Math.min(members, from + BATCH)) as [string, ...string[]]));
  }
}

/** What makes a large value go, as one call. */
const ENDS: readonly [string, (keyspace: Keyspace, key: string) => unknown][] = [
  ['DEL', (keyspace, key) => keyspace.del(key)],
  ['UNLINK', (keyspace, key) => keyspace.call('UNLINK', key)],
  ['SET over it', (keyspace, key) => keyspace.set(key, 'v')],
  ['RENAME over it', (keyspace, key) => keyspace.rename('small', key)],
  ['SUNIONSTORE over it', (keyspace, key) => keyspace.call('SUNIONSTORE', key, 'smallset')],
  ['EXPIRE into the past', (keyspace, key) => keyspace.call('PEXPIRE', key, '-1')],
  ['FLUSHALL', (keyspace) => keyspace.flushall()],
];

function values(): void {
  for (const kind of KINDS) {
    using keyspace = new Keyspace();
    each(
      kind.name,
      (i) => kind.grow(keyspace, i),
      (i) => kind.shrink(keyspace, 'k', i),
    );
    const prepare = () => {
      keyspace.set('small', 'v');
      keyspace.call('SADD', 'smallset', 'a');
      keyspace.del('k');
      make(keyspace, kind, 'k');
    };
    for (const [name, end] of ENDS) once(`${kind.name}: ${name}`, prepare, () => end(keyspace, 'k'));
    const { cut } = kind;
    if (cut !== undefined) once(`${kind.name}: all but ten removed`, prepare, () => cut(keyspace, 'k'));
  }
}

function tables(): void {
  let keyspace = new Keyspace();
  each(
    'keys',
    (i) => keyspace.set(`key:${i}`, 'v'),
    (i) => keyspace.del(`key:${i}`),
  );
  const fill = () => {
    keyspace = new Keyspace();
    for (let i = 0; i < members; i++) keyspace.set(`key:${i}`, 'v');
  };
  once('keys: FLUSHALL', fill, () => keyspace.flushall());
  once('keys: close()', fill, () => keyspace.close());
}

/** Keys that expire in the same second, while this thread goes on writing. */
async function expiry(): Promise<void> {
  using keyspace = new Keyspace();
  const pxAt = Date.now() + 5_000 + members / 100;
  for (let i = 0; i < members; i++) keyspace.set(`key:${i}`, 'v', { pxAt: pxAt + (i % 1_000) });
  await sleep(Math.max(0, pxAt - Date.now()));
  const delay = monitorEventLoopDelay({ resolution: 1 });
  delay.enable();
  const calls: number[] = [];
  for (let i = 0; keyspace.memory().expires > 0; i++) {
    const start = performance.now();
    keyspace.set(`other:${i % 1_000}`, 'v');
    keyspace.dbsize();
    calls.push(performance.now() - start);
    await sleep(1);
  }
  delay.disable();
  calls.sort((a, b) => a - b);
  report('expiry: SET and DBSIZE meanwhile, median', calls[calls.length >> 1] ?? 0);
  report('expiry: SET and DBSIZE meanwhile, longest', calls.at(-1) ?? 0);
  report('expiry: delay of the event loop, p99', delay.percentile(99) / NS_PER_MS);
  report('expiry: delay of the event loop, longest', delay.max / NS_PER_MS);
}

/** All fields of a hash but these are due at one instant, while this thread goes on with commands on that hash. */
async function fields(lasting: number): Promise<void> {
  using keyspace = new Keyspace();
  const batches = numbers(0, Math.ceil(members / BATCH)).map((batch) => batch * BATCH);
  const names = (from: number) => numbers(from, Math.min(members, from + BATCH)).map((i) => `field:${i}`);
  for (const from of batches)
    keyspace.hset('k', Object.fromEntries(names(from).map((name) => [name, 'value'])));
  const dueMs = Date.now() + 3_000 + members / 50;
  for (const from of batches) {
    const expiring = names(from).slice(Math.max(0, lasting - from));
    if (expiring.length > 0) keyspace.hpexpireat('k', dueMs, expiring);
  }
  const full = keyspace.memory().memoryBytes;
  if (Date.now() > dueMs) throw new Error(`making ${members} fields took too long`);
  await sleep(Math.max(0, dueMs - Date.now() - 1));
  const calls: number[] = [];
  const started = performance.now();
  const small = full * ((1.3 * lasting) / members + 0.05);
  for (let i = 0; keyspace.memory().memoryBytes > small; i++) {
    if (performance.now() - started > 60_000) throw new Error('what is due is still there');
    const start = performance.now();
    keyspace.hlen('k');
    calls.push(performance.now() - start);
    const next = performance.now();
    if (i % 2 === 0) keyspace.hset('k', 'one', 'more');
    else keyspace.hrandfield('k');
    calls.push(performance.now() - next);
    if (i % 16 === 0) await sleep(1);
  }
  calls.sort((a, b) => a - b);
  const name = `fields due, ${lasting} stay: HLEN, HSET, HRANDFIELD`;
  report(`${name}, median`, calls[calls.length >> 1] ?? 0);
  report(`${name}, longest`, calls.at(-1) ?? 0);
  report('until the memory was back', performance.now() - started);
}

/** Hashes of which each has a field that is due at one instant, and every second no other, while this thread goes on. */
async function hashes(): Promise<void> {
  using keyspace = new Keyspace();
  for (let i = 0; i < members; i++) {
    keyspace.hset(`h:${i}`, i % 2 === 0 ? { goes: 'v' } : { goes: 'v', stays: 'v' });
  }
  const dueMs = Date.now() + 3_000 + members / 50;
  for (let i = 0; i < members; i++) keyspace.hpexpireat(`h:${i}`, dueMs, ['goes']);
  if (Date.now() > dueMs) throw new Error(`making ${members} hashes took too long`);
  await sleep(Math.max(0, dueMs - Date.now() - 1));
  const kinds: [string, (i: number) => unknown][] = [
    [
      'HGET, HSET',
      (i) => (i % 2 === 0 ? keyspace.hget(`h:${i}`, 'goes') : keyspace.hset(`h:${i}`, 'one', 'more')),
    ],
    ['DBSIZE', () => keyspace.dbsize()],
    ['SCAN', (i) => keyspace.call('SCAN', '0', 'COUNT', String(10 + (i % 10)))],
    ['SORT by fields', (i) => keyspace.call('SORT', 'none', 'BY', `h:*->${i}`)],
  ];
  const calls = kinds.map((): number[] => []);
  const started = performance.now();
  for (let i = 0; performance.now() - started < 5_000; i++) {
    kinds.forEach(([, call], kind) => {
      const start = performance.now();
      call((i * 7919) % members);
      calls[kind]?.push(performance.now() - start);
    });
    if (i % 16 === 0) await sleep(1);
  }
  kinds.forEach(([name], kind) => {
    const times = (calls[kind] ?? []).sort((a, b) => a - b);
    report(`a field of each hash due: ${name}, median`, times[times.length >> 1] ?? 0);
    report(`a field of each hash due: ${name}, longest`, times.at(-1) ?? 0);
  });
}

if (process.argv[3] !== 'fields') {
  values();
  tables();
}
await fields(10);
await fields(Math.floor(members / 2));
await hashes();
if (process.argv[3] !== 'fields') await expiry();
