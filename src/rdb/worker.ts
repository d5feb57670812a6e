/** A thread of the pool: runs one job from its beginning to its end. Loaded by Piscina. */
import { randomUUID } from 'node:crypto';
import { once } from 'node:events';
import { readSync, writeSync } from 'node:fs';
import { type FileHandle, open, rename, rm } from 'node:fs/promises';
import { dirname } from 'node:path';
import { setImmediate as immediate } from 'node:timers/promises';
import type { MessagePort } from 'node:worker_threads';
import { HoldfastError } from '../errors.js';
import { type NativeRdbLoader, native } from '../keyspace/native.js';
import { type Begin, type Job, type Notice, type Outcome, PIECES_AHEAD, type Word } from './jobs.js';
import { checkPlace, syncDirectory, writeAll } from './new-file.js';
import { CorruptRdbError } from './workbench/corrupt.js';
import { runTask } from './workbench/tasks.js';

/** One read from a file. */
const READ_BYTES = 128 * 1024;
/** Bytes read between two notices of progress. In between, nothing of the port is heard. */
const TOLD_BYTES = 1024 * 1024;
/** One write to a file. */
const WRITE_BYTES = 1024 * 1024;
/** Written bytes that the system is asked to bring to the disk while the next ones are being encoded. */
const WRITE_BACK_BYTES = 4 * 1024 * 1024;

/** How long a thread waits for others to have encoded something. */
const ENCODE_WAIT_MS = 2;

/** Thrown at the next step of a job that was cancelled. */
class Cancelled extends Error {}

/** The other side of the job's port. */
class Client {
  readonly #port: MessagePort;
  /** The file that the job is about, once it is known. */
  path: string | undefined;
  readonly #ending = new AbortController();
  #wake: ((order?: Begin) => void) | undefined;
  /** Pieces that may be sent before the next permission. */
  #credit = PIECES_AHEAD;

  constructor(port: MessagePort) {
    this.#port = port;
    port.on('message', (word: Word) => {
      if (word === 'cancel') this.#cancel();
      else if (word === 'more') this.#credit++;
      else this.#wake?.(word);
    });
    port.on('close', () => this.#cancel());
  }

  /** Aborted when nobody wants the job any more. */
  get signal(): AbortSignal {
    return this.#ending.signal;
  }

  #cancel(): void {
    this.#ending.abort(new Cancelled());
    this.#wake?.();
  }

  /** Says that this thread is ready, and waits for its order. */
  async begin(): Promise<Begin> {
    const order = await new Promise<Begin | undefined>((resolve) => {
      this.#wake = resolve;
      this.#port.postMessage({ kind: 'ready' } satisfies Notice);
      if (this.signal.aborted) resolve(undefined);
    });
    if (order === undefined) throw new Cancelled();
    this.path = order.path;
    return order;
  }

  check(): void {
    this.signal.throwIfAborted();
  }

  progress(done: number, total: number | undefined, note?: unknown): void {
    this.check();
    this.#port.postMessage({ kind: 'progress', done, total, note } satisfies Notice);
  }

