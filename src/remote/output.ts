/** A file that is there whole, or not at all. */
import { randomUUID } from 'node:crypto';
import { type FileHandle, open, rename, rm } from 'node:fs/promises';
import { dirname } from 'node:path';
import { HoldfastError } from '../errors.js';

/** A temporary file beside the place that it is for. */
export class Output {
  readonly temporary: string;
  readonly #path: string;
  readonly #parts: string[] = [];
  #count = 0;

  constructor(path: string) {
    this.#path = path;
    this.temporary = `${path}.${randomUUID()}.tmp`;
  }

  /** Another temporary file, which goes when this one does. */
  part(): string {
    const part = `${this.temporary}.${this.#count++}`;
    this.#parts.push(part);
    return part;
  }

  /** Takes the place that it is for, once it is on disk. */
  async commit(): Promise<void> {
    try {
      await synced(this.temporary, 'r+');
      await rename(this.temporary, this.#path);
      // Makes the new name durable. Windows has no such thing.
      if (process.platform !== 'win32') await synced(dirname(this.#path), 'r');
    } catch (cause) {
      throw fileFailure(cause, this.#path);
    }
  }

  /** Removes whatever is not in its place. */
  async discard(): Promise<void> {
    await Promise.all([this.temporary, ...this.#parts].map((path) => rm(path, { force: true })));
  }
}

async function synced(path: string, flags: string): Promise<void> {
  const file = await open(path, flags);
  await file.sync().finally(() => file.close());
}

/** Opens a file for what comes in. */
export async function openForWriting(path: string): Promise<FileHandle> {
  try {
    return await open(path, 'wx');
  } catch (cause) {
    throw fileFailure(cause, path);
  }
}

/** Writes all of the bytes. */
export async function writeAll(file: FileHandle, bytes: Uint8Array): Promise<void> {
  for (let written = 0; written < bytes.length; ) {
    const { bytesWritten } = await file.write(bytes, written, bytes.length - written);
    written += bytesWritten;
  }
}

/** What the operating system says about a file, as one of the stable errors. */
export function fileFailure(cause: unknown, path: string): HoldfastError {
  if (cause instanceof HoldfastError) return cause;
  return new HoldfastError('IO', `${path}: ${cause instanceof Error ? cause.message : String(cause)}`, {
    cause,
  });
}
