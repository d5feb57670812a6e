import { readFile, writeFile } from 'node:fs/promises';
import { open, RestoreError, type RestoreProgress, restoreRdb, type Store } from 'holdfast';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { connectDataClient } from '../../src/replication/data-client.js';
import { Temporary } from '../rdb/temporary.js';
import { freeAddress, TestCluster } from '../support/cluster.js';
import { ProcessCluster } from '../support/processes.js';
import { cutter } from './cutter.js';
import { BIG_CHARS, type Sample, writeSample } from './files.js';

const WITHIN_MS = 60_000;
const secret = 'of three peers';
const none = {
  skipped: 0,
  unsure: 0,
  refused: 0,
  expired: 0,
  empty: 0,
  unwanted: 0,
  unanswered: 0,
  unsent: 0,
};

let temporary: Temporary;
let sample: Sample;
/** More than is under way at a time. */
let large: Sample;
let cluster: TestCluster;
beforeAll(async () => {
  temporary = new Temporary();
  sample = await writeSample(temporary.path('sample.rdb'), 3_000);
  large = await writeSample(temporary.path('large.rdb'), 60_000);
  cluster = await TestCluster.open({ secret });
}, WITHIN_MS);
afterAll(async () => {
  await cluster[Symbol.asyncDispose]();
  temporary[Symbol.dispose]();
});

async function empty(): Promise<Store> {
  const store = cluster.store('a');
  await store.flushall();
  return store;
}

async function failureOf(work: Promise<unknown>): Promise<RestoreError> {
  const error = await work.then(
    () => undefined,
    (error: unknown) => error,
  );
  if (error instanceof RestoreError) return error;
  throw new Error(`not a failed restore: ${String(error)}`);
}

describe('restoring into a running store', () => {
  it.each(['a', 'b', 'c'])(
    'through peer %s, every key is there on all peers',
    { timeout: WITHIN_MS },
    async (name) => {
      await empty();
      const report = await restoreRdb(sample.path, cluster.address(name), { secret });
      expect(report).toMatchObject({ ...none, keys: sample.keys, restored: sample.keys, refusals: [] });
      for (const digest of await cluster.settled()) expect(digest).toBe(sample.digest);
    },
  );

  it('goes to the shards of several', { timeout: WITHIN_MS }, async () => {
    await using sharded = await TestCluster.open({ secret, shards: 3 });
    const report = await restoreRdb(sample.path, sharded.address('c'), { secret });
    expect(report.restored).toBe(sample.keys);
    const store = sharded.store('b');
    expect(await store.dbsize()).toBe(sample.keys);
    expect(await store.get('user:6')).toBe('value 6 xxxxxx');
    expect(await store.pexpiretime('user:10')).toBe(4_000_000_000_010);
    expect(await store.strlen('shop:big')).toBe(BIG_CHARS);
  });

  it('takes the keys that are asked for', { timeout: WITHIN_MS }, async () => {
    const store = await empty();
    const at = cluster.address('a');
    const prefixed = await restoreRdb(sample.path, at, { secret, match: 'shop:*' });
    expect(prefixed).toMatchObject({ restored: 2, unwanted: sample.keys - 2 });
    const typed = await restoreRdb(sample.path, at, { secret, match: '*:1?', types: ['hash', 'list'] });
    const wanted = ['shop:big', 'shop:small', 'user:13', 'user:14', 'user:19'];
    expect(typed.restored).toBe(3);
    expect((await store.keys('*')).sort()).toEqual(wanted);
    const moved = await restoreRdb(sample.path, at, { secret, match: 'shop:small', prefix: 'new:' });
    expect(moved.restored).toBe(1);
    expect(await store.get('new:shop:small')).toBe('S');
    expect(await restoreRdb(sample.path, at, { secret, db: 5 })).toMatchObject({
      restored: 0,
      unwanted: sample.keys,
    });
  });

  it('leaves keys that are there, and counts them', { timeout: WITHIN_MS }, async () => {
    const store = await empty();
    await store.set('user:0', 'mine');
    const report = await restoreRdb(sample.path, cluster.address('b'), { secret, onConflict: 'skip' });
    expect(report).toMatchObject({ ...none, restored: sample.keys - 1, skipped: 1 });
    expect(await store.get('user:0')).toBe('mine');
  });

  it('replaces keys that are there', { timeout: WITHIN_MS }, async () => {
    const store = await empty();
    await store.set('user:0', 'mine');
    const report = await restoreRdb(sample.path, cluster.address('b'), { secret, onConflict: 'replace' });
    expect(report).toMatchObject({ ...none, restored: sample.keys });
    const [digest] = await cluster.settled();
    expect(digest).toBe(sample.digest);
  });

  it('ends at a key that is there, and names it', { timeout: WITHIN_MS }, async () => {
    const store = await empty();
    await store.set('shop:small', 'mine');
    const error = await failureOf(restoreRdb(sample.path, cluster.address('b'), { secret, match: 'shop:*' }));
    expect(error).toMatchObject({ code: 'BUSYKEY', message: 'the key "shop:small" is there already' });
    expect(error.report.skipped).toBe(1);
    expect(await store.get('shop:small')).toBe('mine');
  });

  it('can be run again', { timeout: WITHIN_MS }, async () => {
    await empty();
    const to = cluster.address('c');
    await restoreRdb(sample.path, to, { secret });
    const again = await restoreRdb(sample.path, to, { secret, onConflict: 'skip' });
    expect(again).toMatchObject({ ...none, restored: 0, skipped: sample.keys });
    const [digest] = await cluster.settled();
    expect(digest).toBe(sample.digest);
  });

  it('says how far it is', { timeout: WITHIN_MS }, async () => {
    await empty();
    const seen: RestoreProgress[] = [];
    await restoreRdb(sample.path, cluster.address('a'), { secret, onProgress: (one) => seen.push(one) });
    expect(seen.at(-1)?.report).toMatchObject({ ...none, restored: sample.keys });
    expect(seen[0]).toMatchObject({ stage: 'check', report: { restored: 0 } });
    const stages = seen.map(({ stage }) => stage);
    expect(stages).toEqual([...stages].sort());
    expect(stages.at(-1)).toBe('restore');
  });
});

