/** What the pool's threads are asked, and what they say. Everything here crosses threads by structured clone. */
import type { MessagePort } from 'node:worker_threads';
import type { NativeRdbFilter, NativeRdbRequestOptions } from '../keyspace/native.js';
import type { Task } from './workbench/tasks.js';

/** Options of {@link saveFile}, as a thread needs them. */
export interface SaveForm {
  /** Metadata for the file's head: pairs of name and value. Default: none. */
  aux?: readonly (readonly [string, string | Uint8Array])[];
  /** Keeps every value's form, due keys included: for files that are only restored here. Default: false. */
  exact?: boolean;
  /** Version of the format, 9 to 12: which servers can read the file. Default: 10, that of Redis 7.0. */
  version?: number;
  /** Whether long strings are compressed (LZF). Default: true. */
  compress?: boolean;
}

/** How files are joined, as a thread needs it. */
export interface JoinForm {
  /** Whose format the files have. */
  format: 'REDIS' | 'VALKEY';
  /** The newest of their versions. */
  version: number;
  /** Metadata for the head of the joined file; that of the files is left out. */
  aux: readonly (readonly [string, string])[];
  /** Which keys. Default: all. */
  filter?: NativeRdbFilter;
}

/** A job. `port` carries progress and pieces one way, permission, orders and cancellation the other. */
export type Job =
  | { kind: 'load'; path: string; keyspaceId: number; db?: number; port: MessagePort }
  /** Waits for a {@link Begin} when it is ready. */
  | { kind: 'save'; keyspaces: readonly number[]; port: MessagePort }
  | { kind: 'digest'; keyspaceId: number; port: MessagePort }
  | { kind: 'tool'; task: Task; port: MessagePort }
  | { kind: 'requests'; path: string; options: NativeRdbRequestOptions; port: MessagePort }
  | { kind: 'join'; paths: readonly string[]; path: string; form: JoinForm; port: MessagePort };

/** What is wrong with a file, and where. */
export interface Fault {
  path: string;
  reason: string;
  offset: number;
}

/** How a job ended: errors lose their class between threads, so failures are data. */
export type Outcome =
  | { kind: 'done'; value: unknown }
  | { kind: 'failed'; code: string; message: string; fault?: Fault }
  | { kind: 'cancelled' };

/** What a thread says while it works. */
export type Notice =
  /** The total is missing where nobody knows it. `note`: what there is to tell beside it, depending on the job. */
  | { kind: 'progress'; done: number; total: number | undefined; note?: unknown }
  /** The thread has time now: what it is to save may be taken. */
  | { kind: 'ready' }
  /** One more piece of the result; the thread waits for a `more` per piece once {@link PIECES_AHEAD} are on their way. */
  | { kind: 'piece'; bytes: Uint8Array }
  /** The last notice: it comes behind all pieces, which another channel could not promise. */
  | { kind: 'end'; outcome: Outcome };

/** The snapshot to be saved, and where. */
export interface Begin {
  readonly snapshot: number;
  readonly path: string;
}

/** What a thread is told while it works. */
export type Word = 'more' | 'cancel' | Begin;

/** Pieces that may be on their way before the receiver has taken any. */
export const PIECES_AHEAD = 4;
