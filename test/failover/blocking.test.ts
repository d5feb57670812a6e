/** Calls that wait in a cluster: at any peer, while leaders come and go. */
import { setTimeout as sleep } from 'node:timers/promises';
import { HoldfastError, type Store } from 'holdfast';
import { describe, expect, test } from 'vitest';
import { TestCluster } from '../support/cluster.js';

const item = (popped: { item: string } | null): string | undefined => popped?.item;

/** Every element is where it has to be: with one caller, or still in the list. */
function checkOnce(pushed: readonly string[], taken: readonly string[], left: readonly string[]): void {
  const found = [...taken, ...left].sort();
  expect(found).toEqual([...pushed].sort());
}

describe('a caller that waits', { timeout: 60_000 }, () => {
  test('at a follower is served by a push anywhere', async () => {
    await using cluster = await TestCluster.open();
    const leader = await cluster.leader();
    for (const waiter of cluster.stores) {
      for (const pusher of cluster.stores) {
        const waits = [waiter.blpop('q'), waiter.bzpopmin('z'), waiter.blmove('from', 'to', 'left', 'right')];
        await sleep(5);
        await pusher.rpush('q', 'a');
        await pusher.multi().zadd('z', 1, 'm').rpush('from', 'x').exec();
        expect(await Promise.all(waits)).toEqual([
          { key: 'q', item: 'a' },
          { key: 'z', member: 'm', score: 1 },
          'x',
        ]);
      }
    }
    expect(await leader.llen('to')).toBe(9);
    expect(new Set(await cluster.settled()).size).toBe(1);
  });

  test('finds at once what was acknowledged anywhere', async () => {
    await using cluster = await TestCluster.open();
    const [follower, other] = await cluster.followers();
    for (let i = 0; i < 10; i++) {
      await other?.rpush('q', `${i}`);
      expect(await follower?.blpop('q', { timeoutMs: 1 })).toEqual({ key: 'q', item: `${i}` });
    }
  });

  test('reads streams on, alone and in a group', async () => {
    await using cluster = await TestCluster.open();
    const [follower, other] = await cluster.followers();
    if (follower === undefined || other === undefined) throw new Error('there are no followers');
    await other.xadd('s', { f: 'old' }, { id: '1-0' });
    await other.xgroupCreate('s', 'g', '$');
    const reads = cluster.stores.map((store) => store.xreadBlocking({ s: '$' }));
    const members = cluster.stores.map((store, i) =>
      store.xreadgroupBlocking('g', `c${i}`, { s: '>' }, { count: 1 }),
    );
    await sleep(100);
    await other.xadd('s', { f: 'v' }, { id: '2-0' });
    const entries = [{ key: 's', entries: [{ id: '2-0', fields: [['f', 'v']] }] }];
    expect(await Promise.all(reads)).toEqual(reads.map(() => entries));
    expect(await Promise.race(members)).toEqual(entries);
    await other.xadd('s', { f: 'w' }, { id: '3-0' });
    await other.xadd('s', { f: 'x' }, { id: '4-0' });
    const ids = (await Promise.all(members)).flatMap((read) => read?.[0]?.entries.map(({ id }) => id));
    expect(new Set(ids)).toEqual(new Set(['2-0', '3-0', '4-0']));
    const gone = follower.xreadgroupBlocking('g', 'c', { s: '>' }).catch((error) => error.code);
    await sleep(20);
    await other.del('s');
    expect(await gone).toBe('NOGROUP');
    expect(new Set(await cluster.settled()).size).toBe(1);
  });

  test('is first served if it came first, at each peer', async () => {
    await using cluster = await TestCluster.open();
    // The peers snatch each other's elements away: many attempts find nothing, and others of the same peer something newer.
    for (let round = 0; round < 20; round++) {
      const key = `q${round}`;
      const served: number[][] = [];
      const waits = cluster.stores.flatMap((store) => {
        const order: number[] = [];
        served.push(order);
        return Array.from({ length: 50 }, (_, i) => store.blpop(key).then(() => order.push(i)));
      });
      const push = async (store: Store): Promise<void> => {
        for (let i = 0; i < 25; i++) await store.rpush(key, [`${i}`, `${i} too`]);
      };
      await Promise.all(cluster.stores.map(push));
      await Promise.all(waits);
      for (const order of served) expect(order).toEqual(Array.from({ length: 50 }, (_, i) => i));
      expect(await cluster.stores[0]?.exists(key)).toBe(0);
    }
  });

  test('waits in the shard of its keys', async () => {
    await using cluster = await TestCluster.open({ shards: 3 });
    const [store] = cluster.stores;
    const keys = Array.from({ length: 12 }, (_, i) => `q${i}`);
    const waits = keys.map((key) => store?.blpop(key));
    const refused = store?.blpop(keys).catch((error: HoldfastError) => error.code);
    for (const key of keys) await cluster.store('b').rpush(key, 'x');
    expect(await Promise.all(waits)).toEqual(keys.map((key) => ({ key, item: 'x' })));
    expect(await refused).toBe('CROSSSLOT');
  });

  test('is served by what a snapshot brings', { timeout: 60_000 }, async () => {
    await using cluster = await TestCluster.open({ durable: true, snapshotLogBytes: 64 * 1024 });
    const [follower] = await cluster.followers();
    await cluster.stop(follower?.name ?? '');
    const leader = await cluster.leader();
    for (let i = 0; i < 20; i++) await leader.set(`fill${i}`, 'x'.repeat(32 * 1024));
    const back = await cluster.start(follower?.name ?? '');
    const popped = back.blpop('q');
    await leader.rpush('q', 'a');
    expect(await popped).toEqual({ key: 'q', item: 'a' });
  });
});

