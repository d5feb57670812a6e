/** What all commands of the workbench have alike: progress, the end by a signal, and errors of files. */
import { basename } from 'node:path';
import { HoldfastError } from '../../errors.js';
import { closePool, type Watched } from '../../rdb/index.js';
import type { RdbSource } from '../../rdb/workbench/source.js';
import { FileTrouble, UsageError } from '../failure.js';
import { Interrupted, onInterrupt } from '../interrupt.js';
import { progressOn } from './progress.js';

/** What a command is about. */
export interface About {
  /** What it does, for the line that shows progress. */
  verb: string;
  path: string;
  /** Whether it prints while it works. */
  isPrinting?: boolean;
}

/** What a command's work is given: the options of every tool. */
export type WorkOptions = Required<Watched>;

let isStdinTaken = false;

/** The file that a command is given; `-` is what comes on stdin, which can be read once. */
export function sourceOf(path: string): RdbSource {
  if (path !== '-') return path;
  if (isStdinTaken) throw new UsageError('stdin can be one of the files only');
  isStdinTaken = true;
  return process.stdin;
}

/** Runs the work of a command. A signal ends it, with what it has begun taken away. */
export async function runTool<T>(
  { verb, path, isPrinting = false }: About,
  work: (options: WorkOptions) => Promise<T>,
): Promise<T> {
  const abort = new AbortController();
  const progress = progressOn(`${verb} ${path === '-' ? 'stdin' : basename(path)}`, isPrinting);
  const interrupts = onInterrupt((signal, times) => {
    const interrupted = new Interrupted(signal);
    if (times > 1) process.exit(interrupted.exitCode);
    abort.abort(interrupted);
  });
  try {
    return await work({ signal: abort.signal, onProgress: (done, total) => progress.show(done, total) });
  } catch (error) {
    abort.signal.throwIfAborted();
    throw asTrouble(error);
  } finally {
    progress.end();
    interrupts.stop();
    // What has been given up may still be waited for.
    if (isStdinTaken) process.stdin.destroy();
    await closePool();
  }
}

function asTrouble(error: unknown): unknown {
  if (!(error instanceof HoldfastError) || error.code !== 'IO') return error;
  return new FileTrouble('IO', error.message, { cause: error.cause ?? error });
}

/** A key as one word, for people: as it is if it is plain, else quoted. */
export function shownKey(key: Buffer): string {
  const text = key.toString();
  if (/^[\x21-\x7e]+$/.test(text)) return text;
  const isText = Buffer.from(text).equals(key);
  return JSON.stringify(isText ? text : key.toString('latin1'));
}

/** `1 key`, `2 keys`. */
export function counted(count: number, what: string): string {
  return `${count} ${what}${count === 1 ? '' : 's'}`;
}
