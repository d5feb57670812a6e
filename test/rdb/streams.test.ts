/** Streams between a keyspace and a real Redis: in files and payloads, with their groups and what is pending. */
import { Keyspace, type ReplyValue } from 'holdfast';
import { Redis } from 'ioredis';
import { describe, expect, test } from 'vitest';
import { SeededRandom } from '../support/random.js';
import { REDIS_MISSING, redisVersion, startRedis } from '../support/redis.js';
import { Temporary } from './temporary.js';

const KEYS = ['small', 'large', 'torn', 'empty'];

/** Streams of several nodes, with holes, odd bytes, and groups of which one is behind. */
function fill(keyspace: Keyspace): void {
  const random = new SeededRandom(7);
  const bytes = (length: number) => Buffer.from(Array.from({ length }, () => random.below(256)));
  for (const key of ['large', 'torn']) {
    for (let i = 1; i <= 450; i++) {
      const value = random.once(3) ? bytes(random.below(120)) : String(random.below(100_000) - 500);
      const fields: [string, Buffer | string][] = random.once(5)
        ? [['other', value]]
        : [
            ['f', value],
            ['g', 'x'],
          ];
      keyspace.xadd(key, fields, { id: `${1_000_000 + 3 * i}-${random.below(4)}` });
    }
  }
  keyspace.xadd('small', { field: 'value', 7: '7' }, { id: '18446744073709551615-5' });
  keyspace.xgroupCreate('small', 'g', '$');
  keyspace.xgroupCreate('empty', Buffer.from([0, 255]), '5-5', { mkstream: true, entriesRead: 3 });
  const some = keyspace.xrange('torn', '-', '+').filter(() => random.once(3));
  keyspace.xdel(
    'torn',
    some.map(({ id }) => id),
  );
  keyspace.xtrim('torn', { maxLen: 230 });
  for (const key of ['large', 'torn']) {
    keyspace.xgroupCreate(key, 'g', '0');
    keyspace.xgroupCreate(key, 'behind', '0');
    keyspace.xgroupCreateConsumer(key, 'behind', 'idle');
    keyspace.xreadgroup('g', 'ann', { [key]: '>' }, { count: 90 });
    keyspace.xreadgroup('g', 'bob', { [key]: '>' }, { count: 60 });
    const [read] = keyspace.xreadgroup('g', 'bob', { [key]: '0' }, { count: 20 });
    keyspace.xack(
      key,
      'g',
      (read?.entries ?? []).map(({ id }) => id),
    );
  }
}

type Told = string | null | Told[];

/** What XINFO tells, without what only one of the two knows: the radix tree, and when consumers were last active. */
function plain(reply: ReplyValue): Told {
  if (reply instanceof Map) return plain([...reply].flat());
  if (!Array.isArray(reply))
    return reply === null ? null : Buffer.isBuffer(reply) ? reply.toString('latin1') : String(reply);
  const told = reply.map(plain);
  return told.filter(
    (_, i) => ![told[i], told[i - 1]].some((name) => name === 'radix-tree-nodes' || name === 'active-time'),
  );
}

const infoOf = (key: string): [string, ...string[]] => ['XINFO', 'STREAM', key, 'FULL', 'COUNT', '0'];
const ours = (keyspace: Keyspace): Told[] => KEYS.map((key) => plain(keyspace.bytes.call(...infoOf(key))));

async function theirs(redis: Redis): Promise<Told[]> {
  const ask = async (key: string) => plain((await redis.callBuffer(...infoOf(key))) as ReplyValue);
  return Promise.all(KEYS.map(ask));
}

describe.skipIf(redisVersion() === undefined)(
  `streams and a real Redis (${redisVersion() ?? REDIS_MISSING})`,
  () => {
    test('a file from here is loaded there, and back', async () => {
      using temporary = new Temporary();
      using keyspace = new Keyspace();
      fill(keyspace);
      await keyspace.save(temporary.path('ours.rdb'));
      await using server = await startRedis(['--dir', temporary.folder, '--dbfilename', 'ours.rdb']);
      const redis = new Redis({ port: server.port, stringNumbers: true });
      try {
        expect(await theirs(redis)).toEqual(ours(keyspace));
        await redis.save();
      } finally {
        redis.disconnect();
      }
      using back = new Keyspace();
      await back.load(temporary.path('ours.rdb'));
      expect(ours(back)).toEqual(ours(keyspace));
    });

    test('payloads go there and back', async () => {
      using keyspace = new Keyspace();
      using back = new Keyspace();
      fill(keyspace);
      await using server = await startRedis();
      const redis = new Redis({ port: server.port, stringNumbers: true });
      try {
        for (const key of KEYS) {
          await redis.call('RESTORE', key, 0, keyspace.bytes.call('DUMP', key) as Buffer);
          back.bytes.call('RESTORE', key, '0', (await redis.callBuffer('DUMP', key)) as Buffer);
        }
        expect(await theirs(redis)).toEqual(ours(keyspace));
      } finally {
        redis.disconnect();
      }
      expect(ours(back)).toEqual(ours(keyspace));
    });
  },
);
