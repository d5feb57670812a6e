/** What the four scanning commands share. */
import type { Bytes, Word } from '../keyspace/native.js';
import { bytes, integer } from './arguments.js';
import { bytesOption, countOption, optionsOf } from './options.js';

/** Where a scan goes on: 0 to begin, then what the last call gave. */
export type Cursor = string | number | bigint;

/** Options of the scanning commands. */
export interface ScanOptions {
  /** Only what matches this glob pattern (`*`, `?`, `[a-z]`, `\` before a character meant literally). */
  match?: Bytes;
  /** About how many places to look at in one call. Default: 10. */
  count?: number;
}

/** A cursor's word. */
export function cursorWord(cursor: Cursor): Word {
  return typeof cursor === 'string' ? bytes(cursor, 'cursor') : integer(cursor, 'cursor');
}

/** Appends the options of `hscan`, `sscan` and `zscan`. */
export const pushScanOptions = optionsOf<ScanOptions>('scan', {
  match: bytesOption,
  count: countOption,
});
