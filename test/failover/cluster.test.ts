/** Three peers, all in order: what a program sees of a cluster. */
import { HoldfastError, type Store } from 'holdfast';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { TestCluster } from '../support/cluster.js';

const refusal = (work: () => unknown): HoldfastError => {
  try {
    work();
  } catch (error) {
    if (error instanceof HoldfastError) return error;
    throw error;
  }
  throw new Error('nothing was thrown');
};

describe.each([1, 3])('three peers with %i shards', (shards) => {
  let cluster: TestCluster;
  beforeAll(async () => {
    cluster = await TestCluster.open({ shards });
  });
  afterAll(() => cluster[Symbol.asyncDispose]());

  test('what is acknowledged on one peer is read on every other at once', async () => {
    for (const [i, writer] of cluster.stores.entries()) {
      for (let n = 0; n < 20; n++) {
        await writer.set(`k${n}`, `${i}:${n}`);
        for (const reader of cluster.stores) expect(await reader.get(`k${n}`)).toBe(`${i}:${n}`);
      }
    }
  });

  test('a peer reads its own writes from its memory', async () => {
    for (const store of cluster.stores) {
      await store.set('own', store.name);
      expect(store.local.get('own')).toBe(store.name);
    }
  });

  test('increments from all peers at once add up', async () => {
    const each = 500;
    await Promise.all(
      cluster.stores.flatMap((store) => Array.from({ length: each }, () => store.incr('{n}counter'))),
    );
    for (const store of cluster.stores) expect(await store.get('{n}counter')).toBe(String(3 * each));
  });

  test('replies come in the order of the calls', async () => {
    const [, store] = cluster.stores;
    const replies = await Promise.all(Array.from({ length: 200 }, () => store?.incr('{o}order')));
    expect(replies).toEqual(Array.from({ length: 200 }, (_, i) => i + 1));
  });

  test('a transaction is one write', async () => {
    const [a, b] = cluster.stores as [Store, Store];
    await a.set('{t}stock', '5');
    const [stock, orders] = await b.multi().decr('{t}stock').rpush('{t}orders', '42').exec();
    expect([stock, orders]).toEqual([4, 1]);
    const [read, list] = await a.multi().get('{t}stock').lrange('{t}orders', 0, -1).exec();
    expect([read, list]).toEqual(['4', ['42']]);
  });

  test('a refused command is refused on every peer, in the words of Redis', async () => {
    await cluster.store('a').set('{w}text', 'x');
    for (const store of cluster.stores) {
      await expect(store.lpush('{w}text', 'y')).rejects.toMatchObject({ code: 'WRONGTYPE' });
      await expect(store.incr('{w}text')).rejects.toMatchObject({ code: 'ERR' });
      await expect(store.hget('{w}text', 'f')).rejects.toMatchObject({ code: 'WRONGTYPE' });
    }
  });

  test('leased reads are answered by the leader, and elsewhere name it', async () => {
    await cluster.store('a').set('{l}k', 'v');
    const slotsShard = async () => {
      for (let shard = 0; shard < shards; shard++) {
        const leader = await cluster.leader(shard);
        try {
          if (leader.leased.get('{l}k') === 'v') return { leader, shard };
        } catch {
          // Leads another shard.
        }
      }
      throw new Error('no peer answers a leased read');
    };
    const { leader } = await slotsShard();
    for (const store of cluster.stores) {
      if (store === leader) continue;
      const error = refusal(() => store.leased.get('{l}k'));
      expect(error).toMatchObject({ code: 'NOT_LEASED' });
      expect(error.message).toContain(`${leader.name} leads`);
    }
  });

  test('local reads know how old they may be', async () => {
    for (const store of cluster.stores) {
      await store.set('{s}k', 'v');
      await store.get('{s}k');
      expect(store.local.staleness()).toBeLessThan(2_000);
    }
  });

  test('keys expire by the clock of the log, on every peer', async () => {
    const [a] = cluster.stores as [Store];
    await a.set('{e}k', 'v', { px: 100_000 });
    expect(await a.get('{e}k')).toBe('v');
    expect(await a.pttl('{e}k')).toBeGreaterThan(0);
    expect(await a.pexpire('{e}k', 300)).toBe(true);
    for (const store of cluster.stores) {
      while ((await store.get('{e}k')) !== null) await new Promise((resolve) => setTimeout(resolve, 10));
      expect(store.local.exists('{e}k')).toBe(0);
    }
  });

  test('misuse throws before anything is sent', () => {
    const [a] = cluster.stores as [Store];
    // @ts-expect-error an option that does not exist
    expect(() => a.set('k', 'v', { pxx: 5 })).toThrow(TypeError);
    expect(() => a.zadd('z', Number.NaN, 'm')).toThrow();
  });

  test('all peers hold the same in the end', async () => {
    const digests = await cluster.settled();
    expect(new Set(digests).size).toBe(1);
  });
});

