/** String commands. */
import type { Bytes, ReplyValue, Word } from '../keyspace/native.js';
import { bytes, finite, integer, type OneOrMore, type Pairs, pushAll, pushPairs, word } from './arguments.js';
import type { Definitions } from './definition.js';
import type { Bulk, Form, Reply, Sync } from './form.js';
import { countOption, flag, integerOption, millisecondsOption, optionsOf, secondsOption } from './options.js';
import * as shape from './shapes.js';

/** When a value expires. One at most; without any, an earlier expiry is dropped by `set` and kept by `getex`. */
export interface ExpiryOptions {
  /** In so many seconds. */
  ex?: number;
  /** In so many milliseconds. */
  px?: number;
  /** At this time: seconds since 1970, or a Date. */
  exAt?: number | Date;
  /** At this time: milliseconds since 1970, or a Date. */
  pxAt?: number | Date;
}

/** Options of `set`. */
export interface SetOptions<Get extends boolean = boolean> extends ExpiryOptions {
  /** Keep the expiry that the key has. Default: it is dropped. */
  keepTtl?: boolean;
  /** Only if the key does not exist. */
  nx?: boolean;
  /** Only if the key exists. */
  xx?: boolean;
  /** Answer the value before, instead of whether it was set. */
  get?: Get;
}

/** Options of `getex`. */
export interface GetexOptions extends ExpiryOptions {
  /** Drop the expiry. */
  persist?: boolean;
}

/** Options of `lcs`. */
export interface LcsOptions<Len extends boolean = boolean, Idx extends boolean = boolean> {
  /** Answer the length alone. */
  len?: Len;
  /** Answer the length, and which pieces of the two strings match. Not with `len`. */
  idx?: Idx;
  /** With `idx`: leave out pieces that are shorter. Default: 0. */
  minMatchLen?: number;
}

/** Pieces that two strings have in common. */
export interface LcsMatches {
  /** Bytes of all pieces, those included that are left out. */
  len: number;
  /** The pieces, the last one first. */
  matches: LcsMatch[];
}

/** A piece that two strings have in common. Places are in bytes, the last one included. */
export interface LcsMatch {
  /** Where it is in the first string. */
  first: [start: number, end: number];
  /** Where it is in the second string. */
  second: [start: number, end: number];
  /** Bytes of the piece. */
  len: number;
}

/** String commands that read. */
export interface StringReads<F extends Form> {
  /**
   * The value of a key, or `null` if it does not exist.
   *
   * Redis: `GET`. O(1).
   * @throws HoldfastError `WRONGTYPE` if the key holds no string.
   */
  get(key: Bytes): Reply<F, F['bulk'] | null>;
  /**
   * The values of several keys, in their order; `null` for a key that does not exist or holds no string.
   *
   * Redis: `MGET`. O(n).
   */
  mget(keys: OneOrMore<Bytes>): Reply<F, (F['bulk'] | null)[]>;
  /**
   * Bytes of a value; 0 if the key does not exist.
   *
   * Redis: `STRLEN`. O(1).
   * @throws HoldfastError `WRONGTYPE`.
   */
  strlen(key: Bytes): Reply<F, number>;
  /**
   * The bytes from `start` to `end`, both included; negative: from the end, -1 the last. A cut inside of a character gives
   * replacement characters on a surface of strings.
   *
   * Redis: `GETRANGE`. O(n) of the answer.
   * @throws HoldfastError `WRONGTYPE`.
   */
  getrange(key: Bytes, start: number, end: number): Reply<F, F['bulk']>;
  /**
   * The longest common subsequence of two strings: the most bytes, in order and not necessarily side by side, that both have.
   * With `len` its length, with `idx` the places of its pieces.
   *
   * Redis: `LCS`. O(n * m), and an eighth of a byte of memory for each pair of bytes.
   * @throws HoldfastError `ERR` if a key holds no string, or if n * m is above 2^27.
   */
  lcs<Len extends boolean = false, Idx extends boolean = false>(
    first: Bytes,
    second: Bytes,
    options?: LcsOptions<Len, Idx>,
  ): Reply<F, Idx extends true ? LcsMatches : Len extends true ? number : F['bulk']>;
}

