/** Stream commands about groups of consumers. */
import type { Bytes, ReplyValue, Word } from '../keyspace/native.js';
import { bytes, count, integer, type OneOrMore, type Pairs, pushAll } from './arguments.js';
import type { Definitions } from './definition.js';
import type { Bulk, Form, Reply, Sync } from './form.js';
import { bytesOption, checkNames, countOption, flag, integerOption, optionsOf } from './options.js';
import * as shape from './shapes.js';
import {
  entries,
  entriesByKey,
  factsOf,
  pushStreams,
  type StreamEntries,
  type StreamEntry,
  textOrNull,
  type XreadOptions,
} from './streams.js';

/** Options of `xreadgroup`. */
export interface XreadgroupOptions extends XreadOptions {
  /** Take entries as acknowledged as soon as they are delivered. Default: false. */
  noack?: boolean;
}

/** Options of `xgroupSetId`. */
export interface XgroupSetIdOptions {
  /** How many entries were read up to the id. Default: unknown. */
  entriesRead?: number;
}

/** Options of `xgroupCreate`. */
export interface XgroupCreateOptions extends XgroupSetIdOptions {
  /** Make an empty stream where there is no key. Default: false. */
  mkstream?: boolean;
}

/** Options of `xclaim`. */
export interface XclaimOptions<JustId extends boolean = boolean> {
  /** Take the delivery for so many milliseconds old. Default: 0. */
  idle?: number;
  /** When the delivery was: milliseconds since 1970. Default: now. */
  time?: number;
  /** How often the entry was delivered. Default: once more than before. */
  retryCount?: number;
  /** Claim entries that are not pending, too. Default: false. */
  force?: boolean;
  /** Answer ids only, and leave the number of deliveries as it is. Default: false. */
  justId?: JustId;
  /** Move the group on to this id, if it is greater than where the group stands. */
  lastId?: string;
}

/** Options of `xautoclaim`. */
export interface XautoclaimOptions<JustId extends boolean = boolean> {
  /** Claim so many entries at most; above 0. Default: 100. */
  count?: number;
  /** Answer ids only, and leave the number of deliveries as it is. Default: false. */
  justId?: JustId;
}

/** Which pending entries `xpending` lists. */
export interface PendingRange {
  /** The first id, `'-'` the least; `'(1-0'` leaves 1-0 out. */
  start: string;
  /** The last id, `'+'` the greatest. */
  end: string;
  /** So many at most. */
  count: number;
  /** Only those of this consumer. */
  consumer?: Bytes;
  /** Only those that were delivered so many milliseconds ago at least. */
  idle?: number;
}

/** An entry that was delivered and not acknowledged. */
export interface PendingEntry<B extends Bulk = Bulk> {
  /** The entry. */
  id: string;
  /** Whose it is. */
  consumer: B;
  /** Milliseconds since it was delivered. */
  idleMs: number;
  /** How often it was delivered. */
  deliveries: number;
}

/** All that is pending in a group. */
export interface PendingSummary<B extends Bulk = Bulk> {
  /** Number of entries. */
  count: number;
  /** The least id, or `null`. */
  first: string | null;
  /** The greatest id, or `null`. */
  last: string | null;
  /** The consumers that have some, and how many. */
  consumers: { name: B; count: number }[];
}

/** What `xautoclaim` did. */
export interface Autoclaimed<Claimed> {
  /** Where to go on; `'0-0'`: from the beginning. */
  next: string;
  /** What was claimed: entries, or with `justId` their ids. */
  claimed: Claimed[];
  /** Ids that were pending and are pending no more, because the entries are deleted. */
  deleted: string[];
}

/** What `xinfoGroups` tells of a group. */
export interface GroupInfo<B extends Bulk = Bulk> {
  /** Its name. */
  name: B;
  /** Number of consumers. */
  consumers: number;
  /** Entries delivered and not acknowledged. */
  pending: number;
  /** The last entry that was delivered. */
  lastDeliveredId: string;
  /** How many entries were read up to there; `null`: unknown. */
  entriesRead: number | null;
  /** How many are still to be read; `null`: unknown. */
  lag: number | null;
}

