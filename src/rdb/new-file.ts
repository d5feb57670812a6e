/** Steps of making a file that is there whole, or not at all. */
import { type FileHandle, open, stat } from 'node:fs/promises';
import { HoldfastError } from '../errors.js';

/** Writes all of the bytes. */
export async function writeAll(file: FileHandle, bytes: Uint8Array): Promise<void> {
  for (let written = 0; written < bytes.length; ) {
    const { bytesWritten } = await file.write(bytes, written, bytes.length - written);
    written += bytesWritten;
  }
}

/** Makes a rename durable. Windows has no such thing. */
export async function syncDirectory(path: string): Promise<void> {
  if (process.platform === 'win32') return;
  const directory = await open(path, 'r');
  try {
    await directory.sync();
  } finally {
    await directory.close();
  }
}

/**
 * Refuses a place that is taken by something else than a file: a new file would take the place of a device or a pipe, if it may.
 *
 * @throws HoldfastError `IO`.
 */
export async function checkPlace(path: string): Promise<void> {
  const there = await stat(path).catch(() => undefined);
  if (there === undefined || there.isFile()) return;
  throw new HoldfastError('IO', `${path}: it is ${there.isDirectory() ? 'a directory' : 'no file'}`);
}
