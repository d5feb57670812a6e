import type { Vocabulary } from '../vocabulary.js';
import { type Family, isRefusal, nameOf } from './family.js';

const zaddOptions = (w: Vocabulary): string[] =>
  w.random.some(0, 2, () => w.pick('NX', 'XX', 'GT', 'LT', 'CH', 'INCR'));

/** Options of `ZRANGE`. */
export const rangeOptions = (w: Vocabulary): string[] => [
  ...w.maybe('REV'),
  ...w.maybe('LIMIT', w.number(), w.number()),
  ...w.maybe('WITHSCORES'),
];

/** Different members: 7.2 makes room for all pairs of a `ZADD` even if some are the same, and 7.0 does not. */
export const manyMembers = (w: Vocabulary): (string | Buffer)[] => [...new Set(w.many())];

const counted = (keys: readonly string[]): string[] => [String(keys.length), ...keys];

const joining = (w: Vocabulary, keys: number): string[] => {
  const weights = w.maybe('WEIGHTS', ...w.random.some(keys, keys, w.float));
  const aggregate = w.maybe('AGGREGATE', w.pick('SUM', 'min', 'MAX', 'AVG'));
  return w.random.once(2) ? [...weights, ...aggregate] : [...aggregate, ...weights];
};

/** Sorted sets. */
export const sortedSets: Family = {
  name: 'sorted-sets',
  weight: 2,
  rows: [
    (w) => ['ZADD', w.key(), w.float(), w.word()],
    (w) => ['ZADD', w.key(), ...manyMembers(w).flatMap((member) => [w.float(), member])],
    (w) => ['ZADD', w.key(), ...zaddOptions(w), w.float(), w.word()],
    (w) => ['ZREM', w.key(), ...w.many()],
    (w) => ['ZSCORE', w.key(), w.word()],
    (w) => ['ZMSCORE', w.key(), ...w.words(1, 3)],
    (w) => ['ZINCRBY', w.key(), w.float(), w.word()],
    (w) => ['ZCARD', w.key()],
    (w) => ['ZCOUNT', w.key(), w.bound(), w.bound()],
    (w) => [w.pick('ZRANK', 'ZREVRANK'), w.key(), w.word()],
    (w) => ['ZRANGE', w.key(), w.number(), w.number(), ...w.maybe('REV'), ...w.maybe('WITHSCORES')],
    (w) => ['ZRANGE', w.key(), w.bound(), w.bound(), 'BYSCORE', ...rangeOptions(w)],
    (w) => ['ZRANGESTORE', w.key(), w.key(), w.number(), w.number(), ...w.maybe('REV')],
    (w) => ['ZRANGEBYSCORE', w.key(), w.bound(), w.bound(), ...w.maybe('WITHSCORES')],
    (w) => ['ZREVRANGE', w.key(), w.number(), w.number(), ...w.maybe('WITHSCORES')],
    (w) => [w.pick('ZPOPMIN', 'ZPOPMAX'), w.key(), ...w.maybe(w.number())],
    (w) => ['ZREMRANGEBYRANK', w.key(), w.number(), w.number()],
    (w) => ['ZREMRANGEBYSCORE', w.key(), w.bound(), w.bound()],
    (w) => ['ZADD', w.key(), ...zaddOptions(w), ...w.words(1, 3).flatMap((member) => [w.float(), member])],
    (w) => ['ZRANGESTORE', w.key(), w.key(), w.bound(), w.bound(), 'BYSCORE', ...rangeOptions(w)],
    (w) => ['ZREVRANGEBYSCORE', w.key(), w.bound(), w.bound(), ...w.maybe('LIMIT', w.number(), w.number())],
    (w) => ['ZMPOP', ...counted(w.keys(1, 3)), w.pick('MIN', 'MAX', 'max'), ...w.maybe('COUNT', w.number())],
    (w) => {
      const keys = w.keys(1, 3);
      return [
        w.pick('ZUNION', 'ZINTER'),
        ...counted(keys),
        ...joining(w, keys.length),
        ...w.maybe('WITHSCORES'),
      ];
    },
    (w) => {
      const keys = w.keys(1, 3);
      return [w.pick('ZUNIONSTORE', 'ZINTERSTORE'), w.key(), ...counted(keys), ...joining(w, keys.length)];
    },
    (w) => ['ZDIFF', ...counted(w.keys(1, 3)), ...w.maybe('WITHSCORES')],
    (w) => ['ZDIFFSTORE', w.key(), ...counted(w.keys(1, 3))],
    (w) => ['ZINTERCARD', ...counted(w.keys(1, 3)), ...w.maybe('LIMIT', w.number())],
    { fixed: true, make: (w) => ['ZRANDMEMBER', w.key(), '100000', ...w.maybe('WITHSCORES')] },
    { fixed: true, make: (w) => ['ZRANDMEMBER', w.key(), w.pick('0', 'x', '-9223372036854775808')] },
    { fixed: true, make: (w) => ['ZSCAN', w.key(), '0', 'COUNT', '100000'] },
  ],
  replies: { ZSCAN: 'scan-pairs', ZRANDMEMBER: 'unordered' },
  state: { zset: (key) => [['ZRANGE', key, '0', '-1', 'WITHSCORES']] },
  meant: [
    {
      reason: '7.2 knows ZRANK and ZREVRANK with a fourth word, WITHSCORE',
      applies: (request, redis, ours) =>
        /^Z(REV)?RANK$/.test(nameOf(request)) && request.length === 4 && isRefusal(redis) && isRefusal(ours),
    },
  ],
};
