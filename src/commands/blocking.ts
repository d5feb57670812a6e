/**
 * Blocking commands: promised on every surface, the synchronous one included, and no part of transactions.
 *
 * First come, first served holds among all callers of a process, whatever their threads. Between the peers of a cluster the order of
 * the log decides. Commands that do not wait (`lpop`) take what they find, and leave nothing for those who do.
 *
 * A Redis client that has gone waits no more from the moment the endpoint reads its end, which it does before it serves anybody. What
 * can still be lost with it is what an attempt takes that was on its way to the log by then, and a reply that was written to a
 * connection whose other end was closed without a word yet; Redis loses the latter, too.
 */
import type { Bytes, ReplyValue, Word } from '../keyspace/native.js';
import { bytes, type OneOrMore, oneOf, type Pairs, pushAll, pushCounted } from './arguments.js';
import type { Definition } from './definition.js';
import type { Bulk } from './form.js';
import type { ListEnd, LmpopOptions, PoppedItems } from './lists.js';
import { checkNames, countOption, optionsOf } from './options.js';
import * as shape from './shapes.js';
import type { PoppedMembers, ScoredMember, ScoreEnd, ZmpopOptions } from './sorted-sets.js';
import { streamGroupWrites, type XreadgroupOptions } from './stream-groups.js';
import { type StreamEntries, streamReads, type XreadOptions } from './streams.js';

/** How long to wait. */
export interface WaitOptions {
  /**
   * Milliseconds, at least 1. Default: for ever. (Redis's 0 stands for ever, too, and is refused here as a likely mistake; what
   * does not wait at all is the command without the `b`.)
   */
  timeoutMs?: number | undefined;
  /**
   * Ends the wait: the promise rejects with its reason, and nothing was taken. If an attempt is on its way to the log, the promise
   * settles with what that takes, so that nothing is lost, and rejects if that is nothing.
   */
  signal?: AbortSignal | undefined;
}

/** Options of `blmpop`. */
export interface BlmpopOptions extends LmpopOptions, WaitOptions {}

/** Options of `bzmpop`. */
export interface BzmpopOptions extends ZmpopOptions, WaitOptions {}

/** Options of `xreadBlocking`. */
export interface XreadBlockingOptions extends XreadOptions, WaitOptions {}

/** Options of `xreadgroupBlocking`. */
export interface XreadgroupBlockingOptions extends XreadgroupOptions, WaitOptions {}

/** What `blpop` took. */
export interface PoppedItem<B extends Bytes = Bytes> {
  /** The list it was in. */
  key: B;
  /** The item. */
  item: B;
}

/** What `bzpopmin` took. */
export interface PoppedMember<B extends Bytes = Bytes> extends ScoredMember<B> {
  /** The sorted set it was in. */
  key: B;
}

/**
 * Commands that wait until there is something for them, first come, first served. They answer `null` when `timeoutMs` is over.
 * In a cluster the wait is this peer's own, and what ends it goes through the log: another leader in between does not disturb it.
 * When its time is over, or its signal is aborted, while an attempt is on its way to the log, the outcome of that attempt is the call's.
 *
 * All of them reject with `BUSY` if 100,000 calls of the process are waiting already, with `CLOSED` when the keyspace or store is
 * closed, and with whatever the command is refused with. A wait needs no majority; an attempt does, and fails as any call without one:
 * when the wait begins, and when a push has made its key ready.
 */
