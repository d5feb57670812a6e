/**
 * The door to the native code: the only file that loads the addon. The interfaces here are the whole surface; the
 * functions behind them check their arguments and throw `TypeError`, `RangeError` or `HoldfastError`.
 */
import { createRequire } from 'node:module';
import { HoldfastError } from '../errors.js';
import type { CollectionLimits } from './collection-limits.js';
import { type Makers, makers } from './makers.js';

/** A string is its UTF-8 bytes. */
export type Bytes = string | Uint8Array;
/** What a request's words may be made of. A number stands for its decimal text. */
export type Word = Bytes | number | bigint;

/** A reply as JavaScript has it. Bulks are strings, or Buffers in bytes mode; integers beyond 2^53 are bigints. */
export type ReplyValue =
  | string
  | Buffer
  | number
  | bigint
  | null
  | HoldfastError
  | ReplyValue[]
  | ReplyMap
  | Set<ReplyValue>;
/** A map reply. */
export interface ReplyMap extends Map<ReplyValue, ReplyValue> {}

/** What a client of the Redis protocol speaks. */
export type RespProtocol = 2 | 3;
/** Bytes of the Redis protocol: one character to a byte, or a Buffer if they are many. */
export type Encoded = string | Buffer;

/**
 * How a handle may be used.
 * `plain`: a keyspace of this process alone; everything is allowed.
 * `local`: reads of a replica, whatever its age; a handle's functions return `undefined` while it is not ready.
 * `leased`: reads of a replica that leads and holds its lease; `undefined` when it does not.
 */
export type HandleMode = 'plain' | 'local' | 'leased';

/** What a ticket waits for: something to take from a list or a sorted set, a new entry of a stream, the same for a group. */
export type TicketKind = 'list' | 'zset' | 'stream' | 'group';

/** Functions bound to one keyspace, or to the shards of one store. Each reads its arguments without allocating. */
export interface NativeHandle<B extends string | Buffer = string | Buffer> {
  get(key: Bytes): B | null | undefined;
  set(key: Bytes, value: Word): void;
  del(key: Bytes): number;
  exists(key: Bytes): number | undefined;
  strlen(key: Bytes): number | undefined;
  /** Beyond 2^53 a bigint. */
  incrby(key: Bytes, by: number): number | bigint;
  pexpire(key: Bytes, ms: number): number;
  pttl(key: Bytes): number | undefined;
  hset(key: Bytes, field: Bytes, value: Word): number;
  hget(key: Bytes, field: Bytes): B | null | undefined;
  hdel(key: Bytes, field: Bytes): number;
  hexists(key: Bytes, field: Bytes): number | undefined;
  hlen(key: Bytes): number | undefined;
  lpush(key: Bytes, value: Word): number;
  rpush(key: Bytes, value: Word): number;
  lpop(key: Bytes): B | null;
  rpop(key: Bytes): B | null;
  llen(key: Bytes): number | undefined;
  sadd(key: Bytes, member: Word): number;
  srem(key: Bytes, member: Word): number;
  sismember(key: Bytes, member: Word): number | undefined;
  scard(key: Bytes): number | undefined;
  zadd(key: Bytes, score: number, member: Bytes): number;
  zincrby(key: Bytes, by: number, member: Bytes): number;
  zscore(key: Bytes, member: Bytes): number | null | undefined;
  zrank(key: Bytes, member: Bytes): number | null | undefined;
  zcard(key: Bytes): number | undefined;
  zrem(key: Bytes, member: Bytes): number;
  /** As a record; on a handle for Buffers as a Map. */
  hgetall(key: Bytes): Record<string, string> | Map<Buffer, Buffer> | undefined;
  smembers(key: Bytes): B[] | undefined;
  lrange(key: Bytes, start: number, stop: number): B[] | undefined;
  /** By ranks, from the lowest score. */
  zrange(key: Bytes, start: number, stop: number): B[] | undefined;
  /** By ranks, from the highest score. */
  zrevrange(key: Bytes, start: number, stop: number): B[] | undefined;
  /** As `zrange`, with scores. */
  zrangeScored(key: Bytes, start: number, stop: number): { member: B; score: number }[] | undefined;
  /** As `zrevrange`, with scores. */
  zrevrangeScored(key: Bytes, start: number, stop: number): { member: B; score: number }[] | undefined;
  /** Any command: its words, the name first, or an array of them if they are more than 16. Throws the command's error. */
  call(...words: Word[]): ReplyValue | undefined;
  call(words: readonly Word[]): ReplyValue | undefined;
  /** Several commands as one: nobody sees the state in between. Errors stand inside the array. `undefined`: as above. */
  transaction(requests: readonly (readonly Word[])[]): ReplyValue[] | undefined;
  /** As `call`, with the reply as bytes, which the command's error is, too. */
  callEncoded(words: readonly Word[], protocol: RespProtocol): Encoded | undefined;
  /** As `transaction`, with the reply as bytes. */
  transactionEncoded(requests: readonly (readonly Word[])[], protocol: RespProtocol): Encoded | undefined;
  /**
   * Takes a ticket for keys of one shard, in whatever mode the handle is; `keyspace/bell.ts` hears when it is called. Its owner
   * makes an attempt at once, with {@link Native.ticketBegin}. `asks`: what else it asks of them; see {@link Native.ticketFirst}.
   */
  enter(kind: TicketKind, keys: readonly Word[], asks: string): number;
  /** After this the functions throw `CLOSED`. */
  release(): void;
}

