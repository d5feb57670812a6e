import type { Vocabulary } from '../vocabulary.js';
import type { Family, Make, Row } from './family.js';

/** Seconds: long enough for Redis to give up, short enough for many requests. */
const TIMEOUT = '0.001';

const side = (w: Vocabulary): string => w.pick('LEFT', 'RIGHT');

/**
 * As it is, since a spoilt request might wait for ever; and seldom, since one that finds nothing stops all those behind it. Between
 * them the keys are filled.
 */
const seldom = (make: Make): Row => {
  const fill: Make = (w) =>
    w.random.once(2)
      ? ['RPUSH', w.key(), w.word(), w.word()]
      : ['ZADD', w.key(), '1', w.word(), '2', w.word()];
  return { make: (w) => (w.random.once(8) ? make(w) : fill(w)), fixed: true };
};

const counted = (w: Vocabulary, name: string, end: string): string[] => {
  const keys = w.keys(1, 3);
  return [name, TIMEOUT, String(keys.length), ...keys, end, ...w.maybe('COUNT', w.pick('1', '2', '100'))];
};

/** Commands that block, where there is something for them, or nothing for a moment. */
export const blocking: Family = {
  name: 'blocking',
  rows: [
    seldom((w) => [w.pick('BLPOP', 'BRPOP'), ...w.keys(1, 3), TIMEOUT]),
    seldom((w) => [w.pick('BZPOPMIN', 'BZPOPMAX'), ...w.keys(1, 3), TIMEOUT]),
    seldom((w) => ['BLMOVE', w.key(), w.key(), side(w), side(w), TIMEOUT]),
    seldom((w) => ['BRPOPLPUSH', w.key(), w.key(), TIMEOUT]),
    seldom((w) => counted(w, 'BLMPOP', side(w))),
    seldom((w) => counted(w, 'BZMPOP', w.pick('MIN', 'MAX'))),
    seldom((w) => [
      'XREAD',
      ...w.maybe('COUNT', '2'),
      'BLOCK',
      '1',
      'STREAMS',
      w.key(),
      w.pick('0', '$', '5-0'),
    ]),
  ],
};
