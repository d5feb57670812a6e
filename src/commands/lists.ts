/** List commands. */
import type { Bytes, Word } from '../keyspace/native.js';
import {
  bytes,
  count,
  integer,
  type OneOrMore,
  oneOf,
  pushAll,
  pushCounted,
  withCount,
  word,
} from './arguments.js';
import type { Definitions } from './definition.js';
import type { Bulk, Form, OneOrMany, Reply, Sync } from './form.js';
import { countOption, integerOption, optionsOf } from './options.js';
import * as shape from './shapes.js';

/** An end of a list: `left` is the head, `right` the tail. */
export type ListEnd = 'left' | 'right';

/** Options of `lpos`. */
export interface LposOptions<N extends number | undefined = number | undefined> {
  /** Begin with this match: 1 the first from the head, -1 the first from the tail. Default: 1. */
  rank?: number;
  /** Answer so many matches, all if 0. Default: one, not in an array. */
  count?: N;
  /** Look at so many items at most. Default: 0, all. */
  maxLen?: number;
}

/** Options of `lmpop`. */
export interface LmpopOptions {
  /** Take so many items at most; above 0. Default: 1. */
  count?: number;
}

/** What `lmpop` took. */
export interface PoppedItems<B extends Bytes = Bytes> {
  /** The list they were in. */
  key: B;
  /** The items, the one at the end first. */
  items: B[];
}

/** List commands that read. */
export interface ListReads<F extends Form> {
  /**
   * Number of items; 0 if the key does not exist.
   *
   * Redis: `LLEN`. O(1).
   * @throws HoldfastError `WRONGTYPE` if the key holds no list; so do all list commands.
   */
  llen(key: Bytes): Reply<F, number>;
  /**
   * The items from `start` to `stop`, both included, 0 the head; negative: from the end, -1 the last.
   *
   * Redis: `LRANGE`. O(distance of `start` from the nearer end + items).
   */
  lrange(key: Bytes, start: number, stop: number): Reply<F, F['bulk'][]>;
  /** The item at an index (negative: from the end), or `null`. Redis: `LINDEX`. O(distance from the nearer end). */
  lindex(key: Bytes, index: number): Reply<F, F['bulk'] | null>;
  /**
   * The index of the first item equal to `value`, or `null`. With `count`: the indexes of several, in an array.
   *
   * Redis: `LPOS`. O(n).
   * @throws HoldfastError `ERR` for a rank of 0.
   */
  lpos<N extends number | undefined = undefined>(
    key: Bytes,
    value: Word,
    options?: LposOptions<N>,
  ): Reply<F, N extends number ? number[] : number | null>;
}

/** List commands that write. */
export interface ListWrites<F extends Form> {
  /**
   * Puts values at the head, one after the other (so the last one is the new head), and answers the items there are then.
   *
   * Redis: `LPUSH`. O(1) for each value.
   */
  lpush(key: Bytes, values: OneOrMore<Word>): Reply<F, number>;
  /** As {@link lpush}, at the tail. Redis: `RPUSH`. */
  rpush(key: Bytes, values: OneOrMore<Word>): Reply<F, number>;
  /** As {@link lpush}, but only if the list exists already; else it answers 0. Redis: `LPUSHX`. */
  lpushx(key: Bytes, values: OneOrMore<Word>): Reply<F, number>;
  /** As {@link rpush}, but only if the list exists already; else it answers 0. Redis: `RPUSHX`. */
  rpushx(key: Bytes, values: OneOrMore<Word>): Reply<F, number>;
  /**
   * Takes the head away: the item, or `null` if the key does not exist. With `count`: an array of at most so many, empty if
   * the key does not exist. A list without items is removed.
   *
   * Redis: `LPOP`. O(1) for each item.
   */
  lpop<N extends number | undefined = undefined>(key: Bytes, count?: N): Reply<F, OneOrMany<N, F['bulk']>>;
  /** As {@link lpop}, from the tail. Redis: `RPOP`. */
  rpop<N extends number | undefined = undefined>(key: Bytes, count?: N): Reply<F, OneOrMany<N, F['bulk']>>;
  /**
   * Takes items from an end of the first of several lists that has any, and answers them with its key; `null` if there are
   * none in any.
   *
   * Redis: `LMPOP`. O(keys + items).
   */
  lmpop(
    keys: OneOrMore<Bytes>,
    from: ListEnd,
    options?: LmpopOptions,
  ): Reply<F, PoppedItems<F['bulk']> | null>;
  /**
   * Overwrites the item at an index.
   *
   * Redis: `LSET`. O(distance from the nearer end).
   * @throws HoldfastError `ERR` if there is no such key or index.
   */
  lset(key: Bytes, index: number, value: Word): Reply<F, void>;
  /**
   * Removes items equal to `value` and answers how many: the first `count` from the head, the first `-count` from the tail if
   * negative, all if 0.
   *
   * Redis: `LREM`. O(n).
   */
  lrem(key: Bytes, count: number, value: Word): Reply<F, number>;
  /** Removes all items but those from `start` to `stop`, as `lrange` counts them. Redis: `LTRIM`. O(items removed). */
  ltrim(key: Bytes, start: number, stop: number): Reply<F, void>;
  /**
   * Inserts `value` before or after the first item equal to `pivot`, and answers the items there are then; -1 if there is no
   * such item, 0 if the key does not exist.
   *
   * Redis: `LINSERT`. O(n).
   */
  linsert(key: Bytes, where: 'before' | 'after', pivot: Word, value: Word): Reply<F, number>;
  /**
   * Takes an item from one end of a list, puts it at an end of another (or of the same), and answers it; `null` if `source`
   * does not exist.
   *
   * Redis: `LMOVE`. O(1).
   */
  lmove(source: Bytes, destination: Bytes, from: ListEnd, to: ListEnd): Reply<F, F['bulk'] | null>;
}

