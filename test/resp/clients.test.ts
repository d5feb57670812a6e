/** Redis clients against a store without peers, and against the leader and a follower of a cluster. */
import { execFile, spawnSync } from 'node:child_process';
import { promisify } from 'node:util';
import { open, type Store } from 'holdfast';
import { Redis } from 'ioredis';
import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { TestCluster } from '../support/cluster.js';
import { RawClient, request } from './raw-client.js';

const resp = { port: 0 };
const run = promisify(execFile);
const installed = (program: string): boolean => spawnSync(program, ['--version']).status === 0;

/** What a test runs against: the store that is talked to, and how all of it goes away. */
interface Deployment {
  readonly store: Store;
  /** Another peer, or the same. */
  readonly other: Store;
  close(): Promise<unknown>;
}

async function alone(): Promise<Deployment> {
  const store = await open({ resp });
  return { store, other: store, close: () => store.close() };
}

async function peer(which: 'leader' | 'follower', shards: number): Promise<Deployment> {
  const cluster = await TestCluster.open({ resp, shards });
  const leader = await cluster.leader();
  const [follower = leader] = await cluster.followers();
  const [store, other] = which === 'leader' ? [leader, follower] : [follower, leader];
  return { store, other, close: () => cluster[Symbol.asyncDispose]() };
}

const DEPLOYMENTS: readonly (readonly [name: string, deploy: () => Promise<Deployment>])[] = [
  ['a store without peers', alone],
  ['the leader of three peers', () => peer('leader', 1)],
  ['a follower of three peers', () => peer('follower', 1)],
  ['three peers with three shards', () => peer('follower', 3)],
];

async function commandsOfEveryType(redis: Redis, other: Store): Promise<void> {
  expect(await redis.set('k', 'v', 'PX', 100_000)).toBe('OK');
  expect(await redis.get('k')).toBe('v');
  expect(await redis.get('none')).toBeNull();
  expect(await redis.hset('h', { f: '1', g: '2' })).toBe(2);
  expect(await redis.hgetall('h')).toEqual({ f: '1', g: '2' });
  expect(await redis.rpush('l', 'a', 'b')).toBe(2);
  expect(await redis.lrange('l', 0, -1)).toEqual(['a', 'b']);
  expect(await redis.sadd('s', 'x')).toBe(1);
  expect(await redis.smembers('s')).toEqual(['x']);
  expect(await redis.zadd('z', 1.5, 'm')).toBe(1);
  expect(await redis.zrange('z', '0', '-1', 'WITHSCORES')).toEqual(['m', '1.5']);
  await expect(redis.lpush('h', 'x')).rejects.toThrow('WRONGTYPE Operation against a key');
  expect(await redis.dbsize()).toBe(5);
  expect((await redis.keys('*')).sort()).toEqual(['h', 'k', 'l', 's', 'z']);
  expect(await other.get('k')).toBe('v');
}

