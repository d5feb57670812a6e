/** Sorted set commands. */
import type { Bytes, Word } from '../keyspace/native.js';
import {
  bytes,
  count,
  integer,
  type OneOrMore,
  oneOf,
  type Pairs,
  pushAll,
  pushCounted,
  pushPairs,
  score,
  scoreBound,
  withCount,
} from './arguments.js';
import type { Definitions } from './definition.js';
import type { Bulk, Form, Reply, Sync } from './form.js';
import { choice, countOption, flag, limitOption, type OptionEncoders, optionsOf } from './options.js';
import { type Cursor, cursorWord, pushScanOptions, type ScanOptions } from './scan.js';
import * as shape from './shapes.js';

/** A member with its score. */
export interface ScoredMember<B extends Bytes = Bytes> {
  /** The member. */
  member: B;
  /** Any number but NaN. */
  score: number;
}

/** Members to add: one, several, or a record from member to score. */
export type ScoredMembers =
  | ScoredMember
  | readonly ScoredMember[]
  | ReadonlyMap<Bytes, number>
  | Readonly<Record<string, number>>;

/** An end of a range of scores: a number (included), or Redis's notation: `'(5'` (5 excluded), `'-inf'`, `'+inf'`. */
export type ScoreBound = number | Bytes;

/** Options of `zadd`. */
export interface ZaddOptions {
  /** Only add members that are new. */
  nx?: boolean;
  /** Only change members that are there. */
  xx?: boolean;
  /** Change a member only if its score grows. */
  gt?: boolean;
  /** Change a member only if its score shrinks. */
  lt?: boolean;
  /** Count the members whose score has changed, too. */
  ch?: boolean;
}

/** Options of `zrangestore`. */
export interface ZrangestoreOptions {
  /** What `start` and `stop` are. Default: ranks. `lex`: `'[a'` (included), `'(a'` (excluded), `'-'`, `'+'`. */
  by?: 'score' | 'lex';
  /** From the highest to the lowest; `start` is the higher end then. */
  rev?: boolean;
  /** Only so many of the range, after leaving out the first `offset`; a negative `count` is all. Needs `by`. */
  limit?: { offset: number; count: number };
}

/** Options of `zrange`. */
export interface ZrangeOptions<Scores extends boolean = boolean> extends ZrangestoreOptions {
  /** Answer `{member, score}` instead of members. */
  withScores?: Scores;
}

/** An end of a sorted set: `min` is the lowest score. */
export type ScoreEnd = 'min' | 'max';

/** Options of `zmpop`. */
export interface ZmpopOptions {
  /** Take so many members at most; above 0. Default: 1. */
  count?: number;
}

/** What `zmpop` took. */
export interface PoppedMembers<B extends Bytes = Bytes> {
  /** The sorted set they were in. */
  key: B;
  /** The members, the one at the end first. */
  members: ScoredMember<B>[];
}

/** Members, or members with their scores. */
export type Ranged<Scores extends boolean, B extends Bulk> = Scores extends true ? ScoredMember<B>[] : B[];

/** A member's rank and score. */
export interface RankedScore {
  /** How many members stand before it. */
  rank: number;
  /** Its score. */
  score: number;
}

/** Options of `zrank` and `zrevrank`. */
export interface ZrankOptions<Score extends boolean = boolean> {
  /** Answer `{rank, score}` instead of the rank. */
  withScore?: Score;
}

/** Options of `zincrby`. With any of them, the answer is `null` if they leave the member as it is. */
export interface ZincrbyOptions {
  /** Only if the member is new. */
  nx?: boolean;
  /** Only if the member is there. */
  xx?: boolean;
  /** Only if the score of a member that is there grows. */
  gt?: boolean;
  /** Only if the score of a member that is there shrinks. */
  lt?: boolean;
}

/** Options of `zrandmember`. */
export interface ZrandmemberOptions<Scores extends boolean = boolean> {
  /** Answer `{member, score}` instead of members. */
  withScores?: Scores;
}

