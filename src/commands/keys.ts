/** Commands on keys of any type, and on the keyspace as a whole. */
import type { Bytes, Word } from '../keyspace/native.js';
import { bytes, instant, integer, type OneOrMore, pushAll } from './arguments.js';
import type { Definitions } from './definition.js';
import type { Bulk, Form, Reply, Sync } from './form.js';
import { bytesOption, countOption, flag, optionsOf } from './options.js';
import { type Cursor, cursorWord, type ScanOptions } from './scan.js';
import * as shape from './shapes.js';

/** What a key holds; `none` if it does not exist. */
export type KeyType = 'none' | 'string' | 'hash' | 'list' | 'set' | 'zset' | 'stream';

/**
 * When an expiry is changed.
 * `NX`: only if there is none. `XX`: only if there is one. `GT`: only if the new one is later. `LT`: only if it is earlier.
 */
export type ExpireCondition = 'NX' | 'XX' | 'GT' | 'LT';

/** Options of `scan`. */
export interface KeyScanOptions extends ScanOptions {
  /** Only keys that hold this. */
  type?: Exclude<KeyType, 'none'>;
}

/** Options of `copy`. */
export interface CopyOptions {
  /** Overwrite what is there. */
  replace?: boolean;
}

/** Key commands that read. */
export interface KeyReads<F extends Form> {
  /** How many of the keys exist; one that is named twice counts twice. Redis: `EXISTS`. O(n). */
  exists(keys: OneOrMore<Bytes>): Reply<F, number>;
  /** As {@link exists}. Redis: `TOUCH`. */
  touch(keys: OneOrMore<Bytes>): Reply<F, number>;
  /** What a key holds. Redis: `TYPE`. O(1). */
  type(key: Bytes): Reply<F, KeyType>;
  /** Seconds until a key expires, rounded; -1 if it never does, -2 if it does not exist. Redis: `TTL`. O(1). */
  ttl(key: Bytes): Reply<F, number>;
  /** Milliseconds until a key expires; -1 if it never does, -2 if it does not exist. Redis: `PTTL`. O(1). */
  pttl(key: Bytes): Reply<F, number>;
  /**
   * Seconds since 1970 at which a key expires; -1 if it never does, -2 if it does not exist.
   *
   * Redis: `EXPIRETIME`. O(1).
   */
  expiretime(key: Bytes): Reply<F, number>;
  /** As {@link expiretime}, in milliseconds. Redis: `PEXPIRETIME`. */
  pexpiretime(key: Bytes): Reply<F, number>;
  /**
   * Some keys and the cursor of the next ones; start with 0, end when the cursor is `'0'` again. A key that is there all the
   * time is given at least once. `scanIterator` does the same in a loop.
   *
   * Redis: `SCAN`. O(`count`) for each call.
   */
  scan(cursor: Cursor, options?: KeyScanOptions): Reply<F, { cursor: string; keys: F['bulk'][] }>;
  /**
   * All keys that match a glob pattern. It looks at every key: meant for small keyspaces and for debugging, `scan` for all others.
   *
   * Redis: `KEYS`. O(keys).
   */
  keys(pattern: Bytes): Reply<F, F['bulk'][]>;
  /** A random key, or `null` if there is none. Redis: `RANDOMKEY`. O(1). */
  randomkey(): Reply<F, F['bulk'] | null>;
  /** Number of keys. Redis: `DBSIZE`. O(1). */
  dbsize(): Reply<F, number>;
}

/** Key commands that write. */
export interface KeyWrites<F extends Form> {
  /** Removes keys and answers how many there were. Redis: `DEL`. O(1) for each, and the elements of collections. */
  del(keys: OneOrMore<Bytes>): Reply<F, number>;
  /** As {@link del}. Redis: `UNLINK`. */
  unlink(keys: OneOrMore<Bytes>): Reply<F, number>;
  /**
   * Lets a key expire in so many seconds (at once, if not above 0), and answers whether it does: not if there is no such key,
   * nor if the condition forbids it.
   *
   * Redis: `EXPIRE`. O(1).
   * @throws HoldfastError `ERR` for a time beyond 64 bits.
   */
  expire(key: Bytes, seconds: number, condition?: ExpireCondition): Reply<F, boolean>;
  /** As {@link expire}, in milliseconds. Redis: `PEXPIRE`. */
  pexpire(key: Bytes, milliseconds: number, condition?: ExpireCondition): Reply<F, boolean>;
  /** As {@link expire}, at a time: seconds since 1970, or a Date. Redis: `EXPIREAT`. */
  expireat(key: Bytes, at: number | Date, condition?: ExpireCondition): Reply<F, boolean>;
  /** As {@link expire}, at a time: milliseconds since 1970, or a Date. Redis: `PEXPIREAT`. */
  pexpireat(key: Bytes, at: number | Date, condition?: ExpireCondition): Reply<F, boolean>;
  /** Drops the expiry of a key, and answers whether it had one. Redis: `PERSIST`. O(1). */
  persist(key: Bytes): Reply<F, boolean>;
  /**
   * Gives a key another name, with its expiry; what had that name is gone.
   *
   * Redis: `RENAME`. O(1).
   * @throws HoldfastError `ERR` if there is no such key.
   */
  rename(key: Bytes, newKey: Bytes): Reply<F, void>;
  /** As {@link rename}, unless `newKey` exists; answers whether it was done. Redis: `RENAMENX`. */
  renamenx(key: Bytes, newKey: Bytes): Reply<F, boolean>;
  /**
   * Copies a value with its expiry, and answers whether it did: not if `source` is missing, nor if `destination` exists and
   * `replace` is not set.
   *
   * Redis: `COPY`. O(n) of the value.
   */
  copy(source: Bytes, destination: Bytes, options?: CopyOptions): Reply<F, boolean>;
  /** Removes every key. Redis: `FLUSHALL`. O(keys). */
  flushall(): Reply<F, void>;
}

