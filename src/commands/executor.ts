/**
 * What the promised surface stands on. A store implements it once and hands it to {@link AsyncCommands}: everything typed
 * (arguments, options, shapes of replies) is done above, everything about where and when a request runs is done below.
 *
 * - `words` are checked and complete, the command's name first, in upper case for typed methods, as given for `call`.
 * - `command` holds the facts of the native command table (`write` decides whether the log is needed, `keys` which words
 *   are keys); it has been looked up already, and a name that the table does not know never gets here.
 * - A reply has its bulks as strings, or as Buffers for an executor of a `bytes` surface.
 * - A refusal of the command rejects with its {@link HoldfastError}. Inside a transaction refusals stand in the array.
 */
import type { CommandFact, ReplyValue, Word } from '../keyspace/native.js';

/** One command to run. */
export interface Request {
  /** The command's name and its arguments. */
  readonly words: readonly Word[];
  /** What the native side says about the command. */
  readonly command: CommandFact;
}

/** Runs requests, some time. */
export interface Executor {
  /** Runs one command. */
  execute(request: Request): Promise<ReplyValue>;
  /** Runs several commands as one, and answers their replies in order. */
  transaction(requests: readonly Request[]): Promise<ReplyValue[]>;
}
