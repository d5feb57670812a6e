/**
 * The door to the native code: the only file that loads the addon. The interfaces here are the whole surface; the
 * functions behind them check their arguments and throw `TypeError`, `RangeError` or `HoldfastError`.
 */
import { createRequire } from 'node:module';
import { HoldfastError } from '../errors.js';

/** A string is its UTF-8 bytes. */
export type Bytes = string | Uint8Array;
/** What a request's words may be made of. */
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

/**
 * How a handle may be used.
 * `plain`: a keyspace of this process alone; everything is allowed.
 * `local`: reads of a replica, whatever its age; a handle's functions return `undefined` while it is not ready.
 * `leased`: reads of a replica that leads and holds its lease; `undefined` when it does not.
 */
export type HandleMode = 'plain' | 'local' | 'leased';

/** Functions bound to one keyspace, or to the shards of one store. Each reads its arguments without allocating. */
export interface NativeHandle<B extends string | Buffer = string | Buffer> {
  get(key: Bytes): B | null | undefined;
  set(key: Bytes, value: Word): void;
  del(key: Bytes): number;
  exists(key: Bytes): number | undefined;
  strlen(key: Bytes): number | undefined;
  incrby(key: Bytes, by: number): number;
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
  /** Any command: its words, the name first. Throws the command's error. */
  call(words: readonly Word[]): ReplyValue | undefined;
  /** Several commands as one: nobody sees the state in between. Errors stand inside the array. `undefined`: as above. */
  transaction(requests: readonly (readonly Word[])[]): ReplyValue[] | undefined;
  /** After this the functions throw `CLOSED`. */
  release(): void;
}

/** One row of the command table. */
export interface CommandFact {
  name: string;
  arity: number;
  write: boolean;
  /** As in Redis: 0, 0, 0 for none; `all` for commands that may touch any key. */
  keys: { first: number; last: number; step: number } | { counted: number } | 'all' | 'none';
}

/** What `statistics` reports. */
export interface NativeStatistics {
  keys: number;
  expires: number;
  memoryBytes: number;
  memoryByType: { string: number; hash: number; list: number; set: number; zset: number };
}

/** The addon's exports. Ids are process-wide: a worker attaches to what another thread made. */
export interface Native {
  /** Registers the class that command errors are made of, for this thread. */
  registerError(errorClass: typeof HoldfastError): void;
  keyspaceCreate(): number;
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
  /** The words of a request as a RESP array, as the log holds it. */
  encodeRequest(words: readonly Word[]): Buffer;
  /** Lease clock, milliseconds with a fraction. */
  boottimeMs(): number;
}

const require = createRequire(import.meta.url);

/** The addon of this platform. */
export const native = require('../../build/holdfast.cjs') as Native;
native.registerError(HoldfastError);
