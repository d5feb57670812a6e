/** What the event loop feels when very many keys expire in the same second. */
import { setImmediate as nextTurn } from 'node:timers/promises';
import { type LocalKeyspaceDriver, localKeyspaceDriver } from '../drivers/local-keyspace.js';
import { defineTrial, type RunResult } from '../trial.js';
import { hashOf, keyOf, ValueMaker } from '../workload.js';

const SIZES = {
  real: { keys: 1_000_000, leadMs: 6_000 },
  tiny: { keys: 2_000, leadMs: 300 },
} as const;
/** What expires does so within this time. */
const SPREAD_MS = 1_000;
/** When the watch begins before the first key is due, so that the loop is warm. */
const WATCHED_BEFORE_MS = 200;
const RECLAIM_MS_MAX = 30_000;
const US_PER_MS = 1e3;

async function measure(driver: LocalKeyspaceDriver, keys: number, leadMs: number): Promise<RunResult> {
  const keyspace = driver.make();
  const value = new ValueMaker().make(0, 0);
  const dueMs = Date.now() + leadMs;
  keyspace.set('lasting', value);
  for (let i = 0; i < keys; i++) keyspace.set(keyOf(i), value, { pxAt: dueMs + (i % SPREAD_MS) });
  if (Date.now() > dueMs) throw new Error(`making ${keys} keys took longer than ${leadMs} ms`);
  while (Date.now() < dueMs - WATCHED_BEFORE_MS) await nextTurn();
  let longestTurnMs = 0;
  let longestCallMs = 0;
  let last = performance.now();
  while (keyspace.memory().keys > 1) {
    if (Date.now() > dueMs + RECLAIM_MS_MAX) throw new Error('keys that are due are still there');
    await nextTurn();
    const start = performance.now();
    longestTurnMs = Math.max(longestTurnMs, start - last);
    keyspace.get('lasting');
    last = performance.now();
    longestCallMs = Math.max(longestCallMs, last - start);
  }
  const goneMs = Date.now() - dueMs - SPREAD_MS;
  const sums = [keyspace.dbsize(), keyspace.get('lasting')?.length ?? 0];
  keyspace.close();
  const figures = [
    { metric: 'longest turn of the event loop', unit: 'us', value: longestTurnMs * US_PER_MS },
    { metric: 'longest get', unit: 'us', value: longestCallMs * US_PER_MS },
    { metric: 'gone after the last was due', unit: 'ms', value: Math.max(goneMs, 1) },
  ];
  return { figures, hash: hashOf(sums) };
}

/** A million keys at once. */
export const expiryTrial = defineTrial({
  name: 'expiry',
  about: `the event loop while ${SIZES.real.keys.toLocaleString('en')} keys expire within a second`,
  drivers: [localKeyspaceDriver],
  runs: 3,
  measure: (driver, { scale }) => measure(driver, SIZES[scale].keys, SIZES[scale].leadMs),
});
