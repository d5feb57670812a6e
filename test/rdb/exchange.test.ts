/** What is written here, in every version and form that a real Redis 7.0 loads, against the same commands run there. */
import { Redis } from 'ioredis';
import { afterAll, describe, expect, test } from 'vitest';
import { closePool, loadFile, saveFile } from '../../dist/rdb/index.js';
import { SeededRandom } from '../support/random.js';
import { REDIS_MISSING, redisVersion, startRedis } from '../support/redis.js';
import { FAR_MS, Local } from './local.js';
import { Temporary } from './temporary.js';

afterAll(closePool);

type Word = string | Buffer;

/** Each is the first or the last of a form that numbers are written in. */
const EDGES = [
  0n,
  12n,
  13n,
  1n << 6n,
  1n << 7n,
  1n << 12n,
  1n << 15n,
  1n << 23n,
  1n << 31n,
  1n << 32n,
  1n << 63n,
]
  .flatMap((edge) => [edge - 1n, edge, -edge, -edge - 1n])
  .filter((n) => n >= -(1n << 63n) && n < 1n << 63n)
  .map(String);
/** Lengths around the borders of the forms of texts, and of what is compressed. */
const LENGTHS = [0, 1, 20, 21, 24, 63, 64, 65, 127, 128, 4_095, 4_096, 16_383, 16_384, 70_000];
const SCORES = [
  'inf',
  '-inf',
  '-0',
  '0',
  '0.1',
  '-1e-300',
  '1.7976931348623157e308',
  '5e-324',
  '9007199254740993',
];

/** Commands that make keys of every type, in every encoding. */
function commands(): Word[][] {
  const random = new SeededRandom(3);
  const bytes = (length: number) => Buffer.from(Array.from({ length }, () => random.below(256)));
  const letters = (length: number) => Buffer.from(Array.from({ length }, () => 97 + random.below(3)));
  const texts: Word[] = [...LENGTHS.flatMap((length) => [bytes(length), letters(length)]), ...EDGES];
  texts.push('007', '-0', '+1', '1.5', ' 1', '9223372036854775808');
  const made: Word[][] = texts.map((text, i) => ['SET', Buffer.concat([Buffer.of(0, 255, i)]), text]);
  made.push(...EDGES.map((edge) => ['SET', edge, edge]), ['SET', 'due', 'later', 'PXAT', String(FAR_MS)]);
  const long = texts.filter((text) => text.length > 64);
  for (const [name, some] of [
    ['edges', EDGES],
    ['short', texts.filter((text) => text.length <= 64)],
    ['long', long],
    ['many', Array.from({ length: 700 }, (_, i) => `member:${i}`)],
    ['numbers', Array.from({ length: 600 }, (_, i) => String(i * 7_919 - 90_000))],
  ] as [string, Word[]][]) {
    const unique = [...new Map(some.map((text) => [text.toString('latin1' as never), text])).values()];
    made.push(['RPUSH', `list:${name}`, ...some], ['SADD', `set:${name}`, ...unique]);
    made.push([
      'HSET',
      `hash:${name}`,
      ...unique.flatMap((text, i) => [text, some[some.length - 1 - i] ?? '']),
    ]);
    made.push(['ZADD', `zset:${name}`, ...unique.flatMap((text, i) => [String(i / 4 - 30), text])]);
  }
  made.push(['ZADD', 'zset:scores', ...SCORES.flatMap((score, i) => [score, `m${i}`])]);
  made.push(['ZADD', 'zset:table', ...SCORES.flatMap((score, i) => [score, `${i}`.padEnd(65)])]);
  made.push(['PFADD', 'sketch:small', 'a', 'b', 'c'], ['PFADD', 'sketch:none']);
  made.push(['PFADD', 'sketch:large', ...Array.from({ length: 5_000 }, (_, i) => `${i}`)]);
  made.push(['SETBIT', 'bits', '100000', '1'], ['APPEND', 'bits', 'x']);
  for (const key of ['list:many', 'set:short', 'zset:edges', 'hash:long'])
    made.push(['PEXPIREAT', key, String(FAR_MS + 1)]);
  return made.concat(streams());
}

