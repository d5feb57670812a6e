/** What is planned: handing over, closing, coming back. Nobody may notice but by the clock. */
import type { Store } from 'holdfast';
import { describe, expect, test, vi } from 'vitest';
import { TestCluster } from '../support/cluster.js';
import { ProcessCluster } from '../support/processes.js';

/** Counts up on a store until told to stop. */
const writer = (store: Store) => {
  let stopped = false;
  const failures: unknown[] = [];
  let acknowledged = 0;
  const work = (async () => {
    while (!stopped) {
      await store.incr('counter').then(
        () => acknowledged++,
        (error) => failures.push(error),
      );
    }
  })();
  return {
    failures,
    get acknowledged() {
      return acknowledged;
    },
    stop: async () => {
      stopped = true;
      await work;
    },
  };
};

const sleep = (ms: number) => new Promise((resolve) => setTimeout(resolve, ms));

describe.each([false, true])('with directories: %s', (durable) => {
  test('leadership can be handed over under load without a failed call', async () => {
    await using cluster = await TestCluster.open({ durable });
    const writers = cluster.stores.map(writer);
    for (let i = 0; i < 5; i++) {
      const leader = await cluster.leader();
      const [next] = await cluster.followers();
      expect(await leader.transfer(0, next?.name)).toBe(true);
      while ((await cluster.leader()) === leader) await sleep(5);
      await sleep(50);
    }
    await Promise.all(writers.map(({ stop }) => stop()));
    expect(writers.flatMap(({ failures }) => failures)).toEqual([]);
    const total = writers.reduce((sum, { acknowledged }) => sum + acknowledged, 0);
    expect(await cluster.store('a').get('counter')).toBe(String(total));
    expect(new Set(await cluster.settled()).size).toBe(1);
  });
});

describe('closing', () => {
  test('the leader under load fails no call of another peer', async () => {
    await using cluster = await TestCluster.open({ durable: true });
    const leader = await cluster.leader();
    const writers = (await cluster.followers()).map(writer);
    await sleep(100);
    await cluster.stop(leader.name);
    await sleep(200);
    await Promise.all(writers.map(({ stop }) => stop()));
    expect(writers.flatMap(({ failures }) => failures)).toEqual([]);
    await expect(leader.get('counter')).rejects.toMatchObject({ code: 'CLOSED' });
    expect(() => leader.local.get('counter')).toThrow(expect.objectContaining({ code: 'CLOSED' }));
    await leader.close();

    const back = await cluster.start(leader.name);
    const total = writers.reduce((sum, { acknowledged }) => sum + acknowledged, 0);
    expect(await back.get('counter')).toBe(String(total));
    expect(new Set(await cluster.settled()).size).toBe(1);
  });

  test('does not wait for peers that say nothing', { timeout: 60_000 }, async () => {
    await using cluster = await ProcessCluster.open();
    const leader = await cluster.leader('a');
    const others = cluster.names.filter((name) => name !== leader);
    await cluster.peer(leader).ask('call', 'SET', 'k', 'v');
    for (const name of others) cluster.peer(name).signal('SIGSTOP');
    const begunMs = performance.now();
    await cluster.peer(leader).ask('close');
    expect(performance.now() - begunMs).toBeLessThan(6_000);
    for (const name of others) cluster.peer(name).signal('SIGCONT');
  });

  test('ends what is asked of a store at any time', async () => {
    await using cluster = await TestCluster.open();
    const [a] = cluster.stores as [Store];
    const during = [a.incr('n'), a.get('n')];
    const closing = a.close();
    const status = a.status();
    const second = a.close();
    await expect(a.incr('n')).rejects.toMatchObject({ code: 'CLOSED' });
    await Promise.allSettled([...during, status]);
    await Promise.all([closing, second]);
    for (const call of [() => a.status(), () => a.transfer(), () => a.get('n'), () => a.digest()]) {
      await expect(call()).rejects.toMatchObject({ code: 'CLOSED' });
    }
  });

  test('tells nobody how it looks from inside', async () => {
    await using cluster = await TestCluster.open();
    const [a] = cluster.stores as [Store];
    const told: unknown[] = [];
    a.on('peer', (event) => told.push(event));
    a.on('fault', (event) => told.push(event));
    await a.close();
    expect(told).toEqual([]);
  });

  test('finishes the calls under way', async () => {
    await using cluster = await TestCluster.open();
    const leader = await cluster.leader();
    const calls = Array.from({ length: 100 }, () => leader.incr('n'));
    await cluster.stop(leader.name);
    expect(await Promise.all(calls)).toHaveLength(100);
  });

  test('all peers, and opening them again, keeps everything', async () => {
    await using cluster = await TestCluster.open({ durable: true, shards: 3 });
    const names = Array.from({ length: 200 }, (_, i) => `key${i}`);
    await Promise.all(names.map((name) => cluster.store('b').hset(name, { n: name })));
    const [digest] = await cluster.settled();
    await Promise.all(cluster.names.map((name) => cluster.stop(name)));
    await Promise.all(cluster.names.map((name) => cluster.start(name)));
    expect(new Set(await cluster.settled())).toEqual(new Set([digest]));
    expect(await cluster.store('c').hget('key7', 'n')).toBe('key7');
  });
});

describe('a peer that was away', () => {
  test('catches up from the log', async () => {
    await using cluster = await TestCluster.open({ durable: true });
    const [away] = await cluster.followers();
    const name = away?.name ?? '';
    await cluster.stop(name);
    const leader = await cluster.leader();
    await Promise.all(Array.from({ length: 500 }, (_, i) => leader.set(`k${i}`, String(i))));
    const back = await cluster.start(name);
    expect(back.local.get('k499')).toBe('499');
    expect(new Set(await cluster.settled()).size).toBe(1);
  });

  test('catches up from a snapshot when the log no longer reaches back', async () => {
    await using cluster = await TestCluster.open({ durable: true, snapshotLogBytes: 20_000 });
    const [away] = await cluster.followers();
    const name = away?.name ?? '';
    await away?.zadd('board', { ann: 1, bob: 2 });
    await cluster.stop(name);
    const leader = await cluster.leader();
    for (let round = 0; round < 20; round++) {
      await Promise.all(
        Array.from({ length: 50 }, (_, i) => leader.set(`k${i}`, `${round}:${'x'.repeat(100)}`)),
      );
    }
    await leader.sadd('{s}', ['x', 'y', 'z', '17']);
    // It is written while the log goes on.
    await vi.waitFor(
      async () => expect((await leader.status()).shards[0]?.snapshotIndex).toBeGreaterThan(0),
      10_000,
    );
    const back = await cluster.start(name);
    expect(back.local.get('k49')).toBe(`19:${'x'.repeat(100)}`);
    expect(back.local.zscore('board', 'bob')).toBe(2);
    expect(new Set(await cluster.settled()).size).toBe(1);
    await back.incr('after');
    expect(new Set(await cluster.settled()).size).toBe(1);
  });
});
