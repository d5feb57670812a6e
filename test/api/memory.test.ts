/** What happens when memory is limited, how it is counted, and what goes by itself. */
import { execFileSync } from 'node:child_process';
import { monitorEventLoopDelay } from 'node:perf_hooks';
import { setTimeout as sleep } from 'node:timers/promises';
import { Keyspace, type MaxMemoryPolicy, open } from 'holdfast';
import { describe, expect, test } from 'vitest';
import { failure, misuse, wrong } from './suite/subject.js';

const MIB = 1024 * 1024;
const OOM = { code: 'OOM', message: "OOM command not allowed when used memory > 'maxmemory'." };
const VALUE = 'v'.repeat(100);

const POLICIES: MaxMemoryPolicy[] = [
  'allkeys-lru',
  'volatile-lru',
  'allkeys-lfu',
  'volatile-lfu',
  'allkeys-random',
  'volatile-random',
  'volatile-ttl',
];

describe('options about memory', () => {
  test.each([
    [{ maxMemory: 0 }, RangeError],
    [{ maxMemory: 1.5 }, RangeError],
    [{ maxMemory: '1mb' }, TypeError],
    [{ maxMemoryPolicy: 'lru' }, TypeError],
    [{ maxMemorySamples: 0 }, RangeError],
    [{ maxMemorySamples: 65 }, RangeError],
    [{ maxmemory: 5 }, TypeError],
  ])('%j are refused', async (options, kind) => {
    const error = misuse(() => new Keyspace(wrong(options)));
    expect(error).toBeInstanceOf(kind);
    expect(error.message).toContain(Object.keys(options)[0]);
    await expect(open(wrong(options))).rejects.toBeInstanceOf(kind);
  });

  test('are told by memory()', () => {
    using unlimited = new Keyspace();
    expect(unlimited.memory()).toMatchObject({ maxMemory: 0, maxMemoryPolicy: 'noeviction' });
    using limited = new Keyspace({ maxMemory: MIB, maxMemoryPolicy: 'allkeys-lru', maxMemorySamples: 10 });
    expect(limited.memory()).toMatchObject({ maxMemory: MIB, maxMemoryPolicy: 'allkeys-lru' });
  });
});

describe('a limit of memory', () => {
  test.each(POLICIES)('is kept by %s', (maxMemoryPolicy) => {
    using keyspace = new Keyspace({ maxMemory: 2 * MIB, maxMemoryPolicy });
    for (let i = 0; i < 20_000; i++) keyspace.set(`key:${i}`, VALUE, { ex: 1000 + i });
    const { memoryBytes, evictedKeys, keys } = keyspace.memory();
    expect(memoryBytes).toBeLessThan(2 * MIB + 100_000);
    expect(evictedKeys).toBe(20_000 - keys);
    expect(keys).toBeGreaterThan(5_000);
  });

  test('refuses what needs memory when nothing may be evicted, and nothing else', async () => {
    using keyspace = new Keyspace({ maxMemory: MIB });
    expect(await failure(() => fill(keyspace))).toMatchObject(OOM);
    const { keys } = keyspace.memory();
    const refused = [
      () => keyspace.set('k', 'v'),
      () => keyspace.incr('n'),
      () => keyspace.hset('h', 'f', 'v'),
      () => keyspace.rpush('l', 'a'),
      () => keyspace.sadd('s', 'a'),
      () => keyspace.zadd('z', 1, 'a'),
      () => keyspace.mset({ a: 1, b: 2 }),
      () => keyspace.copy('key:0', 'key:new'),
    ];
    for (const call of refused) expect(await failure(call), String(call)).toMatchObject(OOM);
    expect(keyspace.memory()).toMatchObject({ keys, evictedKeys: 0 });
    expect(keyspace.get('key:0')).toBe(VALUE);
    const discarded = await failure(() => keyspace.multi().del('key:0').set('k', 'v').exec());
    expect(discarded).toMatchObject({ code: 'EXECABORT', message: expect.stringContaining(OOM.message) });
    expect(keyspace.exists('key:0')).toBe(1);
    for (let i = 0; i < 500; i++) keyspace.del(`key:${i}`);
    keyspace.set('k', 'v');
  });

  test('bounds a store that is memory and nothing else', async () => {
    await using store = await open({ maxMemory: MIB, maxMemoryPolicy: 'allkeys-lru' });
    for (let i = 0; i < 10_000; i++) await store.set(`key:${i}`, VALUE);
    expect(await store.dbsize()).toBeLessThan(8_000);
    await using full = await open({ maxMemory: MIB });
    const writes = Array.from({ length: 10_000 }, (_, i) => full.set(`key:${i}`, VALUE));
    const outcomes = await Promise.allSettled(writes);
    expect(outcomes.at(-1)).toMatchObject({ status: 'rejected', reason: OOM });
  });

  test('goes by how often keys are used, which OBJECT FREQ tells', async () => {
    using keyspace = new Keyspace({ maxMemory: 64 * MIB, maxMemoryPolicy: 'allkeys-lfu' });
    keyspace.set('k', 'v');
    expect(keyspace.call('OBJECT', 'FREQ', 'k')).toBe(5);
    for (let i = 0; i < 1000; i++) keyspace.get('k');
    expect(keyspace.call('OBJECT', 'FREQ', 'k')).toBeGreaterThan(8);
    expect(await failure(() => keyspace.call('OBJECT', 'IDLETIME', 'k'))).toMatchObject({ code: 'ERR' });
    using other = new Keyspace();
    other.set('k', 'v');
    expect(other.call('OBJECT', 'IDLETIME', 'k')).toBe(0);
    await sleep(2_200);
    expect(other.call('OBJECT', 'IDLETIME', 'k')).toBeGreaterThan(0);
    other.get('k');
    expect(other.call('OBJECT', 'IDLETIME', 'k')).toBe(0);
    expect(await failure(() => other.call('OBJECT', 'FREQ', 'k'))).toMatchObject({ code: 'ERR' });
  });
});

