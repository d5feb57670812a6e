/** A store is a guest in its process: what it leaves behind, and what it does when things go wrong inside. */
import { spawnSync } from 'node:child_process';
import { readdirSync } from 'node:fs';
import { open, type Store } from 'holdfast';
import { describe, expect, test } from 'vitest';
import { freePeers, TestCluster, temporaryDirectory } from '../support/cluster.js';

/** Runs a program that uses the package, and gives what it printed. It has to end by itself. */
const run = (program: string): string => {
  const { stdout, stderr, status, signal } = spawnSync(
    process.execPath,
    ['--input-type=module', '--eval', program],
    { encoding: 'utf8', timeout: 90_000 },
  );
  expect({ status, signal, stderr }).toEqual({ status: 0, signal: null, stderr: '' });
  return stdout.trim();
};

describe('after close', () => {
  test('nothing is left: no thread, no timer, no socket, no listener', { timeout: 100_000 }, async () => {
    const { path, remove } = temporaryDirectory();
    const peers = await freePeers(['a', 'b']);
    const program = `
      import { readdirSync, readFileSync } from 'node:fs';
      import { open } from 'holdfast';
      const tasks = () => readdirSync('/proc/self/task');
      const threads = () => tasks().length;
      const nameOf = (task) => {
        try {
          return readFileSync('/proc/self/task/' + task + '/comm', 'utf8');
        } catch {
          return 'gone';
        }
      };
      const isBusy = () => tasks().some((task) => nameOf(task).startsWith('holdfast-'));
      const settled = async (isOver) => {
        for (let i = 0; i < 250 && !isOver(); i++) await new Promise((done) => setTimeout(done, 20));
      };
      const listeners = () => process.eventNames().map((name) => String(name) + process.listenerCount(name)).join();
      const files = () => readdirSync('/proc/self/fd').length;
      const warm = await open({ dir: ${JSON.stringify(path)} + '/warm' });
      await warm.close();
      await settled(() => !isBusy());
      const before = [threads(), listeners(), files()];
      const peers = ${JSON.stringify(peers)};
      const stores = await Promise.all(Object.keys(peers).map((name) =>
        open({ name, peers, dir: ${JSON.stringify(path)} + '/' + name, shards: 3, snapshotLogBytes: 5000 })));
      for (let i = 0; i < 300; i++) await stores[i % 2].set('k' + i, 'x'.repeat(100));
      await stores[0].digest();
      await Promise.all(stores.map((store) => store.close()));
      const alone = await open();
      await alone.set('k', 'v');
      await alone.close();
      await settled(() => !isBusy() && threads() <= before[0] && files() <= before[2]);
      console.log(JSON.stringify([before, [threads(), listeners(), files()]]));
    `;
    try {
      const [before, after] = JSON.parse(run(program));
      expect(after).toEqual(before);
    } finally {
      remove();
    }
  });

  test('nothing is left of calls that waited, here or for a Redis client', { timeout: 60_000 }, async () => {
    const { path, remove } = temporaryDirectory();
    const peers = await freePeers(['a', 'b', 'c']);
    const program = `
      import { getEventListeners, once } from 'node:events';
      import { readdirSync } from 'node:fs';
      import { connect } from 'node:net';
      import { Keyspace, open } from 'holdfast';
      const pause = (ms) => new Promise((done) => setTimeout(done, ms));
      const resp = { port: 0 };
      const threads = () => readdirSync('/proc/self/task').length;
      const look = () => [
        readdirSync('/proc/self/fd').length,
        process.getActiveResourcesInfo().sort().join(),
        process.eventNames().map((name) => String(name) + process.listenerCount(name)).join(),
      ];
      // A thread keeps what it hears with.
      const warm = await open({ dir: ${JSON.stringify(path)} + '/warm', resp });
      await warm.blpop('q', { timeoutMs: 1 });
      await warm.close();
      const settled = async (isOver) => {
        for (let i = 0; i < 250 && !isOver(); i++) await pause(20);
      };
      let last = '';
      await settled(() => last === (last = String(look())));
      const before = look();
      const threadsBefore = threads();
      const { signal } = new AbortController();
      const peers = ${JSON.stringify(peers)};
      const stores = await Promise.all(Object.keys(peers).map((name) =>
        open({ name, peers, resp, dir: ${JSON.stringify(path)} + '/' + name })));
      const keyspace = new Keyspace();
      await stores[0].xgroupCreate('s', 'g', '$', { mkstream: true });
      const end = { timeoutMs: 600_000, signal };
      const waits = [...stores, keyspace].flatMap((store) => [
        store.blpop(['q', 'r'], end),
        store.bzmpop('z', 'min', { timeoutMs: 600_000 }),
        store.blmove('q', 'to', 'left', 'left', { signal }),
        store.xreadBlocking({ s: '0' }, end),
      ]);
      waits.push(stores[1].xreadgroupBlocking('g', 'c', { s: '>' }, end), stores[2].call('BLPOP', 'q', 600));
      const clients = stores.map(({ respAddress }) => connect(respAddress));
      for (const client of clients) client.write('BLPOP q 600\\r\\n');
      const gone = Promise.all(clients.map((client) => once(client.resume(), 'close')));
      const codes = Promise.all(waits.map((wait) => wait.catch((error) => error.code)));
      await pause(100);
      keyspace.close();
      await Promise.all(stores.map((store) => store.close()));
      await gone;
      await settled(() => String(look()) === String(before) && threads() <= threadsBefore);
      const listeners = getEventListeners(signal, 'abort').length;
      const newThreads = Math.max(0, threads() - threadsBefore);
      console.log(JSON.stringify({ before, after: look(), left: [listeners, newThreads], codes: await codes }));
    `;
    try {
      const { before, after, left, codes } = JSON.parse(run(program));
      expect(after).toEqual(before);
      expect([left, [...new Set(codes)]]).toEqual([[0, 0], ['CLOSED']]);
    } finally {
      remove();
    }
  });

  test('a program that forgot to close is not kept from being ended, nor its directory from being used', () => {
    const { path, remove } = temporaryDirectory();
    const program = `
      import { open } from 'holdfast';
      const store = await open({ dir: ${JSON.stringify(path)} });
      console.log(await store.incr('runs'));
      process.exit(0);
    `;
    try {
      expect([run(program), run(program)]).toEqual(['1', '2']);
    } finally {
      remove();
    }
  });
});

