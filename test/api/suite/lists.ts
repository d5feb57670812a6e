import { describe, expect, test } from 'vitest';
import { failure, misuse, type Open, useSubject, wrong } from './subject.js';

export function describeLists(open: Open): void {
  describe('lists', () => {
    const on = useSubject(open);

    test('pushes and pops at both ends', async () => {
      expect(await on.db.rpush('l', 'b')).toBe(1);
      expect(await on.db.rpush('l', ['c', 4])).toBe(3);
      expect(await on.db.lpush('l', ['a', 'z'])).toBe(5);
      expect(await on.db.lrange('l', 0, -1)).toEqual(['z', 'a', 'b', 'c', '4']);
      expect(await on.db.lpop('l')).toBe('z');
      expect(await on.db.rpop('l')).toBe('4');
      expect(await on.db.llen('l')).toBe(3);
    });

    test('pops of several, and of nothing', async () => {
      await on.db.rpush('l', ['a', 'b', 'c', 'd']);
      expect(await on.db.lpop('l', 2)).toEqual(['a', 'b']);
      expect(await on.db.lpop('l', 0)).toEqual([]);
      expect(await on.db.rpop('l', 10)).toEqual(['d', 'c']);
      expect(await on.db.exists('l')).toBe(0);
      expect(await on.db.lpop('l')).toBeNull();
      expect(await on.db.rpop('l')).toBeNull();
      expect(await on.db.lpop('l', 2)).toEqual([]);
    });

    test('indexes count from either end', async () => {
      await on.db.rpush('l', ['a', 'b', 'c']);
      expect(await on.db.lindex('l', 0)).toBe('a');
      expect(await on.db.lindex('l', -1)).toBe('c');
      expect(await on.db.lindex('l', 3)).toBeNull();
      expect(await on.db.lindex('l', -4)).toBeNull();
      expect(await on.db.lrange('l', -2, -1)).toEqual(['b', 'c']);
      expect(await on.db.lrange('l', -100, 100)).toEqual(['a', 'b', 'c']);
      expect(await on.db.lrange('l', 2, 1)).toEqual([]);
      expect(await on.db.lrange('nothing', 0, -1)).toEqual([]);
      await on.db.lset('l', -1, 'C');
      await on.db.lset('l', 0, 'A');
      expect(await on.db.lrange('l', 0, -1)).toEqual(['A', 'b', 'C']);
      expect(await failure(() => on.db.lset('l', 3, 'x'))).toMatchObject({
        message: expect.stringContaining('index out of range'),
      });
      expect(await failure(() => on.db.lset('nothing', 0, 'x'))).toMatchObject({
        message: expect.stringContaining('no such key'),
      });
    });

    test('lrem from the head, from the tail, and all', async () => {
      const letters = ['a', 'x', 'b', 'x', 'c', 'x'];
      await on.db.rpush('l', letters);
      expect(await on.db.lrem('l', 1, 'x')).toBe(1);
      expect(await on.db.lrange('l', 0, -1)).toEqual(['a', 'b', 'x', 'c', 'x']);
      expect(await on.db.lrem('l', -1, 'x')).toBe(1);
      expect(await on.db.lrange('l', 0, -1)).toEqual(['a', 'b', 'x', 'c']);
      expect(await on.db.lrem('l', 0, 'x')).toBe(1);
      expect(await on.db.lrem('l', 0, 'x')).toBe(0);
      expect(await on.db.lrem('l', 0, 'a')).toBe(1);
      expect(await on.db.lrange('l', 0, -1)).toEqual(['b', 'c']);
    });

    test('ltrim keeps a range', async () => {
      await on.db.rpush('l', ['a', 'b', 'c', 'd', 'e']);
      await on.db.ltrim('l', 1, -2);
      expect(await on.db.lrange('l', 0, -1)).toEqual(['b', 'c', 'd']);
      await on.db.ltrim('l', 5, 10);
      expect(await on.db.exists('l')).toBe(0);
    });

    test('linsert and lmove', async () => {
      await on.db.rpush('l', ['a', 'c']);
      expect(await on.db.linsert('l', 'before', 'c', 'b')).toBe(3);
      expect(await on.db.linsert('l', 'after', 'c', 'd')).toBe(4);
      expect(await on.db.linsert('l', 'after', 'x', 'y')).toBe(-1);
      expect(await on.db.linsert('nothing', 'after', 'x', 'y')).toBe(0);
      expect(await on.db.lmove('l', 'm', 'left', 'right')).toBe('a');
      expect(await on.db.lmove('l', 'm', 'right', 'left')).toBe('d');
      expect(await on.db.lrange('m', 0, -1)).toEqual(['d', 'a']);
      expect(await on.db.lmove('m', 'm', 'left', 'right')).toBe('d');
      expect(await on.db.lrange('m', 0, -1)).toEqual(['a', 'd']);
      expect(await on.db.lmove('nothing', 'm', 'left', 'right')).toBeNull();
    });

    test('lmpop takes from the first list that has items', async () => {
      await on.db.rpush('l', ['a', 'b', 'c']);
      expect(await on.db.lmpop(['none', 'l'], 'left')).toEqual({ key: 'l', items: ['a'] });
      expect(await on.db.lmpop('l', 'right', { count: 5 })).toEqual({ key: 'l', items: ['c', 'b'] });
      expect(await on.db.lmpop(['none', 'l'], 'left')).toBeNull();
      await on.bytes.rpush('l', [Buffer.from([0xff])]);
      expect(await on.bytes.lmpop('l', 'left')).toEqual({
        key: Buffer.from('l'),
        items: [Buffer.from([0xff])],
      });
      expect(await failure(() => on.db.lmpop('l', 'left', { count: 0 }))).toMatchObject({ code: 'ERR' });
    });

    test('lpos finds items', async () => {
      await on.db.rpush('l', ['a', 'b', 'c', 'b', 'b']);
      expect(await on.db.lpos('l', 'b')).toBe(1);
      expect(await on.db.lpos('l', 'x')).toBeNull();
      expect(await on.db.lpos('l', 'b', { rank: -1 })).toBe(4);
      expect(await on.db.lpos('l', 'b', { rank: 2, count: 0 })).toEqual([3, 4]);
      expect(await on.db.lpos('l', 'b', { count: 2, maxLen: 3 })).toEqual([1]);
      expect(await on.db.lpos('nothing', 'b', { count: 2 })).toEqual([]);
      expect(await failure(() => on.db.lpos('l', 'b', { rank: 0 }))).toMatchObject({ code: 'ERR' });
    });

    test('lpushx and rpushx want a list', async () => {
      expect(await on.db.lpushx('l', 'a')).toBe(0);
      expect(await on.db.exists('l')).toBe(0);
      await on.db.rpush('l', 'a');
      expect(await on.db.lpushx('l', ['b', 'c'])).toBe(3);
      expect(await on.db.rpushx('l', 'd')).toBe(4);
      expect(await on.db.lrange('l', 0, -1)).toEqual(['c', 'b', 'a', 'd']);
    });

    test('a long list behaves as a short one', async () => {
      const items = Array.from({ length: 5000 }, (_, i) => `item ${i} ${'x'.repeat(i % 50)}`);
      expect(await on.db.rpush('l', items)).toBe(5000);
      expect(await on.db.lrange('l', 0, -1)).toEqual(items);
      expect(await on.db.lindex('l', 2500)).toBe(items[2500]);
      expect(await on.db.lrange('l', -3, -1)).toEqual(items.slice(-3));
      await on.db.ltrim('l', 1000, 3999);
      expect(await on.db.lrange('l', 0, -1)).toEqual(items.slice(1000, 4000));
      expect(await on.db.lpop('l', 3000)).toEqual(items.slice(1000, 4000));
    });

    test('items may be any bytes, and empty', async () => {
      const bytes = Buffer.from([0, 0xff, 0x80]);
      await on.bytes.rpush('l', [bytes, '', '中']);
      expect(await on.bytes.lrange('l', 0, -1)).toEqual([bytes, Buffer.alloc(0), Buffer.from('中')]);
      expect(await on.db.lindex('l', 2)).toBe('中');
    });

    test('a key of another type is refused', async () => {
      await on.db.set('s', 'v');
      const calls = [
        () => on.db.lpush('s', 'v'),
        () => on.db.rpush('s', ['v', 'w']),
        () => on.db.lpop('s'),
        () => on.db.rpop('s', 1),
        () => on.db.llen('s'),
        () => on.db.lrange('s', 0, 1),
        () => on.db.lindex('s', 0),
        () => on.db.lset('s', 0, 'v'),
        () => on.db.lrem('s', 0, 'v'),
        () => on.db.ltrim('s', 0, 1),
        () => on.db.linsert('s', 'before', 'a', 'b'),
        () => on.db.lmove('s', 'm', 'left', 'left'),
        () => on.db.lmpop(['none', 's'], 'left'),
      ];
      for (const call of calls) {
        expect(await failure(call), String(call)).toMatchObject({ code: 'WRONGTYPE' });
      }
    });

    test('misuse is thrown at once and names the argument', () => {
      expect(misuse(() => on.db.lpush('l', [])).message).toContain('values');
      expect(misuse(() => on.db.lpush('l', wrong(true))).message).toContain('values');
      expect(misuse(() => on.db.lpop('l', -1)).message).toContain('count');
      expect(misuse(() => on.db.lpop('l', 1.5)).message).toContain('count');
      expect(misuse(() => on.db.lrange('l', 0, Number.NaN)).message).toContain('stop');
      expect(misuse(() => on.db.lindex('l', wrong('0'))).message).toContain('index');
      expect(misuse(() => on.db.linsert('l', wrong('BEFORE'), 'a', 'b')).message).toContain('where');
      expect(misuse(() => on.db.lmove('l', 'm', wrong('up'), 'left')).message).toContain('from');
      expect(misuse(() => on.db.lmpop('l', wrong('head'))).message).toContain('from');
      expect(misuse(() => on.db.lmpop([], 'left')).message).toContain('keys');
      expect(misuse(() => on.db.lmpop('l', 'left', { count: -1 })).message).toContain('count');
    });
  });
}
