/** Which payloads a server reads, by what it says of itself. */
import { HoldfastError } from '../errors.js';

/** The first versions of Redis that read each version of the format, the newest first. */
const READERS: readonly (readonly [server: number, format: number])[] = [
  [7.4, 12],
  [7.2, 11],
  [7, 10],
  [5, 9],
];
/** The version that Valkey 9 writes, under its own name. */
const VALKEY_9 = 80;

/**
 * The newest version of the format that the server of this `INFO server` reads.
 *
 * @throws HoldfastError `ERR` for a server that is too old: `RESTORE ... ABSTTL` came with Redis 5.
 */
export function formatOf(info: string): number {
  const valkey = /^valkey_version:(\d+)\./m.exec(info)?.[1];
  if (valkey !== undefined) return Number(valkey) >= 9 ? VALKEY_9 : 11;
  const [, major = '0', minor = '0'] = /^redis_version:(\d+)\.(\d+)/m.exec(info) ?? [];
  const server = Number(major) + Number(minor) / 10;
  const found = READERS.find(([oldest]) => server >= oldest);
  if (found !== undefined) return found[1];
  const text = `the server says that it is Redis ${major}.${minor}; 5.0 is the oldest that keys can be restored to`;
  throw new HoldfastError('ERR', text);
}

/** The smaller of two: Valkey 9 reads what Redis 7.2 writes and its own, nothing in between. */
export function commonFormat(one: number, other: number): number {
  const known = [one, other].map((format) => (format === VALKEY_9 && one !== other ? 11 : format));
  return Math.min(...known);
}
