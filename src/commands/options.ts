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

/** An option that is one of a few words. */
export function choice<V extends string>(tokens: Readonly<Record<V, string>>): OptionEncoder<V> {
  return (words, value, _token, name) => {
    if (!Object.hasOwn(tokens, value)) {
      throw new TypeError(`option '${name}' must be one of: ${Object.keys(tokens).join(', ')}`);
    }
    words.push(tokens[value]);
  };
}

/** Refuses options that are no object, or have a name that `known` lacks. */
export function checkNames(owner: string, options: object, known: Iterable<string>): void {
  if (typeof options !== 'object' || options === null) {
    throw new TypeError(`options of ${owner} must be an object`);
  }
  const names = [...known];
  for (const name of Object.keys(options)) {
    if (names.includes(name)) continue;
    const takes = names.length === 0 ? 'none' : names.join(', ');
    throw new TypeError(`unknown option '${name}' of ${owner}; it takes: ${takes}`);
  }
}

/** Appends the words of `options`, in the order given, to the request of `method`. */
export function optionsOf<O extends object>(
  method: string,
  encoders: OptionEncoders<O>,
): (words: Word[], options: O | undefined) => Word[] {
  const known = new Map<string, OptionEncoder<never>>(Object.entries(encoders));
  return (words, options) => {
    if (options === undefined) return words;
    checkNames(method, options, known.keys());
    for (const [name, value] of Object.entries(options)) {
      if (value !== undefined) known.get(name)?.(words, value as never, name.toUpperCase(), name);
    }
    return words;
  };
}
