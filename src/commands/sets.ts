/** Set commands. */
import type { Bytes, Word } from '../keyspace/native.js';
import { bytes, count, integer, type OneOrMore, pushAll, pushCounted, withCount, word } from './arguments.js';
import type { Definitions } from './definition.js';
import type { Bulk, Form, OneOrMany, Reply, Sync } from './form.js';
import { countOption, optionsOf } from './options.js';
import { type Cursor, cursorWord, pushScanOptions, type ScanOptions } from './scan.js';
import * as shape from './shapes.js';

/** Options of `sintercard`. */
export interface SintercardOptions {
  /** Stop counting there. Default: 0, never. */
  limit?: number;
}

/** Set commands that read. */
export interface SetReads<F extends Form> {
  /**
   * Whether a value is a member.
   *
   * Redis: `SISMEMBER`. O(1).
   * @throws HoldfastError `WRONGTYPE` if the key holds no set; so do all set commands.
   */
  sismember(key: Bytes, member: Word): Reply<F, boolean>;
  /** Of each of several values, whether it is a member. Redis: `SMISMEMBER`. O(n). */
  smismember(key: Bytes, members: OneOrMore<Word>): Reply<F, boolean[]>;
  /** All members, in no order to rely on. Redis: `SMEMBERS`. O(n). */
  smembers(key: Bytes): Reply<F, F['bulk'][]>;
  /** Number of members; 0 if the key does not exist. Redis: `SCARD`. O(1). */
  scard(key: Bytes): Reply<F, number>;
  /**
   * A random member, or `null` if the key does not exist. With `count`: an array of at most so many different members; with a
   * negative `count`: of exactly `-count`, which may repeat.
   *
   * Redis: `SRANDMEMBER`. O(1) for each member.
   */
  srandmember<N extends number | undefined = undefined>(
    key: Bytes,
    count?: N,
  ): Reply<F, OneOrMany<N, F['bulk']>>;
  /** The members of any of several sets. Redis: `SUNION`. O(all members). */
  sunion(keys: OneOrMore<Bytes>): Reply<F, F['bulk'][]>;
  /** The members of every one of several sets. Redis: `SINTER`. O(members of the smallest * sets). */
  sinter(keys: OneOrMore<Bytes>): Reply<F, F['bulk'][]>;
  /** The members of the first set that are in none of the others. Redis: `SDIFF`. O(all members). */
  sdiff(keys: OneOrMore<Bytes>): Reply<F, F['bulk'][]>;
  /** Number of members that are in every one of several sets. Redis: `SINTERCARD`. O(members of the smallest * sets). */
  sintercard(keys: OneOrMore<Bytes>, options?: SintercardOptions): Reply<F, number>;
  /**
   * Some members and the cursor of the next ones; start with 0, end when the cursor is `'0'` again. A member that is there
   * all the time is given at least once. `sscanIterator` does the same in a loop.
   *
   * Redis: `SSCAN`. O(`count`) for each call.
   */
  sscan(
    key: Bytes,
    cursor: Cursor,
    options?: ScanOptions,
  ): Reply<F, { cursor: string; members: F['bulk'][] }>;
}

/** Set commands that write. */
export interface SetWrites<F extends Form> {
  /** Adds members and answers how many are new. Redis: `SADD`. O(1) for each. */
  sadd(key: Bytes, members: OneOrMore<Word>): Reply<F, number>;
  /** Removes members and answers how many there were. A set without members is removed. Redis: `SREM`. O(1) for each. */
  srem(key: Bytes, members: OneOrMore<Word>): Reply<F, number>;
  /**
   * Moves a member from one set to another, and answers whether it was in `source`.
   *
   * Redis: `SMOVE`. O(1).
   */
  smove(source: Bytes, destination: Bytes, member: Word): Reply<F, boolean>;
  /** As `sunion`, but the members become the set at `destination`; answers how many. Redis: `SUNIONSTORE`. */
  sunionstore(destination: Bytes, keys: OneOrMore<Bytes>): Reply<F, number>;
  /** As `sinter`, but the members become the set at `destination`; answers how many. Redis: `SINTERSTORE`. */
  sinterstore(destination: Bytes, keys: OneOrMore<Bytes>): Reply<F, number>;
  /** As `sdiff`, but the members become the set at `destination`; answers how many. Redis: `SDIFFSTORE`. */
  sdiffstore(destination: Bytes, keys: OneOrMore<Bytes>): Reply<F, number>;
  /**
   * Takes a random member away: the member, or `null` if the key does not exist. With `count`: an array of at most so many.
   *
   * Redis: `SPOP`. O(1) for each member.
   */
  spop<N extends number | undefined = undefined>(key: Bytes, count?: N): Reply<F, OneOrMany<N, F['bulk']>>;
}

