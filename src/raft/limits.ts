import { invariant } from './invariant.js';
import type { Limits, Timers } from './types.js';

/** Defaults of everything that a core queues. */
export const LIMITS: Limits = {
  appendBytesMax: 256 * 1024,
  inflightBytesMax: 8 * 1024 * 1024,
  inflightFramesMax: 256,
  uncommittedBytesMax: 64 * 1024 * 1024,
  applyBytesMax: 8 * 1024 * 1024,
  readsMax: 65_536,
};

/**
 * Default timers. The promise bounds the outage after a crash (it is what the barrier waits for), the election timeout
 * is what a stalled event loop may cost without an election.
 */
export const TIMERS: Timers = { beatMs: 50, promiseMs: 300, electionMs: 600, giveUpMs: 600, drift: 0.1 };

/** Delay of a campaign when the leader's links have just closed: random, so that two followers seldom collide. */
export const HURRY_MS = { min: 5, max: 60 } as const;

/** Throws unless the timers make sense together. */
export function checkTimers(timers: Timers): void {
  invariant(timers.drift >= 0 && timers.drift < 0.5, 'timers: drift is in [0, 0.5)');
  invariant(
    timers.beatMs > 0 && timers.promiseMs >= 3 * timers.beatMs,
    'timers: a promise spans three beats',
  );
  invariant(timers.electionMs >= timers.promiseMs, 'timers: an election timeout spans a promise');
  invariant(timers.giveUpMs > 0, 'timers: giveUpMs is positive');
}