/** One row of the command table. */
export interface CommandFact {
  name: string;
  arity: number;
  write: boolean;
  /** Whether it may need memory: Redis's flag `denyoom`. */
  grows: boolean;
  /**
   * As in Redis: `all` for commands that may touch any key, `none` for those that name none; `found`: it depends on the
   * words, and {@link Native.slotsOf} tells.
   */
  keys: { first: number; last: number; step: number } | { counted: number } | 'all' | 'none' | 'found';
}

/** Which keys go when memory is short, in Redis's words. See {@link MemoryOptions.maxMemoryPolicy}. */
export type MaxMemoryPolicy =
  | 'noeviction'
  | 'allkeys-lru'
  | 'volatile-lru'
  | 'allkeys-lfu'
  | 'volatile-lfu'
  | 'allkeys-random'
  | 'volatile-random'
  | 'volatile-ttl';

/** A bound on memory, checked. */
export interface NativeMemoryLimit {
  /** 0: none. */
  readonly bytes: number;
  readonly policy: MaxMemoryPolicy;
  readonly samples: number;
}

/** What a leader has to do about its limit before it appends requests. */
export interface NativeRoom {
  /** Whether requests that need memory are to be refused. */
  readonly full: boolean;
  /** Whether more has to go than the eviction names. */
  readonly more: boolean;
  /** A request that evicts keys, as RESP, to go ahead of the others. */
  readonly eviction?: Buffer;
}

/** What `statistics` reports. */
export interface NativeStatistics {
  /** Keys, those among them that are due and not yet removed included. */
  keys: number;
  /** Keys with an expiry. */
  expires: number;
  /** Bytes in use: keys, values, and the tables that hold them. */
  memoryBytes: number;
  /** Bytes beside these that are kept for a save under way: what has changed since it began. */
  snapshotBytes: number;
  /** Keys that were removed because they had expired. */
  expiredKeys: number;
  /** Keys that were removed because memory is limited. */
  evictedKeys: number;
  /** The limit in bytes; 0 for none. */
  maxMemory: number;
  /** What happens at the limit. */
  maxMemoryPolicy: MaxMemoryPolicy;
  /** Bytes in use by type of value. */
  memoryByType: { string: number; hash: number; list: number; set: number; zset: number; stream: number };
}

/** What {@link NativeRdbLoader.finish} reports. */
export interface NativeLoadStats {
  keys: number;
  expired: number;
  empty: number;
  otherDatabases: number;
  functions: number;
}

/** Loads an RDB file into a keyspace. Errors have the code `CORRUPT` and name reason and offset. */
export interface NativeRdbLoader {
  /** Takes the next piece; gives the number of its bytes that belong to the file: less than all when the file ends in it. */
  push(chunk: Uint8Array): number;
  /** Throws if the file is not complete. */
  finish(): NativeLoadStats;
  /** Metadata seen so far, in the order of the file. */
  aux(): [Buffer, Buffer][];
  /** Puts what was loaded in the place of the keyspace's content, at once for all readers. */
  commit(): void;
}