const pushKeyScanOptions = optionsOf<KeyScanOptions>('scan', {
  match: bytesOption,
  count: countOption,
  type: bytesOption,
});

const pushCopyOptions = optionsOf<CopyOptions>('copy', { replace: flag });

const CONDITIONS: readonly string[] = ['NX', 'XX', 'GT', 'LT'];

/** Checks the condition of a change of an expiry. */
export function checkCondition(condition: ExpireCondition): ExpireCondition {
  if (CONDITIONS.includes(condition)) return condition;
  throw new TypeError(`condition must be one of: ${CONDITIONS.join(', ')}`);
}

function expireWords(name: string, key: Bytes, time: Word, condition: ExpireCondition | undefined): Word[] {
  const words = [name, bytes(key, 'key'), time];
  return condition === undefined ? words : [...words, checkCondition(condition)];
}

function keyType(reply: Parameters<typeof shape.text>[0]): KeyType {
  const type = shape.text(reply);
  switch (type) {
    case 'none':
    case 'string':
    case 'hash':
    case 'list':
    case 'set':
    case 'zset':
    case 'stream':
      return type;
    default:
      throw new Error(`broken reply: '${type}' is no type`);
  }
}

/** The code of {@link KeyReads}. */
export const keyReads = {
  exists: { encode: (keys) => pushAll(['EXISTS'], keys, 'keys', bytes), shape: shape.integer },
  touch: { encode: (keys) => pushAll(['TOUCH'], keys, 'keys', bytes), shape: shape.integer },
  type: { encode: (key) => ['TYPE', bytes(key, 'key')], shape: keyType },
  ttl: { encode: (key) => ['TTL', bytes(key, 'key')], shape: shape.integer },
  pttl: { encode: (key) => ['PTTL', bytes(key, 'key')], shape: shape.integer },
  expiretime: { encode: (key) => ['EXPIRETIME', bytes(key, 'key')], shape: shape.integer },
  pexpiretime: { encode: (key) => ['PEXPIRETIME', bytes(key, 'key')], shape: shape.integer },
  scan: {
    encode: (cursor, options) => pushKeyScanOptions(['SCAN', cursorWord(cursor)], options),
    shape: (reply) => {
      const { cursor, page } = shape.scanned(reply, shape.bulks);
      return { cursor, keys: page };
    },
  },
  keys: { encode: (pattern) => ['KEYS', bytes(pattern, 'pattern')], shape: shape.bulks },
  randomkey: { encode: () => ['RANDOMKEY'], shape: shape.bulkOrNull },
  dbsize: { encode: () => ['DBSIZE'], shape: shape.integer },
} satisfies Definitions<KeyReads<Sync<Bulk>>>;

/** The code of {@link KeyWrites}. */
export const keyWrites = {
  del: { encode: (keys) => pushAll(['DEL'], keys, 'keys', bytes), shape: shape.integer },
  unlink: { encode: (keys) => pushAll(['UNLINK'], keys, 'keys', bytes), shape: shape.integer },
  expire: {
    encode: (key, seconds, condition) => expireWords('EXPIRE', key, integer(seconds, 'seconds'), condition),
    shape: shape.yes,
  },
  pexpire: {
    encode: (key, ms, condition) => expireWords('PEXPIRE', key, integer(ms, 'milliseconds'), condition),
    shape: shape.yes,
  },
  expireat: {
    encode: (key, at, condition) => expireWords('EXPIREAT', key, instant(at, 1000, 'at'), condition),
    shape: shape.yes,
  },
  pexpireat: {
    encode: (key, at, condition) => expireWords('PEXPIREAT', key, instant(at, 1, 'at'), condition),
    shape: shape.yes,
  },
  persist: { encode: (key) => ['PERSIST', bytes(key, 'key')], shape: shape.yes },
  rename: {
    encode: (key, newKey) => ['RENAME', bytes(key, 'key'), bytes(newKey, 'newKey')],
    shape: shape.nothing,
  },
  renamenx: {
    encode: (key, newKey) => ['RENAMENX', bytes(key, 'key'), bytes(newKey, 'newKey')],
    shape: shape.yes,
  },
  copy: {
    encode: (source, destination, options) =>
      pushCopyOptions(['COPY', bytes(source, 'source'), bytes(destination, 'destination')], options),
    shape: shape.yes,
  },
  flushall: { encode: () => ['FLUSHALL'], shape: shape.nothing },
} satisfies Definitions<KeyWrites<Sync<Bulk>>>;
