/** Saving and loading: what is written comes back here. A real Redis is asked in `exchange.test.ts`. */
import { spawnSync } from 'node:child_process';
import { existsSync, readdirSync, readFileSync, statSync, writeFileSync } from 'node:fs';
import { afterAll, describe, expect, test } from 'vitest';
import { native } from '../../dist/keyspace/native.js';
import { closePool, digest, loadFile, requests, saveFile } from '../../dist/rdb/index.js';
import { SeededRandom } from '../support/random.js';
import { FAR_MS, Local } from './local.js';
import { Temporary } from './temporary.js';

afterAll(closePool);

/** Requests that make keys of every type, in every encoding and at its borders. */
function everything(seed: number): (string | Buffer)[][] {
  const random = new SeededRandom(seed);
  const bytes = (length: number) => Buffer.from(Array.from({ length }, () => random.below(256)));
  const made: (string | Buffer)[][] = [];
  for (const value of ['', '0', '-1', '127', '128', '-32769', '2147483648', '007', 'x'.repeat(20_000)])
    made.push(['SET', `string:${value.slice(0, 12)}`, value]);
  made.push(['SET', bytes(40), bytes(300)], ['SET', 'due', 'later', 'PXAT', String(FAR_MS)]);
  for (const size of [1, 127, 128, 129, 513, 2_000]) {
    const each = <T>(make: (i: number) => T[]): T[] => Array.from({ length: size }, (_, i) => make(i)).flat();
    made.push(['HSET', `hash:${size}`, ...each((i) => [`field${i}`, bytes(1 + (i % 30))])]);
    made.push(['RPUSH', `list:${size}`, ...each((i) => [i % 3 === 0 ? String(i * 1_000) : bytes(i % 90)])]);
    made.push(['SADD', `set:${size}`, ...each((i) => [`member${i}`])]);
    made.push(['SADD', `ints:${size}`, ...each((i) => [String((i - 5) * 70_000)])]);
    made.push(['ZADD', `zset:${size}`, ...each((i) => [String(i / 8 - 3), `member${i}`])]);
  }
  made.push(['HSET', 'hash:long', 'f', 'v'.repeat(65)], ['RPUSH', 'list:long', 'e'.repeat(100_000), 'b']);
  made.push(['ZADD', 'zset:edges', 'inf', 'a', '-inf', 'b', '0.1', 'c', '1e300', 'd', '123456789012', 'e']);
  made.push(['ZADD', 'zset:tiny', '1e-7', 'a', '1.7976931348623157e308', 'b', '3.0000000000000004', 'c']);
  made.push(['SADD', 'set:big', '9223372036854775807', '-9223372036854775808', '5']);
  return made;
}

function fill(handle: Local['handle'], seed = 1): void {
  for (const request of everything(seed)) handle.call(request);
}