/** What `xinfoConsumers` tells of a consumer. */
export interface ConsumerInfo<B extends Bulk = Bulk> {
  /** Its name. */
  name: B;
  /** Entries delivered to it and not acknowledged. */
  pending: number;
  /** Milliseconds since it last tried to get something. */
  idleMs: number;
  /** Milliseconds since it last got something; -1: never. */
  inactiveMs: number;
}

/** Commands about groups that read. */
export interface StreamGroupReads<F extends Form> {
  /**
   * What is pending in a group: a summary, or with a range the entries.
   *
   * Redis: `XPENDING`. O(consumers), or O(log n + entries looked at).
   * @throws HoldfastError `NOGROUP` if there is no such group.
   */
  xpending<R extends PendingRange | undefined = undefined>(
    key: Bytes,
    group: Bytes,
    range?: R,
  ): Reply<F, R extends PendingRange ? PendingEntry<F['bulk']>[] : PendingSummary<F['bulk']>>;
  /**
   * The groups of a stream, by name.
   *
   * Redis: `XINFO GROUPS`. O(groups).
   * @throws HoldfastError `ERR` if there is no such key.
   */
  xinfoGroups(key: Bytes): Reply<F, GroupInfo<F['bulk']>[]>;
  /**
   * The consumers of a group, by name.
   *
   * Redis: `XINFO CONSUMERS`. O(consumers).
   * @throws HoldfastError `NOGROUP` if there is no such group.
   */
  xinfoConsumers(key: Bytes, group: Bytes): Reply<F, ConsumerInfo<F['bulk']>[]>;
}

/** Commands about groups that write. */
export interface StreamGroupWrites<F extends Form> {
  /**
   * Adds a group that reads what comes behind an id; `'$'`: behind all there is.
   *
   * Redis: `XGROUP CREATE`. O(log groups).
   * @throws HoldfastError `BUSYGROUP` if the group is there; `ERR` if there is no such key.
   */
  xgroupCreate(key: Bytes, group: Bytes, id: string, options?: XgroupCreateOptions): Reply<F, void>;
  /**
   * Moves a group to behind another id.
   *
   * Redis: `XGROUP SETID`. O(log groups).
   * @throws HoldfastError `NOGROUP` if there is no such group; `ERR` if there is no such key. So do the two that follow.
   */
  xgroupSetId(key: Bytes, group: Bytes, id: string, options?: XgroupSetIdOptions): Reply<F, void>;
  /** Adds a consumer to a group, and answers whether it is new. Redis: `XGROUP CREATECONSUMER`. O(consumers). */
  xgroupCreateConsumer(key: Bytes, group: Bytes, consumer: Bytes): Reply<F, boolean>;
  /**
   * Removes a consumer with what is pending for it, and answers how many entries that were.
   *
   * Redis: `XGROUP DELCONSUMER`. O(consumers + entries).
   */
  xgroupDelConsumer(key: Bytes, group: Bytes, consumer: Bytes): Reply<F, number>;
  /** Removes a group, and answers whether it was there. Redis: `XGROUP DESTROY`. O(groups). */
  xgroupDestroy(key: Bytes, group: Bytes): Reply<F, boolean>;
  /**
   * Reads streams (a record, a Map, or pairs of key and id) as a consumer of a group. `'>'`: what the group has not read
   * yet, which is pending then until `xack`; any other id: what is pending for this consumer behind it. Streams without new
   * entries are left out. It does not wait for entries to come.
   *
   * Redis: `XREADGROUP`. O(log n + entries) for each stream.
   * @throws HoldfastError `NOGROUP` if a key or group is not there.
   */
  xreadgroup(
    group: Bytes,
    consumer: Bytes,
    streams: Pairs<Bytes, string>,
    options?: XreadgroupOptions,
  ): Reply<F, StreamEntries<F['bulk']>[]>;
  /** Acknowledges entries, and answers how many were pending. Redis: `XACK`. O(log n) for each entry. */
  xack(key: Bytes, group: Bytes, ids: OneOrMore<string>): Reply<F, number>;
  /**
   * Takes pending entries over that were delivered `minIdleMs` milliseconds ago at least, and answers those.
   *
   * Redis: `XCLAIM`. O(log n) for each entry.
   * @throws HoldfastError `NOGROUP` if there is no such group.
   */
  xclaim<JustId extends boolean = false>(
    key: Bytes,
    group: Bytes,
    consumer: Bytes,
    minIdleMs: number,
    ids: OneOrMore<string>,
    options?: XclaimOptions<JustId>,
  ): Reply<F, JustId extends true ? string[] : StreamEntry<F['bulk']>[]>;
  /**
   * As {@link xclaim}, for whatever is pending from `start` on.
   *
   * Redis: `XAUTOCLAIM`. O(`count` × log n).
   * @throws HoldfastError `NOGROUP` if there is no such group.
   */
  xautoclaim<JustId extends boolean = false>(
    key: Bytes,
    group: Bytes,
    consumer: Bytes,
    minIdleMs: number,
    start: string,
    options?: XautoclaimOptions<JustId>,
  ): Reply<F, Autoclaimed<JustId extends true ? string : StreamEntry<F['bulk']>>>;
}

