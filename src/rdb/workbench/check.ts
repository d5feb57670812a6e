import { tmpdir } from 'node:os';
import { runWatched, type Watched } from '../watched.js';
import { checkOptions, listenerOf } from './here.js';
import { openSource, pathOf, type RdbSource } from './source.js';
import { checkFrom } from './tools.js';

/** Options of {@link checkRdb}. */
export interface CheckOptions extends Watched {
  /** Where temporary files go; they have no names there. Default: the system's folder for them. */
  tmpDir?: string;
}

/** What a sound file has. */
export interface Checked {
  /** Bytes of the file, to the end of its checksum. */
  bytes: number;
  /** Whose format it is. */
  format: 'REDIS' | 'VALKEY';
  /** Version of the format. */
  version: number;
  /** `disabled`: written as 0; `none`: the version has none. */
  checksum: 'right' | 'disabled' | 'none';
  keys: number;
  /** Those of them that are in another database than 0. */
  otherDatabases: number;
  /** Libraries of functions. */
  functions: number;
  /** Bytes behind the checksum. */
  trailingBytes: number;
  /** The first 64 of them. */
  trailingHead: Uint8Array;
}

/**
 * Reads an RDB file and verifies everything: structure, lengths, every embedded list, the checksum, that no key comes twice
 * in its database and no member or field in its value. A path is read by a thread of the pool; bytes and streams by the
 * calling thread, in slices. Memory does not grow with the file; 24 bytes for each key beyond a million are spilled. O(bytes)
 *
 * @throws HoldfastError `CORRUPT` (a `CorruptRdbError` with `offset` and `reason`) for the first fault; `IO`.
 */
export async function checkRdb(source: RdbSource, options: CheckOptions = {}): Promise<Checked> {
  checkOptions(options, ['tmpDir', 'onProgress', 'signal']);
  const { tmpDir: folder = tmpdir(), signal } = options;
  const path = pathOf(source);
  if (path !== undefined) return runWatched({ kind: 'tool', task: { tool: 'check', path, folder } }, options);
  signal?.throwIfAborted();
  return (await checkFrom(await openSource(source, signal), folder, listenerOf(options))) as Checked;
}
