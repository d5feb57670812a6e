/** Where the bytes of a file come from. */
import { constants, open as openDescriptor } from 'node:fs';
import { type FileHandle, open, stat } from 'node:fs/promises';
import { Socket } from 'node:net';
import { setImmediate as nextTurn } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { HoldfastError } from '../../errors.js';
import { asFailure } from './corrupt.js';

/**
 * An RDB file: its path, its bytes, or a stream of chunks of any size (a Readable, a socket, the output of a
 * decompressor).
 */
export type RdbSource = string | URL | Uint8Array | AsyncIterable<Uint8Array>;

/** One read from a file, on a thread of the pool. */
const READ_BYTES = 1024 * 1024;
/** The same on the calling thread, and the most that is parsed before its event loop has a turn. */
const SLICE_BYTES = 128 * 1024;

/** A source that can be read. */
export interface OpenSource {
  /** What errors call it: its path, or nothing. */
  readonly name: string;
  /** Bytes of it, if that is known. */
  readonly total: number | undefined;
  /** Each chunk is good until the next one is asked for. */
  readonly chunks: AsyncGenerator<Uint8Array, void, undefined>;
}

/** The path of a source that has one. */
export function pathOf(source: unknown): string | undefined {
  if (typeof source === 'string') return source;
  return source instanceof URL ? fileURLToPath(source) : undefined;
}

/** Opens a source to be read by the calling thread, in slices. The signal ends the waiting for a chunk. */
export async function openSource(source: RdbSource, signal?: AbortSignal): Promise<OpenSource> {
  const path = pathOf(source);
  if (path !== undefined) return openFile(path, { bytesMax: SLICE_BYTES, signal });
  if (source instanceof Uint8Array) {
    return { name: '', total: source.length, chunks: slices(oneChunk(source)) };
  }
  if (typeof source !== 'object' || source === null || !(Symbol.asyncIterator in source)) {
    throw new TypeError('a source is a path, bytes, or an async iterable of bytes');
  }
  return { name: '', total: undefined, chunks: slices(impatient(source, signal)) };
}

async function* oneChunk(bytes: Uint8Array): AsyncGenerator<Uint8Array, void, undefined> {
  yield bytes;
}

/** The chunks of a source, which may keep others waiting for ever: the signal ends that. */
async function* impatient(
  source: AsyncIterable<Uint8Array>,
  signal: AbortSignal | undefined,
): AsyncGenerator<Uint8Array, void, undefined> {
  const chunks = source[Symbol.asyncIterator]();
  let giveUp: () => void = () => {};
  const aborted = () => giveUp();
  signal?.addEventListener('abort', aborted, { once: true });
  try {
    for (;;) {
      signal?.throwIfAborted();
      const { value, done } = await new Promise<IteratorResult<Uint8Array>>((resolve, reject) => {
        giveUp = () => reject(signal?.reason);
        chunks.next().then(resolve, reject);
      });
      if (done) return;
      yield value;
    }
  } finally {
    signal?.removeEventListener('abort', aborted);
    // Of a source that has nothing to say, the end may never come.
    chunks.return?.().catch(() => {});
  }
}

async function* slices(source: AsyncIterable<Uint8Array>): AsyncGenerator<Uint8Array, void, undefined> {
  for await (const chunk of source) {
    if (!(chunk instanceof Uint8Array)) throw new TypeError('a source gives bytes');
    for (let at = 0; at < chunk.length; at += SLICE_BYTES) {
      if (at > 0) await nextTurn();
      yield chunk.subarray(at, at + SLICE_BYTES);
    }
  }
}

/** How a file is read. */
export interface OpenFileOptions {
  /** The largest chunk. */
  bytesMax?: number;
  /** Where reading begins, unless it is a pipe. */
  from?: number;
  /** Ends the waiting for a chunk. */
  signal?: AbortSignal | undefined;
}

