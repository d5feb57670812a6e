/** Which commands are refused when memory is short: those that redis-server marks `denyoom`, and no others. */
import { Keyspace } from 'holdfast';
import { Redis as Client } from 'ioredis';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { type CommandFact, native } from '../../dist/keyspace/native.js';
import { ONE_DATABASE } from '../differential/pair.js';
import { REDIS_MISSING, type Redis, redisVersion, startRedis } from '../support/redis.js';

const missing = redisVersion() === undefined;

/** Commands that redis-server marks otherwise, and why they differ here. */
const MEANT: Readonly<Record<string, string>> = {};

type Row = [name: string, arity: number, flags: string[], ...rest: unknown[]];

/** Requests that both servers understand, one for each of these commands, on the keys that {@link FILLED} makes. */
const REQUESTS: readonly (readonly [string, ...string[]])[] = [
  ['set', 'new', 'v'],
  ['append', 'string', 'v'],
  ['setrange', 'string', '0', 'v'],
  ['incr', 'number'],
  ['mset', 'new', 'v'],
  ['getset', 'string', 'v'],
  ['lpush', 'list', 'v'],
  ['linsert', 'list', 'before', 'a', 'v'],
  ['lset', 'list', '0', 'v'],
  ['lmove', 'list', 'new', 'left', 'left'],
  ['sadd', 'set', 'v'],
  ['sunionstore', 'new', 'set'],
  ['smove', 'set', 'new', 'a'],
  ['hset', 'hash', 'f', 'v'],
  ['hincrby', 'hash', 'n', '1'],
  ['zadd', 'zset', '1', 'v'],
  ['zunionstore', 'new', '1', 'zset'],
  ['xadd', 'stream', '*', 'f', 'v'],
  ['pfadd', 'hll', 'a'],
  ['setbit', 'string', '9', '1'],
  ['bitfield', 'string', 'set', 'u8', '0', '1'],
  ['geoadd', 'geo', '1', '1', 'm'],
  ['copy', 'string', 'new'],
  ['sort', 'list', 'alpha', 'store', 'new'],
  ['rename', 'string', 'moved'],
  ['get', 'string'],
  ['getdel', 'string'],
  ['del', 'set'],
  ['hdel', 'hash', 'f'],
  ['lpop', 'list'],
  ['expire', 'zset', '100'],
  ['persist', 'zset'],
  ['zrem', 'zset', 'a'],
  ['xtrim', 'stream', 'maxlen', '0'],
  ['flushall'],
];

const FILLED: readonly (readonly [string, ...string[]])[] = [
  ['set', 'string', 'v'],
  ['set', 'number', '1'],
  ['rpush', 'list', 'a', 'b'],
  ['sadd', 'set', 'a', 'b'],
  ['hset', 'hash', 'f', 'v'],
  ['zadd', 'zset', '1', 'a'],
  ['xadd', 'stream', '1-1', 'f', 'v'],
];

describe.skipIf(missing)(`compared with redis-server${missing ? `: ${REDIS_MISSING}` : ''}`, () => {
  let redis: Redis;
  let client: Client;

  beforeAll(async () => {
    redis = await startRedis(ONE_DATABASE);
    client = new Client({ port: redis.port, host: '127.0.0.1' });
  });
  afterAll(async () => {
    client.disconnect();
    await redis[Symbol.asyncDispose]();
  });

  test('every command that it knows has the same flags', async () => {
    const facts = native.commandTable().filter(({ name }) => !Object.hasOwn(MEANT, name));
    const rows = (await client.call('COMMAND', 'INFO', ...facts.map(({ name }) => name))) as (Row | null)[];
    const known = facts.flatMap((fact, i): { fact: CommandFact; flags: string[] }[] => {
      const row = rows[i];
      return row === null || row === undefined ? [] : [{ fact, flags: row[2] }];
    });
    // A newer command may be unknown to it.
    expect(known.length).toBeGreaterThan(150);
    const told = (has: (one: { fact: CommandFact; flags: string[] }) => boolean): string[] =>
      known
        .filter(has)
        .map(({ fact }) => fact.name)
        .sort();
    expect(told(({ fact }) => fact.grows)).toEqual(told(({ flags }) => flags.includes('denyoom')));
  });

  test('the same requests are refused, with the same error', async () => {
    using keyspace = new Keyspace({ maxMemory: 200_000 });
    for (const words of FILLED) {
      await client.call(...words);
      keyspace.call(...words);
    }
    expect(() => {
      for (let i = 0; i < 1_000; i++) keyspace.rpush('ballast', 'x'.repeat(1_000));
    }).toThrow(/^OOM /);
    await client.config('SET', 'maxmemory', '1');
    for (const words of REQUESTS) {
      const theirs = await client.call(...words).then(
        () => 'done',
        (error: Error) => error.message,
      );
      let ours = 'done';
      try {
        keyspace.call(...words);
      } catch (error) {
        ours = error instanceof Error ? error.message : String(error);
      }
      expect([words[0], ours]).toEqual([words[0], theirs]);
    }
  });
});
