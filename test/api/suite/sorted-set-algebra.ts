import { describe, expect, test } from 'vitest';
import { failure, misuse, type Open, useSubject, wrong } from './subject.js';

export function describeSortedSetAlgebra(open: Open): void {
  describe('combinations of sorted sets', () => {
    const on = useSubject(open);

    test('unions', async () => {
      await on.db.zadd('a', { one: 1, two: 2 });
      await on.db.zadd('b', { one: 1, two: 2, three: 3 });
      expect(await on.db.zunion(['a', 'b'])).toEqual(['one', 'three', 'two']);
      expect(await on.db.zunion('a', { withScores: true })).toEqual([
        { member: 'one', score: 1 },
        { member: 'two', score: 2 },
      ]);
      expect(await on.db.zunion(['a', 'b'], { weights: [3, 1], aggregate: 'max', withScores: true })).toEqual(
        [
          { member: 'one', score: 3 },
          { member: 'three', score: 3 },
          { member: 'two', score: 6 },
        ],
      );
      expect(await on.db.zunionstore('u', ['a', 'b'], { weights: [2, 3] })).toBe(3);
      expect(await on.db.zmscore('u', ['one', 'two', 'three'])).toEqual([5, 10, 9]);
      expect(await on.db.zunion(['none', 'nobody'])).toEqual([]);
    });

    test('intersections', async () => {
      await on.db.zadd('a', { one: 1, two: 2 });
      await on.db.zadd('b', { one: 1, two: 2, three: 3 });
      await on.db.sadd('s', ['two', 'three']);
      expect(await on.db.zinter(['a', 'b'])).toEqual(['one', 'two']);
      expect(await on.db.zinter(['a', 's'], { aggregate: 'min', withScores: true })).toEqual([
        { member: 'two', score: 1 },
      ]);
      expect(await on.db.zintercard(['a', 'b'])).toBe(2);
      expect(await on.db.zintercard(['a', 'b'], { limit: 1 })).toBe(1);
      expect(await on.db.zintercard('none')).toBe(0);
      expect(await on.db.zinterstore('i', ['a', 'b'], { aggregate: 'sum' })).toBe(2);
      expect(await on.db.zscore('i', 'two')).toBe(4);
      expect(await on.db.zinterstore('i', ['a', 'none'])).toBe(0);
      expect(await on.db.exists('i')).toBe(0);
    });

    test('differences', async () => {
      await on.db.zadd('a', { one: 1, two: 2, three: 3 });
      await on.db.zadd('b', { one: 9 });
      await on.db.sadd('s', 'three');
      expect(await on.db.zdiff(['a', 'b', 's'])).toEqual(['two']);
      expect(await on.db.zdiff(['a', 'b'], { withScores: true })).toEqual([
        { member: 'two', score: 2 },
        { member: 'three', score: 3 },
      ]);
      expect(await on.db.zdiffstore('a', ['a', 'b'])).toBe(2);
      expect(await on.db.zrange('a', 0, -1)).toEqual(['two', 'three']);
    });

    test('infinities', async () => {
      await on.db.zadd('up', { m: Infinity });
      await on.db.zadd('down', { m: -Infinity });
      expect(await on.db.zunion(['up', 'down'], { withScores: true })).toEqual([{ member: 'm', score: 0 }]);
      expect(await on.db.zinter('up', { weights: [-Infinity], withScores: true })).toEqual([
        { member: 'm', score: -Infinity },
      ]);
    });

    test('members may be any bytes', async () => {
      const member = Buffer.from([0, 0xff]);
      await on.bytes.zadd('z', 1, member);
      expect(await on.bytes.zunion('z')).toEqual([member]);
      expect(await on.bytes.zinter(['z', 'z'], { withScores: true })).toEqual([{ member, score: 2 }]);
    });

    test('a key of another type is refused', async () => {
      await on.db.rpush('x', 'v');
      const calls = [
        () => on.db.zunion(['none', 'x']),
        () => on.db.zinter(['none', 'x']),
        () => on.db.zdiff(['none', 'x']),
        () => on.db.zintercard(['none', 'x']),
        () => on.db.zunionstore('d', 'x'),
        () => on.db.zinterstore('d', 'x'),
        () => on.db.zdiffstore('d', 'x'),
      ];
      for (const call of calls) {
        expect(await failure(call), String(call)).toMatchObject({ code: 'WRONGTYPE' });
      }
    });

    test('misuse is thrown at once and names the argument', () => {
      expect(misuse(() => on.db.zunion([])).message).toContain('keys');
      expect(misuse(() => on.db.zunion(['a', 'b'], { weights: [1] })).message).toContain('weights');
      expect(misuse(() => on.db.zinter('a', { weights: [Number.NaN] })).message).toContain('weights[0]');
      expect(misuse(() => on.db.zinter('a', { weights: wrong(1) })).message).toContain('weights');
      expect(misuse(() => on.db.zunion('a', { aggregate: wrong('avg') })).message).toContain('aggregate');
      expect(misuse(() => on.db.zunionstore('d', 'a', wrong({ withScores: true }))).message).toContain(
        "'withScores' of zunionstore",
      );
      expect(misuse(() => on.db.zdiff('a', wrong({ weights: [1] }))).message).toContain("'weights' of zdiff");
      expect(misuse(() => on.db.zintercard('a', { limit: -1 })).message).toContain("'limit'");
    });
  });
}