/** Streams with holes, with other fields than the first, and with groups. */
function streams(): Word[][] {
  const made: Word[][] = [];
  for (let i = 1; i <= 250; i++) {
    const fields = i % 7 === 0 ? ['other', `${i}`] : ['f', `${i * 1_000}`, 'g', 'x'.repeat(i % 90)];
    made.push(['XADD', 'stream', `${5 + i}-${i % 3}`, ...fields]);
  }
  made.push(['XDEL', 'stream', '20-0', '21-1', '100-2'], ['XGROUP', 'CREATE', 'stream', 'g', '0']);
  made.push(
    ['XGROUP', 'CREATE', 'stream', Buffer.of(255, 0), '50-0'],
    ['XGROUP', 'CREATE', 'none', 'g', '7-7', 'MKSTREAM'],
  );
  made.push(['XREADGROUP', 'GROUP', 'g', 'ann', 'COUNT', '30', 'STREAMS', 'stream', '>']);
  made.push(['XREADGROUP', 'GROUP', 'g', 'bob', 'COUNT', '20', 'STREAMS', 'stream', '>']);
  made.push(['XACK', 'stream', 'g', '6-1', '7-2'], ['XGROUP', 'CREATECONSUMER', 'stream', 'g', 'idle']);
  return made;
}

/** How each type is asked for its content; what has no order is sorted. */
const ASK: Record<string, (key: Buffer) => [string, ...Word[]]> = {
  string: (key) => ['GET', key],
  list: (key) => ['LRANGE', key, '0', '-1'],
  set: (key) => ['SMEMBERS', key],
  zset: (key) => ['ZRANGE', key, '0', '-1', 'WITHSCORES'],
  hash: (key) => ['HGETALL', key],
  stream: (key) => ['XRANGE', key, '-', '+'],
};

type Told = string | number | null | Told[];

function told(reply: unknown): Told {
  if (Array.isArray(reply)) return reply.map(told);
  return Buffer.isBuffer(reply) ? reply.toString('latin1') : (reply as Told);
}

function inOrder(type: string, reply: Told): Told {
  if (!Array.isArray(reply)) return reply;
  if (type === 'zset') return unsigned(reply);
  if (type === 'set') return reply.sort();
  if (type !== 'hash') return reply;
  return reply.flatMap((field, i) => (i % 2 === 0 ? [`${field}=${reply[i + 1]}`] : [])).sort();
}

/** Groups without what tells when they were read. */
async function groupsOf(redis: Redis, key: Buffer): Promise<Told> {
  const groups = (await redis.callBuffer('XINFO', 'GROUPS', key)) as Buffer[][];
  const pending = async (group: Buffer[]) => {
    const rows = (await redis.callBuffer(
      'XPENDING',
      key,
      group[1] as Buffer,
      '-',
      '+',
      '1000',
    )) as Buffer[][];
    return [told(group), rows.map((row) => told([row[0], row[1], row[3]]))];
  };
  return Promise.all(groups.map(pending));
}

/** Everything that a server holds, with encodings; those of texts are a matter of how they came about. */
async function contents(redis: Redis): Promise<Record<string, Told>> {
  const all: Record<string, Told> = {};
  for (const key of await redis.keysBuffer('*')) {
    const type = await redis.type(key);
    const [name, ...words] = ASK[type]?.(key) ?? ['TYPE', key];
    const value = inOrder(type, told(await redis.callBuffer(name, ...words)));
    const encoding = String(await redis.call('OBJECT', 'ENCODING', key));
    all[key.toString('latin1')] = [
      type,
      /embstr|raw/.test(encoding) ? 'text' : encoding,
      told(await redis.call('PEXPIRETIME', key)),
      value,
      type === 'stream' ? await groupsOf(redis, key) : null,
    ];
  }
  return all;
}

async function withRedis<T>(port: number, work: (redis: Redis) => Promise<T>): Promise<T> {
  const redis = new Redis({ port });
  try {
    return await work(redis);
  } finally {
    redis.disconnect();
  }
}

async function run(redis: Redis): Promise<void> {
  for (const [name = '', ...words] of commands()) await redis.call(String(name), ...words);
}

