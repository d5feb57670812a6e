/** All trials. */
import type { Trial } from './trial.js';
import { clusterTrials } from './trials/cluster.js';
import { collectionTrials } from './trials/collections.js';
import { compactTrial } from './trials/compact.js';
import { expiryTrial } from './trials/expiry.js';
import { failoverTrial } from './trials/failover.js';
import { floorTrial } from './trials/floor.js';
import { largeSortedSetTrial } from './trials/large-sorted-set.js';
import { memoryTrials } from './trials/memory.js';
import { pauseTrials } from './trials/pauses.js';
import { saveTrial } from './trials/rdb.js';
import { rdbFileTrials } from './trials/rdb-files.js';
import { rdbInspectTrial } from './trials/rdb-inspect.js';
import { redisTrials } from './trials/redis.js';
import { stepsTrial } from './trials/steps.js';
import { threadsTrial } from './trials/threads.js';

/** In the order in which they are run: those of one process, and those of several peers. */
const groups: ReadonlyMap<string, readonly Trial[]> = new Map([
  [
    'keyspace',
    [
      floorTrial,
      stepsTrial,
      ...memoryTrials,
      ...collectionTrials,
      ...redisTrials,
      largeSortedSetTrial,
      threadsTrial,
      ...pauseTrials,
      expiryTrial,
      compactTrial,
      ...rdbFileTrials,
      rdbInspectTrial,
      saveTrial,
    ],
  ],
  ['cluster', [...clusterTrials, failoverTrial]],
]);

/** In the order in which they are run. */
export const trials: readonly Trial[] = [...groups.values()].flat();

/**
 * The trials of these names, where `memory` stands for all whose names begin with `memory-`, and `keyspace` and `cluster` for
 * half of them each; all for no name.
 *
 * @throws RangeError for a name that means none.
 */
export function chosen(names: readonly string[]): readonly Trial[] {
  const isMeant = (name: string, trial: Trial): boolean =>
    trial.name === name || trial.name.startsWith(`${name}-`) || groups.get(name)?.includes(trial) === true;
  for (const name of names) {
    if (trials.some((trial) => isMeant(name, trial))) continue;
    const known = [...groups.keys(), ...trials.map((trial) => trial.name)].join(', ');
    throw new RangeError(`there is no trial ${JSON.stringify(name)}; there are ${known}`);
  }
  return names.length === 0 ? trials : trials.filter((trial) => names.some((name) => isMeant(name, trial)));
}