function fill(keyspace: Keyspace): void {
  for (let i = 0; i < 50_000; i++) keyspace.set(`key:${i}`, VALUE);
}

describe('keys that expire', () => {
  test('a million in one second: they go by themselves, and the event loop goes on', {
    timeout: 120_000,
  }, async () => {
    using keyspace = new Keyspace();
    const count = 1_000_000;
    const pxat = Date.now() + 12_000;
    for (let i = 0; i < count; i++) keyspace.set(`key:${i}`, 'v', { pxAt: pxat + (i % 1000) });
    keyspace.set('stays', 'v');
    await sleep(Math.max(0, pxat - Date.now()));
    const delay = monitorEventLoopDelay({ resolution: 1 });
    delay.enable();
    while (keyspace.memory().keys > 1) {
      keyspace.set('stays', 'w');
      await sleep(1);
    }
    delay.disable();
    expect(keyspace.memory().expiredKeys).toBe(count);
    expect(keyspace.dbsize()).toBe(1);
    // 5 ms on a machine that does nothing else; here other tests want the processors, too.
    expect(delay.percentile(99) / 1e6).toBeLessThan(25);
  });

  test('are gone at once for dbsize, and later from memory', async () => {
    using keyspace = new Keyspace();
    for (let i = 0; i < 1000; i++) keyspace.set(`key:${i}`, 'v', { px: 20 });
    await sleep(30);
    expect(keyspace.dbsize()).toBe(0);
    const deadline = Date.now() + 10_000;
    while (keyspace.memory().keys > 0 && Date.now() < deadline) await sleep(5);
    expect(keyspace.memory()).toMatchObject({ keys: 0, expires: 0, expiredKeys: 1000 });
  });
});

test.runIf(process.platform === 'linux')('no thread is left when all keyspaces are closed', () => {
  const script = `
    import { readdirSync, readFileSync } from 'node:fs';
    import { setTimeout as sleep } from 'node:timers/promises';
    import { Keyspace } from 'holdfast';
    const own = () => readdirSync('/proc/self/task')
      .map((task) => readFileSync('/proc/self/task/' + task + '/comm', 'utf8').trim())
      .filter((name) => name.startsWith('holdfast-'));
    const keyspace = new Keyspace();
    for (let i = 0; i < 100_000; i++) keyspace.sadd('set', 'member' + i);
    keyspace.del('set');
    console.log(own().includes('holdfast-upkeep'));
    keyspace.close();
    const deadline = Date.now() + 10_000;
    while (own().length > 0 && Date.now() < deadline) await sleep(10);
    console.log(own().length);
  `;
  const output = execFileSync(process.execPath, ['--input-type=module', '-e', script], { encoding: 'utf8' });
  expect(output.split('\n').slice(0, 2)).toEqual(['true', '0']);
});

describe('memory that became free', () => {
  const VALUES = 200_000;
  const rss = () => process.memoryUsage.rss();

  test('goes back to the system though nobody calls', async () => {
    using keyspace = new Keyspace();
    const value = 'v'.repeat(1_000);
    for (let i = 0; i < VALUES; i++) keyspace.set(`key:${i}`, value);
    const [full, { memoryBytes }] = [rss(), keyspace.memory()];
    keyspace.flushall();
    await expect.poll(rss, { timeout: 10_000, interval: 100 }).toBeLessThan(full - memoryBytes / 2);
  });
});
