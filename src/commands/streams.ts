/** Stream commands. */
import type { Bytes, ReplyValue, Word } from '../keyspace/native.js';
import { bytes, count, type OneOrMore, type Pairs, pushAll, pushPairs, word } from './arguments.js';
import type { Definitions } from './definition.js';
import type { Bulk, Form, Reply, Sync } from './form.js';
import type { FieldValue } from './hashes.js';
import { bytesOption, checkNames, countOption, flag, optionsOf } from './options.js';
import * as shape from './shapes.js';

/**
 * An entry of a stream. Fields keep their order and may come more than once; `Object.fromEntries(entry.fields)` or
 * `new Map(entry.fields)` make of them what is easier to read, where none does.
 */
export interface StreamEntry<B extends Bulk = Bulk> {
  /** Milliseconds and a sequence number: `'1700000000000-0'`. */
  id: string;
  /** Fields with their values. None at all: the entry was deleted after it had been delivered. */
  fields: FieldValue<B>[];
}

/** The entries of one of several streams. */
export interface StreamEntries<B extends Bulk = Bulk> {
  /** The stream. */
  key: B;
  /** What was read of it. */
  entries: StreamEntry<B>[];
}

/** Which entries are deleted from the front of a stream: `maxLen` or `minId`, not both. */
export interface StreamTrimOptions {
  /** Keep so many of the latest entries. */
  maxLen?: number;
  /** Keep the entries from this id on. */
  minId?: string;
  /** Delete only what can be deleted at little cost: somewhat more may be kept. Default: false. */
  approximate?: boolean;
  /** With `approximate`: delete so many at most; 0 is no limit. Default: 10,000. */
  limit?: number;
}

/** Options of `xadd`. */
export interface XaddOptions<Nomkstream extends boolean = boolean> extends StreamTrimOptions {
  /** The id, greater than any before; `'<ms>-*'` leaves the sequence number open. Default: `'*'`, the time. */
  id?: string;
  /** Add nothing, and answer `null`, where there is no such stream yet. Default: false. */
  nomkstream?: Nomkstream;
}

/** Options of `xrange` and `xrevrange`. */
export interface XrangeOptions {
  /** Answer so many entries at most. Default: all. */
  count?: number;
}

/** Options of `xread`. */
export interface XreadOptions {
  /** Answer so many entries of each stream at most. Default: all. */
  count?: number;
}

/** Options of `xsetid`. */
export interface XsetidOptions {
  /** How many entries were ever added. */
  entriesAdded?: number;
  /** The greatest id that was deleted. */
  maxDeletedId?: string;
}

/** What `xinfoStream` tells. */
export interface StreamInfo<B extends Bulk = Bulk> {
  /** Number of entries. */
  length: number;
  /** Number of blocks that hold them. */
  radixTreeKeys: number;
  /** Blocks, and what finds them. */
  radixTreeNodes: number;
  /** The greatest id ever given. */
  lastGeneratedId: string;
  /** The greatest id that was deleted. */
  maxDeletedEntryId: string;
  /** How many entries were ever added. */
  entriesAdded: number;
  /** The first entry's id; `'0-0'` if there is none. */
  recordedFirstEntryId: string;
  /** Number of groups. */
  groups: number;
  /** The first entry, or `null`. */
  firstEntry: StreamEntry<B> | null;
  /** The last entry, or `null`. */
  lastEntry: StreamEntry<B> | null;
}