describe('a memory-only cluster', () => {
  test('drops its log behind snapshots that leave nothing in the temporary directory', async () => {
    const { tmpdir } = await import('node:os');
    const left = () =>
      readdirSync(tmpdir())
        .filter((name) => /^holdfast-[^-]+$/.test(name))
        .sort();
    const before = left();
    {
      await using cluster = await TestCluster.open({ snapshotLogBytes: 10_000 });
      const [a] = cluster.stores as [Store];
      for (let round = 0; round < 20; round++) {
        await Promise.all(Array.from({ length: 20 }, (_, i) => a.set(`k${i}`, `${round}${'x'.repeat(100)}`)));
      }
      // It is written while entries go on being applied.
      const snapshotIndex = async () => (await (await cluster.leader()).status()).shards[0]?.snapshotIndex;
      await expect.poll(snapshotIndex, { timeout: 10_000 }).toBeGreaterThan(0);
      expect(new Set(await cluster.settled()).size).toBe(1);
    }
    expect(left()).toEqual(before);
  });
});

describe('a listener that throws', () => {
  test('is the error of its program, and keeps the store from nothing', async () => {
    const peers = await freePeers(['a']);
    const program = `
      import { open } from 'holdfast';
      process.on('uncaughtException', (error) => console.log(error.message));
      const on = { role: () => { throw new Error('of the listener'); } };
      const store = await open({ name: 'a', peers: ${JSON.stringify(peers)}, on });
      await store.set('k', 'v');
      console.log(await store.get('k'));
      await store.close();
    `;
    expect(new Set(run(program).split('\n'))).toEqual(new Set(['of the listener', 'v']));
  });
});

describe('a caller that asks for too much', () => {
  test('is told that the store is busy, and nothing of it is kept', async () => {
    await using store = await open({ name: 'a', peers: await freePeers(['a']) });
    const calls = Array.from({ length: 250_000 }, () =>
      store.incr('n').catch((error: { code: string }) => error.code),
    );
    const settled = await Promise.all(calls);
    const busy = settled.filter((answer) => answer === 'BUSY').length;
    expect(busy).toBeGreaterThan(0);
    expect(await store.get('n')).toBe(String(250_000 - busy));
  });
});
