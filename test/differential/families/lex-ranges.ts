import type { Vocabulary } from '../vocabulary.js';
import type { Family } from './family.js';
import { manyMembers, rangeOptions } from './sorted-sets.js';

const bound = (w: Vocabulary): string =>
  w.pick('-', '+', `[${w.text()}`, `(${w.text()}`, `[${w.random.below(300)}`, 'bad');

/**
 * Ranges by bytes, of sorted sets whose members all have the score 0: what such a range gives for others is not specified, and
 * so no other request writes to these keys.
 */
export const lexRanges: Family = {
  name: 'lex-ranges',
  keys: ['lex:1', 'lex:2'],
  apart: true,
  rows: [
    { fixed: true, make: (w) => ['ZADD', w.key(), ...manyMembers(w).flatMap((member) => ['0', member])] },
    { fixed: true, make: (w) => ['ZREM', w.key(), w.word()] },
    { fixed: true, make: (w) => ['ZRANGE', w.key(), bound(w), bound(w), 'BYLEX', ...rangeOptions(w)] },
    { fixed: true, make: (w) => ['ZREMRANGEBYLEX', w.key(), bound(w), bound(w)] },
    { fixed: true, make: (w) => ['ZLEXCOUNT', w.key(), bound(w), bound(w)] },
    { fixed: true, make: (w) => ['ZRANGEBYLEX', w.key(), bound(w), bound(w)] },
    { fixed: true, make: (w) => ['ZREVRANGEBYLEX', w.key(), bound(w), bound(w)] },
    {
      fixed: true,
      make: (w) => ['ZRANGESTORE', w.key(), w.key(), bound(w), bound(w), 'BYLEX', ...rangeOptions(w)],
    },
    { fixed: true, make: (w) => ['DEL', w.key()] },
  ],
};