/** Stream commands that read. */
export interface StreamReads<F extends Form> {
  /**
   * Number of entries; 0 if the key does not exist.
   *
   * Redis: `XLEN`. O(1).
   * @throws HoldfastError `WRONGTYPE` if the key holds no stream; so do all stream commands.
   */
  xlen(key: Bytes): Reply<F, number>;
  /**
   * The entries with ids from `start` (`'-'`: the first) to `end` (`'+'`: the last), both included; `'(1-0'` leaves 1-0 out,
   * and an id without a sequence number means all of its millisecond.
   *
   * Redis: `XRANGE`. O(log n + entries).
   */
  xrange(key: Bytes, start: string, end: string, options?: XrangeOptions): Reply<F, StreamEntry<F['bulk']>[]>;
  /** As {@link xrange}, from the last to the first. Redis: `XREVRANGE`. */
  xrevrange(
    key: Bytes,
    end: string,
    start: string,
    options?: XrangeOptions,
  ): Reply<F, StreamEntry<F['bulk']>[]>;
  /**
   * What is in some streams behind an id each: a record, a Map or an array of pairs of key and id. `'$'`: behind all there
   * is; `'+'`: the last entry. Streams without any are left out. It does not wait for entries to come.
   *
   * Redis: `XREAD`. O(log n + entries) for each stream.
   */
  xread(streams: Pairs<Bytes, string>, options?: XreadOptions): Reply<F, StreamEntries<F['bulk']>[]>;
  /**
   * Counters and edges of a stream. For more, `call('XINFO', 'STREAM', key, 'FULL')`.
   *
   * Redis: `XINFO STREAM`. O(1).
   * @throws HoldfastError `ERR` if there is no such key.
   */
  xinfoStream(key: Bytes): Reply<F, StreamInfo<F['bulk']>>;
}

/** Stream commands that write. */
export interface StreamWrites<F extends Form> {
  /**
   * Adds an entry with these fields (a record, a Map, or pairs), trims the stream if asked to, and answers the entry's id.
   *
   * Redis: `XADD`. O(1), and O(n) for n entries trimmed.
   * @throws HoldfastError `ERR` if the id is not greater than every one before.
   */
  xadd<Nomkstream extends boolean = false>(
    key: Bytes,
    fields: Pairs<Bytes, Word>,
    options?: XaddOptions<Nomkstream>,
  ): Reply<F, Nomkstream extends true ? string | null : string>;
  /** Deletes entries and answers how many there were. The stream stays. Redis: `XDEL`. O(log n) for each entry. */
  xdel(key: Bytes, ids: OneOrMore<string>): Reply<F, number>;
  /** Deletes entries from the front and answers how many. Redis: `XTRIM`. O(entries deleted). */
  xtrim(key: Bytes, options: StreamTrimOptions): Reply<F, number>;
  /**
   * Sets the greatest id that counts as given.
   *
   * Redis: `XSETID`. O(1).
   * @throws HoldfastError `ERR` if there is no such key, or an entry with a greater id.
   */
  xsetid(key: Bytes, id: string, options?: XsetidOptions): Reply<F, void>;
}

const TRIM_NAMES = ['maxLen', 'minId', 'approximate', 'limit'] as const;

/** Appends how to trim, in the order that Redis asks for. */
function pushTrimming(words: Word[], options: StreamTrimOptions): Word[] {
  const { maxLen, minId, approximate = false, limit } = options;
  if (typeof approximate !== 'boolean') throw new TypeError("option 'approximate' must be true or false");
  const sign = approximate ? '~' : '=';
  if (maxLen !== undefined) words.push('MAXLEN', sign, count(maxLen, "option 'maxLen'"));
  if (minId !== undefined) words.push('MINID', sign, bytes(minId, "option 'minId'"));
  if (approximate && maxLen === undefined && minId === undefined) {
    throw new TypeError("option 'approximate' needs maxLen or minId");
  }
  if (limit !== undefined) words.push('LIMIT', count(limit, "option 'limit'"));
  return words;
}

function xaddWords(key: Bytes, fields: Pairs<Bytes, Word>, options: XaddOptions = {}): Word[] {
  checkNames('xadd', options, [...TRIM_NAMES, 'id', 'nomkstream']);
  const words: Word[] = ['XADD', bytes(key, 'key')];
  flag(words, options.nomkstream ?? false, 'NOMKSTREAM', 'nomkstream');
  pushTrimming(words, options).push(bytes(options.id ?? '*', "option 'id'"));
  return pushPairs(words, fields, 'fields', (field, value, name) => words.push(field, word(value, name)));
}

/** Appends keys, and behind them their ids. */
export function pushStreams(words: Word[], streams: Pairs<Bytes, string>): Word[] {
  const ids: Word[] = [];
  words.push('STREAMS');
  pushPairs(words, streams, 'streams', (key, id, name) => {
    words.push(key);
    ids.push(bytes(id, name));
  });
  for (const id of ids) words.push(id);
  return words;
}

