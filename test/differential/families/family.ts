/** What a family of commands brings to the comparison with Redis. */
import type { Vocabulary } from '../vocabulary.js';

/** A request in words, the command's name first, in upper case. */
export type Request = readonly (string | Buffer)[];

/** A reply in a form that can be compared: bulks as latin1 text, numbers as text. */
export type Comparable = string | number | null | Comparable[] | { error: string };

/** Makes one request of a kind. */
export type Make = (words: Vocabulary) => Request;

/** A kind of request. A plain function counts once and may be spoilt: a word lost, added, or replaced by an odd one. */
export type Row =
  | Make
  | {
      readonly make: Make;
      /** How often it is made, next to 1. */
      readonly weight?: number;
      /** Whether it means something in this form only, and is never spoilt. */
      readonly fixed?: boolean;
    };

/**
 * How a reply is compared.
 *
 * - `'unordered'`: an array whose order says nothing
 * - `'unordered-pairs'`: a flat array of pairs in any order
 * - `'scan'`, `'scan-pairs'`: a cursor, and items or pairs in any order
 * - `'seconds'`, `'milliseconds'`: a time read from a clock, which runs on between the two
 * - a function: brings the reply of either side to a form that must be equal
 */
export type ReplyForm =
  | 'unordered'
  | 'unordered-pairs'
  | 'scan'
  | 'scan-pairs'
  | 'seconds'
  | 'milliseconds'
  | ((reply: Comparable, request: Request) => Comparable);

/** A difference that is meant. */
export interface Meant {
  readonly reason: string;
  applies(request: Request, redis: Comparable, ours: Comparable): boolean;
}

/** A family of commands. */
export interface Family {
  /** What `--families` calls it. */
  readonly name: string;
  readonly rows: readonly Row[];
  /** How often a request is one of this family's, next to 1. */
  readonly weight?: number;
  /** Keys that this family writes more often than others; some are made from its name by default. */
  readonly keys?: readonly string[];
  /** Whether no other family's requests may name these keys, nor this family's any others. */
  readonly apart?: boolean;
  /** Replies that are not compared word for word, by the command's name in upper case. */
  readonly replies?: Readonly<Record<string, ReplyForm>>;
  /** Requests that read a value whole, by the type that `TYPE` names. */
  readonly state?: Readonly<Record<string, (key: string | Buffer) => readonly Request[]>>;
  /** Where the keyspace, which follows Redis 7.2 and later, differs from redis-server 7.0.15 on purpose. */
  readonly meant?: readonly Meant[];
}

/** The name of a request's command, in upper case. */
export const nameOf = (request: Request): string => String(request[0]).toUpperCase();

/** Whether a reply is a refusal. */
export const isRefusal = (reply: Comparable | undefined): reply is { error: string } =>
  typeof reply === 'object' && reply !== null && !Array.isArray(reply);
