import { describe, expect, test } from 'vitest';
import { failure, misuse, type Open, useSubject, wrong } from './subject.js';

export function describeSorting(open: Open): void {
  describe('sorting', () => {
    const on = useSubject(open);

    test('by number and by bytes, a part of it', async () => {
      await on.db.rpush('l', ['3', '10', '1.5', '-2']);
      expect(await on.db.sort_ro('l')).toEqual(['-2', '1.5', '3', '10']);
      expect(await on.db.sort_ro('l', { desc: true, limit: { offset: 1, count: 2 } })).toEqual(['3', '1.5']);
      expect(await on.db.sort('l', { alpha: true })).toEqual(['-2', '1.5', '10', '3']);
      expect(await on.db.sort_ro('none')).toEqual([]);
      await on.db.sadd('s', ['b', 'a']);
      expect(await on.db.sort_ro('s', { alpha: true })).toEqual(['a', 'b']);
      await on.db.zadd('z', { b: 1, a: 2 });
      expect(await on.db.sort_ro('z', { by: 'nosort' })).toEqual(['b', 'a']);
      expect(await on.db.sort_ro('z', { by: 'nosort', desc: true })).toEqual(['a', 'b']);
      expect(await on.db.sort_ro('z', { alpha: true })).toEqual(['a', 'b']);
    });

    test('by what other keys hold', async () => {
      await on.db.rpush('users', ['1', '2', '3']);
      await on.db.mset({ 'age:1': '30', 'age:2': '20', 'age:3': '25' });
      await on.db.hset('user:1', { name: 'ann' });
      await on.db.hset('user:2', { name: 'bob' });
      expect(await on.db.sort_ro('users', { by: 'age:*' })).toEqual(['2', '3', '1']);
      expect(await on.db.sort_ro('users', { by: 'user:*->name', alpha: true, desc: true })).toEqual([
        '2',
        '1',
        '3',
      ]);
      expect(await on.db.sort_ro('users', { by: 'age:*', get: 'user:*->name' })).toEqual([
        'bob',
        null,
        'ann',
      ]);
      expect(await on.db.sort('users', { get: ['#', 'age:*', 'user:*->name'], desc: true })).toEqual([
        ['3', '25', null],
        ['2', '20', 'bob'],
        ['1', '30', 'ann'],
      ]);
      expect(await on.bytes.sort_ro('users', { get: ['#'] })).toEqual([
        [Buffer.from('1')],
        [Buffer.from('2')],
        [Buffer.from('3')],
      ]);
    });

    test('the result may be stored', async () => {
      await on.db.rpush('l', ['3', '1', '2']);
      await on.db.mset({ 'x:1': 'one', d: 'old' });
      expect(await on.db.sort('l', { store: 'd' })).toBe(3);
      expect(await on.db.lrange('d', 0, -1)).toEqual(['1', '2', '3']);
      expect(await on.db.sort('l', { get: ['x:*', '#'], limit: { offset: 0, count: 2 }, store: 'd' })).toBe(
        4,
      );
      expect(await on.db.lrange('d', 0, -1)).toEqual(['one', '1', '', '2']);
      expect(await on.db.sort('none', { store: 'd' })).toBe(0);
      expect(await on.db.exists('d')).toBe(0);
    });

    test('what is no number, and what holds no elements, is refused', async () => {
      await on.db.rpush('l', ['1', 'x']);
      expect(await failure(() => on.db.sort_ro('l'))).toMatchObject({
        code: 'ERR',
        message: expect.stringContaining("One or more scores can't be converted into double"),
      });
      await on.db.set('t', 'x');
      expect(await failure(() => on.db.sort_ro('t'))).toMatchObject({ code: 'WRONGTYPE' });
      expect(await failure(() => on.db.sort('t', { store: 'd' }))).toMatchObject({ code: 'WRONGTYPE' });
    });

    test('misuse is thrown at once and names the argument', () => {
      expect(misuse(() => on.db.sort_ro(wrong(1))).message).toContain('key');
      expect(misuse(() => on.db.sort_ro('l', { get: [] })).message).toContain("'get'");
      expect(misuse(() => on.db.sort_ro('l', { limit: wrong(5) })).message).toContain("'limit'");
      expect(misuse(() => on.db.sort_ro('l', wrong({ store: 'd' }))).message).toContain("'store' of sort_ro");
      expect(misuse(() => on.db.sort('l', wrong({ order: 'desc' }))).message).toContain("'order'");
    });
  });
}
