/** HyperLogLog commands: how many different elements were added, within about 0.81 %, in at most 12 KiB. */
import type { Bytes, Word } from '../keyspace/native.js';
import { bytes, type OneOrMore, pushAll, word } from './arguments.js';
import type { Definitions } from './definition.js';
import type { Bulk, Form, Reply, Sync } from './form.js';
import * as shape from './shapes.js';

/** HyperLogLog commands that read. */
export interface HyperloglogReads<F extends Form> {
  /**
   * About how many different elements were added to a key, or to any of several; 0 if none exists.
   *
   * Redis: `PFCOUNT`. O(1) for each key, with 16,384 registers to look at. Unlike Redis, it does not store the number that it
   * has computed: it reads, on every peer.
   * @throws HoldfastError `WRONGTYPE` if a key holds no HyperLogLog (so do all of its commands), `INVALIDOBJ` if it holds a
   * damaged one.
   */
  pfcount(keys: OneOrMore<Bytes>): Reply<F, number>;
}

/** HyperLogLog commands that write. */
export interface HyperloglogWrites<F extends Form> {
  /**
   * Adds elements, and answers whether that changed anything: `false` if all of them seem to have been added before. Without
   * elements, only sees to it that the key exists.
   *
   * Redis: `PFADD`. O(1) for each element.
   */
  pfadd(key: Bytes, elements?: Word | readonly Word[]): Reply<F, boolean>;
  /**
   * Adds to `destination` what was added to any of `sources`.
   *
   * Redis: `PFMERGE`. O(1) for each key, as `pfcount`.
   */
  pfmerge(destination: Bytes, sources: OneOrMore<Bytes>): Reply<F, void>;
}

/** The code of {@link HyperloglogReads}. */
export const hyperloglogReads = {
  pfcount: { encode: (keys) => pushAll(['PFCOUNT'], keys, 'keys', bytes), shape: shape.integer },
} satisfies Definitions<HyperloglogReads<Sync<Bulk>>>;

/** The code of {@link HyperloglogWrites}. */
export const hyperloglogWrites = {
  pfadd: {
    encode: (key, elements = []) => {
      const words: Word[] = ['PFADD', bytes(key, 'key')];
      const none = Array.isArray(elements) && elements.length === 0;
      return none ? words : pushAll(words, elements, 'elements', word);
    },
    shape: shape.yes,
  },
  pfmerge: {
    encode: (destination, sources) =>
      pushAll(['PFMERGE', bytes(destination, 'destination')], sources, 'sources', bytes),
    shape: shape.nothing,
  },
} satisfies Definitions<HyperloglogWrites<Sync<Bulk>>>;
