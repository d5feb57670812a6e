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
import type {
  CommandFact,
  Encoded,
  NativeHandle,
  ReplyValue,
  RespProtocol,
  Word,
} from '../keyspace/native.js';
import type { Bulk } from './form.js';
import type { WaitingRoom } from './waiting-room.js';

/** A request that its caller may give up, as long as it has not left this process. */
export class Attempt {
  /**
   * Gives the request up: if it has not left, it takes no effect and rejects with `WITHDRAWN`. Otherwise nothing changes. Set by whoever
   * runs the request, if it can be given up.
   */
  withdraw: () => void = () => {};
}

/** One command to run. */
export interface Request {
  /** The command's name and its arguments. */
  readonly words: readonly Word[];
  /** What the native side says about the command. */
  readonly command: CommandFact;
  /** How its caller gives it up. */
  readonly attempt?: Attempt | undefined;
}

/** Runs requests, some time. */
export interface Executor {
  /** Functions that answer a read at once, or `undefined` where it has to be executed. */
  readonly reads: NativeHandle<Bulk>;
  /** Where callers of blocking commands wait. */
  readonly room: WaitingRoom;
  /** Runs one command. */
  execute(request: Request): Promise<ReplyValue>;
  /** Runs several commands as one, and answers their replies in order. */
  transaction(requests: readonly Request[]): Promise<ReplyValue[]>;
}

/**
 * How a read of a connection gets its answer. A client that sends requests without waiting for replies counts on their order,
 * so a read must not overtake what was asked before it.
 * `quickest`: from memory where this process holds the lease. Good if nothing of the connection is under way.
 * `barrier`: from memory behind a read barrier, and so behind the reads that wait for one.
 * `log`: as a write, and so behind the writes that are in the log. Not for commands that may touch every key.
 */
export type ReadWay = 'quickest' | 'barrier' | 'log';

/** Runs requests for clients of the Redis protocol, whose replies are bytes. A refusal of the command is such a reply, too. */
export interface EncodedExecutor {
  /** Any handle of the keyspaces. */
  readonly handle: NativeHandle;
  /** Where clients that are blocked wait. */
  readonly room: WaitingRoom;
  /** Runs one command; at once if it can. */
  execute(request: Request, protocol: RespProtocol, way: ReadWay): Encoded | Promise<Encoded>;
  /** Runs several commands as one; the reply is the array of theirs. */
  transaction(requests: readonly Request[], protocol: RespProtocol, way: ReadWay): Encoded | Promise<Encoded>;
}