  async piece(bytes: Uint8Array): Promise<void> {
    if (bytes.length === 0) return;
    while (this.#credit === 0 && !this.signal.aborted) await once(this.#port, 'message');
    this.check();
    this.#credit--;
    this.#port.postMessage({ kind: 'piece', bytes } satisfies Notice);
  }

  end(outcome: Outcome): void {
    this.#port.postMessage({ kind: 'end', outcome } satisfies Notice);
    this.#port.close();
  }
}

/**
 * Feeds a file to `take` until the file, or what `take` wants of it, has ended. Gives the bytes taken.
 *
 * This thread reads by itself, into one buffer that stays in its processor's cache: the system reads ahead of it.
 *
 * @param take - Gets the size of the file, too
 */
async function readAll(
  path: string,
  client: Client,
  take: (chunk: Uint8Array, total: number) => number | Promise<number>,
  note: () => unknown = () => undefined,
): Promise<number> {
  const file = await open(path, 'r');
  try {
    const total = (await file.stat()).size;
    const buffer = Buffer.allocUnsafeSlow(READ_BYTES);
    let told = 0;
    for (let taken = 0; ; ) {
      const bytesRead = readSync(file.fd, buffer, 0, buffer.length, null);
      const used = bytesRead === 0 ? 0 : await take(buffer.subarray(0, bytesRead), total);
      taken += used;
      const isOver = bytesRead === 0 || used < bytesRead;
      if (isOver || taken - told >= TOLD_BYTES) {
        told = taken;
        client.progress(taken, total, note());
        await immediate();
      }
      if (isOver) return taken;
    }
  } finally {
    await file.close();
  }
}

async function load({ path, keyspaceId, db }: Job & { kind: 'load' }, client: Client): Promise<unknown> {
  const startMs = native.boottimeMs();
  let begun: NativeRdbLoader | undefined;
  const loaderOf = (total: number): NativeRdbLoader => {
    begun ??= new native.RdbLoader(keyspaceId, { bytes: total, ...(db !== undefined && { db }) });
    return begun;
  };
  const bytes = await readAll(path, client, (chunk, total) => loaderOf(total).push(chunk));
  const loader = loaderOf(bytes);
  const stats = loader.finish();
  const aux = loader.aux().map(([key, value]) => [key.toString(), value.toString()]);
  client.check();
  loader.commit();
  return { ...stats, aux, bytes, durationMs: native.boottimeMs() - startMs };
}

async function save({ keyspaces }: Job & { kind: 'save' }, client: Client): Promise<unknown> {
  native.snapshotPrepare(keyspaces);
  const { snapshot, path } = await client.begin();
  const startMs = native.boottimeMs();
  await checkPlace(path);
  const temporary = `${path}.${randomUUID()}.tmp`;
  let bytes = 0;
  try {
    const file = await open(temporary, 'wx');
    try {
      bytes = await writeSnapshot(snapshot, file, client);
      await file.sync();
    } finally {
      await file.close();
    }
    client.check();
    await rename(temporary, path);
  } catch (error) {
    await rm(temporary, { force: true });
    throw error;
  }
  await syncDirectory(dirname(path));
  const [keys] = native.snapshotProgress(snapshot);
  return { bytes, keys, durationMs: native.boottimeMs() - startMs };
}

/**
 * Gives the bytes written. This thread writes by itself: what it takes of the processors is known to be the snapshot's, and
 * meanwhile the others encode.
 */
async function writeSnapshot(snapshot: number, file: FileHandle, client: Client): Promise<number> {
  const buffer = Buffer.allocUnsafeSlow(WRITE_BYTES);
  let begunBytes = 0;
  for (let bytes = 0; ; ) {
    const filled = await fill(snapshot, buffer, client);
    if (filled === 0) return bytes;
    for (let written = 0; written < filled; )
      written += writeSync(file.fd, buffer, written, filled - written);
    bytes += filled;
    if (bytes - begunBytes >= WRITE_BACK_BYTES) {
      native.beginWriteBack(file.fd, begunBytes, bytes - begunBytes);
      begunBytes = bytes;
    }
    const [, done] = native.snapshotProgress(snapshot);
    client.progress(done, 1);
  }
}

/** Fills a buffer with the next bytes of a snapshot, and says how many these are: 0 behind its end. */
async function fill(snapshot: number, buffer: Buffer, client: Client): Promise<number> {
  let filled = 0;
  while (filled < buffer.length) {
    const count = native.snapshotRead(snapshot, buffer.subarray(filled));
    if (count === null) break;
    filled += count;
    if (count > 0) continue;
    native.snapshotEncode(snapshot, ENCODE_WAIT_MS);
    await immediate();
    client.check();
  }
  return filled;
}

async function requests({ path, options }: Job & { kind: 'requests' }, client: Client): Promise<unknown> {
  const reader = new native.RdbRequests(options);
  const take = async (chunk: Uint8Array): Promise<number> => {
    await client.piece(reader.push(chunk));
    return chunk.length;
  };
  await readAll(path, client, take, () => reader.stats());
  return reader.finish();
}

/** The joined file is not synced, nor is it there at once: its path is to be a temporary one. */
async function join({ paths, path, form }: Job & { kind: 'join' }, client: Client): Promise<unknown> {
  const { format, ...rest } = form;
  const joiner = new native.RdbJoin({ ...rest, isValkey: format === 'VALKEY' });
  const out = await open(path, 'w');
  try {
    for (const part of paths) {
      await readAll(part, client, async (chunk) => {
        await writeAll(out, joiner.push(chunk));
        return chunk.length;
      });
      joiner.nextFile();
    }
    await writeAll(out, joiner.finish());
  } finally {
    await out.close();
  }
  return { keys: joiner.keys };
}

function run(job: Job, client: Client): Promise<unknown> | unknown {
  switch (job.kind) {
    case 'load':
      return load(job, client);
    case 'save':
      return save(job, client);
    case 'digest':
      return native.digest(job.keyspaceId);
    case 'tool':
      return runTask(job.task, client);
    case 'requests':
      return requests(job, client);
    case 'join':
      return join(job, client);
  }
}

/** Codes of failures that are not the operating system's. */
const OWN_CODES = new Set(['CORRUPT', 'CLOSED', 'FAULTED', 'ERR']);

function failure(error: unknown, path: string | undefined): Outcome {
  if (error instanceof Cancelled) return { kind: 'cancelled' };
  if (!(error instanceof Error) || !('code' in error) || typeof error.code !== 'string') throw error;
  const { code } = error;
  if (error instanceof CorruptRdbError) {
    const { message, path, reason, offset } = error;
    return { kind: 'failed', code, message, fault: { path, reason, offset } };
  }
  if (error instanceof HoldfastError) return { kind: 'failed', code, message: error.message };
  const place = path !== undefined && code !== 'CLOSED' ? `${path}: ` : '';
  if (OWN_CODES.has(code)) return { kind: 'failed', code, message: `${place}${error.message}` };
  return { kind: 'failed', code: 'IO', message: `${place}${error.message}` };
}

/** Runs a job. Failures that a caller can meet are part of the outcome; anything else is thrown. */
export default async function runJob(job: Job): Promise<void> {
  const client = new Client(job.port);
  if ('path' in job) client.path = job.path;
  try {
    client.end({ kind: 'done', value: await run(job, client) });
  } catch (error) {
    client.end(failure(error, client.path));
  }
}
