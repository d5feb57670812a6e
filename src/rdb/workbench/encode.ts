/** Keys as facts for the native part to write. */
import { FACT, type FactWriter, KEY_FLAG } from './facts.js';
import type { RdbGroup, RdbStream, RdbType, RdbWritten, RdbWrittenField, RdbWrittenKey } from './shapes.js';

/** The layout that each type is named by. The version decides which one is written. */
const TYPE_BYTES: Readonly<Record<RdbType, number>> = {
  string: 0,
  list: 1,
  set: 2,
  zset: 5,
  hash: 4,
  module: 7,
  stream: 21,
};
const TYPE_BYTE_OF_EXPIRING_HASH = 24;
const FREQ_MAX = 255;
const DATABASE_MAX = 2 ** 31 - 1;
const FIELD_EXPIRY_MAX = 2 ** 48 - 1;

type Bytes = string | Uint8Array;

/** Writes a key's head, without the value. @throws TypeError, RangeError for what is no key */
export function writeHead(out: FactWriter, key: RdbWrittenKey): void {
  const { db = 0, expireAtMs, idleS, freq, type } = key;
  const typeByte = TYPE_BYTES[type];
  if (typeByte === undefined) throw new TypeError(`unknown type ${JSON.stringify(type)}`);
  inRange('db', db, 0, DATABASE_MAX);
  inRange('expireAtMs', expireAtMs ?? 0, Number.MIN_SAFE_INTEGER, Number.MAX_SAFE_INTEGER);
  inRange('freq', freq ?? 0, 0, FREQ_MAX);
  const flags =
    (expireAtMs === undefined ? 0 : KEY_FLAG.expiry) |
    (idleS === undefined ? 0 : KEY_FLAG.idle) |
    (freq === undefined ? 0 : KEY_FLAG.freq);
  out.u8(FACT.key);
  out.u8(flags);
  out.u8(type === 'hash' ? TYPE_BYTE_OF_EXPIRING_HASH : typeByte);
  out.u8(freq ?? 0);
  out.i64(db);
  out.i64(expireAtMs ?? 0);
  out.i64(idleS ?? 0);
  out.bytes(bytesOf(key.key, 'key'));
}

/** Writes a value, or a part of one. @throws TypeError, RangeError for what is no value of its type */
export function* writeValue(out: FactWriter, written: RdbWritten): Generator<void> {
  switch (written.type) {
    case 'string': {
      const { value } = written;
      const isNumber = typeof value === 'number' || typeof value === 'bigint';
      out.u8(FACT.string);
      out.bytes(isNumber ? String(value) : bytesOf(value, 'value'));
      return;
    }
    case 'list':
    case 'set':
      for (const element of written.value) {
        out.u8(FACT.element);
        out.bytes(bytesOf(element, 'element'));
        yield;
      }
      return;
    case 'hash':
      for (const field of fieldsOf(written.value)) {
        writeField(out, field);
        yield;
      }
      return;
    case 'zset':
      for (const [member, score] of membersOf(written.value)) {
        if (typeof score !== 'number' || Number.isNaN(score)) throw new TypeError('a score must be a number');
        out.u8(FACT.scored);
        out.f64(score);
        out.bytes(bytesOf(member, 'member'));
        yield;
      }
      return;
    case 'stream':
      yield* writeStream(out, written.value);
      return;
    case 'module':
      out.u8(FACT.module);
      out.bytes(written.value.raw);
  }
}

function* fieldsOf(value: (RdbWritten & { type: 'hash' })['value']): Generator<RdbWrittenField> {
  if (value instanceof Map) for (const [field, text] of value) yield { field, value: text };
  else if (isIterable(value)) yield* value as Iterable<RdbWrittenField>;
  else for (const [field, text] of Object.entries(value)) yield { field, value: text as Bytes };
}

function* membersOf(value: (RdbWritten & { type: 'zset' })['value']): Generator<[Bytes, number]> {
  if (value instanceof Map) yield* value;
  else if (isIterable(value)) {
    for (const { member, score } of value as Iterable<{ member: Bytes; score: number }>)
      yield [member, score];
  } else yield* Object.entries(value as Record<string, number>);
}

function isIterable(value: object): value is Iterable<unknown> {
  return Symbol.iterator in value;
}

function writeField(out: FactWriter, { field, value, expireAtMs = 0 }: RdbWrittenField): void {
  inRange('expireAtMs of a field', expireAtMs, 0, FIELD_EXPIRY_MAX);
  out.u8(FACT.expiringPair);
  out.i64(expireAtMs);
  out.bytes(bytesOf(field, 'field'));
  out.bytes(bytesOf(value, 'value'));
}

function* writeStream(out: FactWriter, stream: RdbStream): Generator<void> {
  const { entries, lastId, maxDeletedId = '0-0', entriesAdded = entries.length, groups } = stream;
  for (const { id, fields } of entries) {
    out.u8(FACT.entry);
    out.id(id);
    for (const [field, value] of fields) {
      out.u8(FACT.pair);
      out.bytes(bytesOf(field, 'field'));
      out.bytes(bytesOf(value, 'value'));
    }
    out.u8(FACT.endEntry);
    yield;
  }
  out.u8(FACT.streamHead);
  out.i64(entries.length);
  out.id(lastId);
  out.u8(1);
  out.id(entries[0]?.id ?? '0-0');
  out.id(maxDeletedId);
  out.i64(entriesAdded);
  for (const group of groups) yield* writeGroup(out, group);
}

function* writeGroup(
  out: FactWriter,
  { name, lastId, entriesRead, pending, consumers }: RdbGroup,
): Generator<void> {
  const owned = new Set(consumers.flatMap((consumer) => consumer.pending));
  const unowned = pending.find(({ id }) => !owned.has(id));
  if (unowned !== undefined) throw new TypeError(`pending entry ${unowned.id} belongs to no consumer`);
  out.u8(FACT.group);
  out.id(lastId);
  out.i64(entriesRead);
  out.bytes(bytesOf(name, 'name of a group'));
  for (const { id, deliveredAtMs, deliveries } of pending) {
    out.u8(FACT.pending);
    out.id(id);
    out.i64(deliveredAtMs);
    out.i64(deliveries);
    yield;
  }
  for (const consumer of consumers) {
    out.u8(FACT.consumer);
    out.i64(consumer.seenAtMs);
    out.i64(consumer.activeAtMs);
    out.bytes(bytesOf(consumer.name, 'name of a consumer'));
    for (const id of consumer.pending) {
      out.u8(FACT.owned);
      out.id(id);
      yield;
    }
  }
}

function bytesOf(value: unknown, what: string): Bytes {
  if (typeof value === 'string' || value instanceof Uint8Array) return value;
  throw new TypeError(`${what} must be a string or bytes, not ${value === null ? 'null' : typeof value}`);
}

function inRange(name: string, value: number, min: number, max: number): void {
  if (!Number.isSafeInteger(value) || value < min || value > max)
    throw new RangeError(`${name} must be a whole number from ${min} to ${max}`);
}
