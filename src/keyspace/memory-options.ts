/** Options that bound memory, of a keyspace and of a store. */
import type { MaxMemoryPolicy, NativeMemoryLimit } from './native.js';

/** Bounds what keys, values and their tables may take. */
export interface MemoryOptions {
  /**
   * Bytes that may be in use, as `memory()` counts them (an empty keyspace takes about 100,000). When it is more, keys are
   * evicted or commands refused, as {@link maxMemoryPolicy} says. What one command adds may exceed it. Default: no limit.
   *
   * Redis: `maxmemory`.
   */
  maxMemory?: number | undefined;
  /**
   * What happens at the limit. Default: `'noeviction'`.
   *
   * - `'noeviction'`: commands that may need memory reject with `OOM`, before they change anything.
   * - `'allkeys-lru'`: the keys go that were not used for the longest time.
   * - `'allkeys-lfu'`: the keys go that are used least often.
   * - `'allkeys-random'`: any key goes.
   * - `'volatile-lru'`, `'volatile-lfu'`, `'volatile-random'`: the same, among the keys that have an expiry.
   * - `'volatile-ttl'`: the keys go that expire first.
   *
   * Least recent and least frequent are approximated as in Redis, from a few keys drawn at random. When nothing is left to
   * evict, it is as with `'noeviction'`.
   *
   * Redis: `maxmemory-policy`.
   */
  maxMemoryPolicy?: MaxMemoryPolicy | undefined;
  /**
   * How many keys are looked at to find one that should go, 1 to 64. Default: 5. With 10 the choice is close to exact.
   *
   * Redis: `maxmemory-samples`.
   */
  maxMemorySamples?: number | undefined;
}

/** The names of {@link MemoryOptions}. */
export const MEMORY_OPTIONS = ['maxMemory', 'maxMemoryPolicy', 'maxMemorySamples'] as const;

/** The policies there are. */
export const POLICIES: readonly MaxMemoryPolicy[] = [
  'noeviction',
  'allkeys-lru',
  'volatile-lru',
  'allkeys-lfu',
  'volatile-lfu',
  'allkeys-random',
  'volatile-random',
  'volatile-ttl',
];
const SAMPLES_DEFAULT = 5;
/** The most keys that are looked at to find one that should go. */
export const SAMPLES_MAX = 64;

/** Checks the options and makes them complete; undefined if none is given. Throws `TypeError` or `RangeError`. */
export function checkMemoryOptions(options: MemoryOptions): NativeMemoryLimit | undefined {
  const { maxMemory, maxMemoryPolicy: policy = 'noeviction', maxMemorySamples } = options;
  const samples = maxMemorySamples ?? SAMPLES_DEFAULT;
  if (maxMemory !== undefined) whole(maxMemory, 'maxMemory', Number.MAX_SAFE_INTEGER);
  if (!POLICIES.includes(policy)) {
    throw new TypeError(`maxMemoryPolicy must be one of: ${POLICIES.join(', ')}`);
  }
  whole(samples, 'maxMemorySamples', SAMPLES_MAX);
  const given = MEMORY_OPTIONS.some((name) => options[name] !== undefined);
  return given ? { bytes: maxMemory ?? 0, policy, samples } : undefined;
}

function whole(value: unknown, name: string, max: number): void {
  if (typeof value !== 'number') throw new TypeError(`${name} must be a number`);
  if (!Number.isInteger(value) || value < 1 || value > max) {
    throw new RangeError(`${name} must be a whole number from 1 to ${max}, not ${value}`);
  }
}
