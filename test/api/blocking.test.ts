/** Calls that wait: what ends them with their keyspace, their thread and their process, and that nothing of them stays. */
import { execFile } from 'node:child_process';
import { once } from 'node:events';
import { setTimeout as sleep } from 'node:timers/promises';
import { promisify } from 'node:util';
import { Worker } from 'node:worker_threads';
import { type HoldfastError, Keyspace, open } from 'holdfast';
import { describe, expect, test } from 'vitest';
import { native } from '../../dist/keyspace/native.js';
import { temporaryDirectory } from '../support/cluster.js';

const script = new URL('./workers/waiter.mjs', import.meta.url);
const run = promisify(execFile);

const codeOf = (error: HoldfastError): string => error.code;

function start(keyspace: Keyspace, data: Record<string, unknown>): Worker {
  return new Worker(script, { workerData: { id: keyspace.id, ...data } });
}

describe('the end', () => {
  test('of a keyspace ends its waits, on this thread', async () => {
    const keyspace = new Keyspace();
    const other = Keyspace.attach(keyspace.id);
    const waits = [
      keyspace.blpop('q'),
      keyspace.bytes.bzpopmin('z'),
      keyspace.blpop('q', { timeoutMs: 60_000 }),
    ];
    const codes = Promise.all(waits.map((wait) => wait.catch(codeOf)));
    const goesOn = other.blpop('q');
    expect(native.ticketCount(keyspace.id)).toBe(4);
    keyspace.close();
    expect(await codes).toEqual(['CLOSED', 'CLOSED', 'CLOSED']);
    expect(await keyspace.blpop('q').catch(codeOf)).toBe('CLOSED');
    other.rpush('q', 'a');
    expect(await goesOn).toEqual({ key: 'q', item: 'a' });
    other.close();
  });

  test.each(['in memory', 'with a log'])('of a store %s', async (kind) => {
    const directory = temporaryDirectory();
    const store = await open(kind === 'in memory' ? {} : { dir: directory.path, fsync: 'everysec' });
    const waits = [store.blpop('q'), store.bytes.bzpopmin('z'), store.call('BLPOP', 'q', 0)];
    const codes = Promise.all(waits.map((wait) => wait.catch(codeOf)));
    await sleep(20);
    await store.close();
    expect(await codes).toEqual(['CLOSED', 'CLOSED', 'CLOSED']);
    expect(await store.blpop('q').catch(codeOf)).toBe('CLOSED');
    directory.remove();
  });

  test('of a process: a wait keeps it alive, and nothing else does', { timeout: 30_000 }, async () => {
    const program = (body: string): string => `
      import { Keyspace, open } from '${new URL('../../dist/index.js', import.meta.url).href}';
      const keyspace = new Keyspace();
      ${body}
    `;
    const outputOf = async (body: string) => {
      const { stdout } = await run(process.execPath, ['--input-type=module', '-e', program(body)]);
      return stdout.trim();
    };
    expect(
      await outputOf("keyspace.blpop('q', { timeoutMs: 200 }).then((r) => console.log('over', r))"),
    ).toBe('over null');
    expect(
      await outputOf(`
        const popped = keyspace.blpop('q');
        setTimeout(() => keyspace.rpush('q', 'a'), 50).unref();
        console.log((await popped).item);
        await keyspace.blpop('q').catch(() => {}, keyspace.close());`),
    ).toBe('a');
    expect(
      await outputOf(`
        const store = await open();
        const wait = store.blpop('q').catch((error) => console.log(error.code));
        await store.close();`),
    ).toBe('CLOSED');
  });
});

describe('tickets', () => {
  test('are given back, whatever ends a wait', async () => {
    using keyspace = new Keyspace();
    const controller = new AbortController();
    const waits = Array.from({ length: 300 }, (_, i) => {
      const options = [{ timeoutMs: 20 }, { signal: controller.signal }, {}][i % 3];
      return keyspace.blpop(['a', 'b', 'a'], options).catch(() => null);
    });
    expect(native.ticketCount(keyspace.id)).toBe(300);
    setTimeout(() => controller.abort(), 10);
    await sleep(40);
    expect(native.ticketCount(keyspace.id)).toBe(100);
    keyspace.rpush('b', Array(100).fill('x'));
    await Promise.all(waits);
    expect(native.ticketCount(keyspace.id)).toBe(0);
    expect(keyspace.exists('b')).toBe(0);
  });

  test('have a limit in a process', { timeout: 60_000 }, async () => {
    const keyspace = new Keyspace();
    const most = 100_000;
    const waits = Array.from({ length: most }, (_, i) => keyspace.blpop(`q${i % 1000}`).catch(codeOf));
    expect(await keyspace.blpop('q').catch(codeOf)).toBe('BUSY');
    expect(native.ticketCount(keyspace.id)).toBe(most);
    keyspace.close();
    expect(new Set(await Promise.all(waits))).toEqual(new Set(['CLOSED']));
  });

  test('of a slow timer: more milliseconds than a timer takes', async () => {
    using keyspace = new Keyspace();
    const popped = keyspace.blpop('q', { timeoutMs: 2 ** 40 });
    await sleep(20);
    keyspace.rpush('q', 'a');
    expect(await popped).toEqual({ key: 'q', item: 'a' });
  });
});