type Ranked<Score extends boolean> = (Score extends true ? RankedScore : number) | null;

type Popped<N extends number | undefined, B extends Bulk> = N extends number
  ? ScoredMember<B>[]
  : ScoredMember<B> | null;

/** Sorted set commands that read. */
export interface SortedSetReads<F extends Form> {
  /**
   * The score of a member, or `null`.
   *
   * Redis: `ZSCORE`. O(1).
   * @throws HoldfastError `WRONGTYPE` if the key holds no sorted set; so do all sorted set commands.
   */
  zscore(key: Bytes, member: Bytes): Reply<F, number | null>;
  /** The scores of several members, in their order; `null` for a missing one. Redis: `ZMSCORE`. O(n). */
  zmscore(key: Bytes, members: OneOrMore<Bytes>): Reply<F, (number | null)[]>;
  /** Number of members; 0 if the key does not exist. Redis: `ZCARD`. O(1). */
  zcard(key: Bytes): Reply<F, number>;
  /** Number of members with a score from `min` to `max`. Redis: `ZCOUNT`. O(log n). */
  zcount(key: Bytes, min: ScoreBound, max: ScoreBound): Reply<F, number>;
  /** Number of members from `min` to `max` by their bytes, all of one score. Redis: `ZLEXCOUNT`. O(log n). */
  zlexcount(key: Bytes, min: Bytes, max: Bytes): Reply<F, number>;
  /** Rank of a member, 0 the one with the lowest score; `null` if it is not there. Redis: `ZRANK`. O(log n). */
  zrank<Score extends boolean = false>(
    key: Bytes,
    member: Bytes,
    options?: ZrankOptions<Score>,
  ): Reply<F, Ranked<Score>>;
  /** As {@link zrank}, 0 the one with the highest score. Redis: `ZREVRANK`. */
  zrevrank<Score extends boolean = false>(
    key: Bytes,
    member: Bytes,
    options?: ZrankOptions<Score>,
  ): Reply<F, Ranked<Score>>;
  /**
   * A random member, or `null` if the key does not exist. With `count`: an array of at most so many different members; with
   * a negative `count`: of exactly `-count`, which may repeat.
   *
   * Redis: `ZRANDMEMBER`. O(log n) for each member.
   */
  zrandmember<N extends number | undefined = undefined, Scores extends boolean = false>(
    key: Bytes,
    count?: N,
    options?: ZrandmemberOptions<Scores>,
  ): Reply<F, N extends number ? Ranged<Scores, F['bulk']> : F['bulk'] | null>;
  /**
   * The members of a range, by score and, of equal score, by their bytes. Without `by`, `start` and `stop` are ranks, both
   * included; negative: from the end.
   *
   * Redis: `ZRANGE`. O(log n + members of the answer).
   * @throws HoldfastError `ERR` for bounds that are none, or `limit` without `by`.
   */
  zrange<Scores extends boolean = false>(
    key: Bytes,
    start: ScoreBound,
    stop: ScoreBound,
    options?: ZrangeOptions<Scores>,
  ): Reply<F, Ranged<Scores, F['bulk']>>;
  /**
   * Some members with their scores and the cursor of the next ones; start with 0, end when the cursor is `'0'` again. A
   * member that is there all the time is given at least once. `zscanIterator` does the same in a loop.
   *
   * Redis: `ZSCAN`. O(`count`) for each call.
   */
  zscan(
    key: Bytes,
    cursor: Cursor,
    options?: ScanOptions,
  ): Reply<F, { cursor: string; members: ScoredMember<F['bulk']>[] }>;
}

