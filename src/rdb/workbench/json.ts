import { tmpdir } from 'node:os';
import { pieces } from '../pieces.js';
import type { Watched } from '../watched.js';
import { checkOptions, listenerOf } from './here.js';
import { openSource, pathOf, type RdbSource } from './source.js';
import { jsonFrom } from './tools.js';

/** Options of {@link rdbJson}. */
export interface JsonOptions extends Watched {
  /** Every fact, sorted, comparable byte for byte. Default: false, an array with an object of keys and values per database. */
  canonical?: boolean;
  /** Where temporary files go; they have no names there. Default: the system's folder for them. */
  tmpDir?: string;
}

/**
 * An RDB file as JSON text, in pieces. The plain form is written as the file is read. The canonical one is sorted: it begins when
 * the whole file has been read, and what does not fit into memory waits in temporary files. One value is held at a time. O(bytes),
 * canonical O(bytes + n log n) of keys.
 *
 * @throws HoldfastError `CORRUPT` (a `CorruptRdbError` with `offset` and `reason`); `IO`.
 */
export async function* rdbJson(
  source: RdbSource,
  options: JsonOptions = {},
): AsyncGenerator<string, void, undefined> {
  checkOptions(options, ['canonical', 'tmpDir', 'onProgress', 'signal']);
  const { canonical = false, tmpDir: folder = tmpdir(), signal, onProgress } = options;
  const path = pathOf(source);
  signal?.throwIfAborted();
  const text =
    path === undefined
      ? jsonFrom(await openSource(source, signal), canonical, folder, listenerOf(options))
      : pieces({ kind: 'tool', task: { tool: 'json', path, canonical, folder } }, signal, onProgress);
  const decoder = new TextDecoder();
  for await (const piece of text) {
    yield decoder.decode(piece, { stream: true });
  }
  const rest = decoder.decode();
  if (rest !== '') yield rest;
}
