/** The command surface as a whole: the families put together, and the facts about commands that the native side knows. */
import { type CommandFact, native, type Word } from '../keyspace/native.js';
import { type BitmapReads, type BitmapWrites, bitmapReads, bitmapWrites } from './bitmaps.js';
import type { Form, Iteration } from './form.js';
import { type GeoReads, type GeoWrites, geoReads, geoWrites } from './geo.js';
import { type FieldValue, type HashReads, type HashWrites, hashReads, hashWrites } from './hashes.js';
import {
  type HyperloglogReads,
  type HyperloglogWrites,
  hyperloglogReads,
  hyperloglogWrites,
} from './hyperloglogs.js';
import { type KeyReads, type KeyScanOptions, type KeyWrites, keyReads, keyWrites } from './keys.js';
import { type ListReads, type ListWrites, listReads, listWrites } from './lists.js';
import type { ScanOptions } from './scan.js';
import { type SetReads, type SetWrites, setReads, setWrites } from './sets.js';
import {
  type SortedSetAlgebraReads,
  type SortedSetAlgebraWrites,
  sortedSetAlgebraReads,
  sortedSetAlgebraWrites,
} from './sorted-set-algebra.js';
import {
  type ScoredMember,
  type SortedSetReads,
  type SortedSetWrites,
  sortedSetReads,
  sortedSetWrites,
} from './sorted-sets.js';
import { type SortReads, type SortWrites, sortReads, sortWrites } from './sorting.js';
import {
  type StreamGroupReads,
  type StreamGroupWrites,
  streamGroupReads,
  streamGroupWrites,
} from './stream-groups.js';
import { type StreamReads, type StreamWrites, streamReads, streamWrites } from './streams.js';
import { type StringReads, type StringWrites, stringReads, stringWrites } from './strings.js';

/** The commands that read. */
export interface ReadCommands<F extends Form>
  extends StringReads<F>,
    BitmapReads<F>,
    HyperloglogReads<F>,
    GeoReads<F>,
    HashReads<F>,
    ListReads<F>,
    SetReads<F>,
    SortedSetReads<F>,
    SortedSetAlgebraReads<F>,
    SortReads<F>,
    StreamReads<F>,
    StreamGroupReads<F>,
    KeyReads<F> {}

/** The commands that write. */
export interface WriteCommands<F extends Form>
  extends StringWrites<F>,
    BitmapWrites<F>,
    HyperloglogWrites<F>,
    GeoWrites<F>,
    HashWrites<F>,
    ListWrites<F>,
    SetWrites<F>,
    SortedSetWrites<F>,
    SortedSetAlgebraWrites<F>,
    SortWrites<F>,
    StreamWrites<F>,
    StreamGroupWrites<F>,
    KeyWrites<F> {}

/** All commands. */
export interface Commands<F extends Form> extends ReadCommands<F>, WriteCommands<F> {}

/** Scans as loops. What is there all the time is given at least once; what comes or goes meanwhile may be given or not. */
export interface ScanIterators<F extends Form> {
  /** Keys, as `scan` finds them. */
  scanIterator(options?: KeyScanOptions): Iteration<F, F['bulk']>;
  /** The fields of a hash with their values, as `hscan` finds them. */
  hscanIterator(key: string | Uint8Array, options?: ScanOptions): Iteration<F, FieldValue<F['bulk']>>;
  /** The members of a set, as `sscan` finds them. */
  sscanIterator(key: string | Uint8Array, options?: ScanOptions): Iteration<F, F['bulk']>;
  /** The members of a sorted set with their scores, as `zscan` finds them. */
  zscanIterator(key: string | Uint8Array, options?: ScanOptions): Iteration<F, ScoredMember<F['bulk']>>;
}

/** The code of {@link ReadCommands}. */
export const reads = {
  ...stringReads,
  ...bitmapReads,
  ...hyperloglogReads,
  ...geoReads,
  ...hashReads,
  ...listReads,
  ...setReads,
  ...sortedSetReads,
  ...sortedSetAlgebraReads,
  ...sortReads,
  ...streamReads,
  ...streamGroupReads,
  ...keyReads,
};

/** The code of {@link WriteCommands}. */
export const writes = {
  ...stringWrites,
  ...bitmapWrites,
  ...hyperloglogWrites,
  ...geoWrites,
  ...hashWrites,
  ...listWrites,
  ...setWrites,
  ...sortedSetWrites,
  ...sortedSetAlgebraWrites,
  ...sortWrites,
  ...streamWrites,
  ...streamGroupWrites,
  ...keyWrites,
};

let facts: ReadonlyMap<string, CommandFact> | undefined;

/** The native side's facts about a command, by its name in any case; `undefined` if there is no such command. */
export function factOf(name: Word): CommandFact | undefined {
  facts ??= new Map(native.commandTable().map((fact) => [fact.name.toUpperCase(), fact]));
  const text = name instanceof Uint8Array ? Buffer.from(name).toString('latin1') : String(name);
  return facts.get(text) ?? facts.get(text.toUpperCase());
}
