/**
 * RDB files: loading, saving, and looking into them. The work is done by threads of a pool, in pieces, so neither the
 * calling thread nor memory feels the size of a file.
 */
import type { Bytes, NativeRdbFilter, NativeRdbRequestStats } from '../keyspace/native.js';
import { pieces } from './pieces.js';
import { runWatched, type Watched } from './watched.js';
import type { Report } from './workbench/inspect.js';
import type { RdbType } from './workbench/shapes.js';

export { closePool } from './pool.js';
export { type SaveOptions, type SaveResult, Saves, saveCut, saveFile, takeSnapshot } from './save.js';
export type { Watched } from './watched.js';
export { checkRdb } from './workbench/check.js';
export type { Report } from './workbench/inspect.js';
export { inspectRdb } from './workbench/inspect.js';
export { rdbJson } from './workbench/json.js';

/** Options of loading an RDB file. */
export interface LoadOptions extends Watched {
  /** Load the keys of this database only. Default: database 0, and a file that has keys in others is refused. */
  db?: number;
}

/** What loading an RDB file did. */
export interface LoadResult {
  /** Keys loaded. */
  keys: number;
  /** Keys left out because they had expired. */
  expired: number;
  /** Keys left out because nothing was in them. */
  empty: number;
  /** Keys of other databases left out. */
  otherDatabases: number;
  /** Libraries of functions left out: nothing here could run them. */
  functions: number;
  /** The file's metadata, in its order. */
  aux: [string, string][];
  /** Bytes of the file, to the end of its checksum. */
  bytes: number;
  /** Milliseconds that it took. */
  durationMs: number;
}

/**
 * Loads an RDB file into a keyspace, in the place of what it holds. A file that is damaged, or whose load is aborted,
 * leaves the keyspace as it was. Keys that have expired are left out.
 *
 * @param keyspaceId - `keyspace.id`
 * @throws HoldfastError `CORRUPT` names file, reason and offset; `IO`; `CLOSED`.
 */
export function loadFile(path: string, keyspaceId: number, options: LoadOptions = {}): Promise<LoadResult> {
  const { db } = options;
  const order = { kind: 'load', path, keyspaceId } as const;
  return runWatched(db === undefined ? order : { ...order, db }, options);
}

/**
 * 32 hex digits over everything visible in a keyspace, computed on another thread.
 *
 * @throws HoldfastError `CLOSED`.
 */
export function digest(keyspaceId: number): Promise<string> {
  return runWatched({ kind: 'digest', keyspaceId });
}

/** Which keys of a file are meant. Every condition that is given has to hold. */
export interface KeyFilter {
  /** The key fits this pattern, as `SCAN ... MATCH` reads it. */
  match?: Bytes;
  /** The value is of one of these types. */
  types?: readonly RdbType[];
  /** The key is in this database. */
  db?: number;
}

/** What {@link requests} are for. */
export interface RequestsOptions {
  /** Which keys. Without a database in it, a file whose wanted keys are not all in database 0 is refused. Default: all. */
  filter?: KeyFilter;
  /** Put before the name of every key. Default: nothing. */
  prefix?: Bytes;
  /** The newest version of the format whose payloads the receiver reads. Newer values are encoded anew. Default: any. */
  version?: number;
  /** A key that cannot be sent becomes a record with {@link REFUSED_SLOT}: its words are the key and the reason. Default: it is an error. */
  namesRefused?: boolean;
  /** Whether the receiver may know the modules whose values are in the file. Default: false. */
  hasModules?: boolean;
  /** Hears how many bytes of the file are read, and what was made of its keys. */
  onProgress?: (done: number, total: number, stats: RequestStats) => void;
  /** Ends the reading; it rejects with the signal's reason. */
  signal?: AbortSignal;
}

/** What was made of a file's keys so far. */
export type RequestStats = Readonly<NativeRdbRequestStats>;

/** In the place of a slot: see {@link RequestsOptions.namesRefused}. */
export const REFUSED_SLOT = 0xffff;

function nativeFilter({ match, types, db }: KeyFilter): NativeRdbFilter {
  return {
    ...(match !== undefined && { pattern: match }),
    ...(types !== undefined && { types }),
    ...(db !== undefined && { db }),
  };
}

/**
 * An RDB file as `RESTORE` requests, in pieces of whole records: slot (two bytes), length (four bytes), both little endian,
 * and so many bytes of RESP. What comes before the end is not yet covered by the file's checksum.
 *
 * @throws HoldfastError `CORRUPT` names file, reason and offset; `IO`.
 */
export async function* requests(
  path: string,
  { filter, onProgress, signal, ...form }: RequestsOptions = {},
): AsyncGenerator<Buffer, void, undefined> {
  const options = { ...form, ...(filter && { filter: nativeFilter(filter) }) };
  const order = { kind: 'requests', path, options } as const;
  const told = pieces(order, signal, (done, total, note) => onProgress?.(done, total, note as RequestStats));
  for await (const piece of told) {
    yield Buffer.from(piece.buffer, piece.byteOffset, piece.byteLength);
  }
}

/** How files are joined. */
export interface JoinOptions extends Watched {
  /** Metadata for the head; that of the files is left out. */
  aux?: readonly (readonly [string, string])[];
  /** Which keys. Default: all. */
  filter?: KeyFilter;
}

/**
 * Makes one file of several: the keys of all of them, values copied byte for byte, behind one head. The file is written in
 * place and not synced. Each file has to have been looked at: `reports` says what {@link inspectRdb} found.
 *
 * @throws HoldfastError `CORRUPT` names file, reason and offset, and says so of files of different families; `IO`.
 */
export async function joinFiles(
  paths: readonly string[],
  reports: readonly Report[],
  path: string,
  options: JoinOptions = {},
): Promise<{ keys: number }> {
  const version = Math.max(...reports.map((report) => report.version));
  const format = reports[0]?.format ?? 'REDIS';
  const { aux = [], filter } = options;
  const form = { format, version, aux, ...(filter && { filter: nativeFilter(filter) }) };
  return runWatched({ kind: 'join', paths, path, form }, options);
}
