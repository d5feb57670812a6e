/** Transactions: commands that are noted first, and run as one by `exec`. */
import { HoldfastError } from '../errors.js';
import type { Bytes, ReplyValue, Word } from '../keyspace/native.js';
import type { Definition } from './definition.js';
import type { Request } from './executor.js';
import type { Bulk, Delivery, Queued } from './form.js';
import { encoded, install, RUN, requestOf, wordsOf } from './surface.js';
import { type Commands, reads, writes } from './table.js';

/** The answers of a transaction, at once or promised. */
export type Delivered<D extends Delivery, T> = D extends 'now' ? T : Promise<T>;

/** Runs requests as one. */
export type RunTogether<D extends Delivery> = (requests: readonly Request[]) => Delivered<D, ReplyValue[]>;

/** A command that waits for `exec`. */
interface Noted {
  readonly request: Request;
  shape(reply: ReplyValue): unknown;
}

/**
 * Some commands of a transaction were refused. As in Redis nothing is taken back: the other commands have taken effect.
 * `code` and `message` are those of the first refusal.
 */
export class TransactionError extends HoldfastError {
  /** The replies of all commands, in their order, with a {@link HoldfastError} in place of each refused one. */
  readonly replies: readonly ReplyValue[];

  constructor(refused: HoldfastError, replies: readonly ReplyValue[]) {
    const at = replies.indexOf(refused) + 1;
    const message = `command ${at} of ${replies.length} in the transaction was refused: ${refused.message}`;
    super(refused.code, message, { mayTakeEffect: true, cause: refused });
    this.replies = replies;
  }
}

// The methods come from the table; `install` below gives the class every one that the interface names.
export interface Transaction<B extends Bulk, D extends Delivery, Answers extends readonly unknown[]>
  extends Commands<Queued<B, D, Answers>> {}

/**
 * Notes commands, with the same methods as the surface it was made by, and runs them as one: nobody sees the state in
 * between. Nothing happens before `exec`. A transaction is run once.
 */
// biome-ignore lint/suspicious/noUnsafeDeclarationMerging: every method of the interface is installed
export class Transaction<B extends Bulk, D extends Delivery, Answers extends readonly unknown[]> {
  readonly #run: RunTogether<D>;
  readonly #bytes: boolean;
  readonly #noted: Noted[] = [];
  #executed = false;

  /** @internal */
  constructor(run: RunTogether<D>, bytes: boolean) {
    this.#run = run;
    this.#bytes = bytes;
  }

  /** Number of commands noted. */
  get length(): number {
    return this.#noted.length;
  }

  /** Notes any command: its name and its words. */
  call(name: Bytes, ...words: Word[]): Transaction<B, D, [...Answers, ReplyValue]>;
  call(name: Bytes, ...words: Word[]): unknown {
    this.#note({ request: requestOf(wordsOf(name, words)), shape: (reply) => reply });
    return this;
  }

  /**
   * Runs the commands noted, and gives their answers in order.
   *
   * @throws TransactionError if a command was refused; the others have taken effect.
   * @throws HoldfastError as the commands' own methods, before anything has taken effect.
   */
  exec(): Delivered<D, Answers>;
  exec(): unknown {
    this.#checkPending();
    this.#executed = true;
    const replies = this.#run(this.#noted.map(({ request }) => request));
    return replies instanceof Promise ? replies.then((all) => this.#shape(all)) : this.#shape(replies);
  }

  /** @internal */
  [RUN]<A extends readonly unknown[], R>(definition: Definition<A, R>, args: A): this {
    const shape = (reply: ReplyValue): R => definition.shape(reply, args, this.#bytes);
    this.#note({ request: encoded(definition, args), shape });
    return this;
  }

  #note(noted: Noted): void {
    this.#checkPending();
    this.#noted.push(noted);
  }

  #checkPending(): void {
    if (this.#executed) throw new TypeError('this transaction has been executed; begin another with multi()');
  }

  #shape(replies: readonly ReplyValue[]): unknown[] {
    const refused = replies.find((reply) => reply instanceof HoldfastError);
    if (refused !== undefined) throw new TransactionError(refused, replies);
    return this.#noted.map(({ shape }, i) => shape(replies[i] ?? null));
  }
}

install(Transaction.prototype, { ...reads, ...writes });
