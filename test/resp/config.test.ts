/** CONFIG and the settings that INFO tells, as clients and tools ask for them. */
import { open, type Store } from 'holdfast';
import { Redis } from 'ioredis';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';

let store: Store;
let redis: Redis;

beforeAll(async () => {
  store = await open({
    resp: { port: 0 },
    maxMemory: 50_000_000,
    maxMemoryPolicy: 'allkeys-lfu',
    limits: { setMaxIntsetEntries: 7, listMaxListpackSize: -3 },
  });
  redis = new Redis(store.respAddress?.port ?? 0, '127.0.0.1');
});
afterAll(async () => {
  redis.disconnect();
  await store.close();
});

async function get(...patterns: [string, ...string[]]): Promise<Record<string, string>> {
  const words = (await redis.call('CONFIG', 'GET', ...patterns)) as string[];
  const pairs = words.flatMap((name, i) => (i % 2 === 0 ? [[name, words[i + 1] ?? '']] : []));
  return Object.fromEntries(pairs);
}

describe('CONFIG GET', () => {
  test('tells what the store was opened with', async () => {
    expect(await get('maxmemory*')).toEqual({
      ...{ maxmemory: '50000000', 'maxmemory-policy': 'allkeys-lfu', 'maxmemory-samples': '5' },
    });
    expect(await get('set-max-*', 'list-max-listpack-size')).toEqual({
      ...{ 'set-max-intset-entries': '7', 'set-max-listpack-entries': '128', 'set-max-listpack-value': '64' },
      'list-max-listpack-size': '-3',
    });
  });

  test('answers the questions of redis-benchmark and of job queues', async () => {
    expect(await get('save')).toEqual({ save: '' });
    expect(await get('appendonly')).toEqual({ appendonly: 'no' });
    expect(await get('maxmemory-policy')).toEqual({ 'maxmemory-policy': 'allkeys-lfu' });
    expect(await get('databases')).toEqual({ databases: '1' });
    expect(await get('hash-max-ziplist-entries')).toEqual({ 'hash-max-ziplist-entries': '512' });
  });

  test('takes patterns, in any case, and knows no more than there is', async () => {
    expect(Object.keys(await get('MAXMEMORY'))).toEqual(['maxmemory']);
    expect(Object.keys(await get('h??-sparse-*', 'hll-*'))).toEqual(['hll-sparse-max-bytes']);
    expect(await get('maxmemor')).toEqual({});
    expect(await get(`${'*a'.repeat(60)}x`)).toEqual({});
    expect(Object.keys(await get('*')).length).toBeGreaterThan(20);
  });
});

test('CONFIG SET is refused, and says where settings are made', async () => {
  await expect(redis.call('CONFIG', 'SET', 'maxmemory', '1')).rejects.toThrow(
    'ERR CONFIG SET is not supported: what a store is opened with stays: options of open(), flags of holdfast serve',
  );
  await expect(redis.call('CONFIG', 'SET', 'maxmemory')).rejects.toThrow('wrong number of arguments');
});

test('INFO tells the limit', async () => {
  const info = await redis.info('memory');
  expect(info).toMatch(/^maxmemory:50000000\r$/m);
  expect(info).toMatch(/^maxmemory_policy:allkeys-lfu\r$/m);
});