/** String commands that write. */
export interface StringWrites<F extends Form> {
  /**
   * Sets a key to a string, whatever it held. Answers whether it was set (`false`: `nx` or `xx` forbade it), or, with
   * `get: true`, the value before.
   *
   * Redis: `SET`. O(1).
   * @throws HoldfastError `ERR` for options that exclude each other or an expiry that is no time; `WRONGTYPE` if `get` meets
   * another type.
   */
  set<Get extends boolean = false>(
    key: Bytes,
    value: Word,
    options?: SetOptions<Get>,
  ): Reply<F, Get extends true ? F['bulk'] | null : boolean>;
  /**
   * The value of a key, which is removed.
   *
   * Redis: `GETDEL`. O(1).
   * @throws HoldfastError `WRONGTYPE`.
   */
  getdel(key: Bytes): Reply<F, F['bulk'] | null>;
  /**
   * The value of a key, whose expiry is changed.
   *
   * Redis: `GETEX`. O(1).
   * @throws HoldfastError `WRONGTYPE`; `ERR` as for `set`.
   */
  getex(key: Bytes, options?: GetexOptions): Reply<F, F['bulk'] | null>;
  /**
   * Sets a key if it does not exist, and answers whether it did.
   *
   * Redis: `SETNX`. O(1).
   */
  setnx(key: Bytes, value: Word): Reply<F, boolean>;
  /**
   * Sets several keys at once: nobody sees some of them set.
   *
   * Redis: `MSET`. O(n).
   */
  mset(values: Pairs<Bytes, Word>): Reply<F, void>;
  /**
   * Sets several keys if none of them exists, and answers whether it did.
   *
   * Redis: `MSETNX`. O(n).
   */
  msetnx(values: Pairs<Bytes, Word>): Reply<F, boolean>;
  /**
   * Appends to a value (to nothing, if the key does not exist) and answers the bytes it has then.
   *
   * Redis: `APPEND`. O(1), amortized.
   * @throws HoldfastError `WRONGTYPE`; `ERR` beyond 512 MB.
   */
  append(key: Bytes, value: Word): Reply<F, number>;
  /**
   * Overwrites the bytes from `offset` on, with zeros between the end and `offset`, and answers the bytes there are then.
   *
   * Redis: `SETRANGE`. O(1) and the length of `value`.
   * @throws HoldfastError `WRONGTYPE`; `ERR` for a negative offset or beyond 512 MB.
   */
  setrange(key: Bytes, offset: number, value: Word): Reply<F, number>;
  /**
   * Adds 1 to an integer (0, if the key does not exist) and answers the sum: beyond 2^53 the nearest number (`call` gives
   * the exact one).
   *
   * Redis: `INCR`. O(1).
   * @throws HoldfastError `WRONGTYPE`; `ERR` if the value is no integer or the sum has more than 64 bits.
   */
  incr(key: Bytes): Reply<F, number>;
  /** As {@link incr}, with 1 subtracted. Redis: `DECR`. */
  decr(key: Bytes): Reply<F, number>;
  /** As {@link incr}, with `by` added. Redis: `INCRBY`. */
  incrby(key: Bytes, by: number | bigint): Reply<F, number>;
  /** As {@link incr}, with `by` subtracted. Redis: `DECRBY`. */
  decrby(key: Bytes, by: number | bigint): Reply<F, number>;
  /**
   * Adds to a number (0, if the key does not exist), which may have a fraction, and answers the sum.
   *
   * Redis: `INCRBYFLOAT`. O(1).
   * @throws HoldfastError `WRONGTYPE`; `ERR` if the value is no number or the sum is not finite.
   */
  incrbyfloat(key: Bytes, by: number): Reply<F, number>;
}

const expiry = {
  ex: integerOption,
  px: integerOption,
  exAt: secondsOption,
  pxAt: millisecondsOption,
};

const pushSetOptions = optionsOf<SetOptions>('set', {
  ...expiry,
  keepTtl: flag,
  nx: flag,
  xx: flag,
  get: flag,
});
const pushGetexOptions = optionsOf<GetexOptions>('getex', { ...expiry, persist: flag });

