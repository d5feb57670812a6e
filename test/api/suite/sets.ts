import { describe, expect, test } from 'vitest';
import { failure, misuse, type Open, useSubject, wrong } from './subject.js';

const sorted = (items: string[]): string[] => [...items].sort();

export function describeSets(open: Open): void {
  describe('sets', () => {
    const on = useSubject(open);

    test('members are there once', async () => {
      expect(await on.db.sadd('s', 'a')).toBe(1);
      expect(await on.db.sadd('s', ['a', 'b', 'b', 3])).toBe(2);
      expect(sorted(await on.db.smembers('s'))).toEqual(['3', 'a', 'b']);
      expect(await on.db.scard('s')).toBe(3);
      expect(await on.db.sismember('s', 'a')).toBe(true);
      expect(await on.db.sismember('s', 3)).toBe(true);
      expect(await on.db.sismember('s', 'c')).toBe(false);
      expect(await on.db.sismember('nothing', 'a')).toBe(false);
      expect(await on.db.smismember('s', ['a', 'x', '3'])).toEqual([true, false, true]);
      expect(await on.db.smismember('nothing', 'a')).toEqual([false]);
      expect(await on.db.smembers('nothing')).toEqual([]);
      expect(await on.db.scard('nothing')).toBe(0);
    });

    test('srem removes the set with its last member', async () => {
      await on.db.sadd('s', ['a', 'b']);
      expect(await on.db.srem('s', 'x')).toBe(0);
      expect(await on.db.srem('s', ['a', 'b', 'c'])).toBe(2);
      expect(await on.db.exists('s')).toBe(0);
    });

    test('integers and text live in one set', async () => {
      await on.db.sadd('s', [3, 1, 2]);
      expect(await on.db.call('OBJECT', 'ENCODING', 's')).toBe('intset');
      await on.db.sadd('s', ['x', '01', '-0']);
      expect(sorted(await on.db.smembers('s'))).toEqual(sorted(['1', '2', '3', 'x', '01', '-0']));
      expect(await on.db.sismember('s', '1')).toBe(true);
      expect(await on.db.sismember('s', '+1')).toBe(false);
    });

    test('unions, intersections, differences', async () => {
      await on.db.sadd('a', ['1', '2', '3', 'x']);
      await on.db.sadd('b', ['2', '3', '4']);
      await on.db.sadd('c', ['3', 'x']);
      expect(sorted(await on.db.sunion(['a', 'b', 'nothing']))).toEqual(['1', '2', '3', '4', 'x']);
      expect(sorted(await on.db.sinter(['a', 'b']))).toEqual(['2', '3']);
      expect(await on.db.sinter(['a', 'b', 'c'])).toEqual(['3']);
      expect(await on.db.sinter(['a', 'nothing'])).toEqual([]);
      expect(sorted(await on.db.sdiff(['a', 'b']))).toEqual(['1', 'x']);
      expect(await on.db.sdiff(['nothing', 'a'])).toEqual([]);
      expect(sorted(await on.db.sunion('c'))).toEqual(['3', 'x']);
    });

    test('results are stored, and members moved', async () => {
      await on.db.sadd('a', ['1', '2', '3']);
      await on.db.sadd('b', ['2', '3', '4']);
      expect(await on.db.sintercard(['a', 'b'])).toBe(2);
      expect(await on.db.sintercard(['a', 'b'], { limit: 1 })).toBe(1);
      expect(await on.db.sintercard('nothing')).toBe(0);
      expect(await on.db.sunionstore('u', ['a', 'b'])).toBe(4);
      expect(await on.db.sdiffstore('d', ['a', 'b'])).toBe(1);
      expect(await on.db.smembers('d')).toEqual(['1']);
      expect(await on.db.sinterstore('u', ['a', 'nothing'])).toBe(0);
      expect(await on.db.exists('u')).toBe(0);
      expect(await on.db.smove('a', 'd', '2')).toBe(true);
      expect(await on.db.smove('a', 'd', '9')).toBe(false);
      expect(sorted(await on.db.smembers('d'))).toEqual(['1', '2']);
      expect(await on.db.scard('a')).toBe(2);
    });

    test('srandmember leaves what spop takes', async () => {
      const all = ['a', 'b', 'c', 'd'];
      await on.db.sadd('s', all);
      expect(all).toContain(await on.db.srandmember('s'));
      const some = await on.db.srandmember('s', 3);
      expect(new Set(some).size).toBe(3);
      expect(sorted(await on.db.srandmember('s', 10))).toEqual(all);
      expect(await on.db.srandmember('s', -10)).toHaveLength(10);
      expect(await on.db.srandmember('nothing')).toBeNull();
      expect(await on.db.srandmember('nothing', 2)).toEqual([]);
      const one = await on.db.spop('s');
      const rest = await on.db.spop('s', 10);
      expect(sorted([one ?? '', ...rest])).toEqual(all);
      expect(await on.db.spop('s')).toBeNull();
      expect(await on.db.spop('s', 2)).toEqual([]);
    });

    test('a large set behaves as a small one, and scans give every member', async () => {
      const many = Array.from({ length: 2000 }, (_, i) => `member ${i}`);
      expect(await on.db.sadd('s', many)).toBe(2000);
      expect(await on.db.scard('s')).toBe(2000);
      expect(sorted(await on.db.smembers('s'))).toEqual(sorted(many));
      const seen = new Set<string>();
      for await (const member of on.db.sscanIterator('s', { count: 100 })) seen.add(member);
      expect(seen.size).toBe(2000);
      const page = await on.db.sscan('s', 0, { match: 'member 199?', count: 100_000 });
      expect(page.cursor).toBe('0');
      expect(page.members).toHaveLength(10);
    });

    test('members may be any bytes', async () => {
      const bytes = Buffer.from([0, 0xff]);
      await on.bytes.sadd('s', [bytes, '']);
      expect(await on.bytes.sismember('s', bytes)).toBe(true);
      expect(await on.db.sismember('s', '')).toBe(true);
      expect(await on.bytes.srem('s', bytes)).toBe(1);
    });

    test('a key of another type is refused', async () => {
      await on.db.set('x', 'v');
      const calls = [
        () => on.db.sadd('x', 'v'),
        () => on.db.srem('x', ['v', 'w']),
        () => on.db.sismember('x', 'v'),
        () => on.db.smismember('x', ['v']),
        () => on.db.smembers('x'),
        () => on.db.scard('x'),
        () => on.db.spop('x'),
        () => on.db.srandmember('x'),
        () => on.db.sunion(['x', 'y']),
        () => on.db.sinter(['x', 'y']),
        () => on.db.sdiff(['x', 'y']),
        () => on.db.sscan('x', 0),
      ];
      for (const call of calls) {
        expect(await failure(call), String(call)).toMatchObject({ code: 'WRONGTYPE' });
      }
    });

    test('misuse is thrown at once and names the argument', () => {
      expect(misuse(() => on.db.sadd('s', [])).message).toContain('members');
      expect(misuse(() => on.db.sadd('s', wrong(true))).message).toContain('members');
      expect(misuse(() => on.db.sismember('s', wrong({}))).message).toContain('member');
      expect(misuse(() => on.db.spop('s', -1)).message).toContain('count');
      expect(misuse(() => on.db.srandmember('s', 0.5)).message).toContain('count');
      expect(misuse(() => on.db.sunion([])).message).toContain('keys');
    });
  });
}