describe('a restore that ends early', () => {
  it('says what was done when it is aborted, and goes on when it is run again', {
    timeout: WITHIN_MS,
  }, async () => {
    await empty();
    const ending = new AbortController();
    const to = cluster.address('a');
    const aborted = restoreRdb(large.path, to, {
      ...{ secret, signal: ending.signal },
      onProgress: ({ stage }) => {
        if (stage === 'restore') ending.abort(new Error('enough'));
      },
    });
    const error = await failureOf(aborted);
    expect(error).toMatchObject({ code: 'ABORTED', message: 'enough' });
    const { keys, restored, unanswered, unsent } = error.report;
    expect(restored + unanswered + unsent).toBe(keys);
    expect(unsent).toBeGreaterThan(0);
    const again = await restoreRdb(large.path, to, { secret, onConflict: 'skip' });
    expect(again.restored + again.skipped).toBe(large.keys);
    expect((await cluster.settled())[0]).toBe(large.digest);
  });

  it('before it begins, has done nothing', { timeout: WITHIN_MS }, async () => {
    const error = await failureOf(
      restoreRdb(sample.path, cluster.address('a'), { secret, signal: AbortSignal.abort(new Error('no')) }),
    );
    expect(error).toMatchObject({ code: 'ABORTED', report: { restored: 0, unsent: 0 } });
  });

  it('is refused with another secret, or none', { timeout: WITHIN_MS }, async () => {
    await empty();
    for (const wrong of ['of others', undefined]) {
      const error = await failureOf(restoreRdb(sample.path, cluster.address('a'), { secret: wrong }));
      expect(error).toMatchObject({ code: 'FOREIGN', report: { restored: 0, unsent: sample.keys } });
    }
    expect(await cluster.store('a').dbsize()).toBe(0);
  });

  it('gives up where nobody is', { timeout: WITHIN_MS }, async () => {
    const error = await failureOf(restoreRdb(sample.path, await freeAddress(), { retryMs: 300 }));
    expect(error).toMatchObject({ code: 'IO', report: { restored: 0, unsent: sample.keys, unanswered: 0 } });
    expect(error.message).toMatch(/^nothing was acknowledged for 300 ms; .*ECONNREFUSED/);
  });

  it('changes nothing where the file is damaged', { timeout: WITHIN_MS }, async () => {
    const store = await empty();
    const bytes = Buffer.from(await readFile(sample.path));
    bytes[bytes.length - 1] = (bytes.at(-1) ?? 0) ^ 1;
    const path = temporary.path('damaged.rdb');
    await writeFile(path, bytes);
    await expect(restoreRdb(path, cluster.address('a'), { secret })).rejects.toMatchObject({
      code: 'CORRUPT',
    });
    expect(await store.dbsize()).toBe(0);
  });

  it('refuses wrong options', async () => {
    await expect(restoreRdb(sample.path, 'nowhere')).rejects.toThrow(TypeError);
    await expect(restoreRdb(sample.path, [])).rejects.toThrow(TypeError);
    const bad = { onConflict: 'merge' } as unknown as { onConflict: 'skip' };
    await expect(restoreRdb(sample.path, 'h:1', bad)).rejects.toThrow(TypeError);
  });
});

