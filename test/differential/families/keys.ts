import type { Vocabulary } from '../vocabulary.js';
import type { Family } from './family.js';

/** Only for absolute times: later or earlier than a relative one depends on the clock. */
const condition = (w: Vocabulary): string[] => w.maybe(w.pick('NX', 'XX', 'GT', 'LT', 'lt', 'ZZ'));

/** Keys, whatever they hold. */
export const keys: Family = {
  name: 'keys',
  rows: [
    (w) => [w.pick('DEL', 'UNLINK', 'EXISTS'), ...w.keys(1, 3)],
    (w) => ['TYPE', w.key()],
    (w) => ['OBJECT', 'ENCODING', w.key()],
    // Frequencies are refused on both sides, since neither policy counts them.
    (w) => ['OBJECT', w.pick('FREQ', 'IDLETIME', 'idletime'), w.key()],
    (w) => [
      'EXPIRE',
      w.key(),
      w.pick('1000', '0', '-1', 'x', '9223372036854775807'),
      ...w.maybe(w.pick('NX', 'XX', 'nx', 'ZZ')),
    ],
    (w) => ['PEXPIRE', w.key(), w.pick('1000000', '-5'), ...w.maybe('XX')],
    (w) => ['EXPIREAT', w.key(), w.pick('4102444800', '4102444801', '1'), ...condition(w)],
    (w) => ['PEXPIREAT', w.key(), '4102444800000', ...condition(w)],
    (w) => [w.pick('TTL', 'PTTL'), w.key()],
    (w) => [w.pick('EXPIRETIME', 'PEXPIRETIME'), w.key()],
    (w) => ['PERSIST', w.key()],
    (w) => [w.pick('RENAME', 'RENAMENX'), w.key(), w.key()],
    (w) => ['COPY', w.key(), w.key(), ...w.maybe('REPLACE')],
    (w) => ['KEYS', w.pick('*', '[a-c]', '?', 'x*', '[^a]', '\\a')],
    {
      fixed: true,
      make: (w) => [
        'SCAN',
        '0',
        'COUNT',
        '100000',
        ...w.maybe('TYPE', w.pick('string', 'zset', 'list', 'hash', 'set')),
        ...w.maybe('MATCH', w.pick('[a-d]', '*1', '*')),
      ],
    },
    (w) => ['TOUCH', ...w.keys(1, 3)],
    () => ['DBSIZE'],
    (w) => ['NOSUCH', w.key(), 'x'],
    (w) => (w.random.once(20) ? ['FLUSHALL'] : ['DBSIZE']),
  ],
  replies: {
    // Whole seconds of two clocks.
    OBJECT: (reply, request) =>
      /^idletime$/i.test(String(request[1])) && /^\d+$/.test(String(reply)) ? 'some seconds' : reply,
    KEYS: 'unordered',
    SCAN: 'scan',
    TTL: 'seconds',
    PTTL: 'milliseconds',
    EXPIRETIME: 'seconds',
    PEXPIRETIME: 'milliseconds',
  },
};
