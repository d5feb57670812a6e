/** Unions, intersections and differences of sorted sets. Sets take part, too: their members have the score 1. */
import type { Bytes, Word } from '../keyspace/native.js';
import { bytes, type OneOrMore, pushCounted, score } from './arguments.js';
import type { Definitions } from './definition.js';
import type { Bulk, Form, Reply, Sync } from './form.js';
import { choice, countOption, flag, type OptionEncoders, optionsOf } from './options.js';
import * as shape from './shapes.js';
import { type Ranged, scoredMembers } from './sorted-sets.js';

/** Options of `zunionstore` and `zinterstore`. */
export interface ZunionstoreOptions {
  /** What the scores of each input are multiplied with: a number for each key. Default: 1 for all. */
  weights?: readonly number[];
  /** What becomes of a member's scores: their sum, the smallest, or the largest. Default: `sum`. */
  aggregate?: 'sum' | 'min' | 'max';
}

/** Options of `zunion` and `zinter`. */
export interface ZunionOptions<Scores extends boolean = boolean> extends ZunionstoreOptions {
  /** Answer `{member, score}` instead of members. */
  withScores?: Scores;
}

/** Options of `zdiff`. */
export interface ZdiffOptions<Scores extends boolean = boolean> {
  /** Answer `{member, score}` instead of members. */
  withScores?: Scores;
}

/** Options of `zintercard`. */
export interface ZintercardOptions {
  /** Stop counting there. Default: 0, never. */
  limit?: number;
}

/** Combinations of sorted sets that are answered. */
export interface SortedSetAlgebraReads<F extends Form> {
  /**
   * The members of any of several sorted sets, by score and, of equal score, by their bytes. Where opposite infinities are
   * added, the sum is 0.
   *
   * Redis: `ZUNION`. O(all members * log n).
   * @throws RangeError if there are not as many weights as keys.
   */
  zunion<Scores extends boolean = false>(
    keys: OneOrMore<Bytes>,
    options?: ZunionOptions<Scores>,
  ): Reply<F, Ranged<Scores, F['bulk']>>;
  /** As {@link zunion}, the members of every one. Redis: `ZINTER`. O(members of the smallest * sets). */
  zinter<Scores extends boolean = false>(
    keys: OneOrMore<Bytes>,
    options?: ZunionOptions<Scores>,
  ): Reply<F, Ranged<Scores, F['bulk']>>;
  /** The members of the first sorted set that no other has, with their scores there. Redis: `ZDIFF`. O(all members). */
  zdiff<Scores extends boolean = false>(
    keys: OneOrMore<Bytes>,
    options?: ZdiffOptions<Scores>,
  ): Reply<F, Ranged<Scores, F['bulk']>>;
  /** Number of members that every one of several sorted sets has. Redis: `ZINTERCARD`. O(members of the smallest * sets). */
  zintercard(keys: OneOrMore<Bytes>, options?: ZintercardOptions): Reply<F, number>;
}

/** Combinations of sorted sets that are stored. */
export interface SortedSetAlgebraWrites<F extends Form> {
  /** As `zunion`, but the members become the sorted set at `destination`; answers how many. Redis: `ZUNIONSTORE`. */
  zunionstore(destination: Bytes, keys: OneOrMore<Bytes>, options?: ZunionstoreOptions): Reply<F, number>;
  /** As `zinter`, but the members become the sorted set at `destination`; answers how many. Redis: `ZINTERSTORE`. */
  zinterstore(destination: Bytes, keys: OneOrMore<Bytes>, options?: ZunionstoreOptions): Reply<F, number>;
  /** As `zdiff`, but the members become the sorted set at `destination`; answers how many. Redis: `ZDIFFSTORE`. */
  zdiffstore(destination: Bytes, keys: OneOrMore<Bytes>): Reply<F, number>;
}

const storeOptions: OptionEncoders<ZunionstoreOptions> = {
  weights: (words, weights) => {
    if (!Array.isArray(weights)) throw new TypeError("option 'weights' must be an array of numbers");
    words.push('WEIGHTS', ...weights.map((weight, i) => score(weight, `weights[${i}]`)));
  },
  aggregate: (words, aggregate, token, name) => {
    words.push(token);
    pushAggregate(words, aggregate, token, name);
  },
};

const pushAggregate = choice({ sum: 'SUM', min: 'MIN', max: 'MAX' });

type PushOptions<O> = (words: Word[], options: O | undefined) => Word[];

const unionOptions: OptionEncoders<ZunionOptions> = { ...storeOptions, withScores: flag };
const pushZunionOptions = optionsOf<ZunionOptions>('zunion', unionOptions);
const pushZinterOptions = optionsOf<ZunionOptions>('zinter', unionOptions);
const pushZdiffOptions = optionsOf<ZdiffOptions>('zdiff', { withScores: flag });
const pushZintercardOptions = optionsOf<ZintercardOptions>('zintercard', { limit: countOption });
const pushZunionstoreOptions = optionsOf<ZunionstoreOptions>('zunionstore', storeOptions);
const pushZinterstoreOptions = optionsOf<ZunionstoreOptions>('zinterstore', storeOptions);

/** `words`, the keys with their number before them, and the options. */
function pushWeighted<O extends ZunionstoreOptions>(
  words: Word[],
  keys: OneOrMore<Bytes>,
  options: O | undefined,
  push: PushOptions<O>,
): Word[] {
  pushCounted(words, keys);
  push(words, options);
  const wanted = Array.isArray(keys) ? keys.length : 1;
  const given = options?.weights?.length ?? wanted;
  if (given !== wanted) throw new RangeError(`option 'weights' must have ${wanted} numbers, not ${given}`);
  return words;
}

const ranged = (
  reply: Parameters<typeof shape.bulks>[0],
  [, options]: readonly [unknown, (ZdiffOptions | undefined)?],
) => (options?.withScores === true ? scoredMembers(reply) : shape.bulks(reply));

/** The code of {@link SortedSetAlgebraReads}. */
export const sortedSetAlgebraReads = {
  zunion: {
    encode: (keys, options) => pushWeighted(['ZUNION'], keys, options, pushZunionOptions),
    shape: ranged,
  },
  zinter: {
    encode: (keys, options) => pushWeighted(['ZINTER'], keys, options, pushZinterOptions),
    shape: ranged,
  },
  zdiff: {
    encode: (keys, options) => pushZdiffOptions(pushCounted(['ZDIFF'], keys), options),
    shape: ranged,
  },
  zintercard: {
    encode: (keys, options) => pushZintercardOptions(pushCounted(['ZINTERCARD'], keys), options),
    shape: shape.integer,
  },
} satisfies Definitions<SortedSetAlgebraReads<Sync<Bulk>>>;

/** The code of {@link SortedSetAlgebraWrites}. */
export const sortedSetAlgebraWrites = {
  zunionstore: {
    encode: (destination, keys, options) =>
      pushWeighted(['ZUNIONSTORE', bytes(destination, 'destination')], keys, options, pushZunionstoreOptions),
    shape: shape.integer,
  },
  zinterstore: {
    encode: (destination, keys, options) =>
      pushWeighted(['ZINTERSTORE', bytes(destination, 'destination')], keys, options, pushZinterstoreOptions),
    shape: shape.integer,
  },
  zdiffstore: {
    encode: (destination, keys) => pushCounted(['ZDIFFSTORE', bytes(destination, 'destination')], keys),
    shape: shape.integer,
  },
} satisfies Definitions<SortedSetAlgebraWrites<Sync<Bulk>>>;
