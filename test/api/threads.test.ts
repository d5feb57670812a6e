/** One keyspace under several threads at once. */
import { once } from 'node:events';
import { setTimeout as sleep } from 'node:timers/promises';
import { Worker } from 'node:worker_threads';
import { Keyspace } from 'holdfast';
import { describe, expect, test } from 'vitest';

const script = new URL('./workers/worker.mjs', import.meta.url);

function start(keyspace: Keyspace, job: string, data: Record<string, unknown> = {}): Worker {
  return new Worker(script, { workerData: { id: keyspace.id, job, ...data } });
}

async function finish(worker: Worker): Promise<unknown> {
  // Both at once: a thread's last message and its exit may come in one go.
  const [[message]] = await Promise.all([once(worker, 'message'), once(worker, 'exit')]);
  return message;
}

function sum(values: Iterable<string | number | null>): number {
  let total = 0;
  for (const value of values) total += Number(value);
  return total;
}

describe('threads that share a keyspace', { timeout: 60_000 }, () => {
  test('lose no update and double none', async () => {
    using keyspace = new Keyspace();
    const rounds = 5000;
    const names = ['a', 'b', 'c', 'd'];
    const workers = names.map((name) => start(keyspace, 'count', { name, rounds }));
    expect(await Promise.all(workers.map(finish))).toEqual(names.map(() => 'done'));
    const all = rounds * names.length;
    expect(keyspace.get('counter')).toBe(String(all));
    expect(sum(keyspace.hvals('hash'))).toBe(all);
    expect(sum(keyspace.zrange('scores', 0, -1, { withScores: true }).map(({ score }) => score))).toBe(all);
    expect(sum(keyspace.mget(Array.from({ length: 500 }, (_, i) => `key:${i}`)))).toBe(all);
    expect(keyspace.llen('list')).toBe(all);
    expect(keyspace.scard('set')).toBe(all);
  });

  test('see a transaction whole or not at all', async () => {
    using keyspace = new Keyspace();
    const accounts = 20;
    for (let i = 0; i < accounts; i++) keyspace.set(`account:${i}`, 1000);
    const data = { rounds: 3000, accounts, total: accounts * 1000 };
    const workers = [1, 2, 3].map(() => start(keyspace, 'transfer', data));
    expect(await Promise.all(workers.map(finish))).toEqual(['done', 'done', 'done']);
  });

  test('outlive threads that are terminated in mid-call', async () => {
    using keyspace = new Keyspace();
    for (let round = 0; round < 5; round++) {
      const workers = [1, 2].map(() => start(keyspace, 'churn'));
      await Promise.all(workers.map((worker) => once(worker, 'message')));
      const before = keyspace.get('pair:1');
      while (keyspace.get('pair:1') === before) await sleep(1);
      await sleep(round * 7);
      await Promise.all(workers.map((worker) => worker.terminate()));
      const [first, second] = keyspace.mget(['pair:1', 'pair:2']);
      expect(first).toBe(second);
      expect(Number(first)).toBeGreaterThan(0);
      expect(keyspace.llen('queue')).toBeLessThanOrEqual(103);
    }
    keyspace.flushall();
    expect(keyspace.memory()).toMatchObject({ keys: 0, expires: 0 });
  });

  test('go on when the thread that made it closes it', async () => {
    const keyspace = new Keyspace();
    const worker = start(keyspace, 'churn');
    await once(worker, 'message');
    keyspace.close();
    let failed: unknown;
    worker.on('message', (message) => {
      failed = message;
    });
    await sleep(50);
    expect(failed).toBeUndefined();
    await worker.terminate();
  });

  test('cannot attach once it is closed', async () => {
    const keyspace = new Keyspace();
    keyspace.close();
    const worker = start(keyspace, 'count', { rounds: 1 });
    const [error] = await once(worker, 'error');
    expect(error).toMatchObject({ code: 'CLOSED' });
  });
});
