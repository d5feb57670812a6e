import type { Family } from './family.js';

/** Milliseconds that leave 64 bits when the present is added to them, as seconds at once. */
const FAR = '9223372036854775807';

const ENCODINGS = ['int', 'embstr', 'raw'];

/** Strings. */
export const strings: Family = {
  name: 'strings',
  rows: [
    (w) => ['GET', w.key()],
    (w) => ['SET', w.key(), w.word()],
    (w) => ['SET', w.key(), w.number()],
    (w) => ['SET', w.key(), w.word(), ...w.maybe(w.pick('NX', 'XX')), ...w.maybe('GET')],
    (w) => ['SET', w.key(), w.word(), w.pick('KEEPTTL', 'NX', 'xx', 'GET'), ...w.maybe('EX', '1000')],
    (w) => ['SETNX', w.key(), w.word()],
    (w) => ['GETDEL', w.key()],
    (w) => ['GETEX', w.key(), ...w.maybe('PERSIST'), ...w.maybe('EX', '1000')],
    (w) => ['MGET', ...w.keys(1, 4)],
    (w) => ['MSET', w.key(), w.word(), w.key(), w.word()],
    (w) => ['MSETNX', w.key(), w.word(), w.key(), w.word()],
    (w) => ['GETSET', w.key(), w.word()],
    (w) => ['SETEX', w.key(), w.pick('1000', '0', 'x'), w.word()],
    (w) => ['APPEND', w.key(), w.word()],
    (w) => ['STRLEN', w.key()],
    (w) => ['GETRANGE', w.key(), w.number(), w.number()],
    (w) => ['SETRANGE', w.key(), w.pick('0', '1', '5', '20', '-1', 'x'), w.word()],
    (w) => [w.pick('INCR', 'DECR'), w.key()],
    (w) => [w.pick('INCRBY', 'DECRBY'), w.key(), w.number()],
    (w) => ['INCRBYFLOAT', w.key(), w.float()],
    (w) => ['SUBSTR', w.key(), w.number(), w.number()],
    (w) => ['PSETEX', w.key(), w.pick('1000000', '0', '-1', 'x'), w.word()],
    (w) => ['GETEX', w.key(), w.pick('EXAT', 'PXAT'), w.pick('4102444800000', '1', '0', '-1', FAR)],
    (w) => ['GETEX', w.key(), w.pick('EX', 'PX'), w.pick('1000000', '0', '-1', FAR)],
    (w) => ['LCS', w.key(), w.key(), ...w.maybe(w.pick('LEN', 'len'))],
    (w) => [
      'LCS',
      w.key(),
      w.key(),
      'IDX',
      ...w.maybe('MINMATCHLEN', w.number()),
      ...w.maybe(w.pick('WITHMATCHLEN', 'LEN')),
    ],
  ],
  state: { string: (key) => [['GET', key]] },
  meant: [
    {
      reason: 'how a string is held is told by its text here, and by its history in Redis',
      applies: ([name], redis, ours) =>
        /^object$/i.test(String(name)) && [redis, ours].every((reply) => ENCODINGS.includes(String(reply))),
    },
  ],
};
