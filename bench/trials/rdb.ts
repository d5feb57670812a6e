/** Saving, while everybody goes on writing. */
import { join } from 'node:path';
import { monitorEventLoopDelay } from 'node:perf_hooks';
import { setTimeout as sleep } from 'node:timers/promises';
import { Keyspace, type SaveResult } from 'holdfast';
import { type Amounts, fill, type SavingDriver, savingDrivers, Writers } from '../drivers/saving.js';
import { defineTrial, type RunResult, type RunSetting } from '../trial.js';
import { hashOf } from '../workload.js';

const AMOUNTS = {
  real: { strings: 1_000_000, hashes: 200_000, zsets: 100, members: 10_000, lists: 100_000 },
  tiny: { strings: 2_000, hashes: 200, zsets: 2, members: 200, lists: 100 },
} as const;
/** How long writers write before, so that what they allocate once is there, and how long without a save. */
const WARM_UP_MS = { real: 3_000, tiny: 20 } as const;
const BASELINE_MS = { real: 3_000, tiny: 20 } as const;
/** How long it is watched what the process takes without a save: less than its threads wait for another one. */
const IDLE_PEAK_MS = { real: 500, tiny: 20 } as const;
const SAMPLE_EVERY_MS = 2;
const NS_PER_MS = 1e6;

/** The most that the process takes beside the data, and that the keyspace keeps for a save, while `work` is done. */
async function peaks(keyspace: Keyspace, work: Promise<unknown>): Promise<{ beside: number; kept: number }> {
  let [beside, kept, over] = [0, 0, false];
  const done = work.finally(() => {
    over = true;
  });
  while (!over) {
    const { memoryBytes, snapshotBytes } = keyspace.memory();
    beside = Math.max(beside, process.memoryUsage.rss() - memoryBytes);
    kept = Math.max(kept, snapshotBytes);
    await sleep(SAMPLE_EVERY_MS);
  }
  await done;
  return { beside, kept };
}

async function measure(driver: SavingDriver, { scale, scratch }: RunSetting): Promise<RunResult> {
  const amounts: Amounts = AMOUNTS[scale];
  using keyspace = new Keyspace();
  fill(keyspace, driver.data, amounts);
  const keysBefore = keyspace.dbsize();
  await using writers = await Writers.start(keyspace, driver, amounts);
  await sleep(WARM_UP_MS[scale]);
  const without = await writers.during(() => sleep(BASELINE_MS[scale]));
  const { memoryBytes } = keyspace.memory();
  // The threads that save take memory of their own when they start, however much there is to save.
  using small = new Keyspace();
  fill(small, driver.data, AMOUNTS.tiny);
  await small.save(join(scratch, 'small.rdb'));
  const delayWithout = monitorEventLoopDelay({ resolution: 1 });
  delayWithout.enable();
  const before = await peaks(keyspace, sleep(IDLE_PEAK_MS[scale]));
  delayWithout.disable();
  const delay = monitorEventLoopDelay({ resolution: 1 });
  delay.enable();
  let [saved, peak]: [SaveResult | undefined, typeof before] = [undefined, before];
  const meanwhile = await writers.during(async () => {
    const saving = keyspace.save(join(scratch, 'dump.rdb')).then((result) => {
      saved = result;
    });
    peak = await peaks(keyspace, saving);
  });
  delay.disable();
  if (saved === undefined) throw new Error('a save has a result');
  const { keys, durationMs, bytes }: SaveResult = saved;
  const share = (part: number, of: number) => (of === 0 ? 0 : (100 * part) / of);
  return {
    figures: [
      { metric: 'save', unit: 'ms', value: durationMs },
      { metric: 'file', unit: 'MB', value: bytes / 1e6 },
      { metric: 'writes without a save', unit: 'ops/s', value: without.perSecond },
      { metric: 'writes meanwhile', unit: 'ops/s', value: meanwhile.perSecond },
      { metric: 'writes kept', unit: '%', value: share(meanwhile.perSecond, without.perSecond) },
      { metric: 'longest write without a save', unit: 'ms', value: without.longestMs },
      { metric: 'longest write meanwhile', unit: 'ms', value: meanwhile.longestMs },
      { metric: 'the same outside of collections, without', unit: 'ms', value: without.longestOutsideMs },
      { metric: 'the same outside of collections, meanwhile', unit: 'ms', value: meanwhile.longestOutsideMs },
      {
        metric: "longest delay of the saver's loop, without",
        unit: 'ms',
        value: delayWithout.max / NS_PER_MS,
      },
      { metric: "longest delay of the saver's loop, meanwhile", unit: 'ms', value: delay.max / NS_PER_MS },
      {
        metric: 'more memory, of the data',
        unit: '%',
        value: share(Math.max(0, peak.beside - before.beside), memoryBytes),
      },
      { metric: 'pre-images, of the data', unit: '%', value: share(peak.kept, memoryBytes) },
    ],
    hash: hashOf([keys - keysBefore]),
  };
}

/** What a save costs those who write. */
export const saveTrial = defineTrial({
  name: 'save-under-load',
  about:
    'a save of a million 100-byte strings, or of 200,000 hashes of 10, 100 sorted sets of 10,000 and 100,000 lists of 20, while one or two threads overwrite them as fast as they can',
  drivers: savingDrivers,
  runs: 3,
  measure,
});
