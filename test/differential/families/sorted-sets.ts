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

/** Sorted sets. */
export const sortedSets: Family = {
  name: 'sorted-sets',
  weight: 2,
  rows: [
    (w) => ['ZADD', w.key(), w.float(), w.word()],
    (w) => ['ZADD', w.key(), ...w.many().flatMap((member) => [w.float(), member])],
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
    { fixed: true, make: (w) => ['ZSCAN', w.key(), '0', 'COUNT', '100000'] },
  ],
  replies: { ZSCAN: 'scan-pairs' },
  state: { zset: (key) => [['ZRANGE', key, '0', '-1', 'WITHSCORES']] },
  meant: [
    {
      reason: '7.2 knows ZRANK and ZREVRANK with a fourth word, WITHSCORE',
      applies: (request, redis, ours) =>
        /^Z(REV)?RANK$/.test(nameOf(request)) && request.length === 4 && isRefusal(redis) && isRefusal(ours),
    },
  ],
};
