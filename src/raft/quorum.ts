/** How many of `voters` make a majority. */
export function majority(voters: number): number {
  return Math.floor(voters / 2) + 1;
}

/**
 * The largest value that a majority has reached, given one value per voter: a match vector gives the index that may
 * commit (R5), a vector of send times the base of a lease (E8), a vector of rounds the round that is confirmed.
 */
export function quorumValue(values: readonly number[]): number {
  const needed = majority(values.length);
  let best = Number.NEGATIVE_INFINITY;
  for (const value of values) {
    if (value <= best) continue;
    let reached = 0;
    for (const other of values) if (other >= value) reached++;
    if (reached >= needed) best = value;
  }
  return best;
}
