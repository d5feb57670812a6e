import { describe, expect, test } from 'vitest';
import { about, failure, misuse, type Open, useSubject, wrong } from './subject.js';

export function describeStrings(open: Open): void {
  describe('strings', () => {
    const on = useSubject(open);

    test('what is set is there; what is not is null', async () => {
      expect(await on.db.set('k', 'v')).toBe(true);
      expect(await on.db.get('k')).toBe('v');
      expect(await on.db.get('nothing')).toBeNull();
    });

    test.each([
      ['empty', ''],
      ['one-byte', 'é ÿ'],
      ['wide', 'żółć 中文 🦀'],
      ['a zero', 'a\0b'],
      ['long', 'x'.repeat(100_000)],
      ['long and wide', 'ß中'.repeat(50_000)],
      ['a number in text', '-0012'],
    ])('keys and values keep their text: %s', async (_name, text) => {
      await on.db.set(text, text);
      expect(await on.db.get(text)).toBe(text);
      expect(await on.db.strlen(text)).toBe(Buffer.byteLength(text));
      expect(await on.db.keys('*')).toEqual([text]);
    });

    test('keys and values may be any bytes', async () => {
      const all = Buffer.from(Array.from({ length: 256 }, (_, i) => i));
      await on.bytes.set(all, all);
      expect(await on.bytes.get(all)).toEqual(all);
      expect(await on.bytes.keys('*')).toEqual([all]);
      await on.db.set('k', new Uint8Array([0xff, 0x41]));
      expect(await on.db.get('k')).toBe('\ufffdA');
      expect(await on.bytes.get('k')).toEqual(Buffer.from([0xff, 0x41]));
    });

    test('a part of a larger buffer is only that part', async () => {
      const part = new Uint8Array(Buffer.from('abcdef').buffer.slice(0)).subarray(0, 0);
      await on.db.set(part, Buffer.from('abcdef').subarray(2, 4));
      expect(await on.db.get('')).toBe('cd');
    });

    test('numbers are set as their decimal text', async () => {
      await on.db.set('n', 12);
      expect(await on.db.get('n')).toBe('12');
      await on.db.set('n', -1.5);
      expect(await on.db.get('n')).toBe('-1.5');
      await on.db.set('n', 2n ** 63n);
      expect(await on.db.get('n')).toBe('9223372036854775808');
    });

    test('set with nx and xx', async () => {
      expect(await on.db.set('k', '1', { xx: true })).toBe(false);
      expect(await on.db.set('k', '2', { nx: true })).toBe(true);
      expect(await on.db.set('k', '3', { nx: true })).toBe(false);
      expect(await on.db.set('k', '4', { xx: true })).toBe(true);
      expect(await on.db.get('k')).toBe('4');
    });

    test('set with get answers what was there', async () => {
      expect(await on.db.set('k', 'v', { px: 5000, nx: true, get: true })).toBeNull();
      expect(await on.db.set('k', 'w', { px: 5000, nx: true, get: true })).toBe('v');
      expect(await on.db.get('k')).toBe('v');
      await on.db.lpush('list', 'a');
      expect(await failure(() => on.db.set('list', 'v', { get: true }))).toMatchObject({ code: 'WRONGTYPE' });
      expect(await on.db.type('list')).toBe('list');
    });

    test('set with an expiry, and without one', async () => {
      await on.db.set('k', 'v', { px: 50_000 });
      expect(await on.db.pttl('k')).toBeGreaterThan(40_000);
      await on.db.set('k', 'w', { keepTtl: true });
      expect(await on.db.pttl('k')).toBeGreaterThan(40_000);
      await on.db.set('k', 'w');
      expect(await on.db.pttl('k')).toBe(-1);
      await on.db.set('k', 'v', { ex: 100 });
      expect(about(await on.db.ttl('k'))).toBe(100);
      await on.db.set('k', 'v', { exAt: new Date('2100-01-01T00:00:00Z') });
      expect(await on.db.expiretime('k')).toBe(4102444800);
      await on.db.set('k', 'v', { pxAt: 4102444800000 });
      expect(await on.db.expiretime('k')).toBe(4102444800);
    });

    test('set at a time that is past leaves nothing', async () => {
      await on.db.set('k', 'v');
      await on.db.set('k', 'v', { pxAt: 1 });
      expect(await on.db.exists('k')).toBe(0);
    });

    test('set refuses an expiry that is none, and options that exclude each other', async () => {
      expect(await failure(() => on.db.set('k', 'v', { px: 0 }))).toMatchObject({
        code: 'ERR',
        message: expect.stringContaining("invalid expire time in 'set' command"),
      });
      expect(await failure(() => on.db.set('k', 'v', { nx: true, xx: true }))).toMatchObject({
        message: expect.stringContaining('syntax error'),
      });
      expect(await on.db.exists('k')).toBe(0);
    });

    test('set overwrites any type', async () => {
      await on.db.sadd('k', 'm');
      await on.db.set('k', 'v');
      expect(await on.db.type('k')).toBe('string');
    });

    test('getdel and getex', async () => {
      await on.db.set('k', 'v');
      expect(await on.db.getex('k', { ex: 50 })).toBe('v');
      expect(about(await on.db.ttl('k'))).toBe(50);
      expect(await on.db.getex('k')).toBe('v');
      expect(about(await on.db.ttl('k'))).toBe(50);
      expect(await on.db.getex('k', { persist: true })).toBe('v');
      expect(await on.db.ttl('k')).toBe(-1);
      expect(await on.db.getdel('k')).toBe('v');
      expect(await on.db.getdel('k')).toBeNull();
      expect(await on.db.getex('k', { ex: 1 })).toBeNull();
    });

    test('setnx, mset and mget', async () => {
      expect(await on.db.setnx('a', '1')).toBe(true);
      expect(await on.db.setnx('a', '2')).toBe(false);
      await on.db.mset({ a: 'x', b: 2 });
      await on.db.mset(new Map([[Buffer.from('c'), 'z']]));
      await on.db.mset([['d', '4']]);
      await on.db.hset('h', 'f', 'v');
      expect(await on.db.mget(['a', 'b', 'c', 'd', 'nothing', 'h'])).toEqual([
        'x',
        '2',
        'z',
        '4',
        null,
        null,
      ]);
      expect(await on.db.mget('a')).toEqual(['x']);
    });

    test('msetnx sets all or nothing', async () => {
      expect(await on.db.msetnx({ a: '1', b: '2' })).toBe(true);
      expect(await on.db.msetnx({ b: '3', c: '4' })).toBe(false);
      expect(await on.db.mget(['a', 'b', 'c'])).toEqual(['1', '2', null]);
    });

    test('append, strlen, getrange, setrange', async () => {
      expect(await on.db.append('k', 'Hello')).toBe(5);
      expect(await on.db.append('k', ' World')).toBe(11);
      expect(await on.db.strlen('k')).toBe(11);
      expect(await on.db.getrange('k', 0, 4)).toBe('Hello');
      expect(await on.db.getrange('k', -5, -1)).toBe('World');
      expect(await on.db.getrange('k', 8, 2)).toBe('');
      expect(await on.db.getrange('nothing', 0, -1)).toBe('');
      expect(await on.db.setrange('k', 6, 'Redis')).toBe(11);
      expect(await on.db.get('k')).toBe('Hello Redis');
      expect(await on.db.setrange('zeros', 2, 'x')).toBe(3);
      expect(await on.bytes.get('zeros')).toEqual(Buffer.from([0, 0, 0x78]));
      expect(await on.db.setrange('none', 5, '')).toBe(0);
      expect(await on.db.exists('none')).toBe(0);
      expect(await on.db.strlen('nothing')).toBe(0);
    });

    test('setrange stays within 512 MB', async () => {
      expect(await failure(() => on.db.setrange('k', 512 * 1024 * 1024, 'x'))).toMatchObject({
        message: expect.stringContaining('string exceeds maximum allowed size'),
      });
      expect(await failure(() => on.db.setrange('k', -1, 'x'))).toMatchObject({
        message: expect.stringContaining('offset is out of range'),
      });
      expect(await on.db.exists('k')).toBe(0);
    });

    test('counters', async () => {
      expect(await on.db.incr('n')).toBe(1);
      expect(await on.db.incrby('n', 41)).toBe(42);
      expect(await on.db.decr('n')).toBe(41);
      expect(await on.db.decrby('n', 1)).toBe(40);
      expect(await on.db.incrby('n', -50n)).toBe(-10);
      expect(await on.db.get('n')).toBe('-10');
      expect(await on.db.type('n')).toBe('string');
    });

    test('counters have 64 bits and refuse to leave them', async () => {
      await on.db.set('n', '9223372036854775806');
      expect(await on.db.incr('n')).toBe(2 ** 63);
      expect(await on.db.get('n')).toBe('9223372036854775807');
      expect(await on.db.call('GET', 'n')).toBe('9223372036854775807');
      expect(await on.db.call('DECRBY', 'n', 7)).toBe(9223372036854775800n);
      expect(await failure(() => on.db.incrby('n', 1000))).toMatchObject({
        code: 'ERR',
        message: expect.stringContaining('increment or decrement would overflow'),
      });
      expect(await on.db.get('n')).toBe('9223372036854775800');
      expect(await failure(() => on.db.decrby('m', -(2n ** 63n)))).toMatchObject({ code: 'ERR' });
      expect(await failure(() => on.db.incrby('n', 2n ** 63n))).toMatchObject({
        message: expect.stringContaining('not an integer or out of range'),
      });
    });

    test.each(['abc', '', ' 1', '1 ', '1.0', '+1', '01', '9223372036854775808'])(
      'a counter is no text such as %j',
      async (text) => {
        await on.db.set('n', text);
        expect(await failure(() => on.db.incr('n'))).toMatchObject({
          message: expect.stringContaining('value is not an integer or out of range'),
        });
        expect(await on.db.get('n')).toBe(text);
      },
    );

    test('incrbyfloat', async () => {
      await on.db.set('f', '10.5');
      expect(await on.db.incrbyfloat('f', 0.1)).toBeCloseTo(10.6, 12);
      expect(await on.db.incrbyfloat('f', -5)).toBeCloseTo(5.6, 12);
      expect(await on.db.incrbyfloat('new', 3)).toBe(3);
      expect(await on.db.get('new')).toBe('3');
      await on.db.set('f', 'abc');
      expect(await failure(() => on.db.incrbyfloat('f', 1))).toMatchObject({
        message: expect.stringContaining('not a valid float'),
      });
    });

    test('counters start from integers only', async () => {
      for (const text of ['', ' 1', '1.0', '+1', '-0', '007', '0x1', 'nan', '9223372036854775808']) {
        await on.db.set('n', text);
        expect(await failure(() => on.db.incr('n')), text).toMatchObject({
          code: 'ERR',
          message: expect.stringContaining('value is not an integer or out of range'),
        });
        expect(await on.db.get('n')).toBe(text);
      }
    });

    test('incrbyfloat never stores what is no finite number', async () => {
      for (const text of ['inf', '-inf']) {
        await on.db.set('f', text);
        expect(await failure(() => on.db.incrbyfloat('f', 1)), text).toMatchObject({
          message: expect.stringContaining('increment would produce NaN or Infinity'),
        });
      }
      await on.db.set('f', 'nan');
      expect(await failure(() => on.db.incrbyfloat('f', 1))).toMatchObject({
        message: expect.stringContaining('value is not a valid float'),
      });
      await on.db.set('f', '-0');
      expect(await on.db.incrbyfloat('f', -0)).toBe(0);
    });

    test('the longest common subsequence', async () => {
      await on.db.mset({ a: 'ohmytext', b: 'mynewtext' });
      expect(await on.db.lcs('a', 'b')).toBe('mytext');
      expect(await on.db.lcs('a', 'b', { len: true })).toBe(6);
      expect(await on.db.lcs('a', 'b', { idx: true, minMatchLen: 4 })).toEqual({
        len: 6,
        matches: [{ first: [4, 7], second: [5, 8], len: 4 }],
      });
      expect(await on.db.lcs('a', 'nothing')).toBe('');
      expect(await on.bytes.lcs('a', 'b')).toEqual(Buffer.from('mytext'));
      expect(await on.bytes.lcs('a', 'b', { idx: true })).toMatchObject({ len: 6 });
      await on.db.rpush('list', 'x');
      expect(await failure(() => on.db.lcs('a', 'list'))).toMatchObject({
        message: expect.stringContaining('The specified keys must contain string values'),
      });
      expect(misuse(() => on.db.lcs('a', 'b', wrong({ length: true }))).message).toContain("'length'");
    });

    test('the forms of set that have no method can be called', async () => {
      expect(await on.db.call('SETEX', 'k', 100, 'v')).toBe('OK');
      expect(about(await on.db.ttl('k'))).toBe(100);
      expect(await on.db.call('PSETEX', 'k', 100_000, 'w')).toBe('OK');
      expect(await on.db.call('GETSET', 'k', 'x')).toBe('w');
      expect(await on.db.ttl('k')).toBe(-1);
      expect(await on.db.call('SUBSTR', 'k', 0, -1)).toBe('x');
    });

    test('a key of another type is refused, and stays as it is', async () => {
      await on.db.rpush('list', ['a', 'b']);
      const calls = [
        () => on.db.get('list'),
        () => on.db.strlen('list'),
        () => on.db.getrange('list', 0, 1),
        () => on.db.append('list', 'x'),
        () => on.db.setrange('list', 0, 'x'),
        () => on.db.incr('list'),
        () => on.db.incrby('list', 2),
        () => on.db.incrbyfloat('list', 2),
        () => on.db.getdel('list'),
        () => on.db.getex('list'),
      ];
      for (const call of calls) {
        expect(await failure(call), String(call)).toMatchObject({
          name: 'HoldfastError',
          code: 'WRONGTYPE',
          message: expect.stringContaining('Operation against a key holding the wrong kind of value'),
        });
      }
      expect(await on.db.lrange('list', 0, -1)).toEqual(['a', 'b']);
    });

    test('misuse is thrown at once and names the argument', () => {
      expect(misuse(() => on.db.get(wrong(true))).message).toContain('key');
      expect(misuse(() => on.db.set('k', wrong(true))).message).toContain('value');
      expect(misuse(() => on.db.set(wrong(true), 'v', { nx: true })).message).toContain('key');
      expect(misuse(() => on.db.set('k', Number.NaN, { nx: true }))).toBeInstanceOf(RangeError);
      expect(misuse(() => on.db.set('k', 'v', wrong({ pxx: 5 }))).message).toContain("'pxx'");
      expect(misuse(() => on.db.set('k', 'v', wrong({ nx: 'yes' }))).message).toContain("'nx'");
      expect(misuse(() => on.db.set('k', 'v', { px: 1.5 })).message).toContain("'px'");
      expect(misuse(() => on.db.set('k', 'v', wrong('NX'))).message).toContain('options of set');
      expect(misuse(() => on.db.mget([])).message).toContain('keys');
      expect(misuse(() => on.db.mget(['a', wrong(true)])).message).toContain('keys[1]');
      expect(misuse(() => on.db.mset({})).message).toContain('values');
      expect(misuse(() => on.db.mset({ a: wrong(true) })).message).toContain('values["a"]');
      expect(misuse(() => on.db.mset(wrong(true)))).toBeInstanceOf(TypeError);
      expect(misuse(() => on.db.incrby('n', 0.5))).toBeInstanceOf(RangeError);
      expect(misuse(() => on.db.incrby('n', wrong('1'))).message).toContain('by');
      expect(misuse(() => on.db.incrbyfloat('n', Number.NaN)).message).toContain('by');
      expect(misuse(() => on.db.getrange('n', 0.5, 1)).message).toContain('start');
      expect(misuse(() => on.db.set('k', 'v', { exAt: new Date(Number.NaN) })).message).toContain("'exAt'");
    });
  });
}
