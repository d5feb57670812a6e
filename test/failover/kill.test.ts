/** Real processes that are killed and stopped in mid-work: nothing acknowledged is lost, nothing takes effect twice. */
import { describe, expect, test } from 'vitest';
import { type HammerResult, ProcessCluster } from '../support/processes.js';

const sleep = (ms: number) => new Promise((resolve) => setTimeout(resolve, ms));

/** Every acknowledged push is in the list once, everything else in it was reported as unknown. */
const checkOnce = (list: string[], hammers: readonly HammerResult[]): void => {
  const seen = new Map<string, number>();
  for (const id of list) seen.set(id, (seen.get(id) ?? 0) + 1);
  const acknowledged = hammers.flatMap((hammer) => hammer.acknowledged);
  expect(acknowledged.filter((id) => !seen.has(id))).toEqual([]);
  expect([...seen].filter(([, times]) => times > 1)).toEqual([]);
};

describe.each([1, 3])('with %i shards', (shards) => {
  test('a killed leader is replaced, and comes back', { timeout: 60_000 }, async () => {
    await using cluster = await ProcessCluster.open({ shards });
    const [list, key] = ['{h}list', '{h}count'];
    const hammer = { key, list, width: 20 };
    for (let round = 0; round < 3; round++) {
      const victim = await cluster.leader('a', shards - 1);
      const others = cluster.names.filter((name) => name !== victim);
      await Promise.all(
        others.map((name) => cluster.peer(name).ask('startHammer', { ...hammer, tag: `${round}${name}` })),
      );
      await sleep(300);
      await cluster.peer(victim).kill();
      await sleep(1_500);
      const results = await Promise.all(
        others.map((name) => cluster.peer(name).ask<HammerResult>('stopHammer')),
      );
      for (const { unknown, refused, acknowledged, longestMs } of results) {
        expect([...unknown, ...refused]).toEqual([]);
        expect(acknowledged.length).toBeGreaterThan(0);
        expect(longestMs).toBeLessThan(5_000);
      }
      await cluster.start(victim);
      expect(new Set(await cluster.settled()).size).toBe(1);
      const content = await cluster.peer(victim).ask<string[]>('local', 'LRANGE', list, '0', '-1');
      checkOnce(content, results);
      expect(Number(await cluster.peer(victim).ask('local', 'GET', key))).toBe(content.length);
    }
  });
});

describe('all peers', () => {
  test('killed at once keep everything that was acknowledged', { timeout: 60_000 }, async () => {
    await using cluster = await ProcessCluster.open();
    const hammer = { key: 'count', list: 'list', width: 20 };
    await Promise.all(
      cluster.names.map((name) => cluster.peer(name).ask('startHammer', { ...hammer, tag: name })),
    );
    await sleep(400);
    const acknowledged = Promise.all(
      cluster.names.map((name) => cluster.peer(name).ask('local', 'LLEN', 'list')),
    );
    const before = Math.min(...(await acknowledged).map(Number));
    await Promise.all(cluster.names.map((name) => cluster.peer(name).kill()));
    await Promise.all(cluster.names.map((name) => cluster.start(name)));
    expect(new Set(await cluster.settled()).size).toBe(1);
    const content = await cluster.peer('a').ask<string[]>('local', 'LRANGE', 'list', '0', '-1');
    expect(content.length).toBeGreaterThanOrEqual(before);
    expect(new Set(content).size).toBe(content.length);
    expect(Number(await cluster.peer('b').ask('call', 'GET', 'count'))).toBe(content.length);
  });
});

describe('a leader that is stopped and goes on', () => {
  test('does not answer from a lease that is over', { timeout: 60_000 }, async () => {
    await using cluster = await ProcessCluster.open();
    const leader = await cluster.leader('a');
    const other = cluster.names.find((name) => name !== leader) ?? '';
    await cluster.peer(leader).ask('call', 'SET', 'k', 'before');
    expect(await cluster.peer(leader).ask('leased', 'GET', 'k')).toBe('before');
    cluster.peer(leader).signal('SIGSTOP');
    const first = cluster.peer(leader).ask<unknown[]>('leasedNow', 'k', 1_000);
    await cluster.peer(other).ask('call', 'SET', 'k', 'after');
    cluster.peer(leader).signal('SIGCONT');
    expect(new Set(await first)).toEqual(new Set(['NOT_LEASED']));
    expect(await cluster.peer(leader).ask('call', 'GET', 'k')).toBe('after');
    expect(new Set(await cluster.settled()).size).toBe(1);
  });
});
