/**
 * Methods that go straight to the native function of their own: no array of words, no table, nothing allocated. Forms of
 * a call that have no native function (several keys, options) take the way of all other methods.
 *
 * The native functions check their arguments. On a guarded handle they return `undefined` while it may not answer.
 */
import { HoldfastError } from '../errors.js';
import type { Bytes, NativeHandle, Word } from '../keyspace/native.js';
import * as check from './arguments.js';
import type { Definition } from './definition.js';
import type { Bulk, Fields, Sync } from './form.js';
import { hashReads, hashWrites } from './hashes.js';
import { keyReads, keyWrites } from './keys.js';
import { listReads, listWrites } from './lists.js';
import { setReads, setWrites } from './sets.js';
import {
  isScoredMember,
  type ScoreBound,
  type ScoredMember,
  sortedSetReads,
  sortedSetWrites,
  type ZrangeOptions,
} from './sorted-sets.js';
import { stringReads, stringWrites } from './strings.js';
import { RUN } from './surface.js';
import type { ReadCommands, WriteCommands } from './table.js';

/** Names a surface's native handle. */
export const HANDLE = Symbol('handle');
/** Names the method that throws because the handle may not answer. */
export const REFUSE = Symbol('refuse');

/** What direct methods need of their surface. */
export interface DirectSurface {
  readonly [HANDLE]: NativeHandle<Bulk>;
  [REFUSE](key: Word | undefined): never;
  [RUN]<A extends readonly unknown[], R>(definition: Definition<A, R>, args: A): R;
}

/** Some methods of a surface, as functions of their surface. */
type Direct<S> = {
  readonly [Name in keyof S]?: S[Name] extends (...args: infer A) => infer R
    ? (this: DirectSurface, ...args: A) => R
    : never;
};

function isBytes(value: unknown): value is string | Uint8Array {
  return typeof value === 'string' || value instanceof Uint8Array;
}

function isWord(value: unknown): value is Word {
  return isBytes(value) || typeof value === 'number' || typeof value === 'bigint';
}

/** Whether milliseconds made of so many seconds are exact. */
function isMillisecondsExact(seconds: number): boolean {
  return Number.isSafeInteger(seconds * 1000) && Number.isSafeInteger(seconds);
}

function isIndex(value: unknown): value is number {
  return Number.isSafeInteger(value);
}

/** Whether options ask for nothing but the direction and the scores. */
function isPlain(options: ZrangeOptions): boolean {
  if (typeof options !== 'object' || options === null) return false;
  for (const name in options) {
    if (name !== 'rev' && name !== 'withScores') return false;
    if (typeof options[name] !== 'boolean') return false;
  }
  return true;
}

/** Members by their ranks; `undefined` if they are asked for in other terms, or the handle may not answer. */
function ranked(
  handle: NativeHandle<Bulk>,
  key: Bytes,
  start: ScoreBound,
  stop: ScoreBound,
  options: ZrangeOptions | undefined,
): Bulk[] | ScoredMember<Bulk>[] | undefined {
  if (!isIndex(start) || !isIndex(stop)) return undefined;
  if (options === undefined) return handle.zrange(key, start, stop);
  if (!isPlain(options)) return undefined;
  if (options.withScores !== true) {
    return options.rev === true ? handle.zrevrange(key, start, stop) : handle.zrange(key, start, stop);
  }
  return options.rev === true
    ? handle.zrevrangeScored(key, start, stop)
    : handle.zrangeScored(key, start, stop);
}

