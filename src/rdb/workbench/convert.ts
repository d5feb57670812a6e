import type { NativeRdbConvertOptions } from '../../keyspace/native.js';
import { runWatched, type Watched } from '../watched.js';
import { checkOptions, listenerOf } from './here.js';
import type { RdbType } from './shapes.js';
import { openSource, pathOf, type RdbSource } from './source.js';
import { openTarget, type RdbTarget } from './target.js';
import { convertFrom } from './tools.js';

/** Names of types that keys can be chosen by. */
export const RDB_TYPES: readonly RdbType[] = ['string', 'list', 'set', 'zset', 'hash', 'stream', 'module'];
/** Versions of the format that can be written. */
export const RDB_VERSIONS: readonly number[] = [9, 10, 11, 12];
const VERSION_DEFAULT = 10;
/** Highest number of a database. */
const DATABASE_MAX = 2 ** 31 - 1;

/** Options of {@link convertRdb}. */
export interface ConvertOptions extends Watched {
  /** Version of the new file, 9 to 12: 9 is read by Redis 5 and later, 10 by 7.0, 11 by 7.2 and Valkey, 12 by 7.4. Default: 10. */
  version?: number;
  /** Keys whose names match this pattern, as `KEYS` has it. Default: all. */
  match?: string | Uint8Array;
  /** Keys of these types. Default: all. */
  types?: readonly RdbType[];
  /** Keys of this database; they keep its number. Default: all. */
  db?: number;
  /** Put before the name of every key; those that begin with a text are chosen by `match: 'text*'`. Default: nothing. */
  prefix?: string | Uint8Array;
  /** Leaves out when keys and fields of hashes expire. Default: false. */
  stripTtl?: boolean;
  /** Leaves out libraries of functions. Default: false. */
  dropFunctions?: boolean;
  /** Whether values that have to be written anew are compressed (LZF). Others stay as they are. Default: true. */
  compress?: boolean;
}

/** What {@link convertRdb} did. */
export interface Converted {
  /** Keys written. */
  keys: number;
  /** Keys that were not chosen, and empty collections. */
  keysLeftOut: number;
  /** Bytes of the new file. */
  bytes: number;
}

const OPTIONS = [
  ...['version', 'match', 'types', 'db', 'prefix', 'stripTtl', 'dropFunctions', 'compress'],
  ...['onProgress', 'signal'],
];

/**
 * Makes another RDB file of one: of another version, with some of the keys, under other names. A value whose layout the version
 * knows is copied as it stands, in pieces; others are written anew, one held at a time. A path as target is replaced when the new
 * file is complete and on disk; a Writable is written to and not ended. Modules' values are carried byte for byte. O(bytes)
 *
 * @throws HoldfastError `ERR` names the key whose value the version has no form for (fields that expire before 12), or the library
 *   of functions (before 10); `CORRUPT` (a `CorruptRdbError` with `offset` and `reason`); `IO`. RangeError, TypeError for options.
 */
export async function convertRdb(
  source: RdbSource,
  target: RdbTarget,
  options: ConvertOptions = {},
): Promise<Converted> {
  const form = formOf(options);
  const [from, to] = [pathOf(source), pathOf(target)];
  if (from !== undefined && to !== undefined)
    return runWatched({ kind: 'tool', task: { tool: 'convert', from, to, form } }, options);
  options.signal?.throwIfAborted();
  const opened = await openSource(source, options.signal);
  return (await convertFrom(
    opened,
    await openTarget(target, options.signal),
    form,
    listenerOf(options),
  )) as Converted;
}

/** @throws RangeError, TypeError for what cannot be meant */
function formOf(options: ConvertOptions): NativeRdbConvertOptions {
  checkOptions(options, OPTIONS);
  const { version = VERSION_DEFAULT, match, types = [], db, prefix } = options;
  if (!RDB_VERSIONS.includes(version))
    throw new RangeError(`version ${version} cannot be written; it is one of ${RDB_VERSIONS.join(', ')}`);
  const unknown = types.find((type) => !RDB_TYPES.includes(type));
  if (unknown !== undefined)
    throw new RangeError(`unknown type ${JSON.stringify(unknown)}; known are ${RDB_TYPES.join(', ')}`);
  if (db !== undefined && (!Number.isInteger(db) || db < 0 || db > DATABASE_MAX))
    throw new RangeError(`db must be a whole number from 0 to ${DATABASE_MAX}`);
  return {
    version,
    types: [...types],
    compress: options.compress ?? true,
    stripTtl: options.stripTtl ?? false,
    dropFunctions: options.dropFunctions ?? false,
    ...(match !== undefined && { pattern: bytesOf(match) }),
    ...(prefix !== undefined && { prefix: bytesOf(prefix) }),
    ...(db !== undefined && { db }),
  };
}

function bytesOf(text: string | Uint8Array): Uint8Array {
  return typeof text === 'string' ? new TextEncoder().encode(text) : Uint8Array.from(text);
}
