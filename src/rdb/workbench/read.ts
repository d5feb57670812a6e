import { native } from '../../keyspace/native.js';
import type { Watched } from '../watched.js';
import { asFailure } from './corrupt.js';
import { type DecodeForm, Decoder, type Oversized } from './decode.js';
import { checkOptions, listenerOf } from './here.js';
import type { RdbBytes, RdbKey, RdbOmittedKey } from './shapes.js';
import { type OpenSource, openFile, openSource, pathOf, type RdbSource } from './source.js';

export type { Oversized } from './decode.js';

/** Options of {@link readRdb}. */
export interface ReadOptions extends Watched {
  /** Whether bytes are given as strings (UTF-8; what is not, is replaced) in place of Buffers. Default: false. */
  strings?: boolean;
  /** How much of one value is held, in bytes: 64 for each element, beside its own. Default: 512 MiB. */
  valueBytesMax?: number;
  /**
   * What becomes of a value that is longer. `error`, the default: reading ends with `TOO_LARGE`. `omit`: the key comes without its
   * value, with `omitted`. `parts`: a list, set, hash or sorted set comes as several keys of the same name with `part` and, but for
   * the last, `more`; others end the reading.
   */
  oversized?: Oversized;
}

const VALUE_BYTES_MAX_DEFAULT = 512 * 1024 * 1024;
/** Most that is parsed before its keys are handed out: a file that expands on reading is not held whole. */
const PUSH_BYTES = 64 * 1024;
const OPTIONS = ['strings', 'valueBytesMax', 'oversized', 'onProgress', 'signal'];

/**
 * An RDB file being read: an iteration over its keys, in the order of the file. What stands around the keys is known as far as the
 * reading has come; the file's checksum is compared at the end, and keys given before may be those of a damaged file.
 */
export class RdbReading<K> implements AsyncIterable<K> {
  readonly #source: RdbSource;
  readonly #options: ReadOptions;
  readonly #decoder: Decoder<RdbBytes>;
  #isBegun = false;
  #isComplete = false;
  #bytes = 0;
  #rest: Uint8Array = new Uint8Array();
  #opened: OpenSource | undefined;

  /** @internal */
  constructor(source: RdbSource, options: ReadOptions, form: DecodeForm<RdbBytes>) {
    this.#source = source;
    this.#options = options;
    this.#decoder = new Decoder(form);
  }

  /** Whose format the file is. */
  get format(): 'REDIS' | 'VALKEY' | undefined {
    return this.#decoder.file.format;
  }

  /** Version of the format. */
  get version(): number | undefined {
    return this.#decoder.file.version;
  }

  /** Metadata, in the order of the file: the first 10,000 fields. */
  get aux(): [string, string][] {
    return this.#decoder.file.aux;
  }

  /** Sources of libraries of functions: the first 10,000. */
  get functions(): string[] {
    return this.#decoder.file.functions;
  }

  /** Known at the end; a wrong one is an error. */
  get checksum(): 'right' | 'disabled' | 'none' | undefined {
    return this.#decoder.file.checksum;
  }

  /** Bytes of the file that have been read. */
  get bytes(): number {
    return this.#bytes;
  }

