/** Where a file is written to. */
import { randomUUID } from 'node:crypto';
import { once } from 'node:events';
import { type FileHandle, open, rename, rm } from 'node:fs/promises';
import { dirname } from 'node:path';
import type { Writable } from 'node:stream';
import { HoldfastError } from '../../errors.js';
import { checkPlace, syncDirectory, writeAll } from '../new-file.js';
import { asFailure } from './corrupt.js';
import { pathOf } from './source.js';

/**
 * A path, whose file is replaced once the new one is complete and on disk; or a stream, which is written to and not ended.
 */
export type RdbTarget = string | URL | Writable;

/** A target that can be written to. */
export interface OpenTarget {
  /** Whether a chunk may still be needed when its write has resolved. */
  readonly keeps: boolean;
  write(chunk: Uint8Array): Promise<void>;
  /** Everything has been written. */
  commit(): Promise<void>;
  /** What was written is of no use. */
  discard(): Promise<void>;
}

/** Opens a target. The signal ends the waiting for whoever reads a stream. */
export async function openTarget(target: RdbTarget, signal?: AbortSignal): Promise<OpenTarget> {
  const path = pathOf(target);
  if (path !== undefined) return openNewFile(path);
  if (typeof target !== 'object' || !('write' in target)) {
    throw new TypeError('a target is a path or a Writable');
  }
  return new StreamTarget(target, signal);
}

/** A file that takes its place when it is complete. */
export async function openNewFile(path: string): Promise<OpenTarget> {
  const temporary = `${path}.${randomUUID()}.tmp`;
  try {
    await checkPlace(path);
    return new NewFile(path, temporary, await open(temporary, 'wx'));
  } catch (error) {
    throw asFailure(error, path);
  }
}

class NewFile implements OpenTarget {
  readonly keeps = false;
  readonly #path: string;
  readonly #temporary: string;
  readonly #file: FileHandle;

  constructor(path: string, temporary: string, file: FileHandle) {
    this.#path = path;
    this.#temporary = temporary;
    this.#file = file;
  }

  async write(chunk: Uint8Array): Promise<void> {
    try {
      await writeAll(this.#file, chunk);
    } catch (error) {
      throw asFailure(error, this.#path);
    }
  }

  async commit(): Promise<void> {
    try {
      await this.#file.sync();
      await this.#file.close();
      await rename(this.#temporary, this.#path);
      await syncDirectory(dirname(this.#path));
    } catch (error) {
      throw asFailure(error, this.#path);
    }
  }

  async discard(): Promise<void> {
    // Whatever else fails here, the reason why the file is of no use is what the caller hears.
    await this.#file.close().catch(() => {});
    await rm(this.#temporary, { force: true }).catch(() => {});
  }
}

class StreamTarget implements OpenTarget {
  readonly keeps = true;
  readonly #stream: Writable;
  readonly #signal: AbortSignal | undefined;
  #failure: Error | undefined;
  readonly #onError = (error: Error): void => {
    this.#failure ??= error;
  };

  constructor(stream: Writable, signal: AbortSignal | undefined) {
    this.#stream = stream;
    this.#signal = signal;
    stream.on('error', this.#onError);
  }

  async write(chunk: Uint8Array): Promise<void> {
    this.#check();
    if (chunk.length === 0 || this.#stream.write(chunk)) return;
    // A stream that is destroyed closes and never drains.
    const turn = new AbortController();
    const over = () => turn.abort();
    this.#signal?.addEventListener('abort', over, { once: true });
    try {
      await Promise.race([
        once(this.#stream, 'drain', { signal: turn.signal }),
        once(this.#stream, 'close', { signal: turn.signal }),
      ]).catch((error) => {
        if (!turn.signal.aborted) this.#onError(error);
      });
    } finally {
      this.#signal?.removeEventListener('abort', over);
      over();
    }
    this.#signal?.throwIfAborted();
    this.#check();
  }

  #check(): void {
    if (this.#failure !== undefined) throw asFailure(this.#failure, '');
    if (this.#stream.destroyed) throw new HoldfastError('IO', 'the stream was closed');
  }

  async commit(): Promise<void> {
    this.#check();
    this.#stream.off('error', this.#onError);
  }

  async discard(): Promise<void> {
    this.#stream.off('error', this.#onError);
  }
}