const pushCount = optionsOf<XrangeOptions>('xrange', { count: countOption });
const pushXreadOptions = optionsOf<XreadOptions>('xread', { count: countOption });
const pushXsetidOptions = optionsOf<XsetidOptions>('xsetid', {
  entriesAdded: countOption,
  maxDeletedId: bytesOption,
});
function entry(reply: ReplyValue): StreamEntry {
  const [id, fields] = shape.items(reply);
  const pairs = fields === null || fields === undefined ? [] : shape.pairs(fields);
  return {
    id: shape.text(id ?? null),
    fields: pairs.map(([field, value]) => [shape.bulk(field), shape.bulk(value)]),
  };
}

/** Entries. */
export const entries = shape.arrayOf(entry);

/** Entries, none if there is no array. */
function entriesOrNone(reply: ReplyValue): StreamEntry[] {
  return reply === null ? [] : entries(reply);
}

/** Streams and what was read of them; nothing if there is no array. */
export function entriesByKey(reply: ReplyValue): StreamEntries[] {
  if (reply === null) return [];
  return shape.pairs(reply).map(([key, found]) => ({ key: shape.bulk(key), entries: entries(found) }));
}

/** Text or nothing. */
export function textOrNull(reply: ReplyValue): string | null {
  return reply === null ? null : shape.text(reply);
}

/** The facts of a reply by their names. */
export function factsOf(reply: ReplyValue): (name: string) => ReplyValue {
  const facts = new Map(shape.pairs(reply).map(([name, value]) => [shape.text(name), value]));
  return (name) => facts.get(name) ?? null;
}

function streamInfo(reply: ReplyValue): StreamInfo {
  const fact = factsOf(reply);
  const entryOrNull = (name: string): StreamEntry | null => {
    const found = fact(name);
    return found === null ? null : entry(found);
  };
  return {
    length: shape.integer(fact('length')),
    radixTreeKeys: shape.integer(fact('radix-tree-keys')),
    radixTreeNodes: shape.integer(fact('radix-tree-nodes')),
    lastGeneratedId: shape.text(fact('last-generated-id')),
    maxDeletedEntryId: shape.text(fact('max-deleted-entry-id')),
    entriesAdded: shape.integer(fact('entries-added')),
    recordedFirstEntryId: shape.text(fact('recorded-first-entry-id')),
    groups: shape.integer(fact('groups')),
    firstEntry: entryOrNull('first-entry'),
    lastEntry: entryOrNull('last-entry'),
  };
}

/** The code of {@link StreamReads}. */
export const streamReads = {
  xlen: { encode: (key) => ['XLEN', bytes(key, 'key')], shape: shape.integer },
  xrange: {
    encode: (key, start, end, options) =>
      pushCount(['XRANGE', bytes(key, 'key'), bytes(start, 'start'), bytes(end, 'end')], options),
    shape: entriesOrNone,
  },
  xrevrange: {
    encode: (key, end, start, options) =>
      pushCount(['XREVRANGE', bytes(key, 'key'), bytes(end, 'end'), bytes(start, 'start')], options),
    shape: entriesOrNone,
  },
  xread: {
    encode: (streams, options) => pushStreams(pushXreadOptions(['XREAD'], options), streams),
    shape: entriesByKey,
  },
  xinfoStream: { encode: (key) => ['XINFO', 'STREAM', bytes(key, 'key')], shape: streamInfo },
} satisfies Definitions<StreamReads<Sync<Bulk>>>;

/** The code of {@link StreamWrites}. */
export const streamWrites = {
  xadd: { encode: xaddWords, shape: (reply) => textOrNull(reply) as never },
  xdel: {
    encode: (key, ids) => pushAll(['XDEL', bytes(key, 'key')], ids, 'ids', bytes),
    shape: shape.integer,
  },
  xtrim: {
    encode: (key, options) => {
      checkNames('xtrim', options, TRIM_NAMES);
      return pushTrimming(['XTRIM', bytes(key, 'key')], options);
    },
    shape: shape.integer,
  },
  xsetid: {
    encode: (key, id, options) => pushXsetidOptions(['XSETID', bytes(key, 'key'), bytes(id, 'id')], options),
    shape: shape.nothing,
  },
} satisfies Definitions<StreamWrites<Sync<Bulk>>>;