describe('a store that is small', () => {
  it('names the keys that it refuses, and stops when it is full', { timeout: WITHIN_MS }, async () => {
    const address = await freeAddress();
    await using store = await open({ name: 'one', peers: { one: address }, secret, maxMemory: 4_000_000 });
    const error = await failureOf(restoreRdb(large.path, address, { secret }));
    expect(error.code).toBe('OOM');
    expect(await store.dbsize()).toBe(error.report.restored);
  });
});

describe('a connection that is cut', () => {
  it.each([
    ['up', 0],
    ['up', 100],
    ['up', 900],
    ['up', 50_000],
    ['up', 3_050_000],
    ['down', 0],
    ['down', 300],
    ['down', 700],
    ['down', 1_500],
  ] as const)(
    '%s after %d bytes: the rest goes another time',
    { timeout: WITHIN_MS },
    async (direction, bytes) => {
      await empty();
      await using proxy = await cutter(cluster.address('b'), direction, bytes);
      const report = await restoreRdb(sample.path, proxy.address, { secret, onConflict: 'skip' });
      expect(proxy.cuts).toBe(1);
      expect(report).toMatchObject({ skipped: 0, refused: 0, unanswered: 0, unsent: 0 });
      expect(report.restored + report.unsure).toBe(sample.keys);
      expect((await cluster.settled())[0]).toBe(sample.digest);
    },
  );
});

describe('clients that a peer serves', () => {
  it('are only so many', { timeout: WITHIN_MS }, async () => {
    const clients = [];
    for (let i = 0; i < 4; i++) clients.push(await connectDataClient(cluster.address('a'), secret));
    await expect(connectDataClient(cluster.address('a'), secret)).rejects.toMatchObject({ code: 'BUSY' });
    await Promise.all(clients.map((client) => client.close()));
    const another = await connectDataClient(cluster.address('a'), secret);
    await another.close();
  });

  it('cannot send what is no batch', { timeout: WITHIN_MS }, async () => {
    const client = await connectDataClient(cluster.address('a'), secret);
    const key = {
      key: Buffer.from('k'),
      ttl: Buffer.from('1\r\n'),
      usage: undefined,
      payload: Buffer.from(''),
    };
    await expect(client.restore([key], false)).rejects.toMatchObject({ code: 'IO' });
    await client.close();
    expect(await cluster.store('a').set('still', 'here')).toBe(true);
  });

  it('learn that a payload is none', { timeout: WITHIN_MS }, async () => {
    const client = await connectDataClient(cluster.address('a'), secret);
    const key = {
      key: Buffer.from('k'),
      ttl: Buffer.from('0'),
      usage: undefined,
      payload: Buffer.from('junk'),
    };
    const { outcomes, refusals } = await client.restore([key], false);
    expect(outcomes).toEqual(['x']);
    expect(refusals).toMatchObject([{ at: 0, code: 'ERR' }]);
    await client.close();
  });
});

describe('a failover in the middle', () => {
  it.each([1, 2])(
    'is survived: the leader of %d shards is killed',
    { timeout: 2 * WITHIN_MS },
    async (shards) => {
      await using processes = await ProcessCluster.open({ secret, shards });
      const peers = await processes.peer('a').ask<{ peers: { name: string; address: string }[] }>('status');
      const leader = await processes.leader('a');
      const address = peers.peers.find(({ name }) => name === leader)?.address ?? '';
      let killed: Promise<void> | undefined;
      const report = await restoreRdb(large.path, address, {
        ...{ secret, onConflict: 'skip', timeoutMs: 1_000 },
        onProgress: ({ report: { restored } }) => {
          if (restored > 0) killed ??= processes.peer(leader).kill();
        },
      });
      await killed;
      expect(killed).toBeDefined();
      expect(report).toMatchObject({ refused: 0, unanswered: 0, unsent: 0, skipped: 0 });
      expect(report.restored + report.unsure).toBe(large.keys);
      await processes.start(leader);
      const digests = await processes.settled();
      expect(new Set(digests).size).toBe(1);
      if (shards === 1) expect(digests[0]).toBe(large.digest);
    },
  );
});