/** How a snapshot is written. */
export interface NativeSnapshotOptions {
  aux?: readonly (readonly [string, string | Uint8Array])[];
  /** For snapshots that are restored here: keeps every value's form. Version 12. */
  exact?: boolean;
  /** 9 to 12; 10 by default. */
  version?: number;
  /** Default true. */
  compress?: boolean;
}

/** A snapshot: the state of one instant. Any thread can encode and read it by its number. */
export interface NativeSnapshot {
  readonly id: number;
  /** Ends the use of it; to be called whatever has become of it, by the thread that took it. */
  drop(): void;
}

/** Which keys of a file are wanted. Every condition has to hold. */
export interface NativeRdbFilter {
  /** As `SCAN ... MATCH` reads it. */
  pattern?: Bytes;
  /** Names of types as `TYPE` answers them. */
  types?: readonly string[];
  db?: number;
}

/** What {@link NativeRdbRequests} are for. */
export interface NativeRdbRequestOptions {
  filter?: NativeRdbFilter;
  /** Put before every key. */
  prefix?: Bytes;
  /** The newest version whose payloads the receiver reads: newer values are encoded anew. */
  version?: number;
  /** A key that cannot be sent becomes a record with slot 65535: its words are the key and the reason. */
  namesRefused?: boolean;
  /** The receiver may know the modules whose values are in the file. */
  hasModules?: boolean;
}

/** What was made of a file's keys so far. */
export interface NativeRdbRequestStats {
  keys: number;
  expired: number;
  empty: number;
  unwanted: number;
  refused: number;
  functions: number;
  moduleData: number;
}

/** Turns an RDB file into `RESTORE` requests: records `slot:u16 length:u32` (little endian) and so many bytes of RESP. */
export interface NativeRdbRequests {
  /** Takes the next piece; gives the records that are complete. */
  push(chunk: Uint8Array): Buffer;
  stats(): NativeRdbRequestStats;
  /** Throws if the file is not complete. */
  finish(): NativeRdbRequestStats;
}

/** How files are joined. */
export interface NativeRdbJoinOptions {
  isValkey: boolean;
  /** The newest of the files' versions. */
  version: number;
  aux: readonly (readonly [string, string | Uint8Array])[];
  filter?: NativeRdbFilter;
}

/** Makes one RDB file of several. */
export interface NativeRdbJoin {
  /** Takes the next piece of the file at hand; gives bytes of the joined one. */
  push(chunk: Uint8Array): Buffer;
  /** Throws if the file at hand is not complete. The next piece begins another. */
  nextFile(): void;
  /** The last bytes. */
  finish(): Buffer;
  /** Keys written so far. */
  readonly keys: number;
}

/** A tool for RDB files. Errors of its calls have the code `CORRUPT`, `IO` or `ERR`. */
interface NativeRdbTool {
  /** What is wrong with the file, if that is why a call failed. */
  readonly fault: { offset: number; reason: string } | null;
}

/** A tool whose calls to `push` give the number of bytes that belong to the file: less than all when it ends in the chunk. */
interface NativeRdbReader extends NativeRdbTool {
  push(chunk: Uint8Array): number;
}

/** Turns an RDB file into JSON. */
export interface NativeRdbJson extends NativeRdbTool {
  /** Takes the next piece; gives the text that is complete. */
  push(chunk: Uint8Array): Buffer;
  /** Throws if the file is not complete; gives the next piece of the remaining text, an empty one behind its end. */
  finish(): Buffer;
}

/** Counts what is in an RDB file. */
export interface NativeRdbInspect extends NativeRdbReader {
  /** Throws if the file is not complete; gives the report as JSON. */
  finish(): string;
}

/** Checks an RDB file. */
export interface NativeRdbCheck extends NativeRdbReader {
  /** Throws if the file is not complete. */
  finish(): void;
  readonly counts: {
    format: string;
    version: number;
    checksum: string;
    keys: number;
    otherDatabases: number;
    functions: number;
  };
}