/** Direct reads. */
export const directReads = {
  get(key) {
    const value = this[HANDLE].get(key);
    return value === undefined ? this[REFUSE](key) : value;
  },
  strlen(key) {
    return this[HANDLE].strlen(key) ?? this[REFUSE](key);
  },
  exists(keys) {
    if (!isBytes(keys)) return this[RUN](keyReads.exists, [keys]);
    return this[HANDLE].exists(keys) ?? this[REFUSE](keys);
  },
  pttl(key) {
    return this[HANDLE].pttl(key) ?? this[REFUSE](key);
  },
  hget(key, field) {
    const value = this[HANDLE].hget(key, field);
    return value === undefined ? this[REFUSE](key) : value;
  },
  hexists(key, field) {
    return (this[HANDLE].hexists(key, field) ?? this[REFUSE](key)) === 1;
  },
  hlen(key) {
    return this[HANDLE].hlen(key) ?? this[REFUSE](key);
  },
  hgetall(key) {
    return (this[HANDLE].hgetall(key) ?? this[REFUSE](key)) as Fields<Bulk>;
  },
  llen(key) {
    return this[HANDLE].llen(key) ?? this[REFUSE](key);
  },
  lrange(key, start, stop) {
    if (!isIndex(start) || !isIndex(stop)) return this[RUN](listReads.lrange, [key, start, stop]);
    return this[HANDLE].lrange(key, start, stop) ?? this[REFUSE](key);
  },
  sismember(key, member) {
    return (this[HANDLE].sismember(key, member) ?? this[REFUSE](key)) === 1;
  },
  scard(key) {
    return this[HANDLE].scard(key) ?? this[REFUSE](key);
  },
  smembers(key) {
    return this[HANDLE].smembers(key) ?? this[REFUSE](key);
  },
  zscore(key, member) {
    const score = this[HANDLE].zscore(key, member);
    return score === undefined ? this[REFUSE](key) : score;
  },
  zrank(key, member, options) {
    if (options !== undefined) return this[RUN](sortedSetReads.zrank, [key, member, options]);
    const rank = this[HANDLE].zrank(key, member);
    return rank === undefined ? this[REFUSE](key) : rank;
  },
  zcard(key) {
    return this[HANDLE].zcard(key) ?? this[REFUSE](key);
  },
  zrange(key, start, stop, options) {
    const answer = ranked(this[HANDLE], key, start, stop, options);
    return answer ?? this[RUN](sortedSetReads.zrange, [key, start, stop, options]);
  },
} satisfies Direct<ReadCommands<Sync<Bulk>>>;

/** Direct writes. */
export const directWrites = {
  set(key, value, options) {
    if (options !== undefined) return this[RUN](stringWrites.set, [key, value, options]);
    this[HANDLE].set(key, value);
    return true;
  },
  incr(key) {
    return Number(this[HANDLE].incrby(key, 1));
  },
  decr(key) {
    return Number(this[HANDLE].incrby(key, -1));
  },
  incrby(key, by) {
    if (!Number.isSafeInteger(by)) return this[RUN](stringWrites.incrby, [key, by]);
    return Number(this[HANDLE].incrby(key, Number(by)));
  },
  decrby(key, by) {
    if (!Number.isSafeInteger(by)) return this[RUN](stringWrites.decrby, [key, by]);
    return Number(this[HANDLE].incrby(key, -Number(by)));
  },
  del(keys) {
    return isBytes(keys) ? this[HANDLE].del(keys) : this[RUN](keyWrites.del, [keys]);
  },
  expire(key, seconds, condition) {
    if (condition !== undefined || !isMillisecondsExact(seconds)) {
      return this[RUN](keyWrites.expire, [key, seconds, condition]);
    }
    return this[HANDLE].pexpire(key, seconds * 1000) === 1;
  },
  pexpire(key, milliseconds, condition) {
    if (condition !== undefined || !Number.isSafeInteger(milliseconds)) {
      return this[RUN](keyWrites.pexpire, [key, milliseconds, condition]);
    }
    return this[HANDLE].pexpire(key, milliseconds) === 1;
  },
  hset(key, first, value?) {
    if (value === undefined || !isBytes(first)) return this[RUN](hashWrites.hset, [key, first, value]);
    return this[HANDLE].hset(key, first, value);
  },
  hdel(key, fields) {
    return isBytes(fields) ? this[HANDLE].hdel(key, fields) : this[RUN](hashWrites.hdel, [key, fields]);
  },
  lpush(key, values) {
    return isWord(values) ? this[HANDLE].lpush(key, values) : this[RUN](listWrites.lpush, [key, values]);
  },
  rpush(key, values) {
    return isWord(values) ? this[HANDLE].rpush(key, values) : this[RUN](listWrites.rpush, [key, values]);
  },
  lpop(key, count) {
    return count === undefined ? this[HANDLE].lpop(key) : this[RUN](listWrites.lpop, [key, count]);
  },
  rpop(key, count) {
    return count === undefined ? this[HANDLE].rpop(key) : this[RUN](listWrites.rpop, [key, count]);
  },
  sadd(key, members) {
    return isWord(members) ? this[HANDLE].sadd(key, members) : this[RUN](setWrites.sadd, [key, members]);
  },
  srem(key, members) {
    return isWord(members) ? this[HANDLE].srem(key, members) : this[RUN](setWrites.srem, [key, members]);
  },
  zadd(key, first, second?) {
    if (typeof first === 'number' && isBytes(second)) return addScored(this, key, first, second);
    if (second === undefined && typeof first === 'object' && isScoredMember(first)) {
      return addScored(this, key, first.score, first.member);
    }
    return this[RUN](sortedSetWrites.zadd, [key, first, second]);
  },
  zincrby(key, by, member, options) {
    if (options !== undefined) return this[RUN](sortedSetWrites.zincrby, [key, by, member, options]);
    check.score(by, 'by');
    return this[HANDLE].zincrby(key, by, member);
  },
  zrem(key, members) {
    return isBytes(members)
      ? this[HANDLE].zrem(key, members)
      : this[RUN](sortedSetWrites.zrem, [key, members]);
  },
} satisfies Direct<WriteCommands<Sync<Bulk>>>;

