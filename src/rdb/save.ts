/**
 * Saving: the state of one instant, while everybody goes on writing. One thread of the pool writes the file, and encodes
 * as well while it has nothing to write; threads of the native code, which end with the snapshot, help it to encode. The snapshot is
 * taken when the thread that writes is ready, so that none grows old in a queue: its pre-images take memory.
 */
import { setTimeout as sleep } from 'node:timers/promises';
import { HoldfastError } from '../errors.js';
import { type NativeSnapshot, type NativeSnapshotOptions, native } from '../keyspace/native.js';
import type { SaveForm } from './jobs.js';
import { start, threadsMax } from './pool.js';
import type { Watched } from './watched.js';

/** Versions of the format that can be written. */
const VERSIONS: readonly number[] = [9, 10, 11, 12];
/** How often to look whether a snapshot that another thread has taken is over. */
const LOOK_EVERY_MS = 2;

/** Options of saving an RDB file. */
export interface SaveOptions extends Watched, SaveForm {}

/** What saving an RDB file did. */
export interface SaveResult {
  /** Bytes of the file. */
  bytes: number;
  /** Keys in it. */
  keys: number;
  /** Milliseconds that it took. */
  durationMs: number;
}

/** A snapshot, and where it is to be saved. */
export interface SnapshotToSave {
  readonly snapshot: NativeSnapshot;
  readonly path: string;
}

/**
 * Saves keyspaces as one RDB file: into a temporary file beside it, which takes its place once it is on disk. The file shows
 * all keys as they were at one instant, whatever is written meanwhile.
 *
 * @param keyspaces - `keyspace.id` of each
 * @throws HoldfastError `IO`; `CLOSED`; `ERR` names a key with fields that expire, which versions before 12 cannot hold. RangeError
 *   for another version than 9 to 12.
 */
export function saveFile(
  keyspaces: readonly number[],
  path: string,
  options: SaveOptions = {},
): Promise<SaveResult> {
  const { onProgress: _, signal: __, ...form } = options;
  if (form.version !== undefined && !VERSIONS.includes(form.version))
    throw new RangeError(`version ${form.version} cannot be written; it is one of ${VERSIONS.join(', ')}`);
  const take = () => {
    const snapshot = takeSnapshot(keyspaces, form);
    return snapshot && { snapshot, path };
  };
  return saveCut(keyspaces, take, options);
}

/**
 * Takes a snapshot, all keyspaces at the same instant; `undefined` while another one of any of them is not over.
 *
 * @throws HoldfastError as {@link saveFile}.
 */
export function takeSnapshot(
  keyspaces: readonly number[],
  form: NativeSnapshotOptions,
): NativeSnapshot | undefined {
  return translated(() => native.snapshotCut(keyspaces, form)) ?? undefined;
}

/** The native code's refusals as errors of this library. */
function translated<T>(call: () => T): T {
  try {
    return call();
  } catch (error) {
    if (!(error instanceof Error) || !('code' in error) || typeof error.code !== 'string') throw error;
    throw new HoldfastError(error.code, error.message, { cause: error });
  }
}

/**
 * As {@link saveFile}, for who has to do something at the very instant of the snapshot: `take` takes it.
 *
 * @param take - Called on this thread, again and again while it gives `undefined`: another snapshot is not over.
 */
export async function saveCut(
  keyspaces: readonly number[],
  take: () => SnapshotToSave | undefined,
  watched: Watched = {},
): Promise<SaveResult> {
  return inTurn(keyspaces, watched.signal, () => run(keyspaces, take, watched));
}

async function run(
  keyspaces: readonly number[],
  take: () => SnapshotToSave | undefined,
  watched: Watched,
): Promise<SaveResult> {
  const { onProgress, signal } = watched;
  let taken: NativeSnapshot | undefined;
  let refusal: unknown;
  let over = false;
  const begin = async (): Promise<void> => {
    let made = take();
    while (made === undefined) {
      await pause(signal);
      if (over) return;
      made = take();
    }
    taken = made.snapshot;
    const { id } = taken;
    job.begin({ snapshot: id, path: made.path });
    native.snapshotHelp(id, threadsMax - 1);
  };
  const job = start(
    { kind: 'save', keyspaces },
    (notice) => {
      if (notice.kind === 'progress') onProgress?.(notice.done, notice.total ?? 0);
      if (notice.kind !== 'ready') return;
      begin().catch((error: unknown) => {
        refusal = error;
        job.cancel();
      });
    },
    signal,
  );
  try {
    const result = await job.result;
    if (refusal !== undefined) throw refusal;
    return result as SaveResult;
  } finally {
    over = true;
    taken?.drop();
  }
}

async function pause(signal: AbortSignal | undefined): Promise<void> {
  await sleep(LOOK_EVERY_MS);
  signal?.throwIfAborted();
}

/** The keyspaces of each save of this thread that is not over, the first come first. */
const line: (readonly number[])[] = [];

/** First come, first served: runs `work` when nothing that was wanted before it concerns one of these keyspaces. */
async function inTurn<T>(
  keyspaces: readonly number[],
  signal: AbortSignal | undefined,
  work: () => Promise<T>,
): Promise<T> {
  const place = [...keyspaces];
  const first = () => line.find((other) => other.some((id) => place.includes(id)));
  line.push(place);
  try {
    signal?.throwIfAborted();
    while (first() !== place || isBusy(place)) await pause(signal);
    return await work();
  } finally {
    line.splice(line.indexOf(place), 1);
  }
}

function isBusy(keyspaces: readonly number[]): boolean {
  return translated(() => native.snapshotBusy(keyspaces));
}

/** The saves of one keyspace or store, which end when it is closed. */
export class Saves {
  readonly #running = new Map<AbortController, Promise<unknown>>();

  /** As {@link saveFile}. */
  save(keyspaces: readonly number[], path: string, options: SaveOptions): Promise<SaveResult> {
    const ending = new AbortController();
    const signals = options.signal === undefined ? [ending.signal] : [ending.signal, options.signal];
    const saving = saveFile(keyspaces, path, { ...options, signal: AbortSignal.any(signals) });
    const running = saving.finally(() => this.#running.delete(ending));
    this.#running.set(ending, running);
    return running;
  }

  /** Whether none is under way. */
  get idle(): boolean {
    return this.#running.size === 0;
  }

  /** Ends them with this reason. Resolves when nothing is left of them. */
  async close(reason: unknown): Promise<void> {
    for (const ending of this.#running.keys()) ending.abort(reason);
    await Promise.allSettled(this.#running.values());
  }
}
