/** What a keyspace has beside its commands: its life, its memory, its digest, and what the package exports. */
import { execFileSync } from 'node:child_process';
import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Keyspace } from 'holdfast';
import { describe, expect, test } from 'vitest';
import { failure, misuse, wrong } from './suite/subject.js';

const root = new URL('../../', import.meta.url);

describe('a keyspace', () => {
  test('is independent of every other', () => {
    using one = new Keyspace();
    using two = new Keyspace();
    one.set('k', 'v');
    expect(two.get('k')).toBeNull();
    expect(one.id).not.toBe(two.id);
  });

  test('is the same under its id, as strings and as Buffers', () => {
    using keyspace = new Keyspace();
    using attached = Keyspace.attach(keyspace.id);
    attached.set('k', 'v');
    expect(keyspace.get('k')).toBe('v');
    expect(keyspace.bytes.get('k')).toEqual(Buffer.from('v'));
    expect(attached.id).toBe(keyspace.id);
  });

  test('refuses unknown options and ids', async () => {
    expect(misuse(() => new Keyspace(wrong({ shards: 3 }))).message).toContain("'shards'");
    expect(misuse(() => new Keyspace(wrong('options'))).message).toContain('options');
    expect(misuse(() => Keyspace.attach(wrong('1'))).message).toContain('id');
    expect(misuse(() => Keyspace.attach(1.5)).message).toContain('id');
    expect(await failure(() => Keyspace.attach(999_999_999))).toMatchObject({ code: 'CLOSED' });
  });

  test('refuses every call once it is closed', async () => {
    const keyspace = new Keyspace();
    const { bytes, id } = keyspace;
    keyspace.set('k', 'v');
    const transaction = keyspace.multi().get('k');
    const scan = keyspace.scanIterator();
    keyspace.close();
    keyspace.close();
    const calls = [
      () => keyspace.get('k'),
      () => keyspace.set('k', 'v'),
      () => keyspace.set('k', 'v', { nx: true }),
      () => keyspace.incr('k'),
      () => keyspace.hgetall('k'),
      () => keyspace.zadd('z', 1, 'm'),
      () => keyspace.call('GET', 'k'),
      () => keyspace.multi().get('k').exec(),
      () => keyspace.memory(),
      () => keyspace.digest(),
      () => bytes.get('k'),
      () => bytes.mget(['k']),
      () => transaction.exec(),
      () => scan.next(),
      () => Keyspace.attach(id),
    ];
    for (const call of calls) {
      expect(await failure(call), String(call)).toMatchObject({ name: 'HoldfastError', code: 'CLOSED' });
    }
  });

  test('is closed at the end of a block with `using`', async () => {
    let kept: Keyspace;
    {
      using keyspace = new Keyspace();
      kept = keyspace;
      keyspace.set('k', 'v');
    }
    expect(await failure(() => kept.get('k'))).toMatchObject({ code: 'CLOSED' });
  });

  test('goes on for those who have attached when its maker closes it', async () => {
    const keyspace = new Keyspace();
    const attached = Keyspace.attach(keyspace.id);
    keyspace.set('k', 'v');
    keyspace.close();
    expect(attached.get('k')).toBe('v');
    expect(attached.incr('n')).toBe(1);
    attached.close();
    expect(await failure(() => attached.get('k'))).toMatchObject({ code: 'CLOSED' });
  });

  test('stays open when someone who has attached closes', () => {
    using keyspace = new Keyspace();
    Keyspace.attach(keyspace.id).close();
    keyspace.set('k', 'v');
    expect(keyspace.get('k')).toBe('v');
    using again = Keyspace.attach(keyspace.id);
    expect(again.get('k')).toBe('v');
  });

  test('reports its memory, which grows and shrinks with what it holds', () => {
    using keyspace = new Keyspace();
    const empty = keyspace.memory().memoryBytes;
    for (let i = 0; i < 1000; i++) keyspace.set(`key:${i}`, 'x'.repeat(1000));
    keyspace.expire('key:0', 100);
    const full = keyspace.memory();
    expect(full).toMatchObject({ keys: 1000, expires: 1 });
    expect(full.memoryBytes - empty).toBeGreaterThan(1_000_000);
    expect(full.memoryBytes - empty).toBeLessThan(2_000_000);
    keyspace.flushall();
    expect(keyspace.memory()).toMatchObject({ keys: 0, expires: 0 });
    expect(keyspace.memory().memoryBytes - empty).toBeLessThan(100_000);
  });

  test('has a digest of its contents, not of their history', () => {
    using one = new Keyspace();
    using two = new Keyspace();
    expect(one.digest()).toMatch(/^[0-9a-f]{32}$/);
    expect(two.digest()).toBe(one.digest());
    for (let i = 0; i < 500; i++) one.set(`key:${i}`, `${i}`);
    for (let i = 499; i >= 0; i--) two.set(`key:${i}`, `${i}`);
    one.hset('h', { a: '1', b: '2' });
    two.hset('h', { b: '2', a: '1', c: '3' });
    expect(two.digest()).not.toBe(one.digest());
    two.hdel('h', 'c');
    expect(two.digest()).toBe(one.digest());
    two.pexpireat('h', 4102444800000);
    expect(two.digest()).not.toBe(one.digest());
    one.pexpireat('h', 4102444800000);
    expect(two.digest()).toBe(one.digest());
    two.set('key:1', '2');
    expect(two.digest()).not.toBe(one.digest());
  });

  test('is saved as a file and loaded from one', async () => {
    const folder = mkdtempSync(join(tmpdir(), 'holdfast-keyspace-'));
    const path = join(folder, 'saved.rdb');
    using one = new Keyspace();
    using two = new Keyspace();
    try {
      for (let i = 0; i < 1000; i++) one.set(`key:${i}`, `${i}`);
      one.zadd('z', { a: 1.5 });
      one.hset('h', { f: 'v' });
      two.set('gone', 'by loading');
      expect(await one.save(path)).toMatchObject({ keys: 1002 });
      const seen: number[] = [];
      const loaded = await two.load(path, { onProgress: (done) => seen.push(done) });
      expect(loaded).toMatchObject({ keys: 1002, expired: 0 });
      expect(two.digest()).toBe(one.digest());
      expect(seen).toEqual([...seen].sort((a, b) => a - b));
      writeFileSync(path, readFileSync(path).subarray(0, -20));
      expect(await failure(() => one.load(path))).toMatchObject({ code: 'CORRUPT' });
      expect(one.digest()).toBe(two.digest());
      await expect(one.load(path, { signal: AbortSignal.abort(new Error('enough')) })).rejects.toThrow(
        'enough',
      );
      expect(await failure(() => one.load(join(folder, 'nothing.rdb')))).toMatchObject({ code: 'IO' });
    } finally {
      rmSync(folder, { recursive: true });
    }
  });

  test('refuses to load and save with what it does not know', () => {
    using keyspace = new Keyspace();
    expect(misuse(() => keyspace.load('x.rdb', wrong({ onprogress: 1 }))).message).toContain("'onprogress'");
    expect(misuse(() => keyspace.load(wrong(5))).message).toContain('path');
    expect(misuse(() => keyspace.save('x.rdb', wrong({ compressed: 1 }))).message).toContain("'compressed'");
    expect(misuse(() => keyspace.save('')).message).toContain('path');
  });

  test('methods go by their names, and do not show up when an object is listed', () => {
    using keyspace = new Keyspace();
    expect(keyspace.hgetall.name).toBe('hgetall');
    expect(keyspace.get.name).toBe('get');
    expect(Object.keys(Keyspace.prototype)).toEqual([]);
  });
});

describe('the package', () => {
  const inspect = `const { Keyspace } = await_or_require; const k = new Keyspace(); k.set('k', 'v');
    process.stdout.write(k.get('k')); k.close();`;

  test('is loaded by require()', () => {
    const script = inspect.replace('await_or_require', "require('holdfast')");
    const flags = ['--disable-warning=ExperimentalWarning', '--input-type=commonjs', '-e', script];
    expect(execFileSync(process.execPath, flags, { cwd: root, encoding: 'utf8' })).toBe('v');
  });

  test('is loaded by import', () => {
    const script = inspect.replace('await_or_require', "await import('holdfast')");
    const flags = ['--input-type=module', '-e', script];
    expect(execFileSync(process.execPath, flags, { cwd: root, encoding: 'utf8' })).toBe('v');
  });

  test('says where its types are', () => {
    const manifest = JSON.parse(readFileSync(new URL('package.json', root), 'utf8'));
    const { types, default: code } = manifest.exports['.'];
    expect(existsSync(new URL(types, root))).toBe(true);
    expect(existsSync(new URL(code, root))).toBe(true);
    expect(manifest.types).toBe(types);
  });
});