const pushLposOptions = optionsOf<LposOptions>('lpos', {
  rank: integerOption,
  count: countOption,
  maxLen: countOption,
});

const pushLmpopOptions = optionsOf<LmpopOptions>('lmpop', { count: countOption });

const ENDS: readonly ListEnd[] = ['left', 'right'];

/** The code of {@link ListReads}. */
export const listReads = {
  llen: { encode: (key) => ['LLEN', bytes(key, 'key')], shape: shape.integer },
  lrange: {
    encode: (key, start, stop) => [
      'LRANGE',
      bytes(key, 'key'),
      integer(start, 'start'),
      integer(stop, 'stop'),
    ],
    shape: shape.bulks,
  },
  lindex: {
    encode: (key, index) => ['LINDEX', bytes(key, 'key'), integer(index, 'index')],
    shape: shape.bulkOrNull,
  },
  lpos: {
    encode: (key, value, options) =>
      pushLposOptions(['LPOS', bytes(key, 'key'), word(value, 'value')], options),
    shape: (reply, [, , options]) =>
      options?.count === undefined ? shape.integerOrNull(reply) : shape.integers(reply),
  },
} satisfies Definitions<ListReads<Sync<Bulk>>>;

/** The code of {@link ListWrites}. */
export const listWrites = {
  lpush: {
    encode: (key, values) => pushAll(['LPUSH', bytes(key, 'key')], values, 'values', word),
    shape: shape.integer,
  },
  rpush: {
    encode: (key, values) => pushAll(['RPUSH', bytes(key, 'key')], values, 'values', word),
    shape: shape.integer,
  },
  lpushx: {
    encode: (key, values) => pushAll(['LPUSHX', bytes(key, 'key')], values, 'values', word),
    shape: shape.integer,
  },
  rpushx: {
    encode: (key, values) => pushAll(['RPUSHX', bytes(key, 'key')], values, 'values', word),
    shape: shape.integer,
  },
  lpop: {
    encode: (key, n) => withCount(['LPOP', bytes(key, 'key')], n, count),
    shape: (reply, [, n]) => (n === undefined ? shape.bulkOrNull(reply) : shape.bulksOrNone(reply)),
  },
  rpop: {
    encode: (key, n) => withCount(['RPOP', bytes(key, 'key')], n, count),
    shape: (reply, [, n]) => (n === undefined ? shape.bulkOrNull(reply) : shape.bulksOrNone(reply)),
  },
  lmpop: {
    encode: (keys, from, options) => {
      const words = pushCounted(['LMPOP'], keys);
      words.push(oneOf(from, 'from', ENDS));
      return pushLmpopOptions(words, options);
    },
    shape: (reply) => {
      if (reply === null) return null;
      const [key, items] = shape.entry(reply);
      return { key: shape.bulk(key), items: shape.bulks(items) };
    },
  },
  lset: {
    encode: (key, index, value) => ['LSET', bytes(key, 'key'), integer(index, 'index'), word(value, 'value')],
    shape: shape.nothing,
  },
  lrem: {
    encode: (key, n, value) => ['LREM', bytes(key, 'key'), integer(n, 'count'), word(value, 'value')],
    shape: shape.integer,
  },
  ltrim: {
    encode: (key, start, stop) => [
      'LTRIM',
      bytes(key, 'key'),
      integer(start, 'start'),
      integer(stop, 'stop'),
    ],
    shape: shape.nothing,
  },
  linsert: {
    encode: (key, where, pivot, value) => [
      'LINSERT',
      bytes(key, 'key'),
      oneOf(where, 'where', ['before', 'after']),
      word(pivot, 'pivot'),
      word(value, 'value'),
    ],
    shape: shape.integer,
  },
  lmove: {
    encode: (source, destination, from, to) => [
      'LMOVE',
      bytes(source, 'source'),
      bytes(destination, 'destination'),
      oneOf(from, 'from', ENDS),
      oneOf(to, 'to', ENDS),
    ],
    shape: shape.bulkOrNull,
  },
} satisfies Definitions<ListWrites<Sync<Bulk>>>;
