/**
 * The dump of a Redis server, taken as a replica takes it: PING, AUTH, REPLCONF, PSYNC, then the file. Nothing is acknowledged,
 * and the connection ends with the file's last byte, so that the server never counts on what is here.
 */
import { setTimeout as sleep } from 'node:timers/promises';
import { HoldfastError } from '../errors.js';
import { writeAll } from '../rdb/new-file.js';
import { ByteSource, type ReachOptions } from './byte-source.js';
import { openForWriting } from './output.js';
import { passwordWanted, type RedisAddress } from './redis-address.js';

/** How a dump is taken. */
export interface DumpOptions extends ReachOptions {
  /** How long a server that is loading, or has lost its master, is asked again. */
  readonly retryMs: number;
  /** Hears that the server makes its dump; it may wait for other replicas first. */
  readonly onSnapshot: () => void;
  /** Hears how many bytes came, and of how many, where the server says it. */
  readonly onProgress: (done: number, total: number | undefined) => void;
}

/** What a server says while it cannot give a dump, and soon may. */
const PASSING: ReadonlySet<string> = new Set(['LOADING', 'NOMASTERLINK', 'MASTERDOWN', 'BUSY']);
const RETRY_EVERY_MS = 250;
/** One read: not more than so many bytes are held. */
const PIECE_BYTES = 1024 * 1024;
const MARK_BYTES = 40;

/** Where the bytes of a dump end: after so many, or with a mark. */
type Length = { readonly bytes: number } | { readonly mark: Buffer };

/**
 * Writes the server's dump to a file that is not there yet; gives the bytes.
 *
 * @throws HoldfastError `IO`; `PROTOCOL`; the code of the server's error.
 */
export async function takeDump(address: RedisAddress, path: string, options: DumpOptions): Promise<number> {
  const source = await synchronizing(address, options);
  try {
    options.onSnapshot();
    const length = await lengthOf(source);
    const file = await openForWriting(path);
    try {
      return await receive(source, length, (piece) => writeAll(file, piece), options.onProgress);
    } finally {
      await file.close();
    }
  } finally {
    source.close();
  }
}

/** A connection on which the dump comes next. */
function synchronizing(address: RedisAddress, options: DumpOptions): Promise<ByteSource> {
  return patiently(options, async () => {
    const source = await connectedTo(address, options);
    try {
      await introduce(source);
      source.send(['PSYNC', '?', '-1']);
      const reply = await statusLine(source);
      if (reply.startsWith('FULLRESYNC')) return source;
      throw new HoldfastError(
        'PROTOCOL',
        `${source.label}: PSYNC was answered with ${JSON.stringify(reply)}`,
      );
    } catch (error) {
      source.close();
      throw error;
    }
  });
}

/** Does it again while the server says that it is not ready yet. */
export async function patiently<T>(
  { retryMs, signal }: Pick<DumpOptions, 'retryMs' | 'signal'>,
  attempt: () => Promise<T>,
): Promise<T> {
  for (let waitedMs = 0; ; waitedMs += RETRY_EVERY_MS) {
    try {
      return await attempt();
    } catch (error) {
      const again = error instanceof HoldfastError && PASSING.has(error.code) && waitedMs < retryMs;
      if (!again) throw error;
    }
    await sleep(RETRY_EVERY_MS, undefined, { signal });
  }
}

/** A connection that is authenticated. */
export async function connectedTo(address: RedisAddress, options: ReachOptions): Promise<ByteSource> {
  const source = await ByteSource.connect(address, options);
  try {
    const { user, password } = address;
    if (password !== undefined || user !== undefined) {
      source.send(['AUTH', ...(user === undefined ? [] : [user]), password ?? '']);
      await statusLine(source);
    }
    source.send(['PING']);
    await statusLine(source);
    return source;
  } catch (error) {
    source.close();
    throw error;
  }
}

/** Nobody listens here: the port is 0. Servers before Redis 7 do not know all of it, and go on without. */
async function introduce(source: ByteSource): Promise<void> {
  const facts = [
    ['listening-port', '0'],
    ['capa', 'eof', 'capa', 'psync2'],
    ['rdb-only', '1'],
  ];
  for (const fact of facts) {
    source.send(['REPLCONF', ...fact]);
    await statusLine(source).catch((error) => {
      if (!(error instanceof HoldfastError) || error.code !== 'ERR') throw error;
    });
  }
}

/** A status, without its plus; an error is thrown under its own code. */
async function statusLine(source: ByteSource): Promise<string> {
  const line = await nextLine(source);
  if (line.startsWith('+')) return line.slice(1);
  if (!line.startsWith('-'))
    throw new HoldfastError('PROTOCOL', `${source.label}: ${JSON.stringify(line.slice(0, 80))} is no status`);
  throw serverError(source.label, line.slice(1));
}

/** An error of a server. */
export function serverError(label: string, text: string): HoldfastError {
  if (/^NOAUTH\b/.test(text)) return passwordWanted(label);
  return new HoldfastError(/^[A-Z][A-Z0-9]*(?= |$)/.exec(text)?.[0] ?? 'ERR', `${label}: ${text}`);
}

/** Empty lines say that the server is still there. */
async function nextLine(source: ByteSource): Promise<string> {
  for (;;) {
    const line = await source.line();
    if (line !== '') return line;
  }
}

async function lengthOf(source: ByteSource): Promise<Length> {
  const line = await nextLine(source);
  if (line.startsWith('-')) throw serverError(source.label, line.slice(1));
  const mark = /^\$EOF:(.{40})$/.exec(line)?.[1];
  if (mark !== undefined) return { mark: Buffer.from(mark, 'latin1') };
  const bytes = /^\$(\d{1,15})$/.exec(line)?.[1];
  if (bytes !== undefined) return { bytes: Number(bytes) };
  throw new HoldfastError(
    'PROTOCOL',
    `${source.label}: ${JSON.stringify(line.slice(0, 80))} in place of a dump`,
  );
}

async function receive(
  source: ByteSource,
  length: Length,
  write: (piece: Buffer) => Promise<void>,
  onProgress: DumpOptions['onProgress'],
): Promise<number> {
  if ('mark' in length) return receiveUpTo(source, length.mark, write, onProgress);
  let done = 0;
  while (done < length.bytes) {
    const piece = await source.some(Math.min(PIECE_BYTES, length.bytes - done));
    await write(piece);
    done += piece.length;
    onProgress(done, length.bytes);
  }
  return done;
}

/** The mark is the last that comes: its bytes are held back until more are there. */
async function receiveUpTo(
  source: ByteSource,
  mark: Buffer,
  write: (piece: Buffer) => Promise<void>,
  onProgress: DumpOptions['onProgress'],
): Promise<number> {
  let done = 0;
  let held: Buffer = Buffer.alloc(0);
  for (;;) {
    held = Buffer.concat([held, await source.some(PIECE_BYTES)]);
    const last = held.subarray(-MARK_BYTES);
    const complete = last.equals(mark);
    const piece = held.subarray(0, Math.max(0, held.length - MARK_BYTES));
    await write(piece);
    done += piece.length;
    onProgress(done, undefined);
    if (complete) return done;
    held = Buffer.from(held.subarray(piece.length));
  }
}
