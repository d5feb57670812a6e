import { describe, expect, test } from 'vitest';
import { about, failure, GONE_WITHIN_MS, misuse, type Open, useSubject, wrong } from './subject.js';

export function describeHashes(open: Open): void {
  describe('hashes', () => {
    const on = useSubject(open);

    test('fields are set one by one, from records, Maps and pairs', async () => {
      expect(await on.db.hset('cart:42', { sku: '2' })).toBe(1);
      expect(await on.db.hset('cart:42', 'sku', 3)).toBe(0);
      expect(await on.db.hset('cart:42', new Map([['a', '1']]))).toBe(1);
      expect(
        await on.db.hset('cart:42', [
          ['a', 'x'],
          ['b', 2n],
        ]),
      ).toBe(1);
      expect(await on.db.hgetall('cart:42')).toEqual({ sku: '3', a: 'x', b: '2' });
      expect(await on.db.hlen('cart:42')).toBe(3);
    });

    test('hgetall gives a record that has no prototype to mix up with', async () => {
      await on.db.hset('h', [
        ['__proto__', 'p'],
        ['constructor', 'c'],
        ['', 'empty'],
      ]);
      const record = await on.db.hgetall('h');
      expect(Object.getPrototypeOf(record)).toBeNull();
      expect(Object.entries(record)).toEqual([
        ['__proto__', 'p'],
        ['constructor', 'c'],
        ['', 'empty'],
      ]);
      expect(Object.keys(await on.db.hgetall('nothing'))).toEqual([]);
    });

    test('on the surface of bytes hgetall gives a Map', async () => {
      const field = Buffer.from([0xff, 0]);
      await on.bytes.hset('h', field, Buffer.from([0xfe]));
      const fields = await on.bytes.hgetall('h');
      expect([...fields]).toEqual([[field, Buffer.from([0xfe])]]);
      expect((await on.bytes.hgetall('nothing')).size).toBe(0);
    });

    test('hget, hmget, hexists, hkeys, hvals', async () => {
      await on.db.hset('h', { a: '1', ü: '2' });
      expect(await on.db.hget('h', 'ü')).toBe('2');
      expect(await on.db.hget('h', 'b')).toBeNull();
      expect(await on.db.hget('nothing', 'b')).toBeNull();
      expect(await on.db.hmget('h', ['a', 'b', 'ü'])).toEqual(['1', null, '2']);
      expect(await on.db.hmget('nothing', 'a')).toEqual([null]);
      expect(await on.db.hexists('h', 'a')).toBe(true);
      expect(await on.db.hexists('h', 'b')).toBe(false);
      expect(await on.db.hkeys('h')).toEqual(['a', 'ü']);
      expect(await on.db.hvals('h')).toEqual(['1', '2']);
      expect(await on.db.hkeys('nothing')).toEqual([]);
      expect(await on.db.hlen('nothing')).toBe(0);
    });

    test('hdel removes the hash with its last field', async () => {
      await on.db.hset('h', { a: '1', b: '2', c: '3' });
      expect(await on.db.hdel('h', 'a')).toBe(1);
      expect(await on.db.hdel('h', ['a', 'b', 'c'])).toBe(2);
      expect(await on.db.exists('h')).toBe(0);
      expect(await on.db.hdel('h', 'a')).toBe(0);
    });

    test('hsetnx and hincrby', async () => {
      expect(await on.db.hsetnx('h', 'f', '1')).toBe(true);
      expect(await on.db.hsetnx('h', 'f', '2')).toBe(false);
      expect(await on.db.hincrby('h', 'f', 9)).toBe(10);
      expect(await on.db.hincrby('h', 'new', -3)).toBe(-3);
      await on.db.hset('h', 'f', 'x');
      expect(await failure(() => on.db.hincrby('h', 'f', 1))).toMatchObject({
        message: expect.stringContaining('hash value is not an integer'),
      });
      await on.db.hset('h', 'f', 2n ** 63n - 1n);
      expect(await failure(() => on.db.hincrby('h', 'f', 1))).toMatchObject({
        message: expect.stringContaining('increment or decrement would overflow'),
      });
    });

    test('hincrbyfloat, hstrlen, hrandfield', async () => {
      expect(await on.db.hincrbyfloat('h', 'f', 1.5)).toBe(1.5);
      expect(await on.db.hincrbyfloat('h', 'f', -0.25)).toBe(1.25);
      expect(await on.db.hstrlen('h', 'f')).toBe(4);
      expect(await on.db.hstrlen('h', 'x')).toBe(0);
      expect(await on.db.hrandfield('h')).toBe('f');
      expect(await on.db.hrandfield('h', 5)).toEqual(['f']);
      expect(await on.db.hrandfield('h', -2)).toEqual(['f', 'f']);
      expect(await on.db.hrandfield('nothing')).toBeNull();
      expect(await on.db.hrandfield('nothing', 2)).toEqual([]);
    });

    test('hrandfield with values gives pairs', async () => {
      await on.db.hset('h', { a: '1', b: '2' });
      const pairs = await on.db.hrandfield('h', 5, { withValues: true });
      expect(pairs.sort()).toEqual([
        ['a', '1'],
        ['b', '2'],
      ]);
      expect(await on.db.hrandfield('h', -3, { withValues: true })).toHaveLength(3);
      expect(await on.db.hrandfield('h', 1, { withValues: false })).toHaveLength(1);
      expect(await on.db.hrandfield('nothing', 1, { withValues: true })).toEqual([]);
      expect(misuse(() => on.db.hrandfield('h', undefined, { withValues: true })).message).toContain('count');
    });

    test('fields expire, and the hash with the last of them', async () => {
      await on.db.hset('h', { a: '1', b: '2', c: '3' });
      expect(await on.db.hexpire('h', 100, ['a', 'x'])).toEqual([1, -2]);
      expect(await on.db.hpexpire('h', 30, 'b')).toEqual([1]);
      expect((await on.db.httl('h', ['a', 'c', 'x'])).map(about)).toEqual([100, -1, -2]);
      const [ms] = await on.db.hpttl('h', 'a');
      expect(ms).toBeGreaterThan(80_000);
      await expect.poll(() => on.db.hexists('h', 'b'), { timeout: GONE_WITHIN_MS }).toBe(false);
      expect(await on.db.hgetall('h')).toEqual({ a: '1', c: '3' });
      expect(await on.db.hlen('h')).toBe(2);
      expect(await on.db.hexpire('h', 0, ['a', 'c'])).toEqual([2, 2]);
      expect(await on.db.exists('h')).toBe(0);
      expect(await on.db.httl('h', 'a')).toEqual([-2]);
    });

    test('conditions, times and Dates of field expiry', async () => {
      await on.db.hset('h', { a: '1', b: '2' });
      const at = new Date('2033-05-18T03:33:20.250Z');
      expect(await on.db.hpexpireat('h', at, 'a', 'NX')).toEqual([1]);
      expect(await on.db.hpexpireat('h', at, 'a', 'NX')).toEqual([0]);
      expect(await on.db.hpexpireat('h', at.getTime() + 1, ['a', 'b'], 'XX')).toEqual([1, 0]);
      expect(await on.db.hexpireat('h', at, 'a', 'GT')).toEqual([0]);
      expect(await on.db.hexpireat('h', at, ['a', 'b'], 'LT')).toEqual([1, 1]);
      expect(await on.db.hexpiretime('h', 'a')).toEqual([2_000_000_000]);
      expect(await on.db.hpexpiretime('h', ['b', 'x'])).toEqual([2_000_000_000_000, -2]);
      expect(await on.db.hpersist('h', ['a', 'a', 'x'])).toEqual([1, -1, -2]);
      expect(await on.db.hincrby('h', 'b', 1)).toBe(3);
      expect(await on.db.hpexpiretime('h', 'b')).toEqual([2_000_000_000_000]);
      await on.db.hset('h', 'b', '4');
      expect(await on.db.httl('h', ['a', 'b'])).toEqual([-1, -1]);
      expect(await failure(() => on.db.hexpire('h', -1, 'a'))).toMatchObject({
        message: expect.stringContaining('invalid expire time, must be >= 0'),
      });
      expect(misuse(() => on.db.hexpire('h', 1, [])).message).toContain('fields');
      expect(misuse(() => on.db.hexpire('h', 1, 'a', wrong('ZZ'))).message).toContain('condition');
      expect(misuse(() => on.db.hexpireat('h', wrong('now'), 'a')).message).toContain('at');
    });

    test('field expiry in a transaction, and on bytes', async () => {
      const field = Buffer.from([0xff, 0, 13, 10]);
      await on.bytes.hset('h', [
        [field, 'v'],
        ['other', 'w'],
      ]);
      expect(await on.bytes.hexpire('h', 100, field)).toEqual([1]);
      expect(await on.bytes.httl('h', [field, 'other'])).toEqual([100, -1]);
      const answers = await on.db
        .multi()
        .hset('t', 'f', 'v')
        .hpexpire('t', 50_000, 'f')
        .hpersist('t', 'f')
        .exec();
      expect(answers).toEqual([1, [1], [1]]);
    });

    test('any bytes are a field and a value, in each form', async () => {
      const every = Buffer.from(Array.from({ length: 256 }, (_, i) => i));
      for (const filler of ['', 'x'.repeat(65)]) {
        await on.bytes.del('h');
        await on.bytes.hset('h', 'filler', filler);
        for (let i = 0; i < 256; i++)
          await on.bytes.hset('h', every.subarray(i, i + 1), every.subarray(0, i % 60));
        const fields = await on.bytes.hgetall('h');
        expect(fields.size).toBe(257);
        for (const [field, value] of [...fields].slice(1)) {
          expect(value).toEqual(every.subarray(0, (field[0] ?? 0) % 60));
        }
      }
      await on.bytes.hset('h', every, every);
      expect(await on.bytes.hget('h', every)).toEqual(every);
    });

    test('a large hash behaves as a small one', async () => {
      const many = Object.fromEntries(Array.from({ length: 1000 }, (_, i) => [`field:${i}`, `value ${i}`]));
      expect(await on.db.hset('h', many)).toBe(1000);
      expect(await on.db.hgetall('h')).toEqual(many);
      expect(await on.db.hget('h', 'field:999')).toBe('value 999');
      await on.db.hset('h', 'long', 'x'.repeat(10_000));
      expect(await on.db.hlen('h')).toBe(1001);
      expect(await on.db.hdel('h', Object.keys(many))).toBe(1000);
      expect(await on.db.hkeys('h')).toEqual(['long']);
    });

    test('scans give every field', async () => {
      const many = Object.fromEntries(Array.from({ length: 1000 }, (_, i) => [`f${i}`, `${i}`]));
      await on.db.hset('h', many);
      const seen: Record<string, string> = {};
      for await (const [field, value] of on.db.hscanIterator('h', { count: 50 })) seen[field] = value;
      expect(seen).toEqual(many);
      const page = await on.db.hscan('h', 0, { match: 'f99*', count: 10_000 });
      expect(page.cursor).toBe('0');
      expect(page.entries).toHaveLength(11);
      expect(await on.db.hscan('nothing', '0')).toEqual({ cursor: '0', entries: [] });
    });

    test('a key of another type is refused', async () => {
      await on.db.set('s', 'v');
      const calls = [
        () => on.db.hset('s', 'f', 'v'),
        () => on.db.hset('s', { f: 'v' }),
        () => on.db.hget('s', 'f'),
        () => on.db.hmget('s', ['f']),
        () => on.db.hgetall('s'),
        () => on.db.hdel('s', 'f'),
        () => on.db.hlen('s'),
        () => on.db.hexists('s', 'f'),
        () => on.db.hkeys('s'),
        () => on.db.hvals('s'),
        () => on.db.hincrby('s', 'f', 1),
        () => on.db.hsetnx('s', 'f', 'v'),
        () => on.db.hscan('s', 0),
      ];
      for (const call of calls) {
        expect(await failure(call), String(call)).toMatchObject({ code: 'WRONGTYPE' });
      }
      expect(await on.db.get('s')).toBe('v');
    });

    test('misuse is thrown at once and names the argument', () => {
      expect(misuse(() => on.db.hset('h', wrong(true)))).toBeInstanceOf(Error);
      expect(misuse(() => on.db.hset('h', {})).message).toContain('fields');
      expect(misuse(() => on.db.hset('h', { f: wrong(true) })).message).toContain('fields["f"]');
      expect(misuse(() => on.db.hset('h', wrong({}), 'v')).message).toContain('field');
      expect(misuse(() => on.db.hset('h', wrong([1]))).message).toContain('pair');
      expect(misuse(() => on.db.hget('h', wrong(true))).message).toContain('field');
      expect(misuse(() => on.db.hdel('h', [])).message).toContain('fields');
      expect(misuse(() => on.db.hincrby('h', 'f', 1.5)).message).toContain('by');
      expect(misuse(() => on.db.hscan('h', 0, wrong({ matches: 'x' }))).message).toContain("'matches'");
      expect(misuse(() => on.db.hscan('h', 0, { count: -1 })).message).toContain("'count'");
    });
  });
}
