/** Hash commands. */
import type { Bytes, ReplyValue, Word } from '../keyspace/native.js';
import {
  bytes,
  finite,
  instant,
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
import { checkCondition, type ExpireCondition } from './keys.js';
import { flag, optionsOf } from './options.js';
import { type Cursor, cursorWord, pushScanOptions, type ScanOptions } from './scan.js';
import * as shape from './shapes.js';

/** A field and its value. */
export type FieldValue<B extends Bulk> = [field: B, value: B];

/** Options of `hrandfield`. */
export interface HrandfieldOptions<Values extends boolean = boolean> {
  /** Answer `[field, value]` instead of fields. Needs a count. */
  withValues?: Values;
}

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
  /** Number of fields that have not expired; 0 if the key does not exist. Redis: `HLEN`. O(1). */
  hlen(key: Bytes): Reply<F, number>;
  /** Bytes of a field's value; 0 if there is no such field. Redis: `HSTRLEN`. O(1). */
  hstrlen(key: Bytes, field: Bytes): Reply<F, number>;
  /**
   * A random field, or `null` if the key does not exist. With `count`: an array of at most so many different fields; with a
   * negative `count`: of exactly `-count`, which may repeat.
   *
   * Redis: `HRANDFIELD`. O(1) for each field.
   */
  hrandfield<N extends number | undefined = undefined, Values extends boolean = false>(
    key: Bytes,
    count?: N,
    options?: HrandfieldOptions<Values>,
  ): Reply<F, Values extends true ? FieldValue<F['bulk']>[] : OneOrMany<N, F['bulk']>>;
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
  /**
   * Seconds until each of some fields expires, rounded up; -1 if it never does, -2 if there is no such field or key.
   *
   * Redis: `HTTL` (7.4). O(n).
   */
  httl(key: Bytes, fields: OneOrMore<Bytes>): Reply<F, number[]>;
  /** As {@link httl}, in milliseconds. Redis: `HPTTL` (7.4). */
  hpttl(key: Bytes, fields: OneOrMore<Bytes>): Reply<F, number[]>;
  /**
   * Seconds since 1970 at which each of some fields expires, rounded up; -1 if it never does, -2 if there is no such field
   * or key.
   *
   * Redis: `HEXPIRETIME` (7.4). O(n).
   */
  hexpiretime(key: Bytes, fields: OneOrMore<Bytes>): Reply<F, number[]>;
  /** As {@link hexpiretime}, in milliseconds. Redis: `HPEXPIRETIME` (7.4). */
  hpexpiretime(key: Bytes, fields: OneOrMore<Bytes>): Reply<F, number[]>;
}

/** Hash commands that write. */
export interface HashWrites<F extends Form> {
  /**
   * Sets one field, or those of a record, a Map or an array of pairs, and answers how many are new. A field that would
   * expire does so no more.
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
  /**
   * Lets fields expire in so many seconds. From then on they do not exist, and neither does a hash without other fields.
   *
   * Answers for each field: 1 if its expiry was set, 2 if the time was 0 and the field is gone, 0 if the condition forbids
   * it, -2 if there is no such field or key. `NX`: it has no expiry; `XX`: it has one; `GT`, `LT`: the new one is later,
   * earlier, where none is the latest of all.
   *
   * Redis: `HEXPIRE` (7.4). O(n).
   * @throws HoldfastError `ERR` for a time below 0 or beyond 46 bits of milliseconds.
   */
  hexpire(
    key: Bytes,
    seconds: number,
    fields: OneOrMore<Bytes>,
    condition?: ExpireCondition,
  ): Reply<F, number[]>;
  /** As {@link hexpire}, in milliseconds. Redis: `HPEXPIRE` (7.4). */
  hpexpire(
    key: Bytes,
    milliseconds: number,
    fields: OneOrMore<Bytes>,
    condition?: ExpireCondition,
  ): Reply<F, number[]>;
  /**
   * As {@link hexpire}, at a time: seconds since 1970, or a Date. A field whose time has passed is gone at once (2).
   *
   * Redis: `HEXPIREAT` (7.4).
   */
  hexpireat(
    key: Bytes,
    at: number | Date,
    fields: OneOrMore<Bytes>,
    condition?: ExpireCondition,
  ): Reply<F, number[]>;
  /** As {@link hexpireat}, in milliseconds since 1970, or a Date. Redis: `HPEXPIREAT` (7.4). */
  hpexpireat(
    key: Bytes,
    at: number | Date,
    fields: OneOrMore<Bytes>,
    condition?: ExpireCondition,
  ): Reply<F, number[]>;
  /**
   * Drops the expiry of fields. Answers for each: 1 if it had one, -1 if not, -2 if there is no such field or key.
   *
   * Redis: `HPERSIST` (7.4). O(n).
   */
  hpersist(key: Bytes, fields: OneOrMore<Bytes>): Reply<F, number[]>;
}

