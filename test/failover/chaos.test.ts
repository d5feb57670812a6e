/** Processes that are killed, stopped, closed and started again at random, with clients that check what they see. */
import { expect, test } from 'vitest';
import { runChaos } from '../chaos/run.js';

const seconds = Number(process.env.HOLDFAST_CHAOS_SECONDS ?? 7);
/** One run without directories, one with them. */
const seeds = (process.env.HOLDFAST_CHAOS_SEEDS ?? '1,5').split(',').map(Number);

test.each(seeds)(
  'chaos of seed %i shows nothing that one copy of the data would not',
  { timeout: (seconds + 60) * 1_000 },
  async (seed) => {
    const { violations, writes, reads, misfortunes, healMs } = await runChaos({ seed, seconds });
    expect(violations.slice(0, 10)).toEqual([]);
    expect(healMs).toBeLessThan(10_000);
    expect(Math.min(writes, reads, misfortunes)).toBeGreaterThan(5);
  },
);