export interface BlockingCommands<B extends Bulk> {
  /**
   * Takes the head of the first of the lists that has any, as soon as one has.
   *
   * Redis: `BLPOP`. O(keys).
   * @throws HoldfastError `WRONGTYPE` if a key holds no list when the wait begins.
   */
  blpop(keys: OneOrMore<Bytes>, options?: WaitOptions): Promise<PoppedItem<B> | null>;
  /** As {@link blpop}, from the tail. Redis: `BRPOP`. */
  brpop(keys: OneOrMore<Bytes>, options?: WaitOptions): Promise<PoppedItem<B> | null>;
  /**
   * Takes several items from the first of the lists that has any, as soon as one has.
   *
   * Redis: `BLMPOP`. O(keys + items).
   */
  blmpop(keys: OneOrMore<Bytes>, from: ListEnd, options?: BlmpopOptions): Promise<PoppedItems<B> | null>;
  /**
   * Takes an item from an end of `source`, as soon as there is one, puts it at an end of `destination`, and answers it.
   *
   * Redis: `BLMOVE`. O(1).
   */
  blmove(
    source: Bytes,
    destination: Bytes,
    from: ListEnd,
    to: ListEnd,
    options?: WaitOptions,
  ): Promise<B | null>;
  /** As {@link blmove} from the tail to the head. Redis: `BRPOPLPUSH`. */
  brpoplpush(source: Bytes, destination: Bytes, options?: WaitOptions): Promise<B | null>;
  /**
   * Takes the member with the lowest score from the first of the sorted sets that has any, as soon as one has.
   *
   * Redis: `BZPOPMIN`. O(keys + log members).
   * @throws HoldfastError `WRONGTYPE` if a key holds no sorted set when the wait begins.
   */
  bzpopmin(keys: OneOrMore<Bytes>, options?: WaitOptions): Promise<PoppedMember<B> | null>;
  /** As {@link bzpopmin}, with the highest score. Redis: `BZPOPMAX`. */
  bzpopmax(keys: OneOrMore<Bytes>, options?: WaitOptions): Promise<PoppedMember<B> | null>;
  /**
   * Takes several members from the first of the sorted sets that has any, as soon as one has.
   *
   * Redis: `BZMPOP`. O(keys + members taken * log members).
   */
  bzmpop(keys: OneOrMore<Bytes>, from: ScoreEnd, options?: BzmpopOptions): Promise<PoppedMembers<B> | null>;
  /**
   * Reads what comes behind an id of each stream, as `xread` does, as soon as there is something in any of them. `'$'`: what comes
   * from now on.
   *
   * Redis: `XREAD BLOCK`. O(log n + entries) for each stream.
   */
  xreadBlocking(
    streams: Pairs<Bytes, string>,
    options?: XreadBlockingOptions,
  ): Promise<StreamEntries<B>[] | null>;
  /**
   * Reads streams as a consumer of a group, as `xreadgroup` does, as soon as there is something in any of them. With ids other than
   * `'>'` it does not wait.
   *
   * Redis: `XREADGROUP BLOCK`. O(log n + entries) for each stream.
   * @throws HoldfastError `NOGROUP` if a key or group is not there, or goes meanwhile.
   */
  xreadgroupBlocking(
    group: Bytes,
    consumer: Bytes,
    streams: Pairs<Bytes, string>,
    options?: XreadgroupBlockingOptions,
  ): Promise<StreamEntries<B>[] | null>;
}

/** The code of a blocking method. */
export interface BlockingDefinition<A extends readonly unknown[], R> extends Definition<A, R | null> {
  /** How long it waits; checked. */
  waits(...args: A): WaitOptions;
}

type BlockingDefinitions<Surface> = {
  readonly [Name in keyof Surface]: Surface[Name] extends (...args: infer A) => Promise<infer R>
    ? BlockingDefinition<A, Exclude<R, null>>
    : never;
};

/** Redis's word for a wait without end. How long a wait lasts is decided outside of the request. */
const FOR_EVER = 0;
const ENDS: readonly ListEnd[] = ['left', 'right'];
const SCORE_ENDS: readonly ScoreEnd[] = ['min', 'max'];

/** Checks the options of a wait. `others`: names of options that are not about the wait. */
function waitOptions(method: string, options: WaitOptions | undefined, others: string[] = []): WaitOptions {
  if (options === undefined) return {};
  checkNames(method, options, ['timeoutMs', 'signal', ...others]);
  const { timeoutMs, signal } = options;
  if (timeoutMs !== undefined && typeof timeoutMs !== 'number') {
    throw new TypeError("option 'timeoutMs' must be a number");
  }
  if (timeoutMs !== undefined && !(Number.isSafeInteger(timeoutMs) && timeoutMs >= 1)) {
    throw new RangeError(
      `option 'timeoutMs' must be an integer of at least 1, not ${timeoutMs}; leave it out to wait for ever`,
    );
  }
  if (signal !== undefined && !(signal instanceof AbortSignal)) {
    throw new TypeError("option 'signal' must be an AbortSignal");
  }
  return { timeoutMs, signal };
}

const pushCount = optionsOf<LmpopOptions>('a blocking pop', { count: countOption });

function poppedItem(reply: ReplyValue): PoppedItem<Bulk> | null {
  if (reply === null) return null;
  const [key, item] = shape.entry(reply);
  return { key: shape.bulk(key), item: shape.bulk(item) };
}

function poppedItems(reply: ReplyValue): PoppedItems<Bulk> | null {
  if (reply === null) return null;
  const [key, items] = shape.entry(reply);
  return { key: shape.bulk(key), items: shape.bulks(items) };
}

function poppedMember(reply: ReplyValue): PoppedMember<Bulk> | null {
  if (reply === null) return null;
  const [key = null, member = null, score = null] = shape.items(reply);
  return { key: shape.bulk(key), member: shape.bulk(member), score: shape.double(score) };
}