  /** The keys, once. */
  async *[Symbol.asyncIterator](): AsyncGenerator<K, void, undefined> {
    if (this.#isBegun) throw new TypeError('an RDB file is read once: call readRdb again');
    this.#isBegun = true;
    this.#options.signal?.throwIfAborted();
    const opened = await openSource(this.#source, this.#options.signal);
    this.#opened = opened;
    const listener = listenerOf(this.#options);
    const tool = new native.RdbFacts(this.#options.valueBytesMax ?? VALUE_BYTES_MAX_DEFAULT);
    try {
      // Not a loop over the chunks: what follows the file is left where it is, for `rest`.
      while (!this.#isComplete) {
        const { value: chunk, done } = await opened.chunks.next();
        if (done) break;
        yield* this.#keysOf(chunk, tool);
        listener.progress(this.#bytes, opened.total);
      }
      tool.finish();
      this.#isComplete = true;
    } catch (error) {
      throw asFailure(error, opened.name, tool);
    } finally {
      const isFile = pathOf(this.#source) !== undefined;
      if (!this.#isComplete || isFile) await opened.chunks.return();
    }
  }

  *#keysOf(chunk: Uint8Array, tool: InstanceType<typeof native.RdbFacts>): Generator<K> {
    for (let at = 0; at < chunk.length && !this.#isComplete; at += PUSH_BYTES) {
      const piece = chunk.subarray(at, at + PUSH_BYTES);
      const taken = tool.push(piece);
      this.#bytes += taken;
      // The two shapes of keys are those of the options, which chose K.
      yield* this.#decoder.keys(tool.take()) as Generator<K>;
      if (this.#decoder.file.checksum !== undefined) {
        this.#isComplete = true;
        this.#rest = Uint8Array.from(chunk.subarray(at + taken));
      }
    }
  }

  /**
   * What follows the file in its source, once all keys have been read: the commands of an append-only file, another RDB file, the
   * rest of a connection's bytes.
   *
   * @throws TypeError before the end.
   */
  async *rest(): AsyncGenerator<Buffer, void, undefined> {
    if (!this.#isComplete) throw new TypeError('what follows the file is known when all keys have been read');
    const path = pathOf(this.#source);
    if (path !== undefined) {
      const { chunks } = await openFile(path, { bytesMax: PUSH_BYTES, from: this.#bytes });
      for await (const chunk of chunks) yield Buffer.from(chunk);
      return;
    }
    if (this.#rest.length > 0) yield Buffer.from(this.#rest);
    this.#rest = new Uint8Array();
    if (this.#opened === undefined) return;
    for await (const chunk of this.#opened.chunks) yield Buffer.from(chunk);
  }
}

/**
 * Reads the keys of an RDB file, of any version up to 13 and of Valkey's 80 and 81. The calling thread parses, in slices of 64 KiB; at
 * most one value is held. O(bytes)
 *
 * @example
 * ```ts
 * for await (const { key, type, value } of readRdb('dump.rdb', { strings: true })) console.log(key, type, value);
 * ```
 *
 * @throws HoldfastError `CORRUPT` (a `CorruptRdbError` with `offset` and `reason`), `TOO_LARGE`, `IO`, while it is read; TypeError,
 *   RangeError for options, at once.
 */
export function readRdb(
  source: RdbSource,
  options: ReadOptions & { strings: true; oversized: 'omit' },
): RdbReading<RdbKey<string> | RdbOmittedKey<string>>;
/** Bytes as strings. */
export function readRdb(
  source: RdbSource,
  options: ReadOptions & { strings: true },
): RdbReading<RdbKey<string>>;
/** Bytes as Buffers; keys may come without their values. */
export function readRdb(
  source: RdbSource,
  options: ReadOptions & { oversized: 'omit' },
): RdbReading<RdbKey | RdbOmittedKey>;
/** Bytes as Buffers. */
export function readRdb(source: RdbSource, options?: ReadOptions): RdbReading<RdbKey>;
export function readRdb(source: RdbSource, options: ReadOptions = {}): RdbReading<unknown> {
  checkOptions(options, OPTIONS);
  const { strings = false, valueBytesMax = VALUE_BYTES_MAX_DEFAULT, oversized = 'error' } = options;
  if (!Number.isSafeInteger(valueBytesMax) || valueBytesMax < 1)
    throw new RangeError('valueBytesMax must be a whole number of at least 1');
  if (!['error', 'omit', 'parts'].includes(oversized))
    throw new RangeError(`oversized must be 'error', 'omit' or 'parts', not ${JSON.stringify(oversized)}`);
  const bytesOf = strings ? (bytes: Buffer) => bytes.toString() : (bytes: Buffer) => Buffer.from(bytes);
  return new RdbReading(source, options, { bytesOf, valueBytesMax, oversized });
}