/** Sorted set commands that write. */
export interface SortedSetWrites<F extends Form> {
  /**
   * Adds members, or gives those that are there another score, and answers how many are new (with `ch`: new or changed).
   * Takes a score and a member, or `{member, score}`, an array of them, a Map or a record from member to score.
   *
   * Redis: `ZADD`. O(log n) for each member.
   * @throws RangeError for a score that is NaN.
   * @throws HoldfastError `ERR` for options that exclude each other.
   */
  zadd(
    key: Bytes,
    ...members: [score: number, member: Bytes] | [members: ScoredMembers, options?: ZaddOptions]
  ): Reply<F, number>;
  /**
   * As `zrange`, but the members become the sorted set at `destination`; answers how many.
   *
   * Redis: `ZRANGESTORE`. O(log n + members stored).
   */
  zrangestore(
    destination: Bytes,
    source: Bytes,
    start: ScoreBound,
    stop: ScoreBound,
    options?: ZrangestoreOptions,
  ): Reply<F, number>;
  /** Removes members and answers how many there were. A sorted set without members is removed. Redis: `ZREM`. O(log n) each. */
  zrem(key: Bytes, members: OneOrMore<Bytes>): Reply<F, number>;
  /**
   * Adds to the score of a member (0, if it is not there) and answers the sum; with options, `null` if they leave the
   * member as it is.
   *
   * Redis: `ZINCRBY`, and `ZADD` with `INCR`. O(log n).
   * @throws HoldfastError `ERR` if the sum is NaN (an infinity and its opposite), or for options that exclude each other.
   */
  zincrby<O extends ZincrbyOptions | undefined = undefined>(
    key: Bytes,
    by: number,
    member: Bytes,
    options?: O,
  ): Reply<F, O extends undefined ? number : number | null>;
  /**
   * Takes the member with the lowest score away: `{member, score}`, or `null` if the key does not exist. With `count`: an
   * array of at most so many, lowest first.
   *
   * Redis: `ZPOPMIN`. O(log n) for each.
   */
  zpopmin<N extends number | undefined = undefined>(key: Bytes, count?: N): Reply<F, Popped<N, F['bulk']>>;
  /** As {@link zpopmin}, with the highest score. Redis: `ZPOPMAX`. */
  zpopmax<N extends number | undefined = undefined>(key: Bytes, count?: N): Reply<F, Popped<N, F['bulk']>>;
  /**
   * Takes members from an end of the first of several sorted sets that has any, and answers them with its key; `null` if
   * there are none in any.
   *
   * Redis: `ZMPOP`. O(keys + members * log n).
   */
  zmpop(
    keys: OneOrMore<Bytes>,
    from: ScoreEnd,
    options?: ZmpopOptions,
  ): Reply<F, PoppedMembers<F['bulk']> | null>;
  /** Removes the members of a range of ranks and answers how many. Redis: `ZREMRANGEBYRANK`. O(log n + removed). */
  zremrangebyrank(key: Bytes, start: number, stop: number): Reply<F, number>;
  /** Removes the members of a range of scores and answers how many. Redis: `ZREMRANGEBYSCORE`. O(log n + removed). */
  zremrangebyscore(key: Bytes, min: ScoreBound, max: ScoreBound): Reply<F, number>;
  /** Removes the members of a range of bytes (as `zrange` with `by: 'lex'`), all of one score. Redis: `ZREMRANGEBYLEX`. */
  zremrangebylex(key: Bytes, min: Bytes, max: Bytes): Reply<F, number>;
}

const pushZrankOptions = optionsOf<ZrankOptions>('zrank', { withScore: flag });

const pushZrevrankOptions = optionsOf<ZrankOptions>('zrevrank', { withScore: flag });

const pushZrandmemberOptions = optionsOf<ZrandmemberOptions>('zrandmember', { withScores: flag });

const pushZincrbyOptions = optionsOf<ZincrbyOptions>('zincrby', { nx: flag, xx: flag, gt: flag, lt: flag });

const pushZmpopOptions = optionsOf<ZmpopOptions>('zmpop', { count: countOption });

const SCORE_ENDS: readonly ScoreEnd[] = ['min', 'max'];

const pushZaddOptions = optionsOf<ZaddOptions>('zadd', { nx: flag, xx: flag, gt: flag, lt: flag, ch: flag });

