/** What the code of a typed method consists of: the words it sends, and what it makes of the reply. */
import type { ReplyValue, Word } from '../keyspace/native.js';

/** One typed method. Pure; the surfaces do the rest. */
export interface Definition<A extends readonly unknown[], R> {
  /** The words of the request, the command's name first. Throws `TypeError` or `RangeError` on misuse. */
  encode(...args: A): Word[];
  /** The method's result. `bytes`: whether bulks are Buffers. */
  shape(reply: ReplyValue, args: A, bytes: boolean): R;
}

/** The definitions of every method of an interface. */
export type Definitions<Surface> = {
  readonly [Name in keyof Surface]: Surface[Name] extends (...args: infer A) => infer R
    ? Definition<A, R>
    : never;
};

/** A definition whose types have been checked already, against the interface it belongs to. */
export type AnyDefinition = Definition<never, unknown>;
