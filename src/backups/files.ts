/** The files of scheduled backups: their names tell whose they are, and of when. */
import { readdir } from 'node:fs/promises';
import { join } from 'node:path';
import { HoldfastError } from '../errors.js';
import { checkRdb } from '../rdb/index.js';

const FILE = /^([\w.%~!*'()-]+)-(\d{8}T\d{9}Z)\.rdb$/;
const TEMPORARY = /^([\w.%~!*'()-]+)-\d{8}T\d{9}Z\.rdb\.[0-9a-f-]{36}\.tmp$/;

/** A file, by its name. */
export interface BackupFile {
  readonly path: string;
  /** The peer that made it. */
  readonly name: string;
  /** When, Unix milliseconds. */
  readonly savedAtMs: number;
}

/** A backup that has been read and found sound. */
export interface GoodBackup extends BackupFile {
  readonly keys: number;
  readonly bytes: number;
}

/** A backup that cannot be used. */
export interface BadBackup {
  readonly path: string;
  readonly code: string;
  readonly message: string;
}

/** What {@link latestBackup} found. */
export interface LatestBackup {
  /** The newest one that is sound; `undefined` if none is. */
  readonly backup: GoodBackup | undefined;
  /** Newer ones that are not, the newest first. */
  readonly damaged: readonly BadBackup[];
}

/** Where a backup of this peer, made now, goes. */
export function backupPath(dir: string, name: string, nowMs: number): string {
  const time = new Date(nowMs).toISOString().replaceAll(/[-:.]/g, '');
  return join(dir, `${encodeURIComponent(name)}-${time}.rdb`);
}

/** All backups in a folder, the newest first. One that is not there has none. */
export async function listBackups(dir: string): Promise<BackupFile[]> {
  const files = await namesIn(dir);
  const found = files.flatMap((file) => {
    const [, encoded = '%', time = ''] = FILE.exec(file) ?? [];
    const name = decoded(encoded);
    const savedAtMs = timeOf(time);
    return name === undefined || Number.isNaN(savedAtMs) ? [] : [{ path: join(dir, file), name, savedAtMs }];
  });
  return found.sort((one, other) => other.savedAtMs - one.savedAtMs);
}

/** What saves of this peer, that ended with their process, have left behind. */
export async function listTemporaries(dir: string, name: string): Promise<string[]> {
  const files = await namesIn(dir);
  const own = (file: string): boolean => TEMPORARY.exec(file)?.[1] === encodeURIComponent(name);
  return files.filter(own).map((file) => join(dir, file));
}

/**
 * Finds the newest backup in a folder that is sound, by reading it; what is newer and damaged is named. Nothing is restored: that is
 * for whoever asks, with `store.load(path)` or `holdfast rdb restore`.
 *
 * @param dir - The folder of the option `backup`.
 * @param options - `name`: only backups of this peer. Default: of any.
 * @throws HoldfastError `IO` if the folder cannot be read.
 */
export async function latestBackup(
  dir: string,
  options: { readonly name?: string; readonly signal?: AbortSignal } = {},
): Promise<LatestBackup> {
  const { name, signal } = options;
  const damaged: BadBackup[] = [];
  for (const file of await listBackups(dir)) {
    if (name !== undefined && file.name !== name) continue;
    try {
      const { keys, bytes } = await checkRdb(file.path, signal === undefined ? {} : { signal });
      return { backup: { ...file, keys, bytes }, damaged };
    } catch (error) {
      if (!(error instanceof HoldfastError)) throw error;
      damaged.push({ path: file.path, code: error.code, message: error.message });
    }
  }
  return { backup: undefined, damaged };
}

function decoded(name: string): string | undefined {
  try {
    return decodeURIComponent(name);
  } catch {
    return undefined;
  }
}

function timeOf(text: string): number {
  const parts = /^(\d{4})(\d\d)(\d\d)T(\d\d)(\d\d)(\d\d)(\d{3})Z$/.exec(text)?.slice(1) ?? [];
  const [year, month, day, hour, minute, second, ms] = parts;
  return Date.parse(`${year}-${month}-${day}T${hour}:${minute}:${second}.${ms}Z`);
}

async function namesIn(dir: string): Promise<string[]> {
  try {
    return await readdir(dir);
  } catch (cause) {
    if (cause instanceof Error && 'code' in cause && cause.code === 'ENOENT') return [];
    const text = cause instanceof Error ? cause.message : String(cause);
    throw new HoldfastError('IO', `the folder of backups cannot be read: ${text}`, { cause });
  }
}
