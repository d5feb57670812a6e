/** Loads an RDB file into a running store: every key is a `RESTORE` request to the shard of its slot. */
import { stat } from 'node:fs/promises';
import { checkRdb, requests } from '../rdb/index.js';
import type { ShardId } from './protocol.js';
import { shardOfSlot } from './router.js';

/** Bytes of requests without an outcome, above which reading waits. */
const UNDER_WAY_BYTES_MAX = 4 * 1024 * 1024;
const RECORD_HEADER_BYTES = 6;

/** How far a load is. */
export interface LoadProgress {
  /** Keys that are acknowledged. */
  readonly keys: number;
  /** Keys of the file. */
  readonly totalKeys: number;
}

/** Options of a store's `load`. */
export interface StoreLoadOptions {
  /** Called now and then, and at the end. What it throws ends the load. */
  onProgress?: (progress: LoadProgress) => void;
  /** Stops the load; keys that were acknowledged stay. */
  signal?: AbortSignal;
}

/** What a load did. */
export interface StoreLoadResult {
  /** Keys loaded; those that the store held under the same name were replaced. */
  readonly keys: number;
  /** Bytes of the file. */
  readonly bytes: number;
  /** Milliseconds that it took. */
  readonly durationMs: number;
}

/** One key of the file. */
interface KeyRequest {
  readonly slot: number;
  readonly resp: Buffer;
}

/**
 * The whole file is read and verified first, so that a damaged one changes nothing. Rejects with the first error of a
 * request; keys that were acknowledged before stay.
 */
export async function loadKeys(
  path: string,
  shards: number,
  send: (shard: ShardId, resp: Buffer) => Promise<unknown>,
  { onProgress, signal }: StoreLoadOptions,
): Promise<StoreLoadResult> {
  const startedMs = performance.now();
  const watched = signal === undefined ? {} : { signal };
  const { keys: totalKeys } = await checkRdb(path, watched);
  const { size: bytes } = await stat(path);
  const window = new Window();
  for await (const piece of requests(path, watched)) {
    for (const { slot, resp } of records(piece)) {
      window.add(send(shardOfSlot(slot, shards), resp), resp.length);
    }
    await window.belowMax();
    onProgress?.({ keys: window.done, totalKeys });
  }
  await window.empty();
  onProgress?.({ keys: window.done, totalKeys });
  return { keys: window.done, bytes, durationMs: performance.now() - startedMs };
}

/** Requests under way. */
class Window {
  done = 0;
  #bytes = 0;
  #failure: { readonly error: unknown } | undefined;
  #wake: (() => void) | undefined;

  add(request: Promise<unknown>, bytes: number): void {
    this.#bytes += bytes;
    request.then(
      () => this.#settled(bytes, 1),
      (error: unknown) => {
        this.#failure ??= { error };
        this.#settled(bytes, 0);
      },
    );
  }

  belowMax(): Promise<void> {
    return this.#until(UNDER_WAY_BYTES_MAX);
  }

  empty(): Promise<void> {
    return this.#until(0);
  }

  async #until(bytes: number): Promise<void> {
    while (this.#bytes > bytes && this.#failure === undefined) {
      await new Promise<void>((resolve) => {
        this.#wake = resolve;
      });
    }
    if (this.#failure !== undefined) throw this.#failure.error;
  }

  #settled(bytes: number, keys: number): void {
    this.#bytes -= bytes;
    this.done += keys;
    this.#wake?.();
  }
}

function* records(piece: Buffer): Generator<KeyRequest> {
  let at = 0;
  while (at < piece.length) {
    const start = at + RECORD_HEADER_BYTES;
    const end = start + piece.readUInt32LE(at + 2);
    yield { slot: piece.readUInt16LE(at), resp: piece.subarray(start, end) };
    at = end;
  }
}

/** The words of a request as {@link loadKeys} sends it. */
export function wordsOfRequest(resp: Buffer): Buffer[] {
  const words: Buffer[] = [];
  let at = resp.indexOf('\n') + 1;
  while (at < resp.length) {
    const start = resp.indexOf('\n', at) + 1;
    const end = start + Number(resp.toString('latin1', at + 1, start - 2));
    words.push(resp.subarray(start, end));
    at = end + 2;
  }
  return words;
}
