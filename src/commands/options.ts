/** Options of commands: an object in TypeScript, words in the request. Unknown names are refused. */
import type { Bytes, Word } from '../keyspace/native.js';
import { bytes, count, instant, integer } from './arguments.js';

/** Appends the words of one option to the request. `token` is its name in upper case. */
type OptionEncoder<V> = (words: Word[], value: V, token: string, name: string) => void;

/** An encoder for each option of `O`. */
export type OptionEncoders<O> = { readonly [Name in keyof O]-?: OptionEncoder<Exclude<O[Name], undefined>> };

/** An option that is there or not. */
export function flag(words: Word[], value: boolean, token: string, name: string): void {
  if (typeof value !== 'boolean') throw new TypeError(`option '${name}' must be true or false`);
  if (value) words.push(token);
}

/** An option with an integer. */
export function integerOption(words: Word[], value: number | bigint, token: string, name: string): void {
  words.push(token, integer(value, `option '${name}'`));
}

/** An option with a number of things. */
export function countOption(words: Word[], value: number, token: string, name: string): void {
  words.push(token, count(value, `option '${name}'`));
}

/** An option with bytes. */
export function bytesOption(words: Word[], value: Bytes, token: string, name: string): void {
  words.push(token, bytes(value, `option '${name}'`));
}

/** An option with a time in seconds, or a Date. */
export function secondsOption(words: Word[], value: number | Date, token: string, name: string): void {
  words.push(token, instant(value, 1000, `option '${name}'`));
}

/** An option with a time in milliseconds, or a Date. */
export function millisecondsOption(words: Word[], value: number | Date, token: string, name: string): void {
  words.push(token, instant(value, 1, `option '${name}'`));
}

/** An option with a part of what was found: so many, after leaving out the first ones. */
export function limitOption(
  words: Word[],
  limit: { offset: number; count: number },
  token: string,
  name: string,
): void {
  if (typeof limit !== 'object' || limit === null) {
    throw new TypeError(`option '${name}' must be {offset, count}`);
  }
  words.push(token, integer(limit.offset, `${name}.offset`), integer(limit.count, `${name}.count`));
}

/** An option that is one of a few words. */
export function choice<V extends string>(tokens: Readonly<Record<V, string>>): OptionEncoder<V> {
  return (words, value, _token, name) => {
    if (!Object.hasOwn(tokens, value)) {
      throw new TypeError(`option '${name}' must be one of: ${Object.keys(tokens).join(', ')}`);
    }
    words.push(tokens[value]);
  };
}

function checkObject(owner: string, options: object): void {
  if (typeof options !== 'object' || options === null) {
    throw new TypeError(`options of ${owner} must be an object`);
  }
}

function unknownOption(owner: string, name: string, known: readonly string[]): TypeError {
  const takes = known.length === 0 ? 'none' : known.join(', ');
  return new TypeError(`unknown option '${name}' of ${owner}; it takes: ${takes}`);
}

/** Refuses options that are no object, or have a name that is not `known`. */
export function checkNames(owner: string, options: object, known: readonly string[]): void {
  checkObject(owner, options);
  for (const name of Object.keys(options)) {
    if (!known.includes(name)) throw unknownOption(owner, name, known);
  }
}

/** Checks that a path can be one. */
export function checkPath(path: string): void {
  if (typeof path !== 'string' || path === '') throw new TypeError('path must be the name of a file');
}

/** Appends the words of `options`, in the order given, to the request of `method`. */
export function optionsOf<O extends object>(
  method: string,
  encoders: OptionEncoders<O>,
): (words: Word[], options: O | undefined) => Word[] {
  const known = new Map<string, { token: string; encode: OptionEncoder<never> }>();
  for (const [name, encode] of Object.entries<OptionEncoder<never>>(encoders)) {
    known.set(name, { token: name.toUpperCase(), encode });
  }
  return (words, options) => {
    if (options === undefined) return words;
    checkObject(method, options);
    for (const [name, value] of Object.entries(options)) {
      const option = known.get(name);
      if (option === undefined) throw unknownOption(method, name, [...known.keys()]);
      if (value !== undefined) option.encode(words, value as never, option.token, name);
    }
    return words;
  };
}
