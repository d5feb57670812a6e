import type { Vocabulary } from '../vocabulary.js';
import { type Family, isRefusal, nameOf } from './family.js';

const end = (w: Vocabulary): string => w.pick('LEFT', 'RIGHT', 'left', 'right');

/** Lists. */
export const lists: Family = {
  name: 'lists',
  rows: [
    (w) => [w.pick('LPUSH', 'RPUSH'), w.key(), ...w.many()],
    (w) => [w.pick('LPOP', 'RPOP'), w.key(), ...w.maybe(w.number())],
    (w) => ['LLEN', w.key()],
    (w) => [w.pick('LPUSHX', 'RPUSHX'), w.key(), w.word()],
    (w) => [
      'LPOS',
      w.key(),
      w.word(),
      ...w.maybe('RANK', w.number()),
      ...w.maybe('COUNT', w.number()),
      ...w.maybe('MAXLEN', w.number()),
    ],
    (w) => {
      const keys = w.keys(1, 3);
      return ['LMPOP', String(keys.length), ...keys, end(w), ...w.maybe('COUNT', w.number())];
    },
    (w) => ['RPOPLPUSH', w.key(), w.key()],
    (w) => ['LRANGE', w.key(), w.number(), w.number()],
    (w) => ['LINDEX', w.key(), w.number()],
    (w) => ['LSET', w.key(), w.number(), w.word()],
    (w) => ['LREM', w.key(), w.number(), w.word()],
    (w) => ['LTRIM', w.key(), w.number(), w.pick('-1', '-2', '50', '3')],
    (w) => ['LINSERT', w.key(), w.pick('BEFORE', 'after', 'x'), w.word(), w.word()],
    (w) => ['LMOVE', w.key(), w.key(), end(w), end(w)],
  ],
  state: { list: (key) => [['LRANGE', key, '0', '-1']] },
  meant: [
    {
      reason: '7.2 refuses the lowest rank of LPOS, which has no opposite',
      applies: (request, _redis, ours) =>
        nameOf(request) === 'LPOS' && isRefusal(ours) && request.includes('-9223372036854775808'),
    },
    {
      reason: '7.2 packs lists of one node into a listpack, which 7.0 does not',
      applies: (request, redis, ours) =>
        nameOf(request) === 'OBJECT' && redis === 'quicklist' && ours === 'listpack',
    },
  ],
};
