import { readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { mkdir } from 'node:fs/promises';
import { join } from 'node:path';
import { Keyspace, latestBackup, type OpenOptions, open, type Store, type StoreEvents } from 'holdfast';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { listBackups } from '../../src/backups/files.js';
import { BackupSchedule } from '../../src/backups/schedule.js';
import { Temporary } from '../rdb/temporary.js';
import { TestCluster } from '../support/cluster.js';

const WITHIN_MS = 30_000;
const EVERY_MS = 1_000;

let temporary: Temporary;
let dir: string;
beforeEach(() => {
  temporary = new Temporary();
  dir = temporary.path('backups');
});
afterEach(() => temporary[Symbol.dispose]());

type Made = StoreEvents['backup'][0];
type Failed = StoreEvents['backupFailed'][0];

/** A store that is only memory, and what it tells of its backups. */
async function storeWith(backup: OpenOptions['backup']) {
  const made: Made[] = [];
  const failed: Failed[] = [];
  const store = await open({
    ...(backup && { backup }),
    on: { backup: (one) => made.push(one), backupFailed: (one) => failed.push(one) },
  });
  return { store, made, failed };
}

async function until(condition: () => boolean): Promise<void> {
  while (!condition()) await new Promise((resolve) => setTimeout(resolve, 5));
}

async function keysOf(path: string): Promise<number> {
  using keyspace = new Keyspace();
  return (await keyspace.load(path)).keys;
}

/** Writes a backup of a peer, as if it had been made then. */
async function writeBackup(name: string, time: string, keys: number): Promise<string> {
  using keyspace = new Keyspace();
  for (let i = 0; i < keys; i++) keyspace.set(`k${i}`, 'v');
  await mkdir(dir, { recursive: true });
  const path = join(dir, `${name}-${time}.rdb`);
  await keyspace.save(path);
  return path;
}

describe('backups at intervals', () => {
  it('are made at once where there is none, then one after the other, and the oldest go', {
    timeout: WITHIN_MS,
  }, async () => {
    const { store, made, failed } = await storeWith({ dir, everyMs: EVERY_MS, keep: 2 });
    await store.set('k', 'v');
    await until(() => made.length >= 3);
    await store.set('l', 'v');
    await until(() => made.length >= 5);
    const last = made.at(-1);
    expect(store.lastBackup).toMatchObject({ path: last?.path, keys: 2 });
    await store.close();
    expect(failed).toEqual([]);
    const files = await listBackups(dir);
    expect(files.map(({ path }) => path)).toEqual([made.at(-1)?.path, made.at(-2)?.path]);
    expect(await keysOf(files[0]?.path ?? '')).toBe(2);
    const times = made.map(({ savedAtMs }) => savedAtMs);
    for (const [i, time] of times.slice(1).entries())
      expect(time - (times[i] ?? 0)).toBeGreaterThan(EVERY_MS * 0.9);
  });

  it('go on from the newest that is there', { timeout: WITHIN_MS }, async () => {
    const first = await storeWith({ dir, everyMs: 3_600_000 });
    await until(() => first.made.length === 1);
    await first.store.close();
    const second = await storeWith({ dir, everyMs: 3_600_000 });
    await until(() => second.store.lastBackup !== undefined);
    expect(second.store.lastBackup?.path).toBe(first.made[0]?.path);
    await new Promise((resolve) => setTimeout(resolve, 200));
    await second.store.close();
    expect(second.made).toEqual([]);
  });

  it('name those that are damaged, and do not count them', { timeout: WITHIN_MS }, async () => {
    const good = await writeBackup('main', '20200101T000000000Z', 3);
    const bad = await writeBackup('main', '20200102T000000000Z', 4);
    const bytes = readFileSync(bad);
    bytes[20] = (bytes[20] ?? 0) ^ 1;
    writeFileSync(bad, bytes);
    const other = await writeBackup('other', '20210101T000000000Z', 5);
    const { backup, damaged } = await latestBackup(dir, { name: 'main' });
    expect(backup).toMatchObject({ path: good, keys: 3, name: 'main', savedAtMs: Date.UTC(2020, 0, 1) });
    expect(damaged).toMatchObject([{ path: bad, code: 'CORRUPT' }]);
    expect((await latestBackup(dir)).backup?.path).toBe(other);
    const { store, made, failed } = await storeWith({ dir, everyMs: 3_600_000, keep: 2 });
    await until(() => made.length === 1 && failed.length === 1);
    await store.close();
    expect(failed).toMatchObject([{ path: bad, code: 'CORRUPT' }]);
    const left = (await listBackups(dir)).map(({ path }) => path);
    expect(left).toEqual([made[0]?.path, other, bad, good]);
  });

  it('that fail are told, tried again, and no trouble of the store', { timeout: WITHIN_MS }, async () => {
    writeFileSync(dir, 'a file where the folder should be');
    const { store, made, failed } = await storeWith({ dir, everyMs: EVERY_MS });
    await until(() => failed.length >= 3);
    expect(failed.at(-1)).toMatchObject({ code: 'IO' });
    expect(await store.set('k', 'v')).toBe(true);
    rmSync(dir);
    await until(() => made.length >= 1);
    await store.close();
  });

  it('leave nothing behind when the store is closed, and clear away what a killed process left', {
    timeout: WITHIN_MS,
  }, async () => {
    await mkdir(dir);
    const uuid = '01234567-89ab-cdef-0123-456789abcdef';
    writeFileSync(join(dir, `main-20200101T000000000Z.rdb.${uuid}.tmp`), 'half');
    writeFileSync(join(dir, `other-20200101T000000000Z.rdb.${uuid}.tmp`), 'half');
    const { store } = await storeWith({ dir, everyMs: EVERY_MS });
    await until(() => store.lastBackup !== undefined);
    await store.close();
    const left = readdirSync(dir).filter((file) => file.endsWith('.tmp'));
    expect(left).toEqual([`other-20200101T000000000Z.rdb.${uuid}.tmp`]);
  });

  it('are never two at once', { timeout: WITHIN_MS }, async () => {
    let running = 0;
    let most = 0;
    let saves = 0;
    const schedule = new BackupSchedule(
      { dir, everyMs: 10, keep: 3 },
      {
        name: 'slow',
        save: async (path) => {
          most = Math.max(most, ++running);
          await new Promise((resolve) => setTimeout(resolve, 40));
          writeFileSync(path, 'x');
          running--;
          saves++;
          return { keys: 0, bytes: 1 };
        },
        made: () => {},
        failed: () => {},
      },
    );
    // What is there is read by threads that only the built package has; a folder that is not there has nothing to read.
    schedule.start();
    await until(() => saves >= 4);
    await schedule.stop();
    expect(most).toBe(1);
    expect(running).toBe(0);
  });

  it('of all shards of each peer', { timeout: WITHIN_MS }, async () => {
    const made: Made[] = [];
    await using cluster = await TestCluster.open({
      shards: 3,
      backup: { dir, everyMs: EVERY_MS },
      on: { backup: (one) => made.push(one) },
    });
    const store: Store = cluster.store('a');
    for (let i = 0; i < 50; i++) await store.set(`key ${i}`, 'v');
    const before = made.length;
    await until(() => made.length >= before + 6);
    const { backup } = await latestBackup(dir);
    expect(backup?.keys).toBe(50);
    const names = new Set((await listBackups(dir)).map(({ name }) => name));
    expect([...names].sort()).toEqual(['a', 'b', 'c']);
  });
});

describe('the option', () => {
  it.each([
    [{ dir: '' }, TypeError],
    [{ everyMs: 5_000 }, TypeError],
    [{ dir: 'x', everyMs: 999 }, RangeError],
    [{ dir: 'x', keep: 0 }, RangeError],
    [{ dir: 'x', keeps: 1 }, TypeError],
  ])('%j is refused', async (backup, error) => {
    await expect(open({ backup: backup as { dir: string } })).rejects.toThrow(error);
  });

  it('is none, and there is no backup', async () => {
    await using store = await open();
    expect(store.lastBackup).toBeUndefined();
    expect(await latestBackup(temporary.path('nowhere'))).toEqual({ backup: undefined, damaged: [] });
  });
});
