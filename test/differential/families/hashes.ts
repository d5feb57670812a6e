import type { Comparable, Family } from './family.js';

/** All fields, or pairs of them and their values, sorted. */
function sampled(reply: Comparable): Comparable {
  return Array.isArray(reply) ? reply.map((row) => JSON.stringify(row)).sort() : reply;
}

/** Hashes. Fields are in the order of insertion here, and by hash in Redis. */
export const hashes: Family = {
  name: 'hashes',
  rows: [
    (w) => ['HSET', w.key(), w.word(), w.word()],
    (w) => ['HSET', w.key(), ...w.many().flatMap((field) => [field, w.word()])],
    (w) => ['HSET', w.key(), w.word(), w.number()],
    (w) => ['HGET', w.key(), w.word()],
    (w) => ['HMGET', w.key(), ...w.words(1, 3)],
    (w) => ['HGETALL', w.key()],
    (w) => ['HDEL', w.key(), ...w.many()],
    (w) => ['HEXISTS', w.key(), w.word()],
    (w) => ['HLEN', w.key()],
    (w) => ['HINCRBY', w.key(), w.word(), w.number()],
    (w) => [w.pick('HKEYS', 'HVALS'), w.key()],
    (w) => ['HINCRBYFLOAT', w.key(), w.word(), w.float()],
    (w) => ['HSTRLEN', w.key(), w.word()],
    (w) => ['HSETNX', w.key(), w.word(), w.word()],
    (w) => ['HMSET', w.key(), ...w.words(1, 3).flatMap((field) => [field, w.word()])],
    (w) => [w.pick('HINCRBY', 'HINCRBYFLOAT'), w.key(), w.word(), w.odd()],
    {
      fixed: true,
      make: (w) => ['HRANDFIELD', w.key(), '100000', ...w.maybe('WITHVALUES')],
    },
    {
      fixed: true,
      make: (w) => ['HSCAN', w.key(), '0', 'COUNT', '100000', ...w.maybe('MATCH', '[a-m1]*')],
    },
  ],
  replies: {
    HGETALL: 'unordered-pairs',
    HKEYS: 'unordered',
    HVALS: 'unordered',
    HSCAN: 'scan-pairs',
    HRANDFIELD: sampled,
  },
  state: { hash: (key) => [['HGETALL', key]] },
};
