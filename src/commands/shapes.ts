/**
 * From a reply to a method's result. A reply of another kind than the command gives is a broken invariant, and throws a
 * plain `Error`.
 */
import type { ReplyValue } from '../keyspace/native.js';
import type { Bulk, Fields } from './form.js';

function unexpected(expected: string, reply: ReplyValue): Error {
  const kind = reply === null ? 'null' : Array.isArray(reply) ? 'array' : typeof reply;
  return new Error(`broken reply: ${expected} expected, ${kind} found`);
}

/** An integer; beyond 2^53 the nearest number. */
export function integer(reply: ReplyValue): number {
  if (typeof reply === 'number') return reply;
  if (typeof reply === 'bigint') return Number(reply);
  throw unexpected('integer', reply);
}

/** An integer or nothing. */
export function integerOrNull(reply: ReplyValue): number | null {
  return reply === null ? null : integer(reply);
}

/** A double, which commands give as a number or as its text. */
export function double(reply: ReplyValue): number {
  if (typeof reply === 'number') return reply;
  const text = String(bulk(reply));
  if (text === 'inf') return Number.POSITIVE_INFINITY;
  return text === '-inf' ? Number.NEGATIVE_INFINITY : Number(text);
}

/** A double or nothing. */
export function doubleOrNull(reply: ReplyValue): number | null {
  return reply === null ? null : double(reply);
}

/** Whether the reply is not 0. */
export function yes(reply: ReplyValue): boolean {
  return integer(reply) !== 0;
}

/** `OK` is nothing to tell. */
export function nothing(_reply: ReplyValue): void {}

/** A value. */
export function bulk(reply: ReplyValue): Bulk {
  if (typeof reply === 'string' || Buffer.isBuffer(reply)) return reply;
  throw unexpected('bulk', reply);
}

/** A value or nothing. */
export function bulkOrNull(reply: ReplyValue): Bulk | null {
  return reply === null ? null : bulk(reply);
}

/** The items of an array or a set. */
export function items(reply: ReplyValue): readonly ReplyValue[] {
  if (Array.isArray(reply)) return reply;
  if (reply instanceof Set) return [...reply];
  throw unexpected('array', reply);
}

/** An array of which each item has a shape. */
export function arrayOf<T>(shape: (reply: ReplyValue) => T): (reply: ReplyValue) => T[] {
  return (reply) => items(reply).map(shape);
}

/** Integers. */
export const integers = arrayOf(integer);

/** Values. */
export const bulks = arrayOf(bulk);

/** Values, none if there is no array. */
export function bulksOrNone(reply: ReplyValue): Bulk[] {
  return reply === null ? [] : bulks(reply);
}

/** An array of two. */
export function entry(reply: ReplyValue): readonly [ReplyValue, ReplyValue] {
  const [first, second, ...more] = items(reply);
  if (first === undefined || second === undefined || more.length > 0) throw unexpected('array of two', reply);
  return [first, second];
}

/** The pairs of a map, of an array of pairs, or of a flat array. */
export function pairs(reply: ReplyValue): readonly (readonly [ReplyValue, ReplyValue])[] {
  if (reply instanceof Map) return [...reply];
  const flat = items(reply);
  const found: [ReplyValue, ReplyValue][] = [];
  for (let i = 0; i < flat.length; i++) {
    const item = flat[i];
    if (Array.isArray(item)) found.push([item[0] ?? null, item[1] ?? null]);
    else found.push([item ?? null, flat[++i] ?? null]);
  }
  return found;
}

/** The fields of a hash. */
export function fields(reply: ReplyValue, _args: unknown, bytes: boolean): Fields<Bulk> {
  if (bytes) {
    return new Map(pairs(reply).map(([field, value]): [Buffer, Buffer] => [buffer(field), buffer(value)]));
  }
  const record: Record<string, string> = Object.create(null);
  for (const [field, value] of pairs(reply)) record[text(field)] = text(value);
  return record;
}

function buffer(reply: ReplyValue): Buffer {
  if (Buffer.isBuffer(reply)) return reply;
  throw unexpected('Buffer', reply);
}

/** Text, from a string or a Buffer. */
export function text(reply: ReplyValue): string {
  return String(bulk(reply));
}

/** The cursor and the items of a scan. */
export function scanned<T>(reply: ReplyValue, shape: (items: ReplyValue) => T): { cursor: string; page: T } {
  const [cursor, page] = items(reply);
  if (cursor === undefined || page === undefined) throw unexpected('cursor and items', reply);
  return {
    cursor: typeof cursor === 'string' || Buffer.isBuffer(cursor) ? text(cursor) : String(cursor),
    page: shape(page),
  };
}