describe.skipIf(redisVersion() === undefined)(`a real Redis (${redisVersion() ?? REDIS_MISSING})`, () => {
  const forms = [9, 10].flatMap((version) => [true, false].map((compress) => ({ version, compress })));

  test.each(forms)('loads %o as if it had run the commands', async (form) => {
    using temporary = new Temporary();
    using source = new Local();
    for (const words of commands()) source.handle.call(words);
    await saveFile([source.id], temporary.path('ours.rdb'), form);
    await using made = await startRedis(['--dir', temporary.folder, '--dbfilename', 'theirs.rdb']);
    await withRedis(made.port, async (redis) => {
      await run(redis);
      await redis.save();
    });
    await using theirs = await startRedis(['--dir', temporary.folder, '--dbfilename', 'theirs.rdb']);
    await using ours = await startRedis(['--dir', temporary.folder, '--dbfilename', 'ours.rdb']);
    const expected = await withRedis(theirs.port, contents);
    const found = await withRedis(ours.port, async (redis) => {
      const all = await contents(redis);
      await redis.save();
      return all;
    });
    if (form.version === 9) forgetCounters(found, expected);
    expect(different(found, expected)).toEqual([]);
    for (const name of ['ours.rdb', 'theirs.rdb']) {
      using back = new Local();
      await loadFile(temporary.path(name), back.id);
      expect(different(valuesOf(back), valuesOf(source)), name).toEqual([]);
    }
  });

  test('takes payloads from here, and gives payloads', async () => {
    using source = new Local();
    using back = new Local();
    for (const words of commands()) source.handle.call(words);
    await using restored = await startRedis();
    await using made = await startRedis();
    const expected = await withRedis(made.port, async (redis) => {
      await run(redis);
      return contents(redis);
    });
    const found = await withRedis(restored.port, async (redis) => {
      for (const key of source.handle.call(['KEYS', '*']) as Buffer[]) {
        const ttl = source.handle.call(['PEXPIRETIME', key]) as number;
        const payload = source.handle.call(['DUMP', key]) as Buffer;
        await redis.call('RESTORE', key, Math.max(ttl, 0), payload, 'ABSTTL');
        const theirs = (await redis.callBuffer('DUMP', key)) as Buffer;
        back.handle.call(['RESTORE', key, String(Math.max(ttl, 0)), theirs, 'ABSTTL']);
      }
      return contents(redis);
    });
    expect(different(found, expected)).toEqual([]);
    expect(different(valuesOf(back), valuesOf(source))).toEqual([]);
  });
});

/** Version 9 has no counters of groups: Redis estimates them. */
function forgetCounters(...all: Record<string, Told>[]): void {
  for (const keys of all)
    for (const key of Object.keys(keys)) {
      const row = keys[key];
      if (!Array.isArray(row) || !Array.isArray(row[4])) continue;
      for (const group of row[4])
        if (Array.isArray(group)) group[0] = Array.isArray(group[0]) ? group[0].slice(0, 8) : null;
    }
}

/** The keys that are not the same in both, with the beginning of what they are. */
function different(found: Record<string, Told>, expected: Record<string, Told>): string[] {
  const shown = (told: Told | undefined) => JSON.stringify(told) ?? 'missing';
  const keys = Object.keys({ ...found, ...expected }).filter(
    (key) => shown(found[key]) !== shown(expected[key]),
  );
  return keys.map((key) => {
    const [one, other] = [shown(found[key]), shown(expected[key])];
    const from = Math.max(0, [...one].findIndex((letter, i) => letter !== other[i]) - 60);
    return `${JSON.stringify(key)}: ${one.slice(from, from + 200)} instead of ${other.slice(from, from + 200)}`;
  });
}

/** Here a score that is zero has no sign; there it has none in a small sorted set. */
function unsigned(reply: Told): Told {
  return Array.isArray(reply) ? reply.map(unsigned) : reply === '-0' ? '0' : reply;
}

/** What a keyspace holds, without the counters of streams and the signs of zeros. */
function valuesOf(local: Local): Record<string, Told> {
  const all: Record<string, Told> = {};
  for (const key of (local.handle.call(['KEYS', '*']) as Buffer[]).sort(Buffer.compare)) {
    const type = String(local.handle.call(['TYPE', key]));
    const words = ASK[type]?.(key) ?? ['TYPE', key];
    const value = inOrder(type, told(local.handle.call(words)));
    all[key.toString('latin1')] = [type, told(local.handle.call(['PEXPIRETIME', key])), value];
  }
  return all;
}
