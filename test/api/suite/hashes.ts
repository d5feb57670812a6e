import { describe, expect, test } from 'vitest';
import { failure, misuse, type Open, useSubject, wrong } from './subject.js';

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