describe('a saved keyspace', () => {
  test.each([{ version: 9 }, { version: 10 }, { version: 11 }, { exact: true }, { compress: false }])(
    'comes back the same: %o',
    async (form) => {
      using temporary = new Temporary();
      using source = new Local();
      using target = new Local();
      fill(source.handle);
      target.handle.set('held', 'before');
      const path = temporary.path('dump.rdb');
      const saved = await saveFile([source.id], path, form);
      expect(saved.bytes).toBe(statSync(path).size);
      const loaded = await loadFile(path, target.id);
      expect(loaded.keys).toBe(saved.keys);
      expect(await digest(target.id)).toBe(await digest(source.id));
      expect(readdirSync(temporary.folder)).toEqual(['dump.rdb']);
    },
  );

  test('carries metadata', async () => {
    using temporary = new Temporary();
    using source = new Local();
    const path = temporary.path('empty.rdb');
    await saveFile([source.id], path, {
      aux: [
        ['term', '7'],
        ['sessions', Buffer.from('abc')],
      ],
    });
    const { aux, keys } = await loadFile(path, source.id);
    expect({ aux, keys }).toEqual({
      aux: [
        ['term', '7'],
        ['sessions', 'abc'],
      ],
      keys: 0,
    });
  });

  test('replaces the file at once, or not at all', async () => {
    using temporary = new Temporary();
    using source = new Local();
    for (let i = 0; i < 60_000; i++) source.handle.set(`key:${i}`, `${i}`.padEnd(500));
    const path = temporary.path('dump.rdb');
    writeFileSync(path, 'older');
    const abort = new AbortController();
    const onProgress = () => abort.abort(new Error('enough'));
    const save = saveFile([source.id], path, { compress: false, onProgress, signal: abort.signal });
    await expect(save).rejects.toThrow('enough');
    expect(readFileSync(path, 'utf8')).toBe('older');
    expect(readdirSync(temporary.folder)).toEqual(['dump.rdb']);
    await expect(saveFile([source.id], temporary.folder)).rejects.toMatchObject({ code: 'IO' });
    expect(readdirSync(temporary.folder)).toEqual(['dump.rdb']);
    await expect(saveFile([source.id], temporary.path('no/such/folder.rdb'))).rejects.toMatchObject({
      code: 'IO',
    });
  });

  test('of a closed keyspace is refused', async () => {
    using temporary = new Temporary();
    const id = native.keyspaceCreate();
    native.keyspaceClose(id);
    await expect(saveFile([id], temporary.path('x.rdb'))).rejects.toMatchObject({ code: 'CLOSED' });
    expect(existsSync(temporary.path('x.rdb'))).toBe(false);
  });

  test('as requests gives the same keyspace', async () => {
    using temporary = new Temporary();
    using source = new Local();
    using target = new Local();
    fill(source.handle);
    const path = temporary.path('dump.rdb');
    await saveFile([source.id], path);
    for await (const records of requests(path)) {
      for (let at = 0; at < records.length; ) {
        const length = records.readUInt32LE(at + 2);
        const words = wordsOf(records.subarray(at + 6, at + 6 + length));
        expect(records.readUInt16LE(at)).toBe(native.slotOf(words[1] ?? ''));
        target.handle.call(words);
        at += 6 + length;
      }
    }
    expect(native.digest(target.id)).toBe(native.digest(source.id));
  });
});

/** The words of a RESP array. */
function wordsOf(request: Buffer): Buffer[] {
  const words: Buffer[] = [];
  for (let at = request.indexOf('\r\n') + 2; at < request.length; ) {
    const end = request.indexOf('\r\n', at);
    const length = Number(request.toString('latin1', at + 1, end));
    words.push(request.subarray(end + 2, end + 2 + length));
    at = end + 2 + length + 2;
  }
  return words;
}

test('memory does not grow with the file', async () => {
  using temporary = new Temporary();
  using source = new Local();
  const value = Buffer.alloc(1_000, 'abcdefghij');
  for (let i = 0; i < 60_000; i++) source.handle.set(`key:${i}`, `${i}${value}`);
  const path = temporary.path('big.rdb');
  await saveFile([source.id], path, { compress: false });
  const bytes = readFileSync(path);
  const reader = new native.RdbInspect({ biggest: 20, slots: false });
  reader.push(bytes.subarray(0, 1 << 20));
  const before = process.memoryUsage().rss;
  for (let at = 1 << 20; at < bytes.length; at += 1 << 20) reader.push(bytes.subarray(at, at + (1 << 20)));
  reader.finish();
  expect(process.memoryUsage().rss - before).toBeLessThan(bytes.length / 4);
});

test('a job that is left early ends', async () => {
  using temporary = new Temporary();
  using source = new Local();
  for (let i = 0; i < 20_000; i++) source.handle.set(`key:${i}`, 'x'.repeat(500));
  const path = temporary.path('dump.rdb');
  await saveFile([source.id], path, { compress: false });
  for await (const records of requests(path)) {
    expect(records.length).toBeGreaterThan(0);
    break;
  }
  await closePool();
});

test('a program that has saved ends by itself', () => {
  using temporary = new Temporary();
  const modules = new URL('../../dist/', import.meta.url).href;
  const program = `
    import { native } from '${modules}keyspace/native.js';
    import { saveFile } from '${modules}rdb/index.js';
    const { keys } = await saveFile([native.keyspaceCreate()], ${JSON.stringify(temporary.path('dump.rdb'))});
    console.log('saved', keys);`;
  const flags = ['--input-type=module', '-e', program];
  const { status, stdout } = spawnSync(process.execPath, flags, { encoding: 'utf8', timeout: 10_000 });
  expect({ status, stdout }).toEqual({ status: 0, stdout: 'saved 0\n' });
});
