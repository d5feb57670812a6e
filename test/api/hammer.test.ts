/** Threads that do everything at once on one keyspace, are terminated in mid-call, and are left behind by the main thread. */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, rm } from 'node:fs/promises';
import { createRequire } from 'node:module';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { Worker } from 'node:worker_threads';
import { Keyspace } from 'holdfast';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { SeededRandom } from '../support/random.js';

const ACCOUNTS = 10;
const TOTAL = ACCOUNTS * 100;
const seconds = Number(process.env.HOLDFAST_SECONDS ?? 2);
const terminations = 15 * seconds;

function open(): Keyspace {
  const keyspace = new Keyspace();
  for (let i = 0; i < ACCOUNTS; i++) keyspace.set(`account:${i}`, 100);
  return keyspace;
}

function hammer(keyspace: Keyspace, seed: number, data: { seconds?: number } = {}): Worker {
  const workerData = { id: keyspace.id, seed, accounts: ACCOUNTS, total: TOTAL, ...data };
  return new Worker(new URL('./workers/hammer.mjs', import.meta.url), { workerData });
}

/** What a worker says last. */
async function lastWord(worker: Worker): Promise<unknown> {
  let last: unknown;
  worker.on('message', (message: unknown) => {
    last = message;
  });
  await once(worker, 'exit');
  return last;
}

/** Every lock can be had, the sums are right, and the keyspace is in order: a file of it gives the same content. */
async function checkUsable(keyspace: Keyspace): Promise<void> {
  keyspace.mset(Object.fromEntries(Array.from({ length: 2000 }, (_, i) => [`probe:${i}`, '1'])));
  expect(keyspace.del(Array.from({ length: 2000 }, (_, i) => `probe:${i}`))).toBe(2000);
  const accounts = keyspace.mget(Array.from({ length: ACCOUNTS }, (_, i) => `account:${i}`));
  expect(accounts.reduce((all, balance) => all + Number(balance), 0)).toBe(TOTAL);
  expect(Number(keyspace.hget('purse', 'coins') ?? 0) + (keyspace.zscore('debts', 'ann') ?? 0)).toBe(0);
  const directory = await mkdtemp(join(tmpdir(), 'holdfast-hammer-'));
  try {
    // Keys with an expiry may be gone by the time they are compared.
    for (const key of keyspace.keys('*')) if (keyspace.ttl(key) !== -1) keyspace.del(key);
    await keyspace.save(join(directory, 'all.rdb'));
    using copy = new Keyspace();
    await copy.load(join(directory, 'all.rdb'));
    expect(copy.digest()).toBe(keyspace.digest());
  } finally {
    await rm(directory, { recursive: true });
  }
}

describe('threads that do everything at once', { timeout: 60_000 + seconds * 20_000 }, () => {
  test('see no sum torn, and leave everything in order', async () => {
    using keyspace = open();
    const workers = [1, 2, 3, 4].map((seed) => hammer(keyspace, seed, { seconds }));
    for (const word of await Promise.all(workers.map(lastWord))) {
      expect(word).toEqual({ done: expect.any(Number) });
    }
    await checkUsable(keyspace);
  });

  test(`may be terminated at any moment, ${terminations} times`, async () => {
    using keyspace = open();
    const random = new SeededRandom(7);
    const failures: unknown[] = [];
    for (let round = 0; round < terminations; round++) {
      const workers = [0, 1].map((n) => hammer(keyspace, round * 2 + n));
      for (const worker of workers) {
        worker.on('message', (message: unknown) => {
          if (message !== 'working') failures.push(message);
        });
      }
      // Also one that has not come to its first call.
      await Promise.all(workers.slice(random.below(2)).map((worker) => once(worker, 'message')));
      await sleep(random.below(12));
      await Promise.all(workers.map((worker) => worker.terminate()));
      keyspace.set('after', String(round));
    }
    expect(failures).toEqual([]);
    await checkUsable(keyspace);
  });
});

describe('a process whose main thread ends while others work', { timeout: 60_000 }, () => {
  const program = fileURLToPath(new URL('./workers/exit.mjs', import.meta.url));

  let directory: string;

  beforeAll(async () => {
    directory = await mkdtemp(join(tmpdir(), 'holdfast-exit-'));
  });
  afterAll(() => rm(directory, { recursive: true }));

  test.each(['exit', 'return', 'close', 'save'])('ends cleanly: %s', async (way) => {
    for (const delayMs of [0, 5, 40]) {
      const child = spawn(process.execPath, [program, way, String(delayMs), directory], {
        stdio: ['ignore', 'pipe', 'pipe'],
      });
      let output = '';
      for (const stream of [child.stdout, child.stderr]) {
        stream.on('data', (chunk: Buffer) => {
          output += chunk.toString();
        });
      }
      const [code, signal] = await once(child, 'close');
      expect({ code, signal, output }).toEqual({ code: 0, signal: null, output: '' });
    }
  });
});

describe('a panic in the native code', () => {
  /** The functions of a handle, one of which panics on purpose with a lock held. */
  interface Addon {
    attach(ids: number[], mode: 'plain', bytes: boolean): { panic(): void };
  }
  const addon: Addon = createRequire(import.meta.url)('../../build/holdfast.cjs');

  test('faults the keyspace, and neither the process nor another keyspace', async () => {
    using keyspace = open();
    using other = open();
    const worker = hammer(keyspace, 1);
    await once(worker, 'message');
    const refused = once(worker, 'message');
    const faulted = expect.objectContaining({ code: 'FAULTED' });
    expect(() => addon.attach([keyspace.id], 'plain', false).panic()).toThrow(faulted);
    expect(() => keyspace.get('account:1')).toThrow(faulted);
    expect(() => keyspace.set('account:1', '1')).toThrow(faulted);
    expect(() => keyspace.multi().get('account:1').exec()).toThrow(faulted);
    expect(() => keyspace.call('DBSIZE')).toThrow(faulted);
    // A thread in the middle of its work is told, and does not wait for a lock that nobody gives back.
    expect(await refused).toEqual([{ failed: expect.stringContaining('FAULTED') }]);
    await worker.terminate();
    await checkUsable(other);
  });
});