/** A file. It is opened when the first chunk is asked for, and closed behind the last, or when nobody asks for more. */
export async function openFile(
  path: string,
  { bytesMax = READ_BYTES, from = 0, signal }: OpenFileOptions = {},
): Promise<OpenSource> {
  try {
    const found = await stat(path);
    if (found.isDirectory()) throw new HoldfastError('IO', `${path}: it is a directory`);
    if (found.isFIFO()) return { name: path, total: undefined, chunks: pipeChunks(path, signal) };
    const isFile = found.isFile();
    return {
      name: path,
      total: isFile ? Math.max(found.size - from, 0) : undefined,
      // What is no file (a device) has no positions.
      chunks: fileChunks(path, bytesMax, isFile ? from : null),
    };
  } catch (error) {
    throw asFailure(error, path);
  }
}

/**
 * A pipe, whose other end may be silent, or not there yet. Reading it as a file would block a thread that nothing can wake; as a
 * socket it is waited for, and can be given up.
 */
async function* pipeChunks(
  path: string,
  signal: AbortSignal | undefined,
): AsyncGenerator<Uint8Array, void, undefined> {
  let socket: Socket | undefined;
  const aborted = () => socket?.destroy(signal?.reason);
  try {
    signal?.throwIfAborted();
    const fd = await promisify(openDescriptor)(path, constants.O_RDONLY | constants.O_NONBLOCK);
    socket = new Socket({ fd, readable: true, writable: false });
    signal?.addEventListener('abort', aborted, { once: true });
    if (signal?.aborted) aborted();
    yield* socket;
  } catch (error) {
    throw asFailure(error, path);
  } finally {
    signal?.removeEventListener('abort', aborted);
    socket?.destroy();
  }
}

async function* fileChunks(
  path: string,
  bytesMax: number,
  from: number | null,
): AsyncGenerator<Uint8Array, void, undefined> {
  try {
    const file = await open(path, 'r');
    try {
      yield* readAhead(file, bytesMax, from);
    } finally {
      await file.close();
    }
  } catch (error) {
    throw asFailure(error, path);
  }
}

/** While one chunk is being looked at, the next is being read. */
async function* readAhead(
  file: FileHandle,
  bytesMax: number,
  from: number | null,
): AsyncGenerator<Uint8Array, void, undefined> {
  let [filled, free] = [Buffer.allocUnsafe(bytesMax), Buffer.allocUnsafe(bytesMax)];
  let position = from;
  const read = () => {
    const reading = file.read(filled, 0, bytesMax, position);
    // It is awaited below, or nobody is interested in it any more.
    reading.catch(() => {});
    return reading;
  };
  let reading = read();
  try {
    for (;;) {
      const { bytesRead } = await reading;
      if (bytesRead === 0) return;
      if (position !== null) position += bytesRead;
      const chunk = filled.subarray(0, bytesRead);
      [filled, free] = [free, filled];
      reading = read();
      yield chunk;
    }
  } finally {
    await reading.catch(() => {});
  }
}

/** Hears how far the work is, and may throw to end it. */
export interface Listener {
  progress(done: number, total: number | undefined): void;
}

/** What stands behind the end of a file. */
export interface Trailing {
  /** Bytes of the file, to the end of its checksum. */
  bytes: number;
  /** Bytes behind it. */
  trailingBytes: number;
  /** The first of them. */
  trailingHead: Uint8Array;
}

const TRAILING_HEAD_BYTES = 64;

/** Feeds a source to `push`, which gives the number of bytes that belong to the file. */
export async function feed(
  source: OpenSource,
  push: (chunk: Uint8Array) => number | Promise<number>,
  listener: Listener,
  done = 0,
  total = source.total,
): Promise<Trailing> {
  let [bytes, read, ended] = [0, 0, false];
  const head: Buffer[] = [];
  for await (const chunk of source.chunks) {
    const taken = ended ? 0 : await push(chunk);
    bytes += taken;
    if (taken < chunk.length && read - bytes < TRAILING_HEAD_BYTES)
      head.push(Buffer.from(chunk.subarray(taken)));
    ended ||= taken < chunk.length;
    read += chunk.length;
    listener.progress(done + read, total);
  }
  const trailingHead = Uint8Array.from(Buffer.concat(head).subarray(0, TRAILING_HEAD_BYTES));
  return { bytes, trailingBytes: read - bytes, trailingHead };
}