/** Finds what differs between two RDB files. */
export interface NativeRdbDiff extends NativeRdbReader {
  /** Throws if the file is not complete. The first call leads to the second file, the second to the differences. */
  finish(): void;
  /** The next differences, an empty Buffer behind the last. */
  next(bytesWanted: number): Buffer;
  /** Keys added, removed, changed, equal. */
  readonly counts: number[];
}

/** How {@link NativeRdbConvert} writes. */
export interface NativeRdbConvertOptions {
  version: number;
  compress: boolean;
  pattern?: Uint8Array;
  types: string[];
  db?: number;
  prefix?: Uint8Array;
  stripTtl: boolean;
  dropFunctions: boolean;
}

/** Makes another RDB file of one. */
export interface NativeRdbConvert extends NativeRdbReader {
  /** Copies the next bytes of what has been written, and says how many these are: 0 behind the last. */
  read(target: Uint8Array): number;
  /** Throws if the file is not complete; gives the last bytes of the new one. */
  finish(): Buffer;
  /** Keys written, keys left out, bytes written. */
  readonly counts: number[];
}

/** Says what an RDB file says, in the form that `rdb/workbench/facts.ts` reads. */
export interface NativeRdbFacts extends NativeRdbReader {
  take(): Buffer;
  /** Throws if the file is not complete. */
  finish(): void;
}

/** Writes an RDB file from what `rdb/workbench/facts.ts` says. */
export interface NativeRdbCompose {
  /** Takes whole facts; gives the bytes of the file that are complete. */
  push(facts: Uint8Array): Buffer;
  finish(): Buffer;
  /** Keys and bytes written. */
  readonly counts: number[];
}