describe('while leaders come and go', () => {
  test('every element is delivered once, or still there', { timeout: 90_000 }, async () => {
    await using cluster = await TestCluster.open({ durable: true, fsync: 'everysec' });
    const taken: string[] = [];
    const errors: unknown[] = [];
    let over = false;
    const taker = async (name: string): Promise<void> => {
      while (!over) {
        const store = cluster.store(name);
        await store.blpop(['p', 'q'], { timeoutMs: 500 }).then(
          (popped) => popped !== null && taken.push(popped.item),
          (error) => errors.push(error),
        );
      }
    };
    const pushed: string[] = [];
    const pusher = async (name: string): Promise<void> => {
      for (let i = 0; !over; i++) {
        const element = `${name} ${i}`;
        await cluster.store(name).rpush(i % 2 === 0 ? 'p' : 'q', element);
        pushed.push(element);
        if (i % 10 === 0) await sleep(1);
      }
    };
    for (let round = 0; round < 2; round++) {
      over = false;
      const leader = await cluster.leader();
      const others = cluster.names.filter((name) => name !== leader.name);
      const takers = Array.from({ length: 100 }, (_, i) => taker(others[i % 2] ?? ''));
      const pushers = others.map(pusher);
      await sleep(300);
      await cluster.stop(leader.name);
      await sleep(1200);
      over = true;
      await Promise.all([...takers, ...pushers]);
      await cluster.start(leader.name);
    }
    expect(errors).toEqual([]);
    expect(taken.length).toBeGreaterThan(10);
    const [store] = cluster.stores;
    const left = [...((await store?.lrange('p', 0, -1)) ?? []), ...((await store?.lrange('q', 0, -1)) ?? [])];
    checkOnce(pushed, taken, left);
    expect(new Set(await cluster.settled()).size).toBe(1);
  });

  test('who waited before still waits, and is served in order', { timeout: 60_000 }, async () => {
    await using cluster = await TestCluster.open();
    const leader = await cluster.leader();
    const [follower] = await cluster.followers();
    if (follower === undefined) throw new Error('there is no follower');
    const waits = Array.from({ length: 100 }, () => follower.blpop('q').then(item));
    const controller = new AbortController();
    const aborted = follower.blpop('q', { signal: controller.signal }).catch(() => 'aborted');
    await sleep(50);
    await cluster.stop(leader.name);
    controller.abort();
    const elements = Array.from({ length: 100 }, (_, i) => `${i}`);
    const other = cluster.stores.find((store) => store !== follower) ?? follower;
    for (const element of elements) await other.rpush('q', element);
    expect(await Promise.all(waits)).toEqual(elements);
    expect(await aborted).toBe('aborted');
  });

  test('without a majority, an attempt fails as any call does', { timeout: 60_000 }, async () => {
    await using cluster = await TestCluster.open({ timeoutMs: 1_000 });
    const [follower] = await cluster.followers();
    const waits = follower?.blpop('q');
    waits?.catch(() => {});
    await sleep(20);
    for (const name of cluster.names) if (name !== follower?.name) await cluster.stop(name);
    const error = await follower?.blpop('other').catch((thrown) => thrown);
    expect(error).toBeInstanceOf(HoldfastError);
    expect(error.code).toBe('NO_QUORUM');
  });
});
