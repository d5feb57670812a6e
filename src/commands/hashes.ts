/** Hash commands. */
import type { Bytes, Word } from '../keyspace/native.js';
import {
  bytes,
  finite,
  integer,
  type OneOrMore,
  type Pairs,
  pushAll,
  pushPairs,
  withCount,
  word,
} from './arguments.js';
import type { Definitions } from './definition.js';
import type { Bulk, Fields, Form, OneOrMany, Reply, Sync } from './form.js';
import { type Cursor, cursorWord, pushScanOptions, type ScanOptions } from './scan.js';
import * as shape from './shapes.js';

/** A field and its value. */
export type FieldValue<B extends Bulk> = [field: B, value: B];

/** Hash commands that read. */
export interface HashReads<F extends Form> {
  /**
   * The value of a field, or `null` if there is no such field or key.
   *
   * Redis: `HGET`. O(1).
   * @throws HoldfastError `WRONGTYPE` if the key holds no hash; so do all hash commands.
   */
  hget(key: Bytes, field: Bytes): Reply<F, F['bulk'] | null>;
  /**
   * The values of several fields, in their order; `null` for a missing one.
   *
   * Redis: `HMGET`. O(n).
   */
  hmget(key: Bytes, fields: OneOrMore<Bytes>): Reply<F, (F['bulk'] | null)[]>;
  /**
   * All fields and their values: a record without prototype, empty if the key does not exist. On a `bytes` surface, a Map.
   * JavaScript puts fields that look like array indexes first.
   *
   * Redis: `HGETALL`. O(n).
   */
  hgetall(key: Bytes): Reply<F, Fields<F['bulk']>>;
  /** Whether there is such a field. Redis: `HEXISTS`. O(1). */
  hexists(key: Bytes, field: Bytes): Reply<F, boolean>;
  /** Number of fields; 0 if the key does not exist. Redis: `HLEN`. O(1). */
  hlen(key: Bytes): Reply<F, number>;
  /** Bytes of a field's value; 0 if there is no such field. Redis: `HSTRLEN`. O(1). */
  hstrlen(key: Bytes, field: Bytes): Reply<F, number>;
  /**
   * A random field, or `null` if the key does not exist. With `count`: an array of at most so many different fields; with a
   * negative `count`: of exactly `-count`, which may repeat.
   *
   * Redis: `HRANDFIELD`. O(1) for each field.
   */
  hrandfield<N extends number | undefined = undefined>(
    key: Bytes,
    count?: N,
  ): Reply<F, OneOrMany<N, F['bulk']>>;
  /** All fields, in the order of the hash. Redis: `HKEYS`. O(n). */
  hkeys(key: Bytes): Reply<F, F['bulk'][]>;
  /** All values, in the order of the hash. Redis: `HVALS`. O(n). */
  hvals(key: Bytes): Reply<F, F['bulk'][]>;
  /**
   * Some fields and the cursor of the next ones; start with 0, end when the cursor is `'0'` again. A field that is there
   * all the time is given at least once. `hscanIterator` does the same in a loop.
   *
   * Redis: `HSCAN`. O(`count`) for each call.
   */
  hscan(
    key: Bytes,
    cursor: Cursor,
    options?: ScanOptions,
  ): Reply<F, { cursor: string; entries: FieldValue<F['bulk']>[] }>;
}

/** Hash commands that write. */
export interface HashWrites<F extends Form> {
  /**
   * Sets one field, or those of a record, a Map or an array of pairs, and answers how many are new.
   *
   * Redis: `HSET`. O(1) for each field.
   */
  hset(key: Bytes, ...fields: [field: Bytes, value: Word] | [fields: Pairs<Bytes, Word>]): Reply<F, number>;
  /**
   * Removes fields and answers how many there were. A hash without fields is removed.
   *
   * Redis: `HDEL`. O(n).
   */
  hdel(key: Bytes, fields: OneOrMore<Bytes>): Reply<F, number>;
  /**
   * Adds to an integer field (0, if there is none) and answers the sum: beyond 2^53 the nearest number.
   *
   * Redis: `HINCRBY`. O(1).
   * @throws HoldfastError `ERR` if the value is no integer or the sum has more than 64 bits.
   */
  hincrby(key: Bytes, field: Bytes, by: number | bigint): Reply<F, number>;
  /**
   * Adds to a field that is a number (0, if there is none), which may have a fraction, and answers the sum.
   *
   * Redis: `HINCRBYFLOAT`. O(1).
   * @throws HoldfastError `ERR` if the value is no number or the sum is not finite.
   */
  hincrbyfloat(key: Bytes, field: Bytes, by: number): Reply<F, number>;
  /** Sets a field if it does not exist, and answers whether it did. Redis: `HSETNX`. O(1). */
  hsetnx(key: Bytes, field: Bytes, value: Word): Reply<F, boolean>;
}

