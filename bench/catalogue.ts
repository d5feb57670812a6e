/** All trials. */
import type { Trial } from './trial.js';
import { clusterTrials } from './trials/cluster.js';
import { collectionTrials } from './trials/collections.js';
import { failoverTrial } from './trials/failover.js';
import { floorTrial } from './trials/floor.js';
import { memoryTrials } from './trials/memory.js';
import { redisTrials } from './trials/redis.js';

/** In the order in which they are run. */
export const trials: readonly Trial[] = [
  floorTrial,
  ...memoryTrials,
  ...collectionTrials,
  ...redisTrials,
  ...clusterTrials,
  failoverTrial,
];

/**
 * The trials of these names, where `memory` stands for all whose names begin with `memory-`; all for no name.
 *
 * @throws RangeError for a name that means none.
 */
export function chosen(names: readonly string[]): readonly Trial[] {
  const isMeant = (name: string, trial: Trial): boolean =>
    trial.name === name || trial.name.startsWith(`${name}-`);
  for (const name of names) {
    if (trials.some((trial) => isMeant(name, trial))) continue;
    const known = trials.map((trial) => trial.name).join(', ');
    throw new RangeError(`there is no trial ${JSON.stringify(name)}; there are ${known}`);
  }
  return names.length === 0 ? trials : trials.filter((trial) => names.some((name) => isMeant(name, trial)));
}
