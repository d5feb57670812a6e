import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { majority, quorumValue } from '../../src/raft/quorum.js';

/** The obvious way: the largest value that a majority of some subset agrees on. */
function obvious(values: readonly number[]): number {
  const sorted = [...values].sort((a, b) => b - a);
  return sorted[Math.floor(values.length / 2)] ?? Number.NEGATIVE_INFINITY;
}

describe('quorum (TR8)', () => {
  it.each([
    [[5], 5],
    [[5, 3], 3],
    [[0, 9], 0],
    [[5, 3, 1], 3],
    [[4, 4, 1, 1], 1],
    [[9, 7, 5, 3], 5],
    [[9, 7, 5, 3, 1], 5],
    [[2, 2, 2, 0, 0, 0, 9], 2],
  ])('%j commits %i', (values, index) => {
    expect(quorumValue(values)).toBe(index);
  });

  it('is what the obvious implementation says', () => {
    const vectors = fc.array(
      fc.constantFrom(0, 1, 2, 3, Number.NEGATIVE_INFINITY, Number.POSITIVE_INFINITY),
      {
        minLength: 1,
        maxLength: 9,
      },
    );
    fc.assert(
      fc.property(vectors, (values) => {
        expect(quorumValue(values)).toBe(obvious(values));
      }),
      { numRuns: 500 },
    );
  });

  it('of two intersects, always', () => {
    for (let voters = 1; voters <= 9; voters++) expect(2 * majority(voters)).toBeGreaterThan(voters);
  });
});