function pushFields(words: Word[], first: Bytes | Pairs<Bytes, Word>, value: Word | undefined): Word[] {
  if (typeof first === 'string' || first instanceof Uint8Array) {
    words.push(first, word(value as Word, 'value'));
    return words;
  }
  return pushPairs(words, first, 'fields', (field, item, name) => words.push(field, word(item, name)));
}

const pushHrandfieldOptions = optionsOf<HrandfieldOptions>('hrandfield', { withValues: flag });

function hrandfieldWords(key: Bytes, n: number | undefined, options: HrandfieldOptions | undefined): Word[] {
  if (n === undefined && options?.withValues === true) throw new TypeError('withValues needs a count');
  const words = withCount(['HRANDFIELD', bytes(key, 'key')], n, integer);
  return pushHrandfieldOptions(words, options);
}

function fieldValues(reply: ReplyValue): FieldValue<Bulk>[] {
  return shape.pairs(reply).map(([field, value]) => [shape.bulk(field), shape.bulk(value)]);
}

/** Appends `FIELDS`, the number of fields, and the fields. */
function pushFieldNames(words: Word[], fields: OneOrMore<Bytes>): Word[] {
  const at = words.push('FIELDS', 0) - 1;
  pushAll(words, fields, 'fields', bytes);
  words[at] = words.length - at - 1;
  return words;
}

function expireWords(
  words: Word[],
  fields: OneOrMore<Bytes>,
  condition: ExpireCondition | undefined,
): Word[] {
  if (condition !== undefined) words.push(checkCondition(condition));
  return pushFieldNames(words, fields);
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
    encode: hrandfieldWords,
    shape: (reply, [, n, options]) => {
      if (n === undefined) return shape.bulkOrNull(reply);
      return options?.withValues === true ? fieldValues(reply) : shape.bulks(reply);
    },
  },
  hkeys: { encode: (key) => ['HKEYS', bytes(key, 'key')], shape: shape.bulks },
  hvals: { encode: (key) => ['HVALS', bytes(key, 'key')], shape: shape.bulks },
  hscan: {
    encode: (key, cursor, options) =>
      pushScanOptions(['HSCAN', bytes(key, 'key'), cursorWord(cursor)], options),
    shape: (reply) => {
      const { cursor, page } = shape.scanned(reply, fieldValues);
      return { cursor, entries: page };
    },
  },
  httl: {
    encode: (key, fields) => pushFieldNames(['HTTL', bytes(key, 'key')], fields),
    shape: shape.integers,
  },
  hpttl: {
    encode: (key, fields) => pushFieldNames(['HPTTL', bytes(key, 'key')], fields),
    shape: shape.integers,
  },
  hexpiretime: {
    encode: (key, fields) => pushFieldNames(['HEXPIRETIME', bytes(key, 'key')], fields),
    shape: shape.integers,
  },
  hpexpiretime: {
    encode: (key, fields) => pushFieldNames(['HPEXPIRETIME', bytes(key, 'key')], fields),
    shape: shape.integers,
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
  hexpire: {
    encode: (key, seconds, fields, condition) =>
      expireWords(['HEXPIRE', bytes(key, 'key'), integer(seconds, 'seconds')], fields, condition),
    shape: shape.integers,
  },
  hpexpire: {
    encode: (key, ms, fields, condition) =>
      expireWords(['HPEXPIRE', bytes(key, 'key'), integer(ms, 'milliseconds')], fields, condition),
    shape: shape.integers,
  },
  hexpireat: {
    encode: (key, at, fields, condition) =>
      expireWords(['HEXPIREAT', bytes(key, 'key'), instant(at, 1000, 'at')], fields, condition),
    shape: shape.integers,
  },
  hpexpireat: {
    encode: (key, at, fields, condition) =>
      expireWords(['HPEXPIREAT', bytes(key, 'key'), instant(at, 1, 'at')], fields, condition),
    shape: shape.integers,
  },
  hpersist: {
    encode: (key, fields) => pushFieldNames(['HPERSIST', bytes(key, 'key')], fields),
    shape: shape.integers,
  },
} satisfies Definitions<HashWrites<Sync<Bulk>>>;
