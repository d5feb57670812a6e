/** What is saved while others write is the state of one instant, and a save that fails leaves nothing behind. */
import { spawnSync } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { once } from 'node:events';
import { chmodSync, mkdirSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { setTimeout as sleep } from 'node:timers/promises';
import { Worker } from 'node:worker_threads';
import { Keyspace } from 'holdfast';
import { describe, expect, test } from 'vitest';
import { native } from '../../dist/keyspace/native.js';
import { TestCluster } from '../support/cluster.js';
import { Temporary } from './temporary.js';

const RING = 256;
const COUNTERS = 40;

/** Threads that write until they are told to stop. */
class Writers implements AsyncDisposable {
  readonly #workers: Worker[];

  constructor(keyspace: Keyspace, names: readonly string[]) {
    this.#workers = names.map((name) => {
      const workerData = { id: keyspace.id, name, ring: RING, counters: COUNTERS };
      return new Worker(new URL('./workers/writer.mjs', import.meta.url), { workerData });
    });
  }

  async started(): Promise<void> {
    await Promise.all(this.#workers.map((worker) => once(worker, 'message')));
  }

  async [Symbol.asyncDispose](): Promise<void> {
    const ends = this.#workers.map((worker) => once(worker, 'exit'));
    for (const worker of this.#workers) worker.postMessage('stop');
    await Promise.all(ends);
  }
}

/** Checks that a file shows one instant, and gives the newest number of each writer. */
async function checkInstant(path: string, names: readonly string[]): Promise<number[]> {
  using copy = new Keyspace();
  await copy.load(path);
  const counters = Array.from({ length: COUNTERS }, (_, n) => Number(copy.get(`counter:${n}`) ?? 0));
  expect(counters.reduce((sum, n) => sum + n, 0)).toBe(0);
  return names.map((name) => {
    const numbers = Array.from({ length: RING }, (_, n) => copy.get(`ring:${name}:${n}`));
    const there = numbers.filter((text) => text !== null).map(Number);
    const newest = Math.max(-1, ...there);
    const expected = Math.min(newest + 1, RING);
    expect(there.length).toBe(expected);
    expect(Math.min(...there, newest)).toBe(Math.max(newest - expected + 1, -1));
    return newest;
  });
}

function fill(keyspace: Keyspace, keys: number): void {
  // What cannot be compressed takes its time.
  for (let i = 0; i < keys; i++) keyspace.set(`still:${i}`, randomBytes(100).toString('base64'));
}

describe('a save while threads write', { timeout: 60_000 }, () => {
  test('shows one instant each time, with an aborted one in between', async () => {
    using temporary = new Temporary();
    using keyspace = new Keyspace();
    fill(keyspace, 40_000);
    const names = ['one', 'two'];
    let [last, aborted] = [[-1, -1], 0];
    await using writers = new Writers(keyspace, names);
    await writers.started();
    for (let round = 0; round < 4; round++) {
      const path = temporary.path(`${round}.rdb`);
      const { keys } = await keyspace.save(path);
      expect(keys).toBeGreaterThan(40_000);
      const newest = await checkInstant(path, names);
      newest.forEach((n, i) => {
        expect(n).toBeGreaterThan(last[i] ?? 0);
      });
      last = newest;
      const abort = new AbortController();
      const onProgress = () => abort.abort(new Error('enough'));
      // Who aborts at the very end comes too late.
      const whole = temporary.path('aborted.rdb');
      const save = keyspace.save(whole, { onProgress, signal: abort.signal });
      const outcome = await save.then(
        () => rmSync(whole),
        (error: Error) => error.message,
      );
      if (outcome === 'enough') aborted++;
      else expect(outcome).toBeUndefined();
    }
    expect(aborted).toBeGreaterThan(0);
    expect(readdirSync(temporary.folder).sort()).toEqual(['0.rdb', '1.rdb', '2.rdb', '3.rdb']);
  });

  test('holds what was written before the call, and nothing of what comes when it is over', async () => {
    using temporary = new Temporary();
    using keyspace = new Keyspace();
    fill(keyspace, 5_000);
    const digest = keyspace.digest();
    let over = false;
    const save = keyspace.save(temporary.path('dump.rdb')).finally(() => {
      over = true;
    });
    await sleep(0);
    while (!over) {
      // Taken when a thread is ready; from then on nothing changes it.
      if (native.snapshotBusy([keyspace.id])) keyspace.flushall();
      await sleep(0);
    }
    await save;
    using copy = new Keyspace();
    await copy.load(temporary.path('dump.rdb'));
    expect(copy.digest()).toBe(digest);
  });

  test('comes one after the other, the first come first', async () => {
    using temporary = new Temporary();
    using keyspace = new Keyspace();
    fill(keyspace, 3_000);
    const order: number[] = [];
    const abort = new AbortController();
    const saves = Array.from({ length: 6 }, async (_, n) => {
      await keyspace.save(temporary.path(`${n}.rdb`), n === 3 ? { signal: abort.signal } : {});
      order.push(n);
    });
    abort.abort(new Error('not this one'));
    const ends = await Promise.allSettled(saves);
    expect(ends.map(({ status }) => status === 'fulfilled')).toEqual([true, true, true, false, true, true]);
    expect(order).toEqual([0, 1, 2, 4, 5]);
  });

  test('keeps hashes with expired fields apart from those whose fields expire meanwhile', async () => {
    using temporary = new Temporary();
    using keyspace = new Keyspace();
    for (let i = 0; i < 500; i++) {
      keyspace.hset(`hash:${i}`, { stays: 1, goes: 2 });
      keyspace.call('HPEXPIRE', `hash:${i}`, '1', 'FIELDS', '1', 'goes');
    }
    await sleep(5);
    await keyspace.save(temporary.path('old.rdb'), { version: 9 });
    keyspace.call('HPEXPIRE', 'hash:7', '100000', 'FIELDS', '1', 'stays');
    const refused = keyspace.save(temporary.path('refused.rdb'), { version: 11 });
    await expect(refused).rejects.toMatchObject({
      code: 'ERR',
      message: expect.stringContaining("'hash:7'"),
    });
    await keyspace.save(temporary.path('new.rdb'), { version: 12 });
    using copy = new Keyspace();
    expect(await copy.load(temporary.path('new.rdb'))).toMatchObject({ keys: 500 });
    expect(copy.digest()).toBe(keyspace.digest());
    expect(readdirSync(temporary.folder).sort()).toEqual(['new.rdb', 'old.rdb']);
  });
});

describe('a save that fails', () => {
  test('because the keyspace is closed leaves nothing behind', async () => {
    using temporary = new Temporary();
    const keyspace = new Keyspace();
    fill(keyspace, 30_000);
    const saves = [keyspace.save(temporary.path('a.rdb')), keyspace.save(temporary.path('b.rdb'))];
    while (!native.snapshotBusy([keyspace.id])) await sleep(1);
    keyspace.close();
    for (const save of saves) await expect(save).rejects.toMatchObject({ code: 'CLOSED' });
    await expect(keyspace.save(temporary.path('c.rdb'))).rejects.toMatchObject({ code: 'CLOSED' });
    expect(readdirSync(temporary.folder)).toEqual([]);
  });

  test.skipIf(process.getuid?.() === 0)('because the folder cannot be written to says so', async () => {
    using temporary = new Temporary();
    using keyspace = new Keyspace();
    mkdirSync(temporary.path('locked'));
    chmodSync(temporary.path('locked'), 0o500);
    await expect(keyspace.save(temporary.path('locked/a.rdb'))).rejects.toMatchObject({ code: 'IO' });
  });

  test('because its path is taken by a folder leaves the keyspace as it was', async () => {
    using temporary = new Temporary();
    using keyspace = new Keyspace();
    fill(keyspace, 2_000);
    mkdirSync(temporary.path('taken/inside'), { recursive: true });
    await expect(keyspace.save(temporary.path('taken'))).rejects.toMatchObject({ code: 'IO' });
    expect(readdirSync(temporary.folder)).toEqual(['taken']);
    await keyspace.save(temporary.path('free.rdb'));
    expect(native.snapshotBusy([keyspace.id])).toBe(false);
  });

  const mounts = spawnSync('unshare', ['--user', '--map-root-user', '--mount', 'true']).status === 0;
  test.skipIf(!mounts)('because the disk is full leaves it as it was', { timeout: 30_000 }, () => {
    using temporary = new Temporary();
    mkdirSync(temporary.path('small'));
    const modules = new URL('../../dist/index.js', import.meta.url).href;
    writeFileSync(
      temporary.path('save.mjs'),
      `import { readdirSync, writeFileSync } from 'node:fs';
      import { Keyspace } from '${modules}';
      const folder = ${JSON.stringify(temporary.path('small'))};
      const keyspace = new Keyspace();
      for (let i = 0; i < 20_000; i++) keyspace.set('key:' + i, Math.random() + 'x'.repeat(300));
      writeFileSync(folder + '/dump.rdb', 'older');
      for (let round = 0; round < 2; round++) {
        const refusal = await keyspace.save(folder + '/dump.rdb', { compress: false }).catch((error) => error);
        console.log(refusal.code, /no space/i.test(refusal.message), readdirSync(folder).join());
      }
      keyspace.close();`,
    );
    const script = 'mount -t tmpfs -o size=2m none "$1" && exec "$2" "$3"';
    const words = ['--user', '--map-root-user', '--mount', 'sh', '-c', script, 'sh'];
    const paths = [temporary.path('small'), process.execPath, temporary.path('save.mjs')];
    const { stdout, stderr } = spawnSync('unshare', [...words, ...paths], { encoding: 'utf8' });
    expect({ stdout, stderr }).toEqual({ stdout: 'IO true dump.rdb\nIO true dump.rdb\n', stderr: '' });
  });
});

describe('a store', { timeout: 60_000 }, () => {
  test('saves all its shards at one instant, on every peer, while writes go on', async () => {
    using temporary = new Temporary();
    await using cluster = await TestCluster.open({ shards: 2 });
    const [store] = cluster.stores;
    if (store === undefined) throw new Error('a cluster has peers');
    // Keys of both shards, written in turn by one caller: at one instant the second is at most one step behind the first.
    const keys = ['a', 'b'].flatMap((tag) => Array.from({ length: 99 }, (_, i) => `${tag}${i}`));
    const first = keys.find((key) => native.slotOf(key) < 8_192) ?? '';
    const second = keys.find((key) => native.slotOf(key) >= 8_192) ?? '';
    let stopped = false;
    const writing = (async () => {
      for (let n = 1; !stopped; n++) {
        await store.set(first, n);
        await store.set(second, n);
      }
    })();
    for (let round = 0; round < 3; round++) {
      await sleep(20);
      for (const peer of cluster.stores) {
        const path = temporary.path(`${peer.name}.rdb`);
        await peer.save(path, { version: 9 + round });
        using copy = new Keyspace();
        await copy.load(path);
        const behind = Number(copy.get(first)) - Number(copy.get(second));
        // Another peer may apply the shards' entries at different speeds: only the writer's own order is its order.
        if (peer === store) expect([0, 1]).toContain(behind);
      }
    }
    stopped = true;
    await writing;
    expect(() => store.save('x.rdb', { version: 13 })).toThrow(RangeError);
    expect(() => store.save('x.rdb', { exact: true } as object)).toThrow("'exact'");
  });

  test('that is closed ends its saves first', async () => {
    using temporary = new Temporary();
    const cluster = await TestCluster.open({ names: ['a'] });
    const [store] = cluster.stores;
    if (store === undefined) throw new Error('a cluster has peers');
    for (let i = 0; i < 200; i++) {
      const pairs = Array.from({ length: 100 }, (_, n) => [`key:${i}:${n}`, 'v'.padEnd(100)] as const);
      await store.mset(Object.fromEntries(pairs));
    }
    const refused = expect(store.save(temporary.path('a.rdb'))).rejects.toMatchObject({ code: 'CLOSED' });
    await store.close();
    expect(readdirSync(temporary.folder)).toEqual([]);
    await refused;
    await expect(store.save(temporary.path('b.rdb'))).rejects.toMatchObject({ code: 'CLOSED' });
    await cluster[Symbol.asyncDispose]();
  });
});