describe.each(DEPLOYMENTS)('%s', (_, deploy) => {
  let deployment: Deployment;
  let redis: Redis;
  beforeAll(async () => {
    deployment = await deploy();
  });
  afterAll(() => deployment.close());
  beforeEach(async () => {
    await deployment.store.flushall();
    redis = new Redis(deployment.store.respAddress ?? {});
    return () => redis.disconnect();
  });

  test.each([2, 3] as const)('commands of every type in RESP%i', async (protocol) => {
    const client = new Redis({ ...deployment.store.respAddress, protocol });
    await commandsOfEveryType(client, deployment.other).finally(() => client.disconnect());
  });

  test('ten thousand commands in one pipeline, each behind the one before', async () => {
    const pipeline = redis.pipeline();
    for (let i = 0; i < 5000; i++) pipeline.set(`k${i % 7}`, i).get(`k${i % 7}`);
    const replies = (await pipeline.exec()) ?? [];
    expect(replies).toHaveLength(10_000);
    for (let i = 0; i < 5000; i++) {
      expect(replies[2 * i]).toEqual([null, 'OK']);
      expect(replies[2 * i + 1]).toEqual([null, String(i)]);
    }
  });

  test('reads, writes and commands about all keys keep their order', async () => {
    using client = await RawClient.connect(deployment.store.respAddress);
    const rounds = 50;
    let sent = '';
    let expected = '';
    for (let i = 1; i <= rounds; i++) {
      const value = String(1000 + i);
      sent += request('GET', 'k') + request('SET', 'k', value) + request('GET', 'k') + request('DBSIZE');
      sent += request('PING') + request('DEL', 'k') + request('EXISTS', 'k') + request('DBSIZE');
      expected += `$-1\r\n+OK\r\n$4\r\n${value}\r\n:1\r\n+PONG\r\n:1\r\n:0\r\n:0\r\n`;
    }
    client.send(sent);
    expect(await client.bytes(expected.length)).toBe(expected);
  });

  test('transactions', async () => {
    const replies = await redis.multi().set('{t}a', '1').incr('{t}a').lpush('{t}a', 'x').get('{t}a').exec();
    expect(replies?.map(([error, reply]) => error?.message.split(' ')[0] ?? reply)).toEqual([
      'OK',
      2,
      'WRONGTYPE',
      '2',
    ]);
    expect(await redis.multi().get('{t}a').get('{t}b').exec()).toEqual([
      [null, '2'],
      [null, null],
    ]);
    const increments = Array.from({ length: 100 }, () => redis.multi().incr('n').incr('n').exec());
    expect((await Promise.all(increments)).at(-1)).toEqual([
      [null, 199],
      [null, 200],
    ]);
  });

  test('large values', async () => {
    const value = Buffer.alloc(5_000_000, 0xe4);
    expect(await redis.set('big', value)).toBe('OK');
    expect((await redis.getBuffer('big'))?.equals(value)).toBe(true);
    expect(await redis.append('big', 'x')).toBe(5_000_001);
    expect(await redis.strlen('big')).toBe(5_000_001);
  });

  test('RESP3: maps, sets, doubles and nulls', async () => {
    using client = await RawClient.connect(deployment.store.respAddress);
    expect(await client.ask(['HELLO', '3', 'SETNAME', 'x'], '*0\r\n')).toContain('$5\r\nproto\r\n:3\r\n');
    const asked = [
      'HSET h f v',
      'HGETALL h',
      'SADD s x',
      'SPOP s 1',
      'ZADD z 1.5 m',
      'ZINCRBY z 1 m',
      'GET no',
    ];
    client.send(asked.map((line) => request(...line.split(' '))).join(''));
    const expected = ':1\r\n%1\r\n$1\r\nf\r\n$1\r\nv\r\n:1\r\n~1\r\n$1\r\nx\r\n:1\r\n,2.5\r\n_\r\n';
    expect(await client.bytes(expected.length)).toBe(expected);
  });

  test('a client that is gone in the middle of a pipeline leaves the others alone', async () => {
    for (let round = 0; round < 5; round++) {
      using client = await RawClient.connect(deployment.store.respAddress);
      client.send(request('INCR', 'n').repeat(2000) + request('GET', 'n').repeat(2000));
      if (round > 0) await client.bytes(4);
      client.socket.resetAndDestroy();
    }
    expect(await redis.ping()).toBe('PONG');
    expect(Number(await redis.get('n'))).toBeLessThanOrEqual(10_000);
  });

  test('a client that sends everything and then the end gets everything', async () => {
    using client = await RawClient.connect(deployment.store.respAddress);
    client.send(request('INCR', 'n').repeat(3000) + request('GET', 'n'));
    client.socket.end();
    expect((await client.rest()).endsWith(':2999\r\n:3000\r\n$4\r\n3000\r\n')).toBe(true);
  });

  test('INFO and ROLE say what this peer is', async () => {
    const status = await deployment.store.status();
    const leads = status.shards[0]?.role === 'leader';
    expect(await redis.info('replication')).toContain(leads ? 'role:master' : 'role:slave');
    const [role] = (await redis.call('ROLE')) as [string];
    expect(role).toBe(leads ? 'master' : 'slave');
  });

  test('QUIT', async () => {
    expect(await redis.quit()).toBe('OK');
  });

  test.skipIf(!installed('redis-cli'))('redis-cli', async () => {
    const port = String(deployment.store.respAddress?.port);
    const cli = async (...words: string[]) => (await run('redis-cli', ['-p', port, ...words])).stdout;
    expect(await cli('SET', 'k', 'a b')).toBe('OK\n');
    expect(await cli('-3', 'GET', 'k')).toBe('a b\n');
    expect(await cli('--scan')).toBe('k\n');
  });

  test.skipIf(!installed('redis-benchmark'))('redis-benchmark', { timeout: 60_000 }, async () => {
    const port = String(deployment.store.respAddress?.port);
    const tests = 'set,get,incr,lpush,rpop,sadd,hset,zadd';
    const load = ['-c', '20', '-n', '2000', '-P', '16', '-t', tests, '--csv'];
    const { stdout } = await run('redis-benchmark', ['-p', port, ...load]);
    expect(stdout.match(/^"(SET|GET|INCR|LPUSH|RPOP|SADD|HSET|ZADD)/gm)).toHaveLength(8);
    expect(await redis.get('counter:__rand_int__')).toBe('2000');
  });
});

test('close() answers requests that are under way in the log', async () => {
  await using cluster = await TestCluster.open({ resp });
  const [follower] = (await cluster.followers()) as [Store];
  using client = await RawClient.connect(follower.respAddress);
  client.send(request('INCR', 'n').repeat(1000));
  await client.bytes(4);
  await cluster.stop(follower.name);
  const replies = `:1\r\n${await client.rest()}`.split('\r\n').slice(0, -1);
  expect(replies).toEqual(replies.map((_, i) => `:${i + 1}`));
  expect(await (await cluster.leader()).get('n')).toBe(String(replies.length));
});

test('a client of a follower sees a longer wait, and no error, when the leader closes', async () => {
  await using cluster = await TestCluster.open({ resp });
  const leader = await cluster.leader();
  const [follower] = (await cluster.followers()) as [Store];
  using client = await RawClient.connect(follower.respAddress);
  const count = 20_000;
  client.send(request('INCR', 'n').repeat(count));
  const expected = Array.from({ length: count }, (_, i) => `:${i + 1}\r\n`).join('');
  const begun = await client.bytes(4000);
  await cluster.stop(leader.name);
  expect(begun + (await client.bytes(expected.length - 4000))).toBe(expected);
});

test('without a majority clients are told so, in words they know', { timeout: 30_000 }, async () => {
  await using cluster = await TestCluster.open({ resp, timeoutMs: 1000 });
  const leader = await cluster.leader();
  using client = await RawClient.connect(leader.respAddress);
  expect(await client.ask(['SET', 'k', 'v'])).toBe('+OK\r\n');
  for (const follower of await cluster.followers()) await cluster.stop(follower.name);
  expect(await client.ask(['PING'])).toBe('+PONG\r\n');
  const read = await client.ask(['GET', 'k']);
  expect(read).toMatch(/^(-CLUSTERDOWN NO_QUORUM|\$1\r\nv\r\n)/);
  expect(await client.ask(['SET', 'k', 'w'])).toMatch(
    /^-(CLUSTERDOWN NO_QUORUM:|NO_QUORUM|TIMEOUT|TRYAGAIN)/,
  );
});

test('keys of several shards in one command are refused', async () => {
  await using cluster = await TestCluster.open({ resp, shards: 3 });
  using client = await RawClient.connect(cluster.stores[0]?.respAddress);
  const commands = request('MSET', 'k1', '1', 'k2', '2', 'k3', '3') + request('MGET', 'k1', 'k2', 'k3');
  client.send(`${commands}${request('MULTI')}${request('SET', 'k1', '1')}${request('SET', 'k2', '2')}`);
  client.send(request('SET', 'k3', '3'));
  const replies = await client.ask(['EXEC']);
  expect(replies.split('\r\n').filter((line) => line.startsWith('-CROSSSLOT'))).toHaveLength(3);
});
