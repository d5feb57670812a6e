import { tmpdir } from 'node:os';
import { native } from '../../keyspace/native.js';
import { pieces } from '../pieces.js';
import type { Watched } from '../watched.js';
import { checkOptions, listenerOf } from './here.js';
import type { RdbBytes } from './shapes.js';
import { openSource, pathOf, type RdbSource } from './source.js';
import { diffFrom } from './tools.js';

/** Options of {@link diffRdb}. */
export interface DiffOptions extends Watched {
  /** Whether keys are given as strings (UTF-8) in place of Buffers. Default: false. */
  strings?: boolean;
  /** Where temporary files go; they have no names there. Default: the system's folder for them. */
  tmpDir?: string;
}

/** What a file has of a key that differs. */
export interface DiffSide {
  /** As `TYPE` names it. */
  type: string;
  /** Unix milliseconds. */
  expireAtMs?: number;
}

/** What of a key can have changed. A key of another type has another value, too. */
export type Change = 'type' | 'value' | 'expiry';

/** A key that the second file has and the first has not, or the other way round, or that they have with a difference. */
export type KeyDifference<B extends RdbBytes = Buffer> = { db: number; key: B; library?: undefined } & (
  | { kind: 'added'; after: DiffSide }
  | { kind: 'removed'; before: DiffSide }
  | { kind: 'changed'; changes: Change[]; before: DiffSide; after: DiffSide }
);

/** A library of functions that one file has and the other has not, or whose source is another. */
export interface LibraryDifference {
  kind: 'added' | 'removed' | 'changed';
  /** Its name. */
  library: string;
  key?: undefined;
}

/** A difference of a key, or of a library of functions: the one that has a `library`. */
export type Difference<B extends RdbBytes = Buffer> = KeyDifference<B> | LibraryDifference;

/**
 * What differs between two RDB files: keys, in the order of databases and names, then libraries of functions. Neither the order of
 * keys in the files nor how values are encoded matters; idle times and frequencies of use are no part of a key, empty collections
 * are no keys. Both files are read once; of each key a digest of 128 bits is kept, sorted, and what does not fit into 64 MiB waits
 * in temporary files: about 60 bytes and the key. O(bytes + n log n) of keys
 *
 * Paths are read by a thread of the pool, when both files are given by their paths; else the calling thread reads, in slices.
 *
 * @throws HoldfastError `CORRUPT` (a `CorruptRdbError` with `path`, `offset` and `reason`); `IO`.
 */
export function diffRdb(
  before: RdbSource,
  after: RdbSource,
  options: DiffOptions & { strings: true },
): AsyncGenerator<Difference<string>, void, undefined>;
/** Keys as Buffers. */
export function diffRdb(
  before: RdbSource,
  after: RdbSource,
  options?: DiffOptions & { strings?: false },
): AsyncGenerator<Difference, void, undefined>;
export async function* diffRdb(
  before: RdbSource,
  after: RdbSource,
  options: DiffOptions = {},
): AsyncGenerator<Difference<RdbBytes>, void, undefined> {
  checkOptions(options, ['strings', 'tmpDir', 'onProgress', 'signal']);
  options.signal?.throwIfAborted();
  for await (const batch of await batches(before, after, options)) {
    yield* differencesIn(
      Buffer.from(batch.buffer, batch.byteOffset, batch.byteLength),
      options.strings === true,
    );
  }
}

async function batches(
  before: RdbSource,
  after: RdbSource,
  options: DiffOptions,
): Promise<AsyncIterable<Uint8Array>> {
  const { tmpDir: folder = tmpdir(), signal, onProgress } = options;
  const [first, second] = [pathOf(before), pathOf(after)];
  if (first !== undefined && second !== undefined) {
    const task = { tool: 'diff', before: first, after: second, folder } as const;
    return pieces({ kind: 'tool', task }, signal, onProgress);
  }
  const sources = [await openSource(before, signal), await openSource(after, signal)] as const;
  return diffFrom(...sources, folder, listenerOf(options));
}

const KINDS = ['added', 'removed', 'changed'] as const;
const CHANGES = [
  [1, 'type'],
  [2, 'value'],
  [4, 'expiry'],
] as const;
const NO_TYPE = 0xff;
const NO_EXPIRY = -(2n ** 63n);
/** In the place of a database: the name is that of a library. */
const LIBRARIES = 2n ** 64n - 1n;
/** Bytes of a difference before its key. */
const HEADER_BYTES = 32;

function* differencesIn(batch: Buffer, strings: boolean): Generator<Difference<RdbBytes>> {
  for (let at = 0; at < batch.length; ) {
    const kind = KINDS[batch.readUInt8(at)] ?? 'changed';
    const changed = batch.readUInt8(at + 1);
    const before = sideOf(batch.readUInt8(at + 2), batch.readBigInt64LE(at + 4));
    const after = sideOf(batch.readUInt8(at + 3), batch.readBigInt64LE(at + 12));
    const place = batch.readBigUInt64LE(at + 20);
    const end = at + HEADER_BYTES + batch.readUInt32LE(at + 28);
    const bytes = batch.subarray(at + HEADER_BYTES, end);
    at = end;
    if (place === LIBRARIES) {
      yield { kind, library: bytes.toString() };
      continue;
    }
    const db = Number(place);
    const key = strings ? bytes.toString() : Buffer.from(bytes);
    if (kind === 'added') yield { kind, db, key, after };
    else if (kind === 'removed') yield { kind, db, key, before };
    else {
      const changes = CHANGES.filter(([flag]) => (changed & flag) !== 0).map(([, name]) => name);
      yield { kind, db, key, changes, before, after };
    }
  }
}

function sideOf(rdbType: number, expiry: bigint): DiffSide {
  const type = rdbType === NO_TYPE ? '' : (native.rdbTypeName(rdbType) ?? '');
  return expiry === NO_EXPIRY ? { type } : { type, expireAtMs: Number(expiry) };
}
