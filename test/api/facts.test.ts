/** The facts of the command table against those that a real Redis tells of its own: words, flags, places of keys. */
import { Redis as Client } from 'ioredis';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { native } from '../../dist/keyspace/native.js';
import { REDIS_MISSING, type Redis, redisVersion, startRedis } from '../support/redis.js';

/** Where the table says something else on purpose. */
const MEANT: Readonly<Record<string, string>> = {
  touch: 'a read marks a key as used without going through the log',
  pfcount: 'the cached count in the header is left as it is by a read',
  zrank: '7.2 knows WITHSCORE',
  zrevrank: '7.2 knows WITHSCORE',
  sort: 'patterns and STORE name keys that only the words tell',
};

interface Facts {
  readonly arity: number;
  readonly write: boolean;
  readonly grows: boolean;
  readonly first: number;
  readonly last: number;
  readonly step: number;
}

type Info = [
  name: string,
  arity: number,
  flags: string[],
  first: number,
  last: number,
  step: number,
  ...unknown[],
];
/** Where the subcommands stand in what `COMMAND` tells. */
const SUBCOMMANDS = 9;

const missing = redisVersion() === undefined;

describe.skipIf(missing)(`facts of redis-server${missing ? `: ${REDIS_MISSING}` : ''}`, () => {
  const table = native.commandTable();
  const theirs = new Map<string, Facts>();
  let redis: Redis;

  beforeAll(async () => {
    redis = await startRedis();
    const client = new Client({ port: redis.port, host: '127.0.0.1' });
    const infos = (await client.call('COMMAND')) as Info[];
    for (const info of infos) {
      const [name, arity, flags, first, last, step] = info;
      // Each subcommand has facts of its own there.
      const subcommands = info[SUBCOMMANDS];
      if (Array.isArray(subcommands) && subcommands.length > 0) continue;
      const [write, grows] = [flags.includes('write'), flags.includes('denyoom')];
      theirs.set(name, { arity, write, grows, first, last, step });
    }
    client.disconnect();
  });
  afterAll(async () => {
    await redis[Symbol.asyncDispose]();
  });

  const both = () =>
    table.flatMap((fact) => {
      const known = theirs.get(fact.name);
      return known === undefined || fact.name in MEANT ? [] : [{ fact, known }];
    });

  test('numbers of words are the same', () => {
    const differing = both().filter(({ fact, known }) => fact.arity !== known.arity);
    expect(differing.map(({ fact, known }) => [fact.name, fact.arity, known.arity])).toEqual([]);
  });

  test('so is whether a command writes, and whether it may need memory', () => {
    const differing = both().filter(
      ({ fact, known }) => fact.write !== known.write || fact.grows !== known.grows,
    );
    expect(differing.map(({ fact, known }) => ({ ...fact, known }))).toEqual([]);
  });

  test('keys stand in the same places', () => {
    for (const { fact, known } of both()) {
      if (typeof fact.keys === 'string' || 'counted' in fact.keys) continue;
      const { first, last, step } = known;
      expect({ name: fact.name, ...fact.keys }).toEqual({ name: fact.name, first, last, step });
    }
  });
});
