/** The threads for finite heavy work. They start with the first job and end when there has been none for a while. */
import { availableParallelism } from 'node:os';
import { fileURLToPath } from 'node:url';
import { MessageChannel } from 'node:worker_threads';
import { Piscina } from 'piscina';
import { HoldfastError } from '../errors.js';
import type { Begin, Job, Notice, Outcome, Word } from './jobs.js';
import { CorruptRdbError } from './workbench/corrupt.js';

/** More threads would fight over the disk and the locks. */
const THREADS_MAX = 4;
/** How long a thread waits for another job. */
const IDLE_MS = 1_000;

/** How many threads there may be. */
export const threadsMax = Math.min(availableParallelism(), THREADS_MAX);

let pool: Piscina<Job, void> | undefined;

function started(): Piscina<Job, void> {
  pool ??= create();
  return pool;
}

function create(): Piscina<Job, void> {
  const created = new Piscina<Job, void>({
    filename: fileURLToPath(new URL('./worker.js', import.meta.url)),
    minThreads: 0,
    maxThreads: threadsMax,
    // The host's own preloads and flags are not for these threads: no foreign code runs here.
    execArgv: [],
    idleTimeout: IDLE_MS,
    // An idle thread sleeps in its event loop, where it can be ended at once.
    atomics: 'disabled',
    // A descriptor that becomes a socket is closed by it, which the list of descriptors to be closed never learns.
    trackUnmanagedFds: false,
  });
  // A thread that fails before it has a job, because it cannot load the native code, say, would end the process if nobody
  // listened. It ends this pool: what waits for it fails, and what comes next has another one.
  created.on('error', (error: unknown) => {
    if (pool === created) pool = undefined;
    failures.set(created, error);
    void created.destroy();
  });
  return created;
}

/** What ended a pool. */
const failures = new WeakMap<Piscina<Job, void>, unknown>();

/** A job as its caller describes it: the port is made here. */
export type JobOrder = Job extends infer J ? (J extends Job ? Omit<J, 'port'> : never) : never;

/** A job on its way. */
export interface Running {
  /** The result. Rejects with a `HoldfastError` (`IO` if the thread fails), or with the reason of the signal. */
  readonly result: Promise<unknown>;
  /** Allows one more piece. */
  more(): void;
  /** Answers the notice that the thread is ready. */
  begin(order: Begin): void;
  /** Ends the job at its next step. */
  cancel(): void;
}

/** Starts a job. `notice` hears what the thread says while it works. */
export function start(order: JobOrder, notice: (notice: Notice) => void, signal?: AbortSignal): Running {
  const { port1: here, port2: there } = new MessageChannel();
  const tell = (word: Word) => here.postMessage(word);
  const cancel = () => tell('cancel');
  const job = { ...order, port: there } as Job;
  const outcome = new Promise<Outcome>((resolve) => {
    here.on('message', (said: Notice) => {
      if (said.kind === 'end') resolve(said.outcome);
      else notice(said);
    });
  });
  const result = settle(job, outcome, signal, cancel).finally(() => here.close());
  return { result, more: () => tell('more'), begin: tell, cancel };
}

async function settle(
  job: Job,
  end: Promise<Outcome>,
  signal: AbortSignal | undefined,
  cancel: () => void,
): Promise<unknown> {
  signal?.throwIfAborted();
  signal?.addEventListener('abort', cancel, { once: true });
  try {
    await run(job);
    const outcome = await end;
    if (outcome.kind === 'failed') throw failureOf(outcome);
    if (outcome.kind === 'done') return outcome.value;
    signal?.throwIfAborted();
    return undefined;
  } finally {
    signal?.removeEventListener('abort', cancel);
  }
}

/** Has a thread do the job. Rejects with `IO` if there is none, or if it ends before it is done. */
async function run(job: Job): Promise<void> {
  const runner = started();
  try {
    await runner.run(job, { transferList: [job.port] });
  } catch (error) {
    const cause = failures.get(runner) ?? error;
    const text = cause instanceof Error ? cause.message : String(cause);
    throw new HoldfastError('IO', `a thread that reads and writes files failed: ${text}`, { cause });
  }
}

function failureOf({ code, message, fault }: Outcome & { kind: 'failed' }): Error {
  if (fault !== undefined) return new CorruptRdbError(fault.path, fault.reason, fault.offset);
  return new HoldfastError(code, message);
}

/** Ends the idle threads now, instead of in a second. Jobs on their way are finished first. */
export async function closePool(): Promise<void> {
  const closing = pool;
  pool = undefined;
  await closing?.close();
}
