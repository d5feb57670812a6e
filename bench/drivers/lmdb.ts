/** lmdb-js: a store in a memory-mapped file, read synchronously, written in transactions. */
import { readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { dirname, join } from 'node:path';
import type { KeyValueDriver } from './key-value.js';

function versionOf(name: string): string {
  const entry = createRequire(import.meta.url).resolve(name);
  for (let folder = dirname(entry); folder !== dirname(folder); folder = dirname(folder)) {
    try {
      const manifest: { name?: string; version?: string } = JSON.parse(
        readFileSync(join(folder, 'package.json'), 'utf8'),
      );
      if (manifest.name === name && manifest.version !== undefined) return manifest.version;
    } catch {
      // No manifest here: the package begins further up.
    }
  }
  return 'unknown';
}

/** lmdb with string values, without syncing the file, which is as fast as it gets. */
export const lmdbDriver: KeyValueDriver = {
  name: 'lmdb',
  get version() {
    return versionOf('lmdb');
  },
  async unavailable() {
    try {
      await import('lmdb');
      return undefined;
    } catch (error) {
      return `its native build cannot be loaded: ${error instanceof Error ? error.message : error}`;
    }
  },
  async open(directory) {
    const { open } = await import('lmdb');
    const database = open<string, string>({ path: directory, encoding: 'string', noSync: true });
    return {
      store: {
        get: (key) => database.get(key),
        set: (key, value) => database.putSync(key, value),
      },
      batch: (writes) => database.transactionSync(writes),
      close: () => database.close(),
    };
  },
};
