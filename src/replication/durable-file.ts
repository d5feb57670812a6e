/** What has to be done so that a file is still there, whole, after the power has failed. */

import { closeSync, fsyncSync, openSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { dirname } from 'node:path';
import { HoldfastError } from '../errors.js';

/** The failure of an operation on a file, as an operating condition. `doing` is a verb: `write`, `read`, ... */
export function fileError(doing: string, path: string, cause: unknown): HoldfastError {
  const code = codeOf(cause);
  const reason =
    code === 'ENOSPC' ? 'no space left on the device' : cause instanceof Error ? cause.message : cause;
  return new HoldfastError('IO', `cannot ${doing} ${path}: ${reason}`, { cause });
}

/** `ENOENT`, `EEXIST`, ... */
export function codeOf(error: unknown): string | undefined {
  return error instanceof Error && 'code' in error ? String(error.code) : undefined;
}

/** Makes the names in a directory durable. */
export function syncDirectory(path: string): void {
  // Windows cannot open a directory, and keeps its names in order by itself.
  if (process.platform === 'win32') return;
  const fd = openSync(path, 'r');
  try {
    fsyncSync(fd);
  } finally {
    closeSync(fd);
  }
}

/** Makes the content of a file durable. */
export function syncFile(path: string): void {
  const fd = openSync(path, 'r+');
  try {
    fsyncSync(fd);
  } finally {
    closeSync(fd);
  }
}

/**
 * Puts a file in place of another so that after a crash at any point there is the old or the new one, whole.
 *
 * @throws HoldfastError `IO`; the old file is still there.
 */
export function replaceFile(path: string, content: string | Uint8Array): void {
  const temporary = `${path}.tmp`;
  try {
    const fd = openSync(temporary, 'w');
    try {
      writeFileSync(fd, content);
      fsyncSync(fd);
    } finally {
      closeSync(fd);
    }
    renameSync(temporary, path);
    syncDirectory(dirname(path));
  } catch (error) {
    rmSync(temporary, { force: true });
    throw fileError('write', path, error);
  }
}