const pushLcsOptions = optionsOf<LcsOptions>('lcs', {
  len: flag,
  idx: (words, value, token, name) => {
    flag(words, value, token, name);
    if (value) words.push('WITHMATCHLEN');
  },
  minMatchLen: countOption,
});

function rangeOf(reply: ReplyValue | undefined): [start: number, end: number] {
  const [start = null, end = null] = shape.items(reply ?? null);
  return [shape.integer(start), shape.integer(end)];
}

function matchOf(reply: ReplyValue): LcsMatch {
  const [first, second, len = null] = shape.items(reply);
  return { first: rangeOf(first), second: rangeOf(second), len: shape.integer(len) };
}

function lcsMatches(reply: ReplyValue): LcsMatches {
  const told = new Map(shape.pairs(reply).map(([name, value]) => [shape.text(name), value]));
  return {
    len: shape.integer(told.get('len') ?? null),
    matches: shape.items(told.get('matches') ?? null).map(matchOf),
  };
}

function pushValues(words: Word[], values: Pairs<Bytes, Word>): Word[] {
  return pushPairs(words, values, 'values', (key, value, name) => words.push(key, word(value, name)));
}

/** The code of {@link StringReads}. */
export const stringReads = {
  get: { encode: (key) => ['GET', bytes(key, 'key')], shape: shape.bulkOrNull },
  mget: {
    encode: (keys) => pushAll(['MGET'], keys, 'keys', bytes),
    shape: shape.arrayOf(shape.bulkOrNull),
  },
  strlen: { encode: (key) => ['STRLEN', bytes(key, 'key')], shape: shape.integer },
  getrange: {
    encode: (key, start, end) => [
      'GETRANGE',
      bytes(key, 'key'),
      integer(start, 'start'),
      integer(end, 'end'),
    ],
    shape: shape.bulk,
  },
  lcs: {
    encode: (first, second, options) =>
      pushLcsOptions(['LCS', bytes(first, 'first'), bytes(second, 'second')], options),
    shape: (reply, [, , options]) => {
      if (options?.idx) return lcsMatches(reply);
      return options?.len ? shape.integer(reply) : shape.bulk(reply);
    },
  },
} satisfies Definitions<StringReads<Sync<Bulk>>>;

/** The code of {@link StringWrites}. */
export const stringWrites = {
  set: {
    encode: (key, value, options) =>
      pushSetOptions(['SET', bytes(key, 'key'), word(value, 'value')], options),
    shape: (reply, [, , options]) => (options?.get === true ? shape.bulkOrNull(reply) : reply !== null),
  },
  getdel: { encode: (key) => ['GETDEL', bytes(key, 'key')], shape: shape.bulkOrNull },
  getex: {
    encode: (key, options) => pushGetexOptions(['GETEX', bytes(key, 'key')], options),
    shape: shape.bulkOrNull,
  },
  setnx: {
    encode: (key, value) => ['SETNX', bytes(key, 'key'), word(value, 'value')],
    shape: shape.yes,
  },
  mset: {
    encode: (values) => pushValues(['MSET'], values),
    shape: shape.nothing,
  },
  msetnx: { encode: (values) => pushValues(['MSETNX'], values), shape: shape.yes },
  append: {
    encode: (key, value) => ['APPEND', bytes(key, 'key'), word(value, 'value')],
    shape: shape.integer,
  },
  setrange: {
    encode: (key, offset, value) => [
      'SETRANGE',
      bytes(key, 'key'),
      integer(offset, 'offset'),
      word(value, 'value'),
    ],
    shape: shape.integer,
  },
  incr: { encode: (key) => ['INCR', bytes(key, 'key')], shape: shape.integer },
  decr: { encode: (key) => ['DECR', bytes(key, 'key')], shape: shape.integer },
  incrby: { encode: (key, by) => ['INCRBY', bytes(key, 'key'), integer(by, 'by')], shape: shape.integer },
  decrby: { encode: (key, by) => ['DECRBY', bytes(key, 'key'), integer(by, 'by')], shape: shape.integer },
  incrbyfloat: {
    encode: (key, by) => ['INCRBYFLOAT', bytes(key, 'key'), finite(by, 'by')],
    shape: shape.double,
  },
} satisfies Definitions<StringWrites<Sync<Bulk>>>;
