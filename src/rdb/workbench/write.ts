import { tmpdir } from 'node:os';
import { setImmediate as nextTurn } from 'node:timers/promises';
import { native } from '../../keyspace/native.js';
import type { Watched } from '../watched.js';
import { RDB_VERSIONS } from './convert.js';
import { asFailure } from './corrupt.js';
import { writeHead, writeValue } from './encode.js';
import { FACT, FactWriter } from './facts.js';
import { checkOptions } from './here.js';
import type { RdbWrittenKey } from './shapes.js';
import { pathOf } from './source.js';
import { type OpenTarget, openTarget, type RdbTarget } from './target.js';

/** Options of {@link writeRdb}. */
export interface WriteOptions extends Watched {
  /** Version of the file, 9 to 12: 9 is read by Redis 5 and later, 10 by 7.0, 11 by 7.2 and Valkey, 12 by 7.4. Default: 10. */
  version?: number;
  /** Whether long strings are compressed (LZF). Default: true. */
  compress?: boolean;
  /** Metadata: pairs of name and value. Default: none. */
  aux?: readonly (readonly [string, string | Uint8Array])[];
  /** Sources of libraries of functions; version 10 or later. Default: none. */
  functions?: readonly (string | Uint8Array)[];
  /** Where temporary files go; they have no names there. Default: the system's folder for them. */
  tmpDir?: string;
}

/** What {@link writeRdb} did. */
export interface Written {
  /** Keys written; collections with nothing in them are none. */
  keys: number;
  /** Bytes of the file. */
  bytes: number;
}

const VERSION_DEFAULT = 10;
/** Facts that are handed over at once. */
const BATCH_BYTES = 64 * 1024;
const OPTIONS = [...['version', 'compress', 'aux', 'functions', 'tmpDir'], ...['onProgress', 'signal']];

/**
 * Writes an RDB file of keys: those that `readRdb` gives, changed or not, or any others. Values get the encodings that their sizes ask
 * for. Keys stay in their order; one that comes twice is refused. A path is replaced when the new file is complete and on disk; a
 * Writable is written to and not ended. One value is held at a time; 24 bytes for each key beyond a million are spilled. `onProgress`
 * hears of keys. The calling thread works, in slices. O(bytes)
 *
 * @example
 * ```ts
 * await writeRdb('new.rdb', [
 *   { key: 'greeting', type: 'string', value: 'hello', expireAtMs: 4102444800000 },
 *   { key: 'cart:42', type: 'hash', value: { sku: '2' } },
 * ]);
 * ```
 *
 * @throws HoldfastError `ERR` names a key that comes twice, or that the version has no form for; `IO`. TypeError, RangeError for keys
 *   and options.
 */
export async function writeRdb(
  target: RdbTarget,
  keys: AsyncIterable<RdbWrittenKey> | Iterable<RdbWrittenKey>,
  options: WriteOptions = {},
): Promise<Written> {
  checkOptions(options, OPTIONS);
  const { version = VERSION_DEFAULT, compress = true, aux = [], tmpDir: folder = tmpdir(), signal } = options;
  if (!RDB_VERSIONS.includes(version))
    throw new RangeError(`version ${version} cannot be written; it is one of ${RDB_VERSIONS.join(', ')}`);
  signal?.throwIfAborted();
  const opened = await openTarget(target, signal);
  const tool = new native.RdbCompose({ version, compress, aux, folder });
  try {
    await new KeyWriter(opened, tool, options).writeAll(keys);
    await opened.write(tool.finish());
    await opened.commit();
  } catch (error) {
    await opened.discard();
    throw asFailure(error, pathOf(target) ?? '');
  }
  const [written = 0, bytes = 0] = tool.counts;
  return { keys: written, bytes };
}

class KeyWriter {
  readonly #target: OpenTarget;
  readonly #tool: InstanceType<typeof native.RdbCompose>;
  readonly #options: WriteOptions;
  readonly #facts = new FactWriter();

  constructor(target: OpenTarget, tool: InstanceType<typeof native.RdbCompose>, options: WriteOptions) {
    this.#target = target;
    this.#tool = tool;
    this.#options = options;
  }

  async writeAll(keys: AsyncIterable<RdbWrittenKey> | Iterable<RdbWrittenKey>): Promise<void> {
    for (const source of this.#options.functions ?? []) {
      this.#facts.u8(FACT.function);
      this.#facts.bytes(source);
    }
    let count = 0;
    let open: RdbWrittenKey | undefined;
    for await (const key of keys) {
      open = await this.#key(key, open);
      this.#options.onProgress?.(++count, 0);
    }
    if (open !== undefined) throw new TypeError(`${nameOf(open)}: its last part is missing`);
    await this.#flush();
  }

  /** Writes a key or a part of one; gives the key if more of it comes next. */
  async #key(key: RdbWrittenKey, open: RdbWrittenKey | undefined): Promise<RdbWrittenKey | undefined> {
    if (open !== undefined && nameOf(open) !== nameOf(key))
      throw new TypeError(`${nameOf(open)}: its last part is missing`);
    try {
      if (open === undefined) writeHead(this.#facts, key);
      for (const _ of writeValue(this.#facts, key)) {
        if (this.#facts.length >= BATCH_BYTES) await this.#flush();
      }
    } catch (error) {
      if (!(error instanceof TypeError || error instanceof RangeError)) throw error;
      error.message = `${nameOf(key)}: ${error.message}`;
      throw error;
    }
    if (key.more === true) return key;
    this.#facts.u8(FACT.endKey);
    if (this.#facts.length >= BATCH_BYTES) await this.#flush();
    return undefined;
  }

  async #flush(): Promise<void> {
    this.#options.signal?.throwIfAborted();
    await this.#target.write(this.#tool.push(this.#facts.take()));
    await nextTurn();
  }
}

function nameOf({ db = 0, key }: RdbWrittenKey): string {
  const text = typeof key === 'string' ? key : Buffer.from(key ?? []).toString('latin1');
  return `key ${JSON.stringify(text)} of database ${db}`;
}
