/** What RDB files are made of: the same in every run. */
import type { Keyspace } from 'holdfast';
import type { Scale } from './trial.js';
import { keyOf, VALUE_BYTES } from './workload.js';

/** Names of what a file may hold. */
export type RdbData = 'strings' | 'mixed';

const COUNTS = {
  real: { strings: 1_000_000, hashes: 200_000, lists: 100_000, sortedSets: 100, members: 10_000 },
  tiny: { strings: 1_000, hashes: 200, lists: 100, sortedSets: 1, members: 1_000 },
} as const;
const FIELDS = 10;
const ELEMENTS = 20;

const FIRST_LETTER = 0x30;
/** Few enough that all of them are printable, so many that nothing can be compressed. */
const LETTERS = 64;

/** Strings of 100 letters drawn by a fixed seed, in which LZF finds nothing to save. */
function fillStrings(keyspace: Keyspace, scale: Scale): void {
  const value = Buffer.alloc(VALUE_BYTES);
  let state = 1;
  for (let i = 0; i < COUNTS[scale].strings; i++) {
    for (let at = 0; at < VALUE_BYTES; at++) {
      state = (Math.imul(state, 1_103_515_245) + 12_345) | 0;
      value[at] = FIRST_LETTER + ((state >>> 16) % LETTERS);
    }
    keyspace.set(keyOf(i), value.toString('latin1'));
  }
}

function fillMixed(keyspace: Keyspace, scale: Scale): void {
  const { hashes, lists, sortedSets, members } = COUNTS[scale];
  const number = (i: number, j: number): number => (i * 7_919 + j * 104_729) % 1_048_573;
  const entries = <T>(count: number, make: (j: number) => [string, T]): Record<string, T> =>
    Object.fromEntries(Array.from({ length: count }, (_, j) => make(j)));
  for (let i = 0; i < hashes; i++)
    keyspace.hset(
      `hash:${i}`,
      entries(FIELDS, (j) => [`field${j}`, `value:${number(i, j)}`]),
    );
  for (let i = 0; i < sortedSets; i++)
    keyspace.zadd(
      `zset:${i}`,
      entries(members, (j) => [`member:${j}:${number(i, j)}`, number(j, i) / 4]),
    );
  for (let i = 0; i < lists; i++)
    keyspace.rpush(
      `list:${i}`,
      Array.from({ length: ELEMENTS }, (_, j) => `element:${number(i, j)}`),
    );
}

/** Fills an empty keyspace. */
export function fillFor(data: RdbData, keyspace: Keyspace, scale: Scale): void {
  if (data === 'strings') fillStrings(keyspace, scale);
  else fillMixed(keyspace, scale);
}
