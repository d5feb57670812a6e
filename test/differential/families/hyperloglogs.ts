import type { Vocabulary } from '../vocabulary.js';
import { type Comparable, type Family, nameOf } from './family.js';

/** Enough different elements that a sketch turns dense after some requests. */
const elements = (w: Vocabulary): (string | Buffer)[] =>
  w.random.once(3)
    ? w.random.some(100, 400, () => `e${w.random.below(50_000)}`)
    : w.random.some(0, 5, () => (w.random.once(2) ? w.word() : `e${w.random.below(50_000)}`));

/** A sketch without the number that Redis has written down when it counted. */
const uncounted = (reply: Comparable): string | undefined =>
  typeof reply === 'string' && reply.startsWith('HYLL') ? reply.slice(0, 8) + reply.slice(16) : undefined;

/** Sketches are bytes: no other family may change them, or read what one side has counted. */
export const hyperloglogs: Family = {
  name: 'hyperloglogs',
  apart: true,
  keys: ['hll:1', 'hll:2', 'hll:3', 'hll:4'],
  rows: [
    // Never spoilt: no other family may find a sketch under an odd key.
    { make: (w) => ['PFADD', w.key(), ...elements(w)], weight: 4, fixed: true },
    (w) => ['PFCOUNT', w.key()],
    (w) => ['PFCOUNT', ...w.keys(1, 3)],
    { make: (w) => ['PFMERGE', w.key(), ...w.keys(0, 3)], fixed: true },
    (w) => [w.pick('PFADD', 'PFMERGE', 'PFCOUNT')],
    (w) => ['GET', w.key()],
    (w) => ['STRLEN', w.key()],
    (w) => (w.random.once(5) ? ['DEL', w.key()] : ['EXISTS', w.key()]),
    (w) => (w.random.once(5) ? ['SET', w.key(), w.pick('x', 'HYLL', 'HYLL56789abcdef0')] : ['GET', w.key()]),
    (w) => (w.random.once(5) ? ['SADD', w.key(), 'x'] : ['TYPE', w.key()]),
  ],
  meant: [
    {
      reason: 'PFCOUNT is a read here, and does not store the number that it has computed',
      applies: (request, redis, ours) =>
        nameOf(request) === 'GET' && uncounted(redis) !== undefined && uncounted(redis) === uncounted(ours),
    },
  ],
};
