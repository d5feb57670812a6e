/** What CONFIG GET tells of a store, under the names that Redis has for it. Nothing can be set while it runs. */
import type { CollectionLimits } from '../keyspace/collection-limits.js';
import { redisNameOf } from '../keyspace/collection-limits.js';
import type { NativeMemoryLimit } from '../keyspace/native.js';
import { limits } from '../limits.js';

/** Values by name. */
export type Settings = ReadonlyMap<string, string>;

/** The options of a store that Redis has a setting for, checked. */
export interface Configured {
  readonly limits: CollectionLimits;
  readonly memoryLimit: NativeMemoryLimit | undefined;
  readonly dir: string | undefined;
  readonly fsync: 'always' | 'everysec';
}

/** Names that Redis gave to limits before there were listpacks, and still answers to. */
const OLD_NAMES: readonly (readonly [string, string])[] = [
  ['hash-max-ziplist-entries', 'hash-max-listpack-entries'],
  ['hash-max-ziplist-value', 'hash-max-listpack-value'],
  ['zset-max-ziplist-entries', 'zset-max-listpack-entries'],
  ['zset-max-ziplist-value', 'zset-max-listpack-value'],
  ['list-max-ziplist-size', 'list-max-listpack-size'],
];
const SAMPLES_DEFAULT = 5;
/** Longest pattern that is looked at: no setting's name is half as long. */
const PATTERN_CHARACTERS_MAX = 128;

/** The settings of a store with these options. What has no counterpart here is left out, as an unknown name is in Redis. */
export function settingsOf({ limits: sizes, memoryLimit, dir, fsync }: Configured): Settings {
  const settings = new Map<string, string>([
    ['maxmemory', String(memoryLimit?.bytes ?? 0)],
    ['maxmemory-policy', memoryLimit?.policy ?? 'noeviction'],
    ['maxmemory-samples', String(memoryLimit?.samples ?? SAMPLES_DEFAULT)],
    // Snapshots are taken when the log has grown, and not by time.
    ['save', ''],
    ['appendonly', dir === undefined ? 'no' : 'yes'],
    ['appendfsync', dir === undefined ? 'no' : fsync],
    ['dir', dir ?? ''],
    ['databases', '1'],
    ['maxclients', String(limits.respConnectionsMax)],
    ['proto-max-bulk-len', String(limits.respBulkBytesMax)],
    ['timeout', '0'],
    ['requirepass', ''],
    ['cluster-enabled', 'no'],
    ['notify-keyspace-events', ''],
  ]);
  for (const [name, value] of Object.entries(sizes)) settings.set(redisNameOf(name), String(value));
  for (const [old, name] of OLD_NAMES) settings.set(old, settings.get(name) ?? '');
  return settings;
}

/** The settings whose names one of the patterns matches, each once. */
export function settingsLike(settings: Settings, patterns: readonly string[]): [string, string][] {
  const wanted = patterns
    .filter(({ length }) => length <= PATTERN_CHARACTERS_MAX)
    .map((pattern) => pattern.toLowerCase());
  return [...settings].filter(([name]) => wanted.some((pattern) => matches(pattern, name)));
}

/** `*` stands for any characters and `?` for one. Goes back to the last `*` only, so it takes no more than their product. */
function matches(pattern: string, name: string): boolean {
  let [at, star, resume] = [0, -1, 0];
  for (let i = 0; i < name.length; ) {
    if (pattern[at] === '*') {
      [star, resume] = [at, i];
      at++;
    } else if (pattern[at] === '?' || pattern[at] === name[i]) {
      at++;
      i++;
    } else if (star >= 0) {
      resume++;
      [at, i] = [star + 1, resume];
    } else {
      return false;
    }
  }
  return /^\**$/.test(pattern.slice(at));
}
