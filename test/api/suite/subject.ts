/**
 * What the command suites run on. They are written once, over the promised surface; a synchronous keyspace fits as it is,
 * because `await` and `for await` take plain values, too.
 */
import type {
  Async,
  BlockingCommands,
  Bulk,
  Bytes,
  Commands,
  ReplyValue,
  ScanIterators,
  Transaction,
  Word,
} from 'holdfast';
import { HoldfastError } from 'holdfast';
import { afterAll, beforeAll, beforeEach } from 'vitest';

/** A surface under test. */
export interface Surface<B extends Bulk>
  extends Commands<Async<B>>,
    ScanIterators<Async<B>>,
    BlockingCommands<B> {
  call(name: Bytes, ...words: Word[]): Promise<ReplyValue>;
  multi(): Transaction<B, 'promised', []>;
}

/** A keyspace or a store under test. */
export interface Subject {
  readonly strings: Surface<string>;
  readonly buffers: Surface<Buffer>;
  close(): Promise<void>;
}

/** Opens an empty subject. */
export type Open = () => Promise<Subject>;

/** Takes a synchronous surface for a promised one. */
export function surfaceOf<B extends Bulk>(surface: object): Surface<B> {
  return surface as Surface<B>;
}

/** Opens a subject for the tests of a `describe`, empties it before each, and gives access to it. */
export function useSubject(open: Open): { readonly db: Surface<string>; readonly bytes: Surface<Buffer> } {
  let subject: Subject | undefined;
  const opened = (): Subject => {
    if (subject === undefined) throw new Error('the subject is open during tests only');
    return subject;
  };
  beforeAll(async () => {
    subject = await open();
  });
  beforeEach(async () => {
    await opened().strings.flushall();
  });
  afterAll(async () => {
    await subject?.close();
  });
  return {
    get db() {
      return opened().strings;
    },
    get bytes() {
      return opened().buffers;
    },
  };
}

/** The error that `run` throws, or rejects with. */
export async function failure(run: () => unknown): Promise<HoldfastError> {
  try {
    await run();
  } catch (error) {
    if (error instanceof HoldfastError) return error;
    throw error;
  }
  throw new Error('a HoldfastError was expected, and nothing failed');
}

/** The error that `run` throws at once: misuse does not wait for a promise. */
export function misuse(run: () => unknown): TypeError | RangeError {
  try {
    run();
  } catch (error) {
    if (error instanceof TypeError || error instanceof RangeError) return error;
    throw error;
  }
  throw new Error('a TypeError or RangeError was expected, and nothing was thrown');
}

/** A number of seconds left, rounded up to tens: tests may be slow. */
export function about(seconds: number): number {
  return seconds <= 0 ? seconds : Math.ceil(seconds / 10) * 10;
}

/**
 * Within what time something that is due is gone: a replicated store goes by the clock of its log, which may be a tick
 * behind, and a loaded machine takes its time.
 */
export const GONE_WITHIN_MS = 10_000;

/** A value of a type that the compiler would refuse, as JavaScript callers pass it. */
export function wrong(value: unknown): never {
  return value as never;
}
