/**
 * How one written-down command surface serves four: synchronous or promised, strings or Buffers, and queued in a
 * transaction. The families' interfaces are written over a {@link Form}; each method's result is `Reply<F, T>`.
 */
import type { Transaction } from './transaction.js';

/** What holds a value: a string, or a Buffer on the `bytes` surfaces. */
export type Bulk = string | Buffer;

/** When an answer is there: at once, or as a promise. */
export type Delivery = 'now' | 'promised';

/** The shape of a surface. */
export interface Form {
  /** What values, fields and members come back as. */
  readonly bulk: Bulk;
  /** How the answer comes back: `queued` is a transaction's builder, whose methods return the builder. */
  readonly reply: Delivery | 'queued';
}

/** Methods return their answer. */
export interface Sync<B extends Bulk> extends Form {
  /** What values come back as. */
  readonly bulk: B;
  /** At once. */
  readonly reply: 'now';
}

/** Methods return a promise of their answer. */
export interface Async<B extends Bulk> extends Form {
  /** What values come back as. */
  readonly bulk: B;
  /** As a promise. */
  readonly reply: 'promised';
}

/** Methods note the command and return the transaction, which remembers the types of the answers to come. */
export interface Queued<B extends Bulk, D extends Delivery, Answers extends readonly unknown[]> extends Form {
  /** What values come back as. */
  readonly bulk: B;
  /** With `exec`. */
  readonly reply: 'queued';
  /** How `exec` gives the answers. */
  readonly delivery: D;
  /** Types of the answers so far. */
  readonly answers: Answers;
}

/** An answer of type `T` as a surface of form `F` gives it. */
export type Reply<F extends Form, T> = F['reply'] extends 'now'
  ? T
  : F['reply'] extends 'promised'
    ? Promise<T>
    : F extends Queued<infer B, infer D, infer Answers>
      ? Transaction<B, D, [...Answers, T]>
      : never;

/** An iteration over items of type `T`: `for` on synchronous surfaces, `for await` on promised ones. */
export type Iteration<F extends Form, T> = F['reply'] extends 'now'
  ? Generator<T, void, undefined>
  : AsyncGenerator<T, void, undefined>;

/** One item (or none, `null`) if no count was given, else an array. */
export type OneOrMany<N extends number | undefined, B extends Bulk> = N extends number ? B[] : B | null;

/**
 * All fields of a hash: a record without prototype, in the order of the hash. On the `bytes` surfaces, where fields may
 * be any bytes, a Map.
 */
export type Fields<B extends Bulk> = B extends string ? Record<string, B> : Map<B, B>;