const pushSintercardOptions = optionsOf<SintercardOptions>('sintercard', { limit: countOption });

/** The code of {@link SetReads}. */
export const setReads = {
  sismember: {
    encode: (key, member) => ['SISMEMBER', bytes(key, 'key'), word(member, 'member')],
    shape: shape.yes,
  },
  smismember: {
    encode: (key, members) => pushAll(['SMISMEMBER', bytes(key, 'key')], members, 'members', word),
    shape: shape.arrayOf(shape.yes),
  },
  smembers: { encode: (key) => ['SMEMBERS', bytes(key, 'key')], shape: shape.bulks },
  scard: { encode: (key) => ['SCARD', bytes(key, 'key')], shape: shape.integer },
  srandmember: {
    encode: (key, n) => withCount(['SRANDMEMBER', bytes(key, 'key')], n, integer),
    shape: (reply, [, n]) => (n === undefined ? shape.bulkOrNull(reply) : shape.bulks(reply)),
  },
  sunion: { encode: (keys) => pushAll(['SUNION'], keys, 'keys', bytes), shape: shape.bulks },
  sinter: { encode: (keys) => pushAll(['SINTER'], keys, 'keys', bytes), shape: shape.bulks },
  sdiff: { encode: (keys) => pushAll(['SDIFF'], keys, 'keys', bytes), shape: shape.bulks },
  sintercard: {
    encode: (keys, options) => pushSintercardOptions(pushCounted(['SINTERCARD'], keys), options),
    shape: shape.integer,
  },
  sscan: {
    encode: (key, cursor, options) =>
      pushScanOptions(['SSCAN', bytes(key, 'key'), cursorWord(cursor)], options),
    shape: (reply) => {
      const { cursor, page } = shape.scanned(reply, shape.bulks);
      return { cursor, members: page };
    },
  },
} satisfies Definitions<SetReads<Sync<Bulk>>>;

/** The code of {@link SetWrites}. */
export const setWrites = {
  sadd: {
    encode: (key, members) => pushAll(['SADD', bytes(key, 'key')], members, 'members', word),
    shape: shape.integer,
  },
  srem: {
    encode: (key, members) => pushAll(['SREM', bytes(key, 'key')], members, 'members', word),
    shape: shape.integer,
  },
  smove: {
    encode: (source, destination, member) => [
      'SMOVE',
      bytes(source, 'source'),
      bytes(destination, 'destination'),
      word(member, 'member'),
    ],
    shape: shape.yes,
  },
  sunionstore: {
    encode: (destination, keys) =>
      pushAll(['SUNIONSTORE', bytes(destination, 'destination')], keys, 'keys', bytes),
    shape: shape.integer,
  },
  sinterstore: {
    encode: (destination, keys) =>
      pushAll(['SINTERSTORE', bytes(destination, 'destination')], keys, 'keys', bytes),
    shape: shape.integer,
  },
  sdiffstore: {
    encode: (destination, keys) =>
      pushAll(['SDIFFSTORE', bytes(destination, 'destination')], keys, 'keys', bytes),
    shape: shape.integer,
  },
  spop: {
    encode: (key, n) => withCount(['SPOP', bytes(key, 'key')], n, count),
    shape: (reply, [, n]) => (n === undefined ? shape.bulkOrNull(reply) : shape.bulks(reply)),
  },
} satisfies Definitions<SetWrites<Sync<Bulk>>>;
