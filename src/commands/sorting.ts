/** `SORT`: the elements of a list, set or sorted set in an order. */
import type { Bytes, Word } from '../keyspace/native.js';
import { bytes, type OneOrMore, pushAll } from './arguments.js';
import type { Definitions } from './definition.js';
import type { Bulk, Form, Reply, Sync } from './form.js';
import { bytesOption, flag, limitOption, type OptionEncoders, optionsOf } from './options.js';
import * as shape from './shapes.js';

/**
 * Options of `sort_ro`.
 *
 * A pattern is the name of a key in which the element stands for the first `*`, such as `'weight:*'`; with `->` and the name
 * of a field behind it, that field of the hash there, such as `'user:*->name'`. The pattern `'#'` is the element itself.
 */
export interface SortRoOptions<Get extends OneOrMore<Bytes> | undefined = OneOrMore<Bytes> | undefined> {
  /**
   * Sort by what is found under this pattern instead of by the elements; what is missing counts as 0. A pattern without `*`
   * leaves a list in its order, and a sorted set by score.
   */
  by?: Bytes;
  /** Answer what is found under this pattern instead of the elements; several patterns: an array for each element. */
  get?: Get;
  /** Only so many, after leaving out the first `offset`; a negative `count` is all. */
  limit?: { offset: number; count: number };
  /** From the highest to the lowest. */
  desc?: boolean;
  /** Compare bytes. Default: numbers. */
  alpha?: boolean;
}

/** Options of `sort`. */
export interface SortOptions<
  Get extends OneOrMore<Bytes> | undefined = OneOrMore<Bytes> | undefined,
  Store extends Bytes | undefined = Bytes | undefined,
> extends SortRoOptions<Get> {
  /** Store the result here, as a list, and answer its length. What is missing is stored as an empty item. */
  store?: Store;
}

/** Elements; what was found for each, `null` if nothing; or, with several patterns, an array of that for each. */
export type Sorted<Get, B extends Bulk> = Get extends readonly Bytes[]
  ? (B | null)[][]
  : Get extends Bytes
    ? (B | null)[]
    : B[];

/** Sorting that reads. */
export interface SortReads<F extends Form> {
  /**
   * The elements of a list, set or sorted set, sorted; none if the key does not exist. With several shards, `by` and `get`
   * may have no `*`: the keys that they name are in any shard.
   *
   * Redis: `SORT_RO`. O(n * log n).
   * @throws HoldfastError `ERR` if what is compared is no number and `alpha` is not set; `CROSSSLOT` with several shards.
   */
  sort_ro<const Get extends OneOrMore<Bytes> | undefined = undefined>(
    key: Bytes,
    options?: SortRoOptions<Get>,
  ): Reply<F, Sorted<Get, F['bulk']>>;
}

/** Sorting that may write. */
export interface SortWrites<F extends Form> {
  /**
   * As `sort_ro`; with `store`, the result becomes a list. It counts as a write, whatever its options: prefer `sort_ro`.
   *
   * Redis: `SORT`. O(n * log n).
   */
  sort<
    const Get extends OneOrMore<Bytes> | undefined = undefined,
    Store extends Bytes | undefined = undefined,
  >(
    key: Bytes,
    options?: SortOptions<Get, Store>,
  ): Reply<F, Store extends Bytes ? number : Sorted<Get, F['bulk']>>;
}

const readOptions: OptionEncoders<SortRoOptions> = {
  by: bytesOption,
  get: (words, patterns, _token, name) => {
    const checked = pushAll([], patterns, `option '${name}'`, bytes);
    for (const pattern of checked) words.push('GET', pattern);
  },
  limit: limitOption,
  desc: flag,
  alpha: flag,
};

const pushSortRoOptions = optionsOf<SortRoOptions>('sort_ro', readOptions);

const pushSortOptions = optionsOf<SortOptions>('sort', { ...readOptions, store: bytesOption });

function shaped(reply: Parameters<typeof shape.bulks>[0], get: OneOrMore<Bytes> | undefined) {
  const values = shape.arrayOf(shape.bulkOrNull)(reply);
  if (!Array.isArray(get)) return values;
  const width = get.length;
  return Array.from({ length: values.length / width }, (_, i) => values.slice(i * width, (i + 1) * width));
}

/** The code of {@link SortReads}. */
export const sortReads = {
  sort_ro: {
    encode: (key, options): Word[] => pushSortRoOptions(['SORT_RO', bytes(key, 'key')], options),
    shape: (reply, [, options]) => shaped(reply, options?.get) as Bulk[],
  },
} satisfies Definitions<SortReads<Sync<Bulk>>>;

/** The code of {@link SortWrites}. */
export const sortWrites = {
  sort: {
    encode: (key, options): Word[] => pushSortOptions(['SORT', bytes(key, 'key')], options),
    shape: (reply, [, options]) =>
      options?.store === undefined ? (shaped(reply, options?.get) as Bulk[]) : shape.integer(reply),
  },
} satisfies Definitions<SortWrites<Sync<Bulk>>>;
