/** The limits of collections as options of keyspaces and stores. */
import { type CollectionLimits, Keyspace, open } from 'holdfast';
import { describe, expect, test } from 'vitest';
import { checkLimits } from '../../src/keyspace/collection-limits.js';
import { freePeers, TestCluster, temporaryDirectory } from '../support/cluster.js';

const tight: Partial<CollectionLimits> = {
  hashMaxListpackEntries: 2,
  setMaxIntsetEntries: 1,
  zsetMaxListpackValue: 3,
  listMaxListpackSize: 1,
};

describe('limits', () => {
  test.each<[unknown, RegExp]>([
    ['none', /limits must be an object/],
    [null, /limits must be an object/],
    [{ hashMaxEntries: 1 }, /unknown limit "hashMaxEntries"; known are hashMaxListpackEntries, /],
    [{ hashMaxListpackEntries: '1' }, /limits.hashMaxListpackEntries must be a number/],
    [{ hashMaxListpackEntries: -1 }, /limits.hashMaxListpackEntries must be a whole number from 0 to 32767/],
    [{ setMaxListpackValue: 1.5 }, /limits.setMaxListpackValue must be a whole number/],
    [{ listMaxListpackSize: 0 }, /limits.listMaxListpackSize .* and not 0, not 0/],
    [{ listMaxListpackSize: -6 }, /from -5 to 32767/],
    [{ hllSparseMaxBytes: 20_000 }, /from 0 to 16000/],
  ])('%j are refused', async (limits, message) => {
    expect(() => new Keyspace({ limits } as never)).toThrow(message);
    await expect(open({ limits } as never)).rejects.toThrow(message);
  });

  test('are those of Redis if nothing is said', () => {
    expect(checkLimits(undefined)).toEqual({
      ...{ hashMaxListpackEntries: 512, hashMaxListpackValue: 64 },
      ...{ setMaxIntsetEntries: 512, setMaxListpackEntries: 128, setMaxListpackValue: 64 },
      ...{ zsetMaxListpackEntries: 128, zsetMaxListpackValue: 64, listMaxListpackSize: -2 },
      ...{ hllSparseMaxBytes: 3000, streamNodeMaxBytes: 4096, streamNodeMaxEntries: 100 },
    });
  });

  test('decide the encodings, of what is loaded from a file, too', async () => {
    using keyspace = new Keyspace({ limits: tight });
    using usual = new Keyspace();
    for (const db of [keyspace, usual]) {
      db.hset('h', { a: '1', b: '2', c: '3' });
      db.sadd('s', ['1', '2']);
      db.zadd('z', { long: 1 });
      db.rpush('l', ['a', 'b']);
    }
    const encodings = (db: Keyspace) => ['h', 's', 'z', 'l'].map((key) => db.call('OBJECT', 'ENCODING', key));
    expect(encodings(keyspace)).toEqual(['hashtable', 'hashtable', 'skiplist', 'quicklist']);
    expect(encodings(usual)).toEqual(['listpack', 'intset', 'listpack', 'listpack']);
    const dir = temporaryDirectory();
    try {
      await usual.save(`${dir.path}/dump.rdb`);
      keyspace.flushall();
      await keyspace.load(`${dir.path}/dump.rdb`);
      expect(encodings(keyspace)).toEqual(['hashtable', 'hashtable', 'skiplist', 'quicklist']);
      expect(keyspace.digest()).toBe(usual.digest());
    } finally {
      dir.remove();
    }
  });

  test('are the same on every peer, through a restart', async () => {
    await using cluster = await TestCluster.open({ limits: tight, durable: true });
    const [store] = cluster.stores;
    await store?.hset('h', { a: '1', b: '2', c: '3' });
    for (const peer of cluster.stores) {
      expect(await peer.call('OBJECT', 'ENCODING', 'h')).toBe('hashtable');
    }
  });

  test('that differ are refused by name, with both values', async () => {
    const peers = await freePeers(['a', 'b']);
    const opened = Object.keys(peers).map((name, i) =>
      open({ name, peers, limits: { setMaxListpackEntries: 10 + i }, openTimeoutMs: 2_500 }),
    );
    for (const opening of await Promise.allSettled(opened)) {
      expect(opening).toMatchObject({
        reason: { message: expect.stringMatching(/limits\.setMaxListpackEntries: 1[01], not 1[01]/) },
      });
    }
  });

  test('of a directory cannot be changed', async () => {
    const dir = temporaryDirectory();
    try {
      const store = await open({ dir: dir.path, limits: tight });
      await store.close();
      await expect(open({ dir: dir.path })).rejects.toMatchObject({
        code: 'FOREIGN',
        message: expect.stringContaining('limits.hashMaxListpackEntries: 2, which cannot be changed to 512'),
      });
      const again = await open({ dir: dir.path, limits: tight });
      await again.close();
    } finally {
      dir.remove();
    }
  });
});