const pushXreadgroupOptions = optionsOf<XreadgroupOptions>('xreadgroup', { count: countOption, noack: flag });
const pushXgroupSetIdOptions = optionsOf<XgroupSetIdOptions>('xgroupSetId', { entriesRead: integerOption });
const pushXgroupCreateOptions = optionsOf<XgroupCreateOptions>('xgroupCreate', {
  entriesRead: integerOption,
  mkstream: flag,
});
const pushXclaimOptions = optionsOf<XclaimOptions>('xclaim', {
  idle: countOption,
  time: countOption,
  retryCount: countOption,
  force: flag,
  justId: flag,
  lastId: bytesOption,
});
const pushXautoclaimOptions = optionsOf<XautoclaimOptions>('xautoclaim', {
  count: countOption,
  justId: flag,
});

const ids = shape.arrayOf(shape.text);

function pendingWords(key: Bytes, group: Bytes, range: PendingRange | undefined): Word[] {
  const words: Word[] = ['XPENDING', bytes(key, 'key'), bytes(group, 'group')];
  if (range === undefined) return words;
  checkNames('xpending', range, ['start', 'end', 'count', 'consumer', 'idle']);
  if (range.idle !== undefined) words.push('IDLE', count(range.idle, "option 'idle'"));
  words.push(bytes(range.start, "option 'start'"), bytes(range.end, "option 'end'"));
  words.push(count(range.count, "option 'count'"));
  if (range.consumer !== undefined) words.push(bytes(range.consumer, "option 'consumer'"));
  return words;
}

function pendingEntry(reply: ReplyValue): PendingEntry {
  const [id = null, consumer = null, idleMs = null, deliveries = null] = shape.items(reply);
  return {
    id: shape.text(id),
    consumer: shape.bulk(consumer),
    idleMs: shape.integer(idleMs),
    deliveries: shape.integer(deliveries),
  };
}

function pendingSummary(reply: ReplyValue): PendingSummary {
  const [total = null, first = null, last = null, consumers = null] = shape.items(reply);
  const owners = consumers === null ? [] : shape.pairs(consumers);
  return {
    count: shape.integer(total),
    first: textOrNull(first),
    last: textOrNull(last),
    consumers: owners.map(([name, n]) => ({ name: shape.bulk(name), count: Number(shape.text(n)) })),
  };
}

function groupInfo(reply: ReplyValue): GroupInfo {
  const fact = factsOf(reply);
  return {
    name: shape.bulk(fact('name')),
    consumers: shape.integer(fact('consumers')),
    pending: shape.integer(fact('pending')),
    lastDeliveredId: shape.text(fact('last-delivered-id')),
    entriesRead: shape.integerOrNull(fact('entries-read')),
    lag: shape.integerOrNull(fact('lag')),
  };
}