describe('a synchronous call', () => {
  test('of a blocking command does not wait', () => {
    using keyspace = new Keyspace();
    expect(keyspace.call('BLPOP', 'q', 0)).toBeNull();
    keyspace.rpush('q', 'a');
    expect(keyspace.call('blpop', 'q', '0')).toEqual(['q', 'a']);
    expect(() => keyspace.call('BLPOP', 'q', 'x')).toThrow('ERR timeout is not a float or out of range');
  });
});

describe('a promised call', () => {
  test('waits for as long as its own word says', async () => {
    await using store = await open();
    expect(await store.call('BLPOP', 'q', 0.02)).toBeNull();
    expect(await store.call('BLMPOP', '0.02', 2, 'a', 'b', 'LEFT', 'COUNT', 3)).toBeNull();
    const waits = [
      store.call('blpop', 'q', 0),
      store.call('BZMPOP', 0, 2, 'y', 'z', 'max', 'count', 2),
      store.bytes.call('BRPOPLPUSH', Buffer.from('from'), 'to', 10n),
    ];
    await sleep(20);
    await store.rpush('q', 'a');
    await store.zadd('z', { m: 1, n: 2, o: 3 });
    await store.rpush('from', 'x');
    expect(await Promise.all(waits)).toEqual([
      ['q', 'a'],
      [
        'z',
        [
          ['o', 3],
          ['n', 2],
        ],
      ],
      Buffer.from('x'),
    ]);
  });

  test.each([
    [['BLPOP', 'q', 'x'], 'ERR timeout is not a float or out of range'],
    [['BLPOP', 'q', -1], 'ERR timeout is negative'],
    [['BLPOP', 'q', '1e300'], 'ERR timeout is out of range'],
    [['BLPOP', 'q'], "ERR wrong number of arguments for 'blpop' command"],
    [['BLMOVE', 'a', 'b', 'LEFT', 'UP', 0], 'ERR syntax error'],
    [['BLMPOP', 0, 0, 'q', 'LEFT'], 'ERR numkeys should be greater than 0'],
    [['BLMPOP', 0, 1, 'q', 'LEFT', 'COUNT', 0], 'ERR count should be greater than 0'],
    [['BZMPOP', 0, 1, 'q', 'LEFT'], 'ERR syntax error'],
  ])('is refused as in Redis: %s', async ([name = '', ...words], text) => {
    await using store = await open();
    await expect(store.call(String(name), ...words)).rejects.toThrow(text);
  });
});

describe('threads', { timeout: 60_000 }, () => {
  test('share a line: each element goes to one of them, and none is left', async () => {
    using keyspace = new Keyspace();
    const [threads, each] = [3, 2000];
    const workers = Array.from({ length: threads }, () =>
      start(keyspace, { job: 'take', keys: ['p', 'q'], each }),
    );
    const taken = Promise.all(workers.map((worker) => once(worker, 'message')));
    await Promise.all(workers.map((worker) => once(worker, 'online')));
    const all = threads * each;
    for (let i = 0; i < all; i++) {
      keyspace.rpush(i % 2 === 0 ? 'p' : 'q', i);
      if (i % 50 === 0) await sleep(1);
    }
    const items = (await taken).flatMap(([message]) => message as number[]);
    expect(items.sort((a, b) => a - b)).toEqual(Array.from({ length: all }, (_, i) => i));
    expect(native.ticketCount(keyspace.id)).toBe(0);
  });

  test('are served in the order in which they came, even if the first is busy', async () => {
    using keyspace = new Keyspace();
    for (let round = 0; round < 5; round++) {
      const own = keyspace.blpop('q');
      const worker = start(keyspace, { job: 'take', keys: ['q'], each: 1 });
      const other = once(worker, 'message');
      await expect.poll(() => native.ticketCount(keyspace.id), { timeout: 10_000 }).toBe(2);
      keyspace.rpush('q', ['1', '2']);
      for (const endMs = performance.now() + 20; performance.now() < endMs; );
      expect(await own).toEqual({ key: 'q', item: '1' });
      expect(await other).toEqual([[2]]);
    }
  });

  test('that end leave no ticket, and their turns go on to others', async () => {
    using keyspace = new Keyspace();
    for (let round = 0; round < 5; round++) {
      const busy = start(keyspace, { job: 'sleepAfterEntering', keys: ['q'] });
      await once(busy, 'message');
      const waiting = start(keyspace, { job: 'wait', keys: ['q'] });
      await once(waiting, 'message');
      const own = keyspace.blpop('q');
      expect(native.ticketCount(keyspace.id)).toBe(3);
      // Whoever came first cannot take it: its thread is busy, and then gone.
      keyspace.rpush('q', `item ${round}`);
      await sleep(10);
      await Promise.all([waiting.terminate(), busy.terminate()]);
      const item = await Promise.race([own, sleep(5000, 'never')]);
      expect([item, keyspace.llen('q')]).toEqual([{ key: 'q', item: `item ${round}` }, 0]);
      expect(native.ticketCount(keyspace.id)).toBe(0);
    }
  });
});