describe('shards', () => {
  let cluster: TestCluster;
  beforeAll(async () => {
    cluster = await TestCluster.open({ shards: 3 });
  });
  afterAll(() => cluster[Symbol.asyncDispose]());

  test('begin with a leader on each peer', async () => {
    const leaders = await Promise.all([0, 1, 2].map((shard) => cluster.leader(shard)));
    expect(new Set(leaders.map(({ name }) => name))).toEqual(new Set(['a', 'b', 'c']));
  });

  test('keep the keys of one command together, or refuse it', async () => {
    const [a] = cluster.stores as [Store];
    await expect(a.mset({ k1: '1', k2: '2', k3: '3' })).rejects.toMatchObject({ code: 'CROSSSLOT' });
    await expect(a.multi().set('k1', '1').set('k2', '2').set('k3', '3').exec()).rejects.toMatchObject({
      code: 'CROSSSLOT',
    });
    await expect(a.mget(['k1', 'k2', 'k3'])).rejects.toMatchObject({ code: 'CROSSSLOT' });
    await a.mset({ '{tag}1': '1', '{tag}2': '2', '{tag}3': '3' });
    expect(await a.mget(['{tag}1', '{tag}2', '{tag}3'])).toEqual(['1', '2', '3']);
  });

  test('sort by what is in the shard of the key, and refuse patterns that may name any key', async () => {
    const [a, b] = cluster.stores as [Store, Store];
    await a.rpush('{tag}l', ['2', '1']);
    expect(await b.sort_ro('{tag}l')).toEqual(['1', '2']);
    expect(await b.sort('{tag}l', { store: '{tag}sorted' })).toBe(2);
    const refused = { code: 'CROSSSLOT', message: expect.stringContaining('A pattern in request') };
    await expect(a.sort_ro('{tag}l', { by: '{tag}w:*' })).rejects.toMatchObject(refused);
    await expect(a.sort('{tag}l', { get: 'x:*' })).rejects.toMatchObject(refused);
    await expect(a.sort('{tag}l', { store: 'foo' })).rejects.toMatchObject({ code: 'CROSSSLOT' });
    await a.zadd('{tag}z', { m: 1 });
    expect(await b.zunionstore('{tag}u', ['{tag}z', '{tag}none'])).toBe(1);
    await expect(b.zunionstore('foo', '{tag}z')).rejects.toMatchObject({ code: 'CROSSSLOT' });
  });

  test('are one keyspace to commands about all keys', async () => {
    const [a, b] = cluster.stores as [Store, Store];
    await a.flushall();
    const names = Array.from({ length: 300 }, (_, i) => `key${i}`);
    await Promise.all(names.map((name) => a.set(name, '1')));
    expect(await b.dbsize()).toBe(300);
    expect((await b.keys('*')).sort()).toEqual([...names].sort());
    const scanned: string[] = [];
    for await (const key of b.scanIterator()) scanned.push(key);
    expect(new Set(scanned)).toEqual(new Set(names));
    await b.flushall();
    expect(await a.dbsize()).toBe(0);
  });
});
