/** A peer whose memory is not what the log says: it must be found, and only it may stop. */
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { type HoldfastError, Keyspace, type Store } from 'holdfast';
import { describe, expect, test } from 'vitest';
import { native } from '../../dist/keyspace/native.js';
import { loadFile } from '../../dist/rdb/index.js';
import {
  COMPARE_EVERY_ENTRIES,
  Comparisons,
  decodeReport,
  encodeReport,
} from '../../src/shards/comparison.js';
import { shardOfSlot } from '../../src/shards/router.js';
import { TestCluster, temporaryDirectory } from '../support/cluster.js';

describe('comparisons', () => {
  test('name who differs from a majority', () => {
    const three = new Comparisons(3);
    expect(three.add(1, { index: 10, digest: 'x' })).toEqual([]);
    expect(three.add(2, { index: 10, digest: 'y' })).toEqual([]);
    expect(three.add(3, { index: 10, digest: 'y' })).toEqual([1]);
    expect(three.add(1, { index: 20, digest: 'x' })).toEqual([]);
    expect(three.add(2, { index: 20, digest: 'x' })).toEqual([]);
    expect(three.add(3, { index: 20, digest: 'x' })).toEqual([]);
  });

  test('do not judge without a majority', () => {
    const two = new Comparisons(2);
    two.add(1, { index: 10, digest: 'x' });
    expect(two.add(2, { index: 10, digest: 'y' })).toEqual([]);
  });

  test('are read as they were written, and nothing else is', () => {
    const report = { index: 5, digest: 'ab', differs: false };
    expect(decodeReport(encodeReport({ index: 5, digest: 'ab' }))).toEqual(report);
    expect(decodeReport(encodeReport({ ...report, differs: true }))).toEqual({ ...report, differs: true });
    expect(decodeReport(Buffer.from('{"index":"5"}'))).toBeUndefined();
    expect(decodeReport(Buffer.from('}'))).toBeUndefined();
  });
});

/** Puts nothing in the place of everything that a replica holds: what a broken invariant might have done. */
const corrupt = async (replica: number): Promise<void> => {
  const { path, remove } = temporaryDirectory();
  try {
    const file = join(path, 'empty.rdb');
    writeFileSync(file, Buffer.from('REDIS0010\xff\0\0\0\0\0\0\0\0', 'latin1'));
    await loadFile(file, replica);
  } finally {
    remove();
  }
};

describe.each(['a follower', 'the leader'])('%s whose memory differs', (who) => {
  test('is faulted, and the others go on', { timeout: 60_000 }, async () => {
    using marker = new Keyspace();
    const faults = new Map<string, HoldfastError>();
    await using cluster = await TestCluster.open();
    for (const store of cluster.stores) store.on('fault', (error) => faults.set(store.name, error));
    await Promise.all(Array.from({ length: 2_000 }, (_, i) => cluster.store('a').set(`k${i}`, 'v')));
    const leader = await cluster.leader();
    const [follower] = await cluster.followers();
    const victim = (who === 'the leader' ? leader : follower) as Store;
    const others = cluster.stores.filter((store) => store !== victim) as [Store, Store];
    await cluster.settled();
    await corrupt(marker.id + 1 + cluster.names.indexOf(victim.name));

    const deadline = Date.now() + 30_000;
    const [writer] = others;
    for (let i = 0; faults.size === 0 && i < 4 * COMPARE_EVERY_ENTRIES && Date.now() < deadline; i++) {
      await writer.set('k0', String(i));
    }
    expect([...faults.keys()]).toEqual([victim.name]);
    expect(faults.get(victim.name)).toMatchObject({
      code: 'FAULTED',
      message: expect.stringContaining('differ'),
    });
    await expect(victim.get('k1')).rejects.toMatchObject({ code: 'FAULTED' });
    expect(() => victim.local.get('k1')).toThrow(expect.objectContaining({ code: 'FAULTED' }));
    expect(await others[1].get('k1')).toBe('v');
    await others[1].set('k1', 'w');
    expect(await writer.get('k1')).toBe('w');
  });
});

test('a fault in one shard ends the peer in all of them', { timeout: 60_000 }, async () => {
  using marker = new Keyspace();
  const shards = 3;
  await using cluster = await TestCluster.open({ shards });
  const victim = await cluster.leader(0);
  const [other] = cluster.stores.filter((store) => store !== victim) as [Store];
  const faults: string[] = [];
  victim.on('fault', ({ code }) => faults.push(code));
  const keys = Array.from({ length: 3_000 }, (_, i) => `k${i}`);
  const keyOf = (shard: number) =>
    keys.find((key) => shardOfSlot(native.slotOf(key), shards) === shard) ?? '';
  await Promise.all(keys.map((key) => other.set(key, 'v')));
  await cluster.settled();
  // On two threads or more, the second shard is not on the thread of the first one, which the victim leads.
  await corrupt(marker.id + 1 + cluster.names.indexOf(victim.name) * shards + 1);
  for (let i = 0; faults.length === 0 && i < 4 * COMPARE_EVERY_ENTRIES; i++)
    await other.set(keyOf(1), String(i));
  expect(faults).toEqual(['FAULTED']);
  for (const until = Date.now() + 1_000; Date.now() < until; ) {
    expect(() => victim.leased.get(keyOf(0))).toThrow(expect.objectContaining({ code: 'FAULTED' }));
    await new Promise((resolve) => setTimeout(resolve, 5));
  }
  expect(await other.get(keyOf(0))).toBe('v');
  await expect(victim.status()).rejects.toMatchObject({ code: 'FAULTED' });
});