/** The addon's exports. Ids are process-wide: a worker attaches to what another thread made. */
export interface Native {
  /** Registers the class that command errors are made of, and the functions that make replies, for this thread. */
  register(errorClass: typeof HoldfastError, makers: Makers): void;
  keyspaceCreate(limit?: NativeMemoryLimit, collections?: CollectionLimits): number;
  /** Throws `CLOSED` if there is no keyspace of this id (any more). `ids`: one, or the keyspaces of a store's shards in order. */
  attach(ids: readonly number[], mode: HandleMode, bytes: false): NativeHandle<string>;
  attach(ids: readonly number[], mode: HandleMode, bytes: true): NativeHandle<Buffer>;
  /** Drops the process-wide name of a keyspace. Its memory goes when the last handle is released or collected. */
  keyspaceClose(id: number): void;
  statistics(id: number): NativeStatistics;
  /** 32 hex digits over everything visible; equal states have equal digests, in whatever order they were built. */
  digest(id: number): string;
  commandTable(): CommandFact[];
  slotOf(key: Bytes): number;
  /** The slots of a request's keys; `null` if it may touch any. Throws what is wrong with the number of words. */
  slotsOf(words: readonly Word[]): number[] | null;
  /** The bytes for a client, from a reply that went through the log. */
  transcodeReply(reply: Uint8Array, protocol: RespProtocol): Encoded;
  /** Gives this thread a bell: the number of the socket on which it is heard, which is the caller's to close. */
  bellOpen(): number;
  /** Tickets whose turn it is, in order of arrival. */
  bellAnswer(): number[];
  /**
   * Begins an attempt: the positions of the keys that may be tried. None: the attempt has failed. `first`: nobody has called the
   * ticket.
   */
  ticketBegin(ticket: number, first: boolean): number[];
  /**
   * Whose it is what an attempt for this ticket has taken: the first of those of this thread that ask the same of the same keys. They
   * are the only ones that may try at the same time.
   */
  ticketFirst(ticket: number): number;
  /** Ends an attempt that found nothing: whether another one is due, as if the ticket had been called. */
  ticketMissed(ticket: number): boolean;
  /** Gives a ticket back. */
  ticketLeave(ticket: number): void;
  /** Tickets of a keyspace, of all threads. */
  ticketCount(id: number): number;
  /**
   * A keyspace that only {@link Native.replicaApply} changes. Its id is good for `attach`, modes `local` and `leased`. With
   * `sibling`, both share the sibling's limit.
   */
  replicaCreate(limit?: NativeMemoryLimit, sibling?: number, collections?: CollectionLimits): number;
  /** What has to go into the log ahead of requests so that the limit is kept; `null` while it is. */
  replicaRoom(id: number): NativeRoom | null;
  /** Forgets a replica and its keyspace. */
  replicaClose(id: number): void;
  /** Applies the entry at `index`, `null` for one without requests. Outcomes of the session `own`, `null` for none. */
  replicaApply(id: number, index: number, batch: Uint8Array | null, own: number): Buffer | null;
  /** Outcomes of the session's requests from `firstSeq` on, as far as they are remembered. */
  replicaRemembered(id: number, session: number, firstSeq: number): Buffer;
  /** The group clock and the sessions, for a snapshot. */
  replicaSave(id: number): { stampMs: number; sessions: Buffer };
  /** Continues behind a snapshot whose keys were loaded. */
  replicaRestore(id: number, index: number, stampMs: number, sessions: Uint8Array): void;
  /** Lease clock, milliseconds; 0 for no lease. Seen by all threads at once. */
  replicaSetLease(id: number, untilMs: number): void;
  /** 32 hex digits over one of 64 parts of the replica's keyspace. */
  replicaDigestSlice(id: number, slice: number): string;
  replicaSetReady(id: number, ready: boolean): void;
  /** When the first key expires, Unix milliseconds, or `null`. */
  replicaNextExpiry(id: number): number | null;
  /** Lease clock, milliseconds with a fraction. */
  boottimeMs(): number;
  /** Makes ready what a snapshot of these keyspaces will need, so that it falls on nobody who writes. */
  snapshotPrepare(keyspaces: readonly number[]): void;
  /**
   * Takes a snapshot of these keyspaces as they are now, all at the same instant; `null` while another one of any of them is not
   * over. Throws `ERR` for a key that the version cannot hold.
   */
  snapshotCut(keyspaces: readonly number[], options?: NativeSnapshotOptions): NativeSnapshot | null;
  /** Whether a snapshot of any of these keyspaces is not over. */
  snapshotBusy(keyspaces: readonly number[]): boolean;
  /** Encodes a chunk, or waits until there is something to do again. False: nothing is left, or the snapshot is gone. */
  snapshotEncode(id: number, waitMs: number): boolean;
  /** Has so many threads of their own encode, too, until nothing is left to encode or the snapshot is gone. */
  snapshotHelp(id: number, threads: number): void;
  /** Has the system begin to write a part of a file to its disk, and does not wait for it. */
  beginWriteBack(fd: number, offset: number, bytes: number): void;
  /** Copies the next bytes, and says how many: 0 while no chunk is finished, `null` behind the end. */
  snapshotRead(id: number, target: Uint8Array): number | null;
  /** Keys encoded so far, and which part of all that is, from 0 to 1. */
  snapshotProgress(id: number): [number, number];
  /** `bytes`: of the file, where they are known. */
  RdbLoader: new (
    keyspaceId: number,
    options?: { db?: number; bytes?: number },
  ) => NativeRdbLoader;
  RdbRequests: new (options?: NativeRdbRequestOptions) => NativeRdbRequests;
  RdbJoin: new (options: NativeRdbJoinOptions) => NativeRdbJoin;
  RdbJson: new (canonical: boolean, folder?: string) => NativeRdbJson;
  RdbInspect: new (options: { biggest: number; slots: boolean }) => NativeRdbInspect;
  RdbCheck: new (folder: string) => NativeRdbCheck;
  RdbDiff: new (folder: string) => NativeRdbDiff;
  RdbConvert: new (options: NativeRdbConvertOptions) => NativeRdbConvert;
  RdbFacts: new (moduleBytesMax: number) => NativeRdbFacts;
  RdbCompose: new (options: {
    version: number;
    compress: boolean;
    aux: readonly (readonly [string, string | Uint8Array])[];
    folder: string;
  }) => NativeRdbCompose;
  /** What `TYPE` would answer for a value of this type byte. */
  rdbTypeName(rdbType: number): string | null;
}

const require = createRequire(import.meta.url);

/** The addon of this platform. */
export const native = require('../../build/holdfast.cjs') as Native;
native.register(HoldfastError, makers);
