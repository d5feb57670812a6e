import { existsSync, readdirSync } from 'node:fs';
import { type BackupProgress, backupRdb, HoldfastError, Keyspace, open, restoreRdb } from 'holdfast';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { connectDataClient } from '../../src/replication/data-client.js';
import { Temporary } from '../rdb/temporary.js';
import { freeAddress, TestCluster } from '../support/cluster.js';
import { cutter } from './cutter.js';
import { type Sample, writeSample } from './files.js';

const WITHIN_MS = 60_000;
const secret = 'of three peers';

let temporary: Temporary;
let sample: Sample;
let cluster: TestCluster;
beforeAll(async () => {
  temporary = new Temporary();
  sample = await writeSample(temporary.path('sample.rdb'), 3_000);
  cluster = await TestCluster.open({ secret, durable: true });
  await restoreRdb(sample.path, cluster.address('a'), { secret });
}, WITHIN_MS);
afterAll(async () => {
  await cluster[Symbol.asyncDispose]();
  temporary[Symbol.dispose]();
});

async function digestOf(path: string): Promise<string> {
  using keyspace = new Keyspace();
  await keyspace.load(path);
  return keyspace.digest();
}

const backupsIn = (folder: string): string[] =>
  readdirSync(folder).filter((name) => name.includes('backup') && !name.endsWith('.done'));
const leftovers = (): string[] => readdirSync(temporary.folder).filter((name) => name.includes('.tmp'));

async function nothingLeft(): Promise<void> {
  while (cluster.names.some((name) => backupsIn(cluster.dir(name)).length > 0))
    await new Promise((resolve) => setTimeout(resolve, 5));
}

/** The peer may not have noticed yet that the client before this one has gone. */
async function failureOf(from: string, out: string): Promise<unknown> {
  for (;;) {
    const error: unknown = await backupRdb(from, out, { secret }).catch((error: unknown) => error);
    if (!(error instanceof HoldfastError) || error.code !== 'BUSY') return error;
  }
}

describe('a backup of a running store', () => {
  it.each(['a', 'b', 'c'])('from peer %s has every key', { timeout: WITHIN_MS }, async (name) => {
    const out = temporary.path(`${name}.rdb`);
    const seen: BackupProgress[] = [];
    const report = await backupRdb(cluster.address(name), out, {
      secret,
      onProgress: (one) => seen.push(one),
    });
    expect(report).toMatchObject({ keys: sample.keys, sources: 1, checksum: 'right' });
    expect(seen.at(-1)).toEqual({ stage: 'transfer', done: report.bytes, total: report.bytes });
    expect(await digestOf(out)).toBe(sample.digest);
    expect(leftovers()).toEqual([]);
    await nothingLeft();
  });

  it('has what was acknowledged before, wherever it was', { timeout: WITHIN_MS }, async () => {
    const [follower] = await cluster.followers();
    for (let i = 0; i < 5; i++) {
      await (await cluster.leader()).set('counter', String(i));
      const out = temporary.path(`fresh-${i}.rdb`);
      await backupRdb(cluster.address(follower?.name ?? ''), out, { secret });
      using keyspace = new Keyspace();
      await keyspace.load(out);
      expect(keyspace.get('counter')).toBe(String(i));
    }
    await cluster.store('a').del('counter');
  });

  it('of several shards is one file', { timeout: WITHIN_MS }, async () => {
    await using sharded = await TestCluster.open({ secret, shards: 4 });
    await restoreRdb(sample.path, sharded.address('a'), { secret });
    const out = temporary.path('sharded.rdb');
    const report = await backupRdb([await freeAddress(), sharded.address('b')], out, { secret });
    expect(report).toMatchObject({ keys: sample.keys, sources: 1 });
    expect(await digestOf(out)).toBe(sample.digest);
  });

  it('names a key that the version cannot hold', { timeout: WITHIN_MS }, async () => {
    const address = await freeAddress();
    await using store = await open({ name: 'one', peers: { one: address }, secret });
    await store.hset('timed', { field: 'v' });
    await store.hpexpire('timed', 100_000, ['field']);
    const out = temporary.path('timed.rdb');
    await expect(backupRdb(address, out, { secret })).rejects.toMatchObject({ code: 'ERR' });
    expect(existsSync(out)).toBe(false);
    expect(await backupRdb(address, out, { secret, version: 12 })).toMatchObject({ keys: 1 });
    await expect(backupRdb(address, out, { secret, version: 8 })).rejects.toThrow(RangeError);
  });

  it('is refused with another secret, and where nobody is', { timeout: WITHIN_MS }, async () => {
    const out = temporary.path('refused.rdb');
    await expect(backupRdb(cluster.address('a'), out, { secret: 'other' })).rejects.toMatchObject({
      code: 'FOREIGN',
    });
    await expect(backupRdb(await freeAddress(), out)).rejects.toMatchObject({ code: 'IO' });
    expect(existsSync(out)).toBe(false);
    expect(leftovers()).toEqual([]);
  });

  it('is one at a time of each peer', { timeout: WITHIN_MS }, async () => {
    const clients = await Promise.all([0, 1].map(() => connectDataClient(cluster.address('a'), secret)));
    const never = { progress: () => {}, ready: () => {}, write: () => new Promise<void>(() => {}) };
    const [first, second] = clients.map((client) => client.backup({}, never));
    const ended = expect(first).rejects.toMatchObject({ code: 'IO' });
    await expect(second).rejects.toMatchObject({ code: 'BUSY' });
    await Promise.all(clients.map((client) => client.close()));
    await ended;
    await nothingLeft();
    expect(await failureOf(cluster.address('a'), temporary.path('next.rdb'))).toMatchObject({ sources: 1 });
  });

  it('is given up', { timeout: WITHIN_MS }, async () => {
    const out = temporary.path('aborted.rdb');
    const ending = new AbortController();
    const aborted = backupRdb(cluster.address('b'), out, {
      ...{ secret, signal: ending.signal },
      onProgress: ({ stage }) => {
        if (stage === 'transfer') ending.abort(new Error('enough'));
      },
    });
    await expect(aborted).rejects.toThrow('enough');
    expect(existsSync(out)).toBe(false);
    expect(leftovers()).toEqual([]);
    await nothingLeft();
  });

  it.each([
    ['up', 0],
    ['up', 200],
    ['up', 400],
    ['down', 0],
    ['down', 100],
    ['down', 700],
    ['down', 100_000],
    ['down', 3_000_000],
  ] as const)(
    'that is cut %s after %d bytes leaves nothing behind',
    { timeout: WITHIN_MS },
    async (direction, bytes) => {
      await using proxy = await cutter(cluster.address('c'), direction, bytes);
      const out = temporary.path('cut.rdb');
      expect(await failureOf(proxy.address, out)).toMatchObject({ code: 'IO' });
      expect(existsSync(out)).toBe(false);
      expect(leftovers()).toEqual([]);
      await nothingLeft();
    },
  );
});
