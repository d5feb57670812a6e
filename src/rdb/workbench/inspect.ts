import { runWatched, type Watched } from '../watched.js';
import { checkOptions, listenerOf } from './here.js';
import { openSource, pathOf, type RdbSource } from './source.js';
import { inspectFrom } from './tools.js';

/** Options of {@link inspectRdb}. */
export interface InspectOptions extends Watched {
  /** How many of the biggest keys are named, 0 to 10,000. Default: 20. */
  biggest?: number;
  /** Whether keys are counted by slot, as a cluster would spread them. Default: false. */
  slots?: boolean;
}

/** A key that is big. */
export interface BigKey {
  db: number;
  /** As text if it is UTF-8, else a character for each byte; cut after 256 bytes. */
  key: string;
  type: string;
  encoding: string;
  rdbType: number;
  elements: number;
  bytes: number;
}

/** Keys by the time that they had left to live when the file was inspected. Each class begins where the one before ends. */
export interface TimesToLive {
  /** Keys that do not expire. */
  none: number;
  /** Keys that have expired. */
  past: number;
  lessThanMinute: number;
  lessThanHour: number;
  lessThanDay: number;
  lessThanWeek: number;
  lessThan30Days: number;
  lessThanYear: number;
  more: number;
}

/** Keys by slot. */
export interface SlotCounts {
  /** Slots with a key. */
  used: number;
  /** Sixteen ranges of 1,024 slots. */
  ranges: { from: number; to: number; keys: number; bytes: number }[];
  /** The 20 slots with most bytes, the heaviest first. */
  heaviest: { slot: number; keys: number; bytes: number }[];
}

/** What {@link inspectRdb} found. Byte counts are those of the file: of keys and values, without expiries. */
export interface Report {
  /** Bytes of the file, to the end of its checksum. */
  bytes: number;
  /** Bytes behind the checksum. */
  trailingBytes: number;
  /** Whose format it is. */
  format: 'REDIS' | 'VALKEY';
  /** Version of the format. */
  version: number;
  /** `disabled`: written as 0; `none`: the version has none. A wrong one is an error. */
  checksum: 'right' | 'disabled' | 'none';
  /** Metadata: the first 256 fields. */
  aux: [string, string][];
  /** Keys in all databases. */
  keys: number;
  /** Keys with an expiry. */
  expires: number;
  /** Keys whose expiry has passed. */
  expired: number;
  timesToLive: TimesToLive;
  /** Libraries of functions. */
  functions: number;
  /** The line that names each library, and its size. The first 1,000. */
  libraries: { head: string; bytes: number }[];
  /** What modules have in the file: keys, and data beside the keys. */
  modules: { name: string; versions: number[]; keys: number; aux: number }[];
  /** Keys with metadata of modules (Redis 8.6). */
  keysWithMetadata: number;
  /** Keys by database. */
  databases: { db: number; keys: number }[];
  /** By type and encoding. */
  types: { type: string; encoding: string; rdbType: number; keys: number; elements: number; bytes: number }[];
  /** The biggest keys, the biggest first. */
  biggest: BigKey[];
  /** Keys by slot, if they were asked for. */
  slots?: SlotCounts;
}

const BIGGEST_DEFAULT = 20;
const BIGGEST_MAX = 10_000;

/**
 * Reads an RDB file, verifies its structure and checksum, and counts what is in it. A path is read by a thread of the pool;
 * bytes and streams by the calling thread, in slices. Memory does not grow with the file. O(bytes)
 *
 * @throws HoldfastError `CORRUPT` (a `CorruptRdbError` with `offset` and `reason`); `IO`. RangeError, TypeError for options.
 */
export async function inspectRdb(source: RdbSource, options: InspectOptions = {}): Promise<Report> {
  checkOptions(options, ['biggest', 'slots', 'onProgress', 'signal']);
  const { biggest = BIGGEST_DEFAULT, slots = false, signal } = options;
  if (!Number.isInteger(biggest) || biggest < 0 || biggest > BIGGEST_MAX)
    throw new RangeError(`biggest must be a whole number from 0 to ${BIGGEST_MAX}`);
  const path = pathOf(source);
  const form = { biggest, slots };
  if (path !== undefined) return runWatched({ kind: 'tool', task: { tool: 'inspect', path, form } }, options);
  signal?.throwIfAborted();
  return (await inspectFrom(await openSource(source, options.signal), form, listenerOf(options))) as Report;
}
