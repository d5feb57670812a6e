/** Keys as programs have them that read and write RDB files by themselves. */

/** Bytes of a file: a Buffer, or a string where strings were asked for. */
export type RdbBytes = Buffer | string;

/** A number that a file holds in 64 bits: a bigint beyond 2^53. */
export type RdbCount = number | bigint;

/** A field of a hash. */
export interface RdbField<B extends RdbBytes = RdbBytes> {
  field: B;
  value: B;
  /** When the field expires, in Unix milliseconds. */
  expireAtMs?: number;
}

/** A member of a sorted set. */
export interface RdbMember<B extends RdbBytes = RdbBytes> {
  member: B;
  score: number;
}

/** An entry of a stream. */
export interface RdbStreamEntry<B extends RdbBytes = RdbBytes> {
  /** Milliseconds and a sequence number: `'1700000000000-0'`. */
  id: string;
  /** Fields with their values. */
  fields: [field: B, value: B][];
}

/** An entry that was delivered and not acknowledged. */
export interface RdbPending {
  id: string;
  /** Unix milliseconds. */
  deliveredAtMs: number;
  deliveries: RdbCount;
}

/** A consumer of a group. */
export interface RdbConsumer<B extends RdbBytes = RdbBytes> {
  name: B;
  /** When it was last heard of, in Unix milliseconds. */
  seenAtMs: number;
  /** When it last got an entry, in Unix milliseconds; -1 is never. Files before Redis 7.2 have `seenAtMs` here. */
  activeAtMs: number;
  /** Ids of the entries that are pending with it; each is in the group's `pending`. */
  pending: string[];
}

/** A consumer group. */
export interface RdbGroup<B extends RdbBytes = RdbBytes> {
  name: B;
  /** The id delivered last. */
  lastId: string;
  /** Entries that the group has read; -1 is unknown. */
  entriesRead: RdbCount;
  /** Every one belongs to one consumer. */
  pending: RdbPending[];
  consumers: RdbConsumer<B>[];
}

/** A stream. */
export interface RdbStream<B extends RdbBytes = RdbBytes> {
  entries: RdbStreamEntry<B>[];
  /** The greatest id ever given. */
  lastId: string;
  /** The greatest id ever deleted. Files before Redis 7.0 do not know it. */
  maxDeletedId?: string;
  /** Entries ever added. Files before Redis 7.0 do not know it. */
  entriesAdded?: RdbCount;
  groups: RdbGroup<B>[];
}

/** What a module wrote, for the module alone to understand. */
export interface RdbModule {
  /** Nine characters. */
  name: string;
  /** Version of the module's encoding. */
  version: number;
  /** The value as it stands in the file, the module's id included. */
  raw: Buffer;
}

/** What every key has. */
export interface RdbKeyHead<B extends RdbBytes = RdbBytes> {
  /** Number of the database. */
  db: number;
  key: B;
  /** When the key expires, in Unix milliseconds. */
  expireAtMs?: number;
  /** Seconds since the key was last used, in files of a server that keeps count (LRU). */
  idleS?: RdbCount;
  /** How often the key was used, 0 to 255 on a logarithmic scale, in files of a server that keeps count (LFU). */
  freq?: number;
}

/** A value with its type. */
export type RdbTyped<B extends RdbBytes = RdbBytes> =
  | { type: 'string'; value: B }
  /** From head to tail. */
  | { type: 'list'; value: B[] }
  | { type: 'set'; value: B[] }
  | { type: 'hash'; value: RdbField<B>[] }
  | { type: 'zset'; value: RdbMember<B>[] }
  | { type: 'stream'; value: RdbStream<B> }
  | { type: 'module'; value: RdbModule };

/** Names of the types, as `TYPE` answers; `module` for all that modules have. */
export type RdbType = RdbTyped['type'];

/** How a value stands in its file. */
export interface RdbPlace {
  /** The layout's name: `listpack`, `intset`, `plain`, ... */
  encoding: string;
  /** The layout's number. */
  rdbType: number;
  /** Where the key's record begins in the file, behind its expiry. */
  offset: number;
  /** In parts (`oversized: 'parts'`): number of the part from 0, present if there are several. */
  part?: number;
  /** In parts: more of this key comes next. */
  more?: boolean;
}

/** A key of a file. */
export type RdbKey<B extends RdbBytes = Buffer> = RdbKeyHead<B> & RdbTyped<B> & RdbPlace;

/** A key whose value was longer than what may be held (`oversized: 'omit'`). */
export type RdbOmittedKey<B extends RdbBytes = Buffer> = RdbKeyHead<B> &
  RdbPlace & { type: RdbType; value?: undefined; omitted: true };

/** Values as they may be written: more than one shape for what JavaScript has more than one for. */
export type RdbWritten =
  | { type: 'string'; value: string | Uint8Array | number | bigint }
  | { type: 'list'; value: Iterable<string | Uint8Array> }
  | { type: 'set'; value: Iterable<string | Uint8Array> }
  | {
      type: 'hash';
      value:
        | Iterable<RdbWrittenField>
        | ReadonlyMap<string | Uint8Array, string | Uint8Array>
        | Readonly<Record<string, string | Uint8Array>>;
    }
  | {
      type: 'zset';
      value:
        | Iterable<{ member: string | Uint8Array; score: number }>
        | ReadonlyMap<string | Uint8Array, number>
        | Readonly<Record<string, number>>;
    }
  | { type: 'stream'; value: RdbStream }
  | { type: 'module'; value: { raw: Uint8Array } };

/** A field as it may be written. */
export interface RdbWrittenField {
  field: string | Uint8Array;
  value: string | Uint8Array;
  /** Unix milliseconds. RDB version 12 is needed. */
  expireAtMs?: number;
}

/** A key as it may be written: what `readRdb` gives, or less. */
export type RdbWrittenKey = {
  /** Default: 0. */
  db?: number;
  key: string | Uint8Array;
  /** Unix milliseconds. Default: never. */
  expireAtMs?: number;
  /** Seconds since the key was last used. */
  idleS?: RdbCount;
  /** How often the key was used, 0 to 255. */
  freq?: number;
  /** More of this key comes next: see `oversized: 'parts'` of `readRdb`. */
  more?: boolean;
} & RdbWritten;
