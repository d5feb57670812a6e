/** A file that is there whole, or not at all. */
import { randomUUID } from 'node:crypto';
import { constants } from 'node:fs';
import { access, type FileHandle, open, rename, rm } from 'node:fs/promises';
import { dirname } from 'node:path';
import { HoldfastError } from '../errors.js';
import { checkPlace, syncDirectory } from '../rdb/new-file.js';

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

  /** Says early what would keep the file from its place: all that is to be written would be for nothing. */
  async prepare(): Promise<void> {
    try {
      await access(dirname(this.#path), constants.W_OK);
    } catch (cause) {
      throw fileFailure(cause, this.#path);
    }
    await checkPlace(this.#path);
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
      await syncFile(this.temporary);
      await rename(this.temporary, this.#path);
      await syncDirectory(dirname(this.#path));
    } catch (cause) {
      throw fileFailure(cause, this.#path);
    }
  }

  /** Removes whatever is not in its place. */
  async discard(): Promise<void> {
    await Promise.all([this.temporary, ...this.#parts].map((path) => rm(path, { force: true })));
  }
}

async function syncFile(path: string): Promise<void> {
  const file = await open(path, 'r+');
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

/** What the operating system says about a file, as one of the stable errors. */
export function fileFailure(cause: unknown, path: string): HoldfastError {
  if (cause instanceof HoldfastError) return cause;
  return new HoldfastError('IO', `${path}: ${cause instanceof Error ? cause.message : String(cause)}`, {
    cause,
  });
}
