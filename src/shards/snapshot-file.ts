/** All shards of a process as one RDB file. */
import { rm } from 'node:fs/promises';
import { inspectRdb, joinFiles, saveFile } from '../rdb/index.js';
import type { Snapshot } from './data-service.js';

/** Saves the keyspaces of these ids, one after the other, and joins the files. */
export async function saveShards(
  keyspaces: readonly number[],
  path: string,
  { version, onProgress, signal }: Parameters<Snapshot>[1],
): Promise<{ keys: number; bytes: number }> {
  const form = { ...(version !== undefined && { version }), signal };
  const [only] = keyspaces;
  if (only !== undefined && keyspaces.length === 1) {
    return saveFile(only, path, { ...form, onProgress });
  }
  const parts = keyspaces.map((_, shard) => `${path}.${shard}.tmp`);
  try {
    const saved = await Promise.all(
      keyspaces.map((id, shard) => saveFile(id, parts[shard] ?? path, { ...form })),
    );
    onProgress(0.5);
    const reports = await Promise.all(parts.map((part) => inspectRdb(part, { signal })));
    await joinFiles(parts, reports, path, { signal });
    const { bytes } = await inspectRdb(path, { signal });
    onProgress(1);
    return { keys: saved.reduce((sum, { keys }) => sum + keys, 0), bytes };
  } finally {
    await Promise.all(parts.map((part) => rm(part, { force: true })));
  }
}
