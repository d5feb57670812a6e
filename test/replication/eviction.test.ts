/** Peers with a limit of memory: what a leader evicts, all lose. */
import type { Store } from 'holdfast';
import { expect, test } from 'vitest';
import { TestCluster } from '../support/cluster.js';

const MIB = 1024 * 1024;
const VALUE = 'v'.repeat(100);
const OOM = "OOM command not allowed when used memory > 'maxmemory'.";

async function write(store: Store, from: number, to: number): Promise<void> {
  for (let at = from; at < to; at += 500) {
    const keys = Array.from({ length: Math.min(500, to - at) }, (_, i) => at + i);
    await Promise.all(keys.map((key) => store.set(`key:${key}`, VALUE)));
  }
}

async function equalDigests(cluster: TestCluster): Promise<void> {
  const digests = await cluster.settled();
  expect(new Set(digests).size).toBe(1);
}

test('keep the same keys under eviction, and after a failover', { timeout: 60_000 }, async () => {
  await using cluster = await TestCluster.open({ maxMemory: 2 * MIB, maxMemoryPolicy: 'allkeys-lru' });
  await write(cluster.store('a'), 0, 30_000);
  await equalDigests(cluster);
  const kept = await cluster.store('b').dbsize();
  expect(kept).toBeGreaterThan(5_000);
  expect(kept).toBeLessThan(20_000);

  const leader = await cluster.leader();
  const [follower] = await cluster.followers();
  // What is used on the next leader stays there, by its own memory.
  for (let i = 0; i < 200; i++) follower?.local.get(`key:${29_999 - i}`);
  await cluster.stop(leader.name);
  await write(cluster.stores[0] as Store, 30_000, 50_000);
  await equalDigests(cluster);
  expect(await cluster.stores[1]?.dbsize()).toBeLessThan(20_000);
  await cluster.start(leader.name).catch(() => undefined);
});

test('refuse the same writes when nothing may be evicted', { timeout: 60_000 }, async () => {
  await using cluster = await TestCluster.open({ maxMemory: MIB });
  const [follower] = (await cluster.followers()) as [Store];
  await expect(write(follower, 0, 30_000)).rejects.toMatchObject({ code: 'OOM', message: OOM });
  await expect(follower.multi().del('key:0').set('k', 'v').exec()).rejects.toMatchObject({
    code: 'EXECABORT',
  });
  expect(await follower.exists('key:0')).toBe(1);
  await equalDigests(cluster);
  await follower.flushall();
  await follower.set('k', 'v');
  await equalDigests(cluster);
});

test('keep one limit over several shards', { timeout: 60_000 }, async () => {
  await using cluster = await TestCluster.open({
    ...{ shards: 3, maxMemory: 3 * MIB, maxMemoryPolicy: 'allkeys-lfu' },
  });
  await write(cluster.store('c'), 0, 40_000);
  await equalDigests(cluster);
  const kept = await cluster.store('a').dbsize();
  expect(kept).toBeGreaterThan(8_000);
  expect(kept).toBeLessThan(30_000);
});