function pushFields(words: Word[], first: Bytes | Pairs<Bytes, Word>, value: Word | undefined): Word[] {
  if (typeof first === 'string' || first instanceof Uint8Array) {
    words.push(first, word(value as Word, 'value'));
    return words;
  }
  return pushPairs(words, first, 'fields', (field, item, name) => words.push(field, word(item, name)));
}

/** The code of {@link HashReads}. */
export const hashReads = {
  hget: {
    encode: (key, field) => ['HGET', bytes(key, 'key'), bytes(field, 'field')],
    shape: shape.bulkOrNull,
  },
  hmget: {
    encode: (key, fields) => pushAll(['HMGET', bytes(key, 'key')], fields, 'fields', bytes),
    shape: shape.arrayOf(shape.bulkOrNull),
  },
  hgetall: { encode: (key) => ['HGETALL', bytes(key, 'key')], shape: shape.fields },
  hexists: {
    encode: (key, field) => ['HEXISTS', bytes(key, 'key'), bytes(field, 'field')],
    shape: shape.yes,
  },
  hlen: { encode: (key) => ['HLEN', bytes(key, 'key')], shape: shape.integer },
  hstrlen: {
    encode: (key, field) => ['HSTRLEN', bytes(key, 'key'), bytes(field, 'field')],
    shape: shape.integer,
  },
  hrandfield: {
    encode: (key, n) => withCount(['HRANDFIELD', bytes(key, 'key')], n, integer),
    shape: (reply, [, n]) => (n === undefined ? shape.bulkOrNull(reply) : shape.bulks(reply)),
  },
  hkeys: { encode: (key) => ['HKEYS', bytes(key, 'key')], shape: shape.bulks },
  hvals: { encode: (key) => ['HVALS', bytes(key, 'key')], shape: shape.bulks },
  hscan: {
    encode: (key, cursor, options) =>
      pushScanOptions(['HSCAN', bytes(key, 'key'), cursorWord(cursor)], options),
    shape: (reply) => {
      const { cursor, page } = shape.scanned(reply, shape.pairs);
      return {
        cursor,
        entries: page.map(([field, value]): FieldValue<Bulk> => [shape.bulk(field), shape.bulk(value)]),
      };
    },
  },
} satisfies Definitions<HashReads<Sync<Bulk>>>;

/** The code of {@link HashWrites}. */
export const hashWrites = {
  hset: {
    encode: (key, first, value?) => pushFields(['HSET', bytes(key, 'key')], first, value),
    shape: shape.integer,
  },
  hdel: {
    encode: (key, fields) => pushAll(['HDEL', bytes(key, 'key')], fields, 'fields', bytes),
    shape: shape.integer,
  },
  hincrby: {
    encode: (key, field, by) => ['HINCRBY', bytes(key, 'key'), bytes(field, 'field'), integer(by, 'by')],
    shape: shape.integer,
  },
  hincrbyfloat: {
    encode: (key, field, by) => ['HINCRBYFLOAT', bytes(key, 'key'), bytes(field, 'field'), finite(by, 'by')],
    shape: shape.double,
  },
  hsetnx: {
    encode: (key, field, value) => ['HSETNX', bytes(key, 'key'), bytes(field, 'field'), word(value, 'value')],
    shape: shape.yes,
  },
} satisfies Definitions<HashWrites<Sync<Bulk>>>;
