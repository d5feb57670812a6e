import { describe, expect, test } from 'vitest';
import { failure, misuse, type Open, useSubject, wrong } from './subject.js';

export function describeSortedSets(open: Open): void {
  describe('sorted sets', () => {
    const on = useSubject(open);

    test('members are added in every form', async () => {
      expect(await on.db.zadd('s', 1, 'a')).toBe(1);
      expect(await on.db.zadd('s', { score: 2, member: 'b' })).toBe(1);
      expect(
        await on.db.zadd('s', [
          { score: 3, member: 'c' },
          { score: 0.5, member: 'a' },
        ]),
      ).toBe(1);
      expect(await on.db.zadd('s', { d: 4, e: 5 })).toBe(2);
      expect(await on.db.zadd('s', new Map([['f', 6]]))).toBe(1);
      expect(await on.db.zadd('s', { score: 7, member: 8 })).toBe(2);
      expect(await on.db.zrange('s', 0, -1, { withScores: true })).toEqual([
        { member: 'a', score: 0.5 },
        { member: 'b', score: 2 },
        { member: 'c', score: 3 },
        { member: 'd', score: 4 },
        { member: 'e', score: 5 },
        { member: 'f', score: 6 },
        { member: 'score', score: 7 },
        { member: 'member', score: 8 },
      ]);
    });

    test('options of zadd', async () => {
      await on.db.zadd('s', { a: 5, b: 5 });
      expect(await on.db.zadd('s', { a: 1, c: 1 }, { nx: true })).toBe(1);
      expect(await on.db.zadd('s', { a: 6, d: 1 }, { xx: true, ch: true })).toBe(1);
      expect(await on.db.zadd('s', { a: 5, b: 7 }, { gt: true, ch: true })).toBe(1);
      expect(await on.db.zadd('s', { a: 5, b: 8 }, { lt: true, ch: true })).toBe(1);
      expect(await on.db.zmscore('s', ['a', 'b', 'c', 'd'])).toEqual([5, 7, 1, null]);
      expect(await on.db.call('ZADD', 's', 'INCR', 2, 'a')).toBe(7);
      expect(await failure(() => on.db.zadd('s', { a: 1 }, { nx: true, xx: true }))).toMatchObject({
        message: expect.stringContaining('XX and NX options at the same time are not compatible'),
      });
      expect(await failure(() => on.db.zadd('s', { a: 1 }, { gt: true, lt: true }))).toMatchObject({
        code: 'ERR',
      });
    });

    test('scores', async () => {
      await on.db.zadd('s', { a: 1.5, b: -0.1, big: 2 ** 53, up: Infinity, down: -Infinity });
      expect(await on.db.zscore('s', 'a')).toBe(1.5);
      expect(await on.db.zscore('s', 'b')).toBe(-0.1);
      expect(await on.db.zscore('s', 'big')).toBe(2 ** 53);
      expect(await on.db.zscore('s', 'up')).toBe(Infinity);
      expect(await on.db.zscore('s', 'down')).toBe(-Infinity);
      expect(await on.db.zscore('s', 'x')).toBeNull();
      expect(await on.db.zscore('nothing', 'x')).toBeNull();
      expect(await on.db.zmscore('s', ['a', 'x', 'up'])).toEqual([1.5, null, Infinity]);
      expect(await on.db.zrange('s', 0, -1, { withScores: true })).toEqual([
        { member: 'down', score: -Infinity },
        { member: 'b', score: -0.1 },
        { member: 'a', score: 1.5 },
        { member: 'big', score: 2 ** 53 },
        { member: 'up', score: Infinity },
      ]);
    });

    test.each([0.1, 1 / 3, 1e300, 5e-324, 123456789.125, -1e-7, 2 ** 63, 1e21])(
      'a score comes back as it was given: %d',
      async (score) => {
        await on.db.zadd('s', score, 'direct');
        await on.db.zadd('s', { generic: score });
        await on.db.zadd('s', { other: score }, { nx: true });
        expect(await on.db.zscore('s', 'direct')).toBe(score);
        expect(await on.db.zmscore('s', ['direct', 'generic', 'other'])).toEqual([score, score, score]);
        expect(await on.db.zcount('s', score, score)).toBe(3);
      },
    );

    test('a leaderboard', async () => {
      await on.db.zincrby('scores', 10, 'ann');
      expect(await on.db.zincrby('scores', 5.5, 'bob')).toBe(5.5);
      expect(await on.db.zincrby('scores', -1, 'ann')).toBe(9);
      await on.db.zadd('scores', { eve: 7, dan: 7 });
      expect(await on.db.zrange('scores', 0, 9, { rev: true, withScores: true })).toEqual([
        { member: 'ann', score: 9 },
        { member: 'eve', score: 7 },
        { member: 'dan', score: 7 },
        { member: 'bob', score: 5.5 },
      ]);
      expect(await on.db.zrank('scores', 'ann')).toBe(3);
      expect(await on.db.zrevrank('scores', 'ann')).toBe(0);
      expect(await on.db.zrank('scores', 'nobody')).toBeNull();
      expect(await on.db.zrank('nothing', 'ann')).toBeNull();
      expect(await on.db.zcard('scores')).toBe(4);
    });

    test('ranges by score', async () => {
      await on.db.zadd('s', { a: 1, b: 2, c: 3, d: 4 });
      expect(await on.db.zrange('s', 2, 3, { by: 'score' })).toEqual(['b', 'c']);
      expect(await on.db.zrange('s', '(2', '+inf', { by: 'score' })).toEqual(['c', 'd']);
      expect(await on.db.zrange('s', Infinity, -Infinity, { by: 'score', rev: true })).toEqual([
        'd',
        'c',
        'b',
        'a',
      ]);
      expect(await on.db.zrange('s', 0, 9, { by: 'score', limit: { offset: 1, count: 2 } })).toEqual([
        'b',
        'c',
      ]);
      expect(await on.db.zrange('s', 0, 9, { by: 'score', limit: { offset: 2, count: -1 } })).toEqual([
        'c',
        'd',
      ]);
      expect(await on.db.zcount('s', '-inf', '(3')).toBe(2);
      expect(await on.db.zcount('nothing', 0, 1)).toBe(0);
      expect(await failure(() => on.db.zrange('s', 'x', 'y', { by: 'score' }))).toMatchObject({
        message: expect.stringContaining('min or max is not a float'),
      });
      expect(await failure(() => on.db.zrange('s', 0, 1, { limit: { offset: 0, count: 1 } }))).toMatchObject({
        code: 'ERR',
      });
    });

    test('ranges by bytes', async () => {
      await on.db.zadd('s', { a: 0, b: 0, c: 0, ü: 0 });
      expect(await on.db.zrange('s', '-', '+', { by: 'lex' })).toEqual(['a', 'b', 'c', 'ü']);
      expect(await on.db.zrange('s', '[b', '(ü', { by: 'lex' })).toEqual(['b', 'c']);
      expect(await on.db.zrange('s', '+', '[b', { by: 'lex', rev: true })).toEqual(['ü', 'c', 'b']);
      expect(await failure(() => on.db.zrange('s', 'a', 'b', { by: 'lex' }))).toMatchObject({
        message: expect.stringContaining('min or max not valid string range item'),
      });
      expect(await on.db.zremrangebylex('s', '[b', '[c')).toBe(2);
      expect(await on.db.zrange('s', 0, -1)).toEqual(['a', 'ü']);
    });

    test('ranges are counted and stored', async () => {
      await on.db.zadd('s', { a: 0, b: 0, c: 0, d: 0 });
      expect(await on.db.zlexcount('s', '[b', '+')).toBe(3);
      expect(await on.db.zlexcount('nothing', '-', '+')).toBe(0);
      expect(await on.db.zrangestore('t', 's', 0, 1, { rev: true })).toBe(2);
      expect(await on.db.zrange('t', 0, -1)).toEqual(['c', 'd']);
      const limit = { offset: 1, count: 1 };
      expect(await on.db.zrangestore('t', 's', '-', '+', { by: 'lex', limit })).toBe(1);
      expect(await on.db.zrange('t', 0, -1)).toEqual(['b']);
      expect(await on.db.zrangestore('t', 'nothing', 0, -1)).toBe(0);
      expect(await on.db.exists('t')).toBe(0);
    });

    test('ranges by rank', async () => {
      await on.db.zadd('s', { a: 1, b: 2, c: 3 });
      expect(await on.db.zrange('s', 0, 0)).toEqual(['a']);
      expect(await on.db.zrange('s', -2, -1)).toEqual(['b', 'c']);
      expect(await on.db.zrange('s', 2, 1)).toEqual([]);
      expect(await on.db.zrange('nothing', 0, -1)).toEqual([]);
      expect(await on.db.zrange('nothing', 0, -1, { withScores: true })).toEqual([]);
    });

    test('pops', async () => {
      await on.db.zadd('s', { a: 1, b: 2, c: 3, d: 4 });
      expect(await on.db.zpopmin('s')).toEqual({ member: 'a', score: 1 });
      expect(await on.db.zpopmax('s')).toEqual({ member: 'd', score: 4 });
      expect(await on.db.zpopmax('s', 5)).toEqual([
        { member: 'c', score: 3 },
        { member: 'b', score: 2 },
      ]);
      expect(await on.db.zpopmin('s')).toBeNull();
      expect(await on.db.zpopmin('s', 2)).toEqual([]);
      expect(await on.db.exists('s')).toBe(0);
    });

    test('removals', async () => {
      await on.db.zadd('s', { a: 1, b: 2, c: 3, d: 4, e: 5, f: 6 });
      expect(await on.db.zrem('s', 'a')).toBe(1);
      expect(await on.db.zrem('s', ['a', 'b', 'x'])).toBe(1);
      expect(await on.db.zremrangebyrank('s', -1, -1)).toBe(1);
      expect(await on.db.zremrangebyscore('s', '(3', 4)).toBe(1);
      expect(await on.db.zrange('s', 0, -1)).toEqual(['c', 'e']);
      expect(await on.db.zremrangebyscore('s', -Infinity, Infinity)).toBe(2);
      expect(await on.db.exists('s')).toBe(0);
    });

    test('a large sorted set behaves as a small one, and scans give every member', async () => {
      const members = Array.from({ length: 3000 }, (_, i) => ({ member: `m${i}`, score: (i * 7919) % 3001 }));
      expect(await on.db.zadd('s', members)).toBe(3000);
      const byScore = [...members].sort((a, b) => a.score - b.score);
      expect(await on.db.zrange('s', 0, -1, { withScores: true })).toEqual(byScore);
      expect(await on.db.zrank('s', byScore[1500]?.member ?? '')).toBe(1500);
      const seen = new Map<string, number>();
      for await (const { member, score } of on.db.zscanIterator('s', { count: 100 })) seen.set(member, score);
      expect(seen).toEqual(new Map(members.map(({ member, score }) => [member, score])));
      const page = await on.db.zscan('s', 0, { match: 'm1', count: 100_000 });
      expect(page).toEqual({ cursor: '0', members: [{ member: 'm1', score: 7919 % 3001 }] });
    });

    test('members may be any bytes, and empty', async () => {
      const bytes = Buffer.from([0xff, 0]);
      await on.bytes.zadd('s', 1, bytes);
      await on.bytes.zadd('s', { member: '', score: 0 });
      expect(await on.bytes.zrange('s', 0, -1, { withScores: true })).toEqual([
        { member: Buffer.alloc(0), score: 0 },
        { member: bytes, score: 1 },
      ]);
    });

    test('an increment to NaN is refused', async () => {
      await on.db.zadd('s', { a: Infinity });
      expect(await failure(() => on.db.zincrby('s', -Infinity, 'a'))).toMatchObject({
        message: expect.stringContaining('resulting score is not a number (NaN)'),
      });
      expect(await on.db.zscore('s', 'a')).toBe(Infinity);
    });

    test('random members', async () => {
      await on.db.zadd('s', { a: 1, b: 2, c: 3 });
      expect(['a', 'b', 'c']).toContain(await on.db.zrandmember('s'));
      expect(new Set(await on.db.zrandmember('s', 2)).size).toBe(2);
      expect(await on.db.zrandmember('s', 10)).toHaveLength(3);
      expect(await on.db.zrandmember('s', -10)).toHaveLength(10);
      const [one] = await on.db.zrandmember('s', 1, { withScores: true });
      expect([
        { member: 'a', score: 1 },
        { member: 'b', score: 2 },
        { member: 'c', score: 3 },
      ]).toContainEqual(one);
      expect(await on.db.zrandmember('none')).toBeNull();
      expect(await on.db.zrandmember('none', 2)).toEqual([]);
    });

    test('ranks with scores', async () => {
      await on.db.zadd('s', { a: 1, b: 2.5 });
      expect(await on.db.zrank('s', 'b', { withScore: true })).toEqual({ rank: 1, score: 2.5 });
      expect(await on.db.zrevrank('s', 'b', { withScore: true })).toEqual({ rank: 0, score: 2.5 });
      expect(await on.db.zrank('s', 'b', { withScore: false })).toBe(1);
      expect(await on.db.zrank('s', 'x', { withScore: true })).toBeNull();
    });

    test('increments under conditions', async () => {
      expect(await on.db.zincrby('s', 2, 'a', { xx: true })).toBeNull();
      expect(await on.db.zincrby('s', 2, 'a', { nx: true })).toBe(2);
      expect(await on.db.zincrby('s', 2, 'a', { nx: true })).toBeNull();
      expect(await on.db.zincrby('s', -1, 'a', { gt: true })).toBeNull();
      expect(await on.db.zincrby('s', -1, 'a', { lt: true, xx: true })).toBe(1);
      expect(await failure(() => on.db.zincrby('s', 1, 'a', { gt: true, lt: true }))).toMatchObject({
        code: 'ERR',
      });
    });

    test('zmpop takes from the first sorted set that has members', async () => {
      await on.db.zadd('s', { a: 1, b: 2, c: 3 });
      expect(await on.db.zmpop(['none', 's'], 'min')).toEqual({
        key: 's',
        members: [{ member: 'a', score: 1 }],
      });
      expect(await on.db.zmpop('s', 'max', { count: 5 })).toEqual({
        key: 's',
        members: [
          { member: 'c', score: 3 },
          { member: 'b', score: 2 },
        ],
      });
      expect(await on.db.zmpop(['none', 's'], 'min')).toBeNull();
    });

    test('a key of another type is refused', async () => {
      await on.db.set('x', 'v');
      const calls = [
        () => on.db.zadd('x', 1, 'm'),
        () => on.db.zadd('x', { m: 1 }),
        () => on.db.zrem('x', 'm'),
        () => on.db.zscore('x', 'm'),
        () => on.db.zmscore('x', ['m']),
        () => on.db.zincrby('x', 1, 'm'),
        () => on.db.zcard('x'),
        () => on.db.zcount('x', 0, 1),
        () => on.db.zrank('x', 'm'),
        () => on.db.zrevrank('x', 'm'),
        () => on.db.zrange('x', 0, 1),
        () => on.db.zpopmin('x'),
        () => on.db.zmpop(['none', 'x'], 'max'),
        () => on.db.zrandmember('x'),
        () => on.db.zremrangebyrank('x', 0, 1),
        () => on.db.zscan('x', 0),
      ];
      for (const call of calls) {
        expect(await failure(call), String(call)).toMatchObject({ code: 'WRONGTYPE' });
      }
    });

    test('misuse is thrown at once and names the argument', () => {
      expect(misuse(() => on.db.zadd('s', Number.NaN, 'm')).message).toContain('score');
      expect(misuse(() => on.db.zadd('s', { member: 'm', score: Number.NaN })).message).toContain('score');
      expect(misuse(() => on.db.zadd('s', { m: Number.NaN }))).toBeInstanceOf(RangeError);
      expect(misuse(() => on.db.zadd('s', [{ member: 'm', score: wrong('1') }])).message).toContain(
        'members[0]',
      );
      expect(misuse(() => on.db.zadd('s', [])).message).toContain('members');
      expect(misuse(() => on.db.zadd('s', {})).message).toContain('members');
      expect(misuse(() => on.db.zadd('s', { m: 1 }, wrong({ xxx: true }))).message).toContain("'xxx'");
      expect(misuse(() => on.db.zadd('s', 1, wrong(5))).message).toContain('member');
      expect(misuse(() => on.db.zincrby('s', Number.NaN, 'm')).message).toContain('by');
      expect(misuse(() => on.db.zincrby('s', wrong('1'), 'm')).message).toContain('by');
      expect(misuse(() => on.db.zcount('s', Number.NaN, 1)).message).toContain('min');
      expect(misuse(() => on.db.zrange('s', 0, 1, wrong({ by: 'rank' }))).message).toContain("'by'");
      expect(misuse(() => on.db.zrange('s', 0, 1, wrong({ limit: 5 }))).message).toContain("'limit'");
      expect(misuse(() => on.db.zpopmin('s', -1)).message).toContain('count');
      expect(misuse(() => on.db.zmpop('s', wrong('left'))).message).toContain('from');
      expect(misuse(() => on.db.zmpop([], 'min')).message).toContain('keys');
      expect(misuse(() => on.db.zrandmember('s', 0.5)).message).toContain('count');
      expect(misuse(() => on.db.zrank('s', 'm', wrong({ withScores: true }))).message).toContain(
        "'withScores'",
      );
      expect(misuse(() => on.db.zincrby('s', 1, 'm', wrong({ ch: true }))).message).toContain("'ch'");
    });
  });
}