function addScored(surface: DirectSurface, key: Bytes, score: number, member: Bytes): number {
  check.score(score, 'score');
  return surface[HANDLE].zadd(key, score, member);
}

/** What direct methods need of a promised surface. */
export interface DirectAsyncSurface {
  /** Answers reads at once, or `undefined` where they have to wait. */
  readonly [HANDLE]: NativeHandle<Bulk>;
  [RUN]<A extends readonly unknown[], R>(definition: Definition<A, R>, args: A): Promise<R>;
}

/** A promised read of a key, and of something in it perhaps: at once where the handle answers, else as any command. */
function readAtOnce<A extends readonly unknown[], R>(
  definition: Definition<A, R>,
  read: (handle: NativeHandle<Bulk>, ...args: A) => R | undefined,
): (this: DirectAsyncSurface, ...args: A) => Promise<R> {
  return function (...args) {
    try {
      const answer = read(this[HANDLE], ...args);
      return answer === undefined ? this[RUN](definition, args) : Promise.resolve(answer);
    } catch (error) {
      // What is wrong with the arguments is misuse, and thrown at once.
      if (error instanceof HoldfastError) return Promise.reject(error);
      throw error;
    }
  };
}

const isOne = (count: number | undefined): boolean | undefined =>
  count === undefined ? undefined : count === 1;

/** Direct reads of a promised surface. */
export const directAsyncReads = {
  get: readAtOnce(stringReads.get, (handle, key) => handle.get(key)),
  strlen: readAtOnce(stringReads.strlen, (handle, key) => handle.strlen(key)),
  hget: readAtOnce(hashReads.hget, (handle, key, field) => handle.hget(key, field)),
  hexists: readAtOnce(hashReads.hexists, (handle, key, field) => isOne(handle.hexists(key, field))),
  hlen: readAtOnce(hashReads.hlen, (handle, key) => handle.hlen(key)),
  hgetall: readAtOnce(
    hashReads.hgetall,
    (handle, key: Bytes) => handle.hgetall(key) as Fields<Bulk> | undefined,
  ),
  llen: readAtOnce(listReads.llen, (handle, key) => handle.llen(key)),
  sismember: readAtOnce(setReads.sismember, (handle, key, member) => isOne(handle.sismember(key, member))),
  lrange: readAtOnce(listReads.lrange, (handle, key, start, stop) =>
    isIndex(start) && isIndex(stop) ? handle.lrange(key, start, stop) : undefined,
  ),
  scard: readAtOnce(setReads.scard, (handle, key) => handle.scard(key)),
  smembers: readAtOnce(setReads.smembers, (handle, key) => handle.smembers(key)),
  zscore: readAtOnce(sortedSetReads.zscore, (handle, key, member) => handle.zscore(key, member)),
  zrank: readAtOnce(sortedSetReads.zrank, (handle, key, member, options) =>
    options === undefined ? handle.zrank(key, member) : undefined,
  ),
  zcard: readAtOnce(sortedSetReads.zcard, (handle, key) => handle.zcard(key)),
  zrange: readAtOnce(sortedSetReads.zrange, ranked),
};
