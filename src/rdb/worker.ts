/** A thread of the pool: runs one job from its beginning to its end. Loaded by Piscina. */
import { randomUUID } from 'node:crypto';
import { once } from 'node:events';
import { type FileHandle, open, rename, rm } from 'node:fs/promises';
import { dirname } from 'node:path';
import type { MessagePort } from 'node:worker_threads';
import { HoldfastError } from '../errors.js';
import { native } from '../keyspace/native.js';
import { type Job, type Notice, type Outcome, PIECES_AHEAD, type Word } from './jobs.js';
import { CorruptRdbError } from './workbench/corrupt.js';
import { runTask } from './workbench/tasks.js';

/** One read from a file. */
const READ_BYTES = 1024 * 1024;
/** One write to a file. */
const WRITE_BYTES = 1024 * 1024;

/** Thrown at the next step of a job that was cancelled. */
class Cancelled extends Error {}

/** The other side of the job's port. */
class Client {
  readonly #port: MessagePort;
  #cancelled = false;
  /** Pieces that may be sent before the next permission. */
  #credit = PIECES_AHEAD;

  constructor(port: MessagePort) {
    this.#port = port;
    port.on('message', (word: Word) => {
      if (word === 'cancel') this.#cancelled = true;
      else this.#credit++;
    });
    port.on('close', () => {
      this.#cancelled = true;
    });
  }

  check(): void {
    if (this.#cancelled) throw new Cancelled();
  }

  progress(done: number, total: number | undefined, note?: unknown): void {
    this.check();
    this.#port.postMessage({ kind: 'progress', done, total, note } satisfies Notice);
  }

  async piece(bytes: Uint8Array): Promise<void> {
    if (bytes.length === 0) return;
    while (this.#credit === 0 && !this.#cancelled) await once(this.#port, 'message');
    this.check();
    this.#credit--;
    this.#port.postMessage({ kind: 'piece', bytes } satisfies Notice);
  }

  end(outcome: Outcome): void {
    this.#port.postMessage({ kind: 'end', outcome } satisfies Notice);
    this.#port.close();
  }
}

/** Feeds a file to `take` until the file, or what `take` wants of it, has ended. Gives the bytes taken. */
async function readAll(
  path: string,
  client: Client,
  take: (chunk: Uint8Array) => number | Promise<number>,
  note: () => unknown = () => undefined,
): Promise<number> {
  const file = await open(path, 'r');
  try {
    const total = (await file.stat()).size;
    const buffer = Buffer.allocUnsafe(READ_BYTES);
    for (let taken = 0; ; ) {
      const { bytesRead } = await file.read(buffer, 0, READ_BYTES, null);
      if (bytesRead === 0) return taken;
      const used = await take(buffer.subarray(0, bytesRead));
      taken += used;
      client.progress(taken, total, note());
      if (used < bytesRead) return taken;
    }
  } finally {
    await file.close();
  }
}

async function load({ path, keyspaceId, db }: Job & { kind: 'load' }, client: Client): Promise<unknown> {
  const startMs = native.boottimeMs();
  const loader = new native.RdbLoader(keyspaceId, db === undefined ? {} : { db });
  const bytes = await readAll(path, client, (chunk) => loader.push(chunk));
  const stats = loader.finish();
  const aux = loader.aux().map(([key, value]) => [key.toString(), value.toString()]);
  client.check();
  loader.commit();
  return { ...stats, aux, bytes, durationMs: native.boottimeMs() - startMs };
}

async function save({ path, keyspaceId, form }: Job & { kind: 'save' }, client: Client): Promise<unknown> {
  const startMs = native.boottimeMs();
  const writer = new native.RdbWriter(keyspaceId, form);
  const temporary = `${path}.${randomUUID()}.tmp`;
  let bytes = 0;
  try {
    const file = await open(temporary, 'wx');
    try {
      for (;;) {
        const chunk = writer.next(WRITE_BYTES);
        if (chunk === null) break;
        await writeAll(file, chunk);
        bytes += chunk.length;
        client.progress(writer.progress, 1);
      }
      await file.sync();
    } finally {
      await file.close();
    }
    await rename(temporary, path);
  } catch (error) {
    await rm(temporary, { force: true });
    throw error;
  }
  await syncDirectory(dirname(path));
  return { bytes, keys: writer.keys, durationMs: native.boottimeMs() - startMs };
}

async function writeAll(file: FileHandle, chunk: Uint8Array): Promise<void> {
  for (let written = 0; written < chunk.length; ) {
    const { bytesWritten } = await file.write(chunk, written, chunk.length - written);
    written += bytesWritten;
  }
}

/** Makes a rename durable. Windows has no such thing. */
async function syncDirectory(path: string): Promise<void> {
  if (process.platform === 'win32') return;
  const directory = await open(path, 'r');
  try {
    await directory.sync();
  } finally {
    await directory.close();
  }
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

function failure(error: unknown, job: Job): Outcome {
  if (error instanceof Cancelled) return { kind: 'cancelled' };
  if (!(error instanceof Error) || !('code' in error) || typeof error.code !== 'string') throw error;
  const { code } = error;
  if (error instanceof CorruptRdbError) {
    const { message, path, reason, offset } = error;
    return { kind: 'failed', code, message, fault: { path, reason, offset } };
  }
  if (error instanceof HoldfastError) return { kind: 'failed', code, message: error.message };
  const place = 'path' in job && code !== 'CLOSED' ? `${job.path}: ` : '';
  if (OWN_CODES.has(code)) return { kind: 'failed', code, message: `${place}${error.message}` };
  return { kind: 'failed', code: 'IO', message: `${place}${error.message}` };
}

/** Runs a job. Failures that a caller can meet are part of the outcome; anything else is thrown. */
export default async function runJob(job: Job): Promise<void> {
  const client = new Client(job.port);
  try {
    client.end({ kind: 'done', value: await run(job, client) });
  } catch (error) {
    client.end(failure(error, job));
  }
}