const zrangestoreOptions: OptionEncoders<ZrangestoreOptions> = {
  by: choice({ score: 'BYSCORE', lex: 'BYLEX' }),
  rev: flag,
  limit: limitOption,
};

const pushZrangeOptions = optionsOf<ZrangeOptions>('zrange', { ...zrangestoreOptions, withScores: flag });

const pushZrangestoreOptions = optionsOf<ZrangestoreOptions>('zrangestore', zrangestoreOptions);

/** Tells `{member, score}` from a record: a record holds numbers only. */
export function isScoredMember(value: object): value is ScoredMember {
  return 'member' in value && 'score' in value && typeof value.member !== 'number';
}

function pushScored(words: Word[], { member, score: value }: ScoredMember, name: string): void {
  words.push(score(value, `score of ${name}`), bytes(member, `member of ${name}`));
}

function pushMembers(words: Word[], members: ScoredMembers): Word[] {
  if (typeof members !== 'object' || members === null) {
    throw new TypeError('members must be {member, score}, an array of them, a Map or a record');
  }
  if (isScoredMember(members)) {
    pushScored(words, members, 'members');
    return words;
  }
  if (Array.isArray(members)) {
    if (members.length === 0) throw new RangeError('members must not be empty');
    members.forEach((scored: ScoredMember, i) => {
      if (typeof scored !== 'object' || scored === null)
        throw new TypeError(`members[${i}] must be {member, score}`);
      pushScored(words, scored, `members[${i}]`);
    });
    return words;
  }
  const pairs = members as Pairs<Bytes, number>;
  return pushPairs(words, pairs, 'members', (member, value, name) => words.push(score(value, name), member));
}

/** Members with their scores, from pairs. */
export function scoredMembers(reply: Parameters<typeof shape.pairs>[0]): ScoredMember<Bulk>[] {
  return shape.pairs(reply).map(([member, value]) => ({
    member: shape.bulk(member),
    score: shape.double(value),
  }));
}

function ranked(reply: Parameters<typeof shape.entry>[0]): RankedScore | number | null {
  if (!Array.isArray(reply)) return shape.integerOrNull(reply);
  const [rank, value] = shape.entry(reply);
  return { rank: shape.integer(rank), score: shape.double(value) };
}

/** The code of {@link SortedSetReads}. */
export const sortedSetReads = {
  zscore: {
    encode: (key, member) => ['ZSCORE', bytes(key, 'key'), bytes(member, 'member')],
    shape: shape.doubleOrNull,
  },
  zmscore: {
    encode: (key, members) => pushAll(['ZMSCORE', bytes(key, 'key')], members, 'members', bytes),
    shape: shape.arrayOf(shape.doubleOrNull),
  },
  zcard: { encode: (key) => ['ZCARD', bytes(key, 'key')], shape: shape.integer },
  zcount: {
    encode: (key, min, max) => ['ZCOUNT', bytes(key, 'key'), scoreBound(min, 'min'), scoreBound(max, 'max')],
    shape: shape.integer,
  },
  zlexcount: {
    encode: (key, min, max) => ['ZLEXCOUNT', bytes(key, 'key'), bytes(min, 'min'), bytes(max, 'max')],
    shape: shape.integer,
  },
  zrank: {
    encode: (key, member, options) =>
      pushZrankOptions(['ZRANK', bytes(key, 'key'), bytes(member, 'member')], options),
    shape: ranked,
  },
  zrevrank: {
    encode: (key, member, options) =>
      pushZrevrankOptions(['ZREVRANK', bytes(key, 'key'), bytes(member, 'member')], options),
    shape: ranked,
  },
  zrandmember: {
    encode: (key, n, options) =>
      pushZrandmemberOptions(withCount(['ZRANDMEMBER', bytes(key, 'key')], n, integer), options),
    shape: (reply, [, n, options]) => {
      if (n === undefined) return shape.bulkOrNull(reply);
      return options?.withScores === true ? scoredMembers(reply) : shape.bulks(reply);
    },
  },
  zrange: {
    encode: (key, start, stop, options) =>
      pushZrangeOptions(
        ['ZRANGE', bytes(key, 'key'), scoreBound(start, 'start'), scoreBound(stop, 'stop')],
        options,
      ),
    shape: (reply, [, , , options]) =>
      options?.withScores === true ? scoredMembers(reply) : shape.bulks(reply),
  },
  zscan: {
    encode: (key, cursor, options) =>
      pushScanOptions(['ZSCAN', bytes(key, 'key'), cursorWord(cursor)], options),
    shape: (reply) => {
      const { cursor, page } = shape.scanned(reply, scoredMembers);
      return { cursor, members: page };
    },
  },
} satisfies Definitions<SortedSetReads<Sync<Bulk>>>;

