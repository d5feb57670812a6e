/** How many of `voters` make a majority. */
export function majority(voters: number): number {
  return Math.floor(voters / 2) + 1;
}

/**
 * The largest value that a majority has reached, given one value per voter: a match vector gives the index that may
 * commit (R5), a vector of send times the base of a lease (E8), a vector of rounds the round that is confirmed.
 */
export function quorumValue(values: readonly number[]): number {
  const sorted = values.toSorted((a, b) => b - a);
  return sorted[majority(values.length) - 1] ?? 0;
}