function poppedMembers(reply: ReplyValue): PoppedMembers<Bulk> | null {
  if (reply === null) return null;
  const [key, members] = shape.entry(reply);
  const scored = shape.pairs(members).map(([member, score]) => {
    return { member: shape.bulk(member), score: shape.double(score) };
  });
  return { key: shape.bulk(key), members: scored };
}

function oneFrom<R>(name: string, popped: (reply: ReplyValue) => R | null) {
  return {
    encode: (keys: OneOrMore<Bytes>): Word[] => {
      return [...pushAll([name], keys, 'keys', bytes), FOR_EVER];
    },
    waits: (_: OneOrMore<Bytes>, options?: WaitOptions) => waitOptions(name.toLowerCase(), options),
    shape: popped,
  };
}

function severalFrom<E extends string, R>(
  name: string,
  ends: readonly E[],
  popped: (reply: ReplyValue) => R | null,
) {
  return {
    encode: (keys: OneOrMore<Bytes>, from: E, options?: LmpopOptions): Word[] => {
      const words = pushCounted([name, FOR_EVER], keys);
      words.push(oneOf(from, 'from', ends));
      const { count } = options ?? {};
      return count === undefined ? words : pushCount(words, { count });
    },
    waits: (_: OneOrMore<Bytes>, __: E, options?: BlmpopOptions) =>
      waitOptions(name.toLowerCase(), options, ['count']),
    shape: popped,
  };
}

/** The words of `XREAD` with the option that makes it wait. */
function blockingForEver([name = '', ...words]: readonly Word[]): Word[] {
  return [name, 'BLOCK', FOR_EVER, ...words];
}

/** Options that are not about the wait. */
function without<O extends object, N extends keyof O>(
  options: O | undefined,
  names: readonly N[],
): Omit<O, N> {
  const others = { ...(options ?? ({} as O)) };
  for (const name of names) delete others[name];
  return others;
}

/** The code of {@link BlockingCommands}. */
export const blocking = {
  blpop: oneFrom('BLPOP', poppedItem),
  brpop: oneFrom('BRPOP', poppedItem),
  blmpop: severalFrom('BLMPOP', ENDS, poppedItems),
  blmove: {
    encode: (source, destination, from, to) => [
      'BLMOVE',
      bytes(source, 'source'),
      bytes(destination, 'destination'),
      oneOf(from, 'from', ENDS),
      oneOf(to, 'to', ENDS),
      FOR_EVER,
    ],
    waits: (_, __, ___, ____, options) => waitOptions('blmove', options),
    shape: shape.bulkOrNull,
  },
  brpoplpush: {
    encode: (source, destination) => [
      'BRPOPLPUSH',
      bytes(source, 'source'),
      bytes(destination, 'destination'),
      FOR_EVER,
    ],
    waits: (_, __, options) => waitOptions('brpoplpush', options),
    shape: shape.bulkOrNull,
  },
  bzpopmin: oneFrom('BZPOPMIN', poppedMember),
  bzpopmax: oneFrom('BZPOPMAX', poppedMember),
  bzmpop: severalFrom('BZMPOP', SCORE_ENDS, poppedMembers),
  xreadBlocking: {
    encode: (streams, options) => {
      const read = without(options, ['timeoutMs', 'signal']);
      return blockingForEver(streamReads.xread.encode(streams, read));
    },
    waits: (_, options) => waitOptions('xreadBlocking', options, ['count']),
    shape: (reply) => (reply === null ? null : streamReads.xread.shape(reply)),
  },
  xreadgroupBlocking: {
    encode: (group, consumer, streams, options) => {
      const read = without(options, ['timeoutMs', 'signal']);
      return blockingForEver(streamGroupWrites.xreadgroup.encode(group, consumer, streams, read));
    },
    waits: (_, __, ___, options) => waitOptions('xreadgroupBlocking', options, ['count', 'noack']),
    shape: (reply) => (reply === null ? null : streamGroupWrites.xreadgroup.shape(reply)),
  },
} satisfies BlockingDefinitions<BlockingCommands<Bulk>>;

/** Names the method that runs a blocking definition: no part of the public surface. */
export const WAIT = Symbol('wait');

/** A class that blocking methods can be installed on. */
interface BlockingSurface {
  [WAIT](definition: BlockingDefinition<never, unknown>, args: never): Promise<unknown>;
}

/** Gives `surface` every method of {@link BlockingCommands}. */
export function installBlocking(surface: BlockingSurface): void {
  for (const [name, definition] of Object.entries<BlockingDefinition<never, unknown>>(blocking)) {
    const method = {
      [name](this: BlockingSurface, ...args: unknown[]): unknown {
        return this[WAIT](definition, args as never);
      },
    };
    Object.defineProperty(surface, name, { value: method[name], writable: true, configurable: true });
  }
}