/** The code of {@link SortedSetWrites}. */
export const sortedSetWrites = {
  zadd: {
    encode: (key, first, second?) => {
      const words: Word[] = ['ZADD', bytes(key, 'key')];
      if (typeof first !== 'number') return pushMembers(pushZaddOptions(words, second as ZaddOptions), first);
      words.push(score(first, 'score'), bytes(second as Bytes, 'member'));
      return words;
    },
    shape: shape.integer,
  },
  zrangestore: {
    encode: (destination, source, start, stop, options) => {
      const words: Word[] = ['ZRANGESTORE', bytes(destination, 'destination'), bytes(source, 'source')];
      words.push(scoreBound(start, 'start'), scoreBound(stop, 'stop'));
      return pushZrangestoreOptions(words, options);
    },
    shape: shape.integer,
  },
  zrem: {
    encode: (key, members) => pushAll(['ZREM', bytes(key, 'key')], members, 'members', bytes),
    shape: shape.integer,
  },
  zincrby: {
    encode: (key, by, member, options) => {
      const words: Word[] = [options === undefined ? 'ZINCRBY' : 'ZADD', bytes(key, 'key')];
      if (options !== undefined) pushZincrbyOptions(words, options).push('INCR');
      words.push(score(by, 'by'), bytes(member, 'member'));
      return words;
    },
    shape: (reply) => shape.doubleOrNull(reply) as number,
  },
  zpopmin: {
    encode: (key, n) => withCount(['ZPOPMIN', bytes(key, 'key')], n, count),
    shape: (reply, [, n]) => (n === undefined ? (scoredMembers(reply)[0] ?? null) : scoredMembers(reply)),
  },
  zpopmax: {
    encode: (key, n) => withCount(['ZPOPMAX', bytes(key, 'key')], n, count),
    shape: (reply, [, n]) => (n === undefined ? (scoredMembers(reply)[0] ?? null) : scoredMembers(reply)),
  },
  zmpop: {
    encode: (keys, from, options) => {
      const words = pushCounted(['ZMPOP'], keys);
      words.push(oneOf(from, 'from', SCORE_ENDS));
      return pushZmpopOptions(words, options);
    },
    shape: (reply) => {
      if (reply === null) return null;
      const [key, members] = shape.entry(reply);
      return { key: shape.bulk(key), members: scoredMembers(members) };
    },
  },
  zremrangebyrank: {
    encode: (key, start, stop) => [
      'ZREMRANGEBYRANK',
      bytes(key, 'key'),
      integer(start, 'start'),
      integer(stop, 'stop'),
    ],
    shape: shape.integer,
  },
  zremrangebyscore: {
    encode: (key, min, max) => [
      'ZREMRANGEBYSCORE',
      bytes(key, 'key'),
      scoreBound(min, 'min'),
      scoreBound(max, 'max'),
    ],
    shape: shape.integer,
  },
  zremrangebylex: {
    encode: (key, min, max) => ['ZREMRANGEBYLEX', bytes(key, 'key'), bytes(min, 'min'), bytes(max, 'max')],
    shape: shape.integer,
  },
} satisfies Definitions<SortedSetWrites<Sync<Bulk>>>;