function consumerInfo(reply: ReplyValue): ConsumerInfo {
  const fact = factsOf(reply);
  return {
    name: shape.bulk(fact('name')),
    pending: shape.integer(fact('pending')),
    idleMs: shape.integer(fact('idle')),
    inactiveMs: shape.integer(fact('inactive')),
  };
}

/** The words of a command about a group: its name, key and group. */
function groupWords(name: string[], key: Bytes, group: Bytes, ...more: Word[]): Word[] {
  return [...name, bytes(key, 'key'), bytes(group, 'group'), ...more];
}

/** The code of {@link StreamGroupReads}. */
export const streamGroupReads = {
  xpending: {
    encode: pendingWords,
    shape: (reply, [, , range]) =>
      (range === undefined ? pendingSummary(reply) : shape.items(reply).map(pendingEntry)) as never,
  },
  xinfoGroups: { encode: (key) => ['XINFO', 'GROUPS', bytes(key, 'key')], shape: shape.arrayOf(groupInfo) },
  xinfoConsumers: {
    encode: (key, group) => groupWords(['XINFO', 'CONSUMERS'], key, group),
    shape: shape.arrayOf(consumerInfo),
  },
} satisfies Definitions<StreamGroupReads<Sync<Bulk>>>;

/** The code of {@link StreamGroupWrites}. */
export const streamGroupWrites = {
  xgroupCreate: {
    encode: (key, group, id, options) =>
      pushXgroupCreateOptions(groupWords(['XGROUP', 'CREATE'], key, group, bytes(id, 'id')), options),
    shape: shape.nothing,
  },
  xgroupSetId: {
    encode: (key, group, id, options) =>
      pushXgroupSetIdOptions(groupWords(['XGROUP', 'SETID'], key, group, bytes(id, 'id')), options),
    shape: shape.nothing,
  },
  xgroupCreateConsumer: {
    encode: (key, group, consumer) =>
      groupWords(['XGROUP', 'CREATECONSUMER'], key, group, bytes(consumer, 'consumer')),
    shape: shape.yes,
  },
  xgroupDelConsumer: {
    encode: (key, group, consumer) =>
      groupWords(['XGROUP', 'DELCONSUMER'], key, group, bytes(consumer, 'consumer')),
    shape: shape.integer,
  },
  xgroupDestroy: {
    encode: (key, group) => groupWords(['XGROUP', 'DESTROY'], key, group),
    shape: shape.yes,
  },
  xreadgroup: {
    encode: (group, consumer, streams, options) => {
      const words: Word[] = ['XREADGROUP', 'GROUP', bytes(group, 'group'), bytes(consumer, 'consumer')];
      return pushStreams(pushXreadgroupOptions(words, options), streams);
    },
    shape: entriesByKey,
  },
  xack: {
    encode: (key, group, ids) => pushAll(groupWords(['XACK'], key, group), ids, 'ids', bytes),
    shape: shape.integer,
  },
  xclaim: {
    encode: (key, group, consumer, minIdleMs, ids, options) => {
      const idle = integer(minIdleMs, 'minIdleMs');
      const words = groupWords(['XCLAIM'], key, group, bytes(consumer, 'consumer'), idle);
      return pushXclaimOptions(pushAll(words, ids, 'ids', bytes), options);
    },
    shape: (reply, [, , , , , options]) => (options?.justId === true ? ids(reply) : entries(reply)) as never,
  },
  xautoclaim: {
    encode: (key, group, consumer, minIdleMs, start, options) => {
      const idle = integer(minIdleMs, 'minIdleMs');
      const more = [bytes(consumer, 'consumer'), idle, bytes(start, 'start')];
      return pushXautoclaimOptions(groupWords(['XAUTOCLAIM'], key, group, ...more), options);
    },
    shape: (reply, [, , , , , options]) => {
      const [next = null, claimed = null, deleted = null] = shape.items(reply);
      const found = options?.justId === true ? ids(claimed) : entries(claimed);
      return { next: shape.text(next), claimed: found, deleted: ids(deleted) } as never;
    },
  },
} satisfies Definitions<StreamGroupWrites<Sync<Bulk>>>;
