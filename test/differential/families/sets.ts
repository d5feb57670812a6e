import { type Family, nameOf } from './family.js';

/** Sets. Random members are asked for all at once, because the two sides draw differently. */
export const sets: Family = {
  name: 'sets',
  rows: [
    (w) => ['SADD', w.key(), ...w.many()],
    (w) => ['SADD', w.key(), ...w.random.some(1, 8, () => String(w.random.below(40)))],
    (w) => ['SREM', w.key(), ...w.many()],
    (w) => ['SISMEMBER', w.key(), w.word()],
    (w) => ['SMISMEMBER', w.key(), ...w.words(1, 4)],
    (w) => ['SMEMBERS', w.key()],
    (w) => ['SCARD', w.key()],
    (w) => [w.pick('SUNION', 'SINTER', 'SDIFF'), ...w.keys(1, 3)],
    (w) => [w.pick('SUNIONSTORE', 'SINTERSTORE', 'SDIFFSTORE'), w.key(), w.key(), w.key()],
    (w) => [w.pick('SUNIONSTORE', 'SINTERSTORE', 'SDIFFSTORE'), w.key(), ...w.keys(1, 4)],
    (w) => ['SINTERCARD', w.pick('1', '2', '2', '3'), w.key(), w.key(), ...w.maybe('LIMIT', w.number())],
    (w) => ['SMOVE', w.key(), w.key(), w.word()],
    { fixed: true, make: (w) => ['SPOP', w.key(), w.pick('0', '-1', 'x', '9223372036854775807')] },
    { fixed: true, make: (w) => ['SPOP', w.key(), '100000'] },
    { fixed: true, make: (w) => ['SRANDMEMBER', w.key(), '100000'] },
    { fixed: true, make: (w) => ['SSCAN', w.key(), '0', 'COUNT', '100000', ...w.maybe('MATCH', '*1*')] },
  ],
  replies: {
    SMEMBERS: 'unordered',
    SUNION: 'unordered',
    SINTER: 'unordered',
    SDIFF: 'unordered',
    SPOP: 'unordered',
    SRANDMEMBER: 'unordered',
    SSCAN: 'scan',
  },
  state: { set: (key) => [['SMEMBERS', key]] },
  meant: [
    {
      reason: '7.2 packs small sets of strings into a listpack, which 7.0 does not',
      applies: (request, redis, ours) =>
        nameOf(request) === 'OBJECT' && redis === 'hashtable' && ours === 'listpack',
    },
  ],
};
