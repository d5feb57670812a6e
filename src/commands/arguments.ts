/**
 * Checks of arguments. Each returns what it was given, or throws: `TypeError` for a wrong kind, `RangeError` for a value
 * that no command takes. The message names the argument.
 */
import type { Bytes, Word } from '../keyspace/native.js';

/** One item, or several. */
export type OneOrMore<T> = T | readonly T[];

/** Pairs as a record, a Map, or an array of pairs. */
export type Pairs<K, V> = Readonly<Record<string, V>> | ReadonlyMap<K, V> | readonly (readonly [K, V])[];

function describe(value: unknown): string {
  if (value === null) return 'null';
  if (Array.isArray(value)) return 'an array';
  return typeof value === 'object' ? 'an object' : typeof value;
}

function wrongType(name: string, expected: string, value: unknown): TypeError {
  return new TypeError(`${name} must be ${expected}, not ${describe(value)}`);
}

/** A key, field, member or pattern. */
export function bytes(value: Bytes, name: string): Bytes {
  if (typeof value === 'string' || value instanceof Uint8Array) return value;
  throw wrongType(name, 'a string or a Uint8Array', value);
}

/** A value: bytes, or a number, which stands for its decimal text. */
export function word(value: Word, name: string): Word {
  if (typeof value === 'string' || typeof value === 'bigint' || value instanceof Uint8Array) return value;
  if (typeof value !== 'number') throw wrongType(name, 'a string, a Uint8Array, a number or a bigint', value);
  if (!Number.isFinite(value)) throw new RangeError(`${name} must be a finite number, not ${value}`);
  return value;
}

/** An integer: a bigint, or a number that holds one exactly. */
export function integer(value: number | bigint, name: string): number | bigint {
  if (typeof value === 'bigint' || Number.isSafeInteger(value)) return value;
  if (typeof value !== 'number') throw wrongType(name, 'an integer', value);
  throw new RangeError(`${name} must be a safe integer, not ${value}`);
}

/** A number of things: an integer, not below 0. */
export function count(value: number, name: string): number {
  if (typeof value !== 'number') throw wrongType(name, 'an integer', value);
  if (Number.isSafeInteger(value) && value >= 0) return value;
  throw new RangeError(`${name} must be an integer not below 0, not ${value}`);
}

/** A finite number. */
export function finite(value: number, name: string): number {
  if (typeof value !== 'number') throw wrongType(name, 'a number', value);
  if (Number.isFinite(value)) return value;
  throw new RangeError(`${name} must be a finite number, not ${value}`);
}

/** A score: any number but NaN. */
export function score(value: number, name: string): Word {
  if (typeof value !== 'number') throw wrongType(name, 'a number', value);
  if (Number.isNaN(value)) throw new RangeError(`${name} must not be NaN`);
  return Number.isFinite(value) ? value : value > 0 ? '+inf' : '-inf';
}

/** An end of a range of scores: a number, or Redis's notation (`(5` leaves 5 out). */
export function scoreBound(value: number | Bytes, name: string): Word {
  return typeof value === 'number' ? score(value, name) : bytes(value, name);
}

/** A point in time as whole seconds or milliseconds (`unitMs`: 1000 or 1) since 1970. */
export function instant(value: number | Date, unitMs: number, name: string): number | bigint {
  if (!(value instanceof Date)) return integer(value, name);
  const ms = value.getTime();
  if (Number.isNaN(ms)) throw new RangeError(`${name} must be a valid Date`);
  return Math.floor(ms / unitMs);
}

/** One of a few words, in upper case. */
export function oneOf<T extends string>(value: T, name: string, allowed: readonly T[]): string {
  if (!allowed.includes(value)) throw new TypeError(`${name} must be one of: ${allowed.join(', ')}`);
  return value.toUpperCase();
}

/** Appends one item or several to `words`; none at all is refused, as Redis does. */
export function pushAll<T>(
  words: Word[],
  items: OneOrMore<T>,
  name: string,
  check: (item: T, name: string) => Word,
): Word[] {
  if (!Array.isArray(items)) {
    words.push(check(items as T, name));
    return words;
  }
  if (items.length === 0) throw new RangeError(`${name} must not be empty`);
  for (let i = 0; i < items.length; i++) words.push(check(items[i], `${name}[${i}]`));
  return words;
}

/** Appends the number of keys, and the keys. */
export function pushCounted(words: Word[], keys: OneOrMore<Bytes>): Word[] {
  const at = words.push(0) - 1;
  pushAll(words, keys, 'keys', bytes);
  words[at] = words.length - at - 1;
  return words;
}

/** Appends a count, if there is one. */
export function withCount(
  words: Word[],
  n: number | undefined,
  check: (n: number, name: string) => Word,
): Word[] {
  if (n !== undefined) words.push(check(n, 'count'));
  return words;
}

/** The entries of a record, a Map or an array of pairs. */
function entriesOf<K, V>(pairs: Pairs<K, V>, name: string): Iterable<readonly [K | string, V]> {
  if (pairs instanceof Map || Array.isArray(pairs)) return pairs;
  if (typeof pairs !== 'object' || pairs === null || pairs instanceof Uint8Array) {
    throw wrongType(name, 'a record, a Map or an array of pairs', pairs);
  }
  return Object.entries(pairs);
}

/** Appends the pairs of a record, a Map or an array of pairs to `words`; none at all is refused. */
export function pushPairs<V>(
  words: Word[],
  pairs: Pairs<Bytes, V>,
  name: string,
  push: (first: Bytes, second: V, name: string) => void,
): Word[] {
  const before = words.length;
  for (const pair of entriesOf(pairs, name)) {
    if (!Array.isArray(pair)) throw wrongType(`each item of ${name}`, 'a pair', pair);
    push(bytes(pair[0], `a name in ${name}`), pair[1], `${name}[${JSON.stringify(String(pair[0]))}]`);
  }
  if (words.length === before) throw new RangeError(`${name} must not be empty`);
  return words;
}
