/** What every surface has: a way to run a definition. Methods are installed from the table, one for each definition. */
import { HoldfastError } from '../errors.js';
import type { Bytes, CommandFact, Word } from '../keyspace/native.js';
import { bytes, word } from './arguments.js';
import type { AnyDefinition, Definition } from './definition.js';
import type { Request } from './executor.js';
import { factOf } from './table.js';

/** Names the method that runs a definition: no part of the public surface. */
export const RUN = Symbol('run');

/** A class that typed methods can be installed on. */
interface Surface {
  [RUN](definition: AnyDefinition, args: never): unknown;
}

/** Gives `surface` one method for each definition, and replaces those that have a direct one. */
export function install(
  surface: Surface,
  definitions: Readonly<Record<string, AnyDefinition>>,
  direct: Readonly<Record<string, unknown>> = {},
): void {
  for (const [name, definition] of Object.entries(definitions)) {
    const generic = {
      [name](this: Surface, ...args: unknown[]): unknown {
        return this[RUN](definition, args as never);
      },
    };
    const value = direct[name] ?? generic[name];
    Object.defineProperty(surface, name, { value, writable: true, configurable: true });
  }
}

/** The words of `call`, checked. */
export function wordsOf(name: Bytes, args: readonly Word[]): Word[] {
  const words: Word[] = [bytes(name, 'name')];
  for (const arg of args) words.push(word(arg, `word ${words.length}`));
  return words;
}

/** A request from checked words. An unknown name is refused in Redis's words. */
export function requestOf(words: readonly Word[]): Request {
  const [name = '', ...args] = words;
  const command = factOf(name);
  if (command !== undefined) return { words, command };
  // Up to the first zero byte, as Redis quotes.
  const quoted = (text: Word): string => String(text).slice(0, 128).split('\0', 1)[0] ?? '';
  const seen = args.map((arg) => `'${quoted(arg)}' `).join('');
  throw new HoldfastError(
    'ERR',
    `ERR unknown command '${quoted(name)}', with args beginning with: ${seen.slice(0, 128)}`,
  );
}

/** A request from a definition, and what will make an answer of its reply. */
export function encoded<A extends readonly unknown[], R>(definition: Definition<A, R>, args: A): Request {
  const words = definition.encode(...args);
  return { words, command: knownFact(words) };
}

function knownFact(words: readonly Word[]): CommandFact {
  const command = factOf(words[0] ?? '');
  if (command === undefined) throw new Error(`the command table has no ${String(words[0])}`);
  return command;
}
