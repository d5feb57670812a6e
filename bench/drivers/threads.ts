/** Threads that use one keyspace at the same time. */
import { once } from 'node:events';
import type { Worker } from 'node:worker_threads';
import { Keyspace } from 'holdfast';
import { startThread } from '../fork.js';
import type { Driver } from '../trial.js';

/** What threads do. */
export interface Load {
  /** Reads among a hundred calls. */
  readonly readsPercent: number;
  /** Keys of each thread; with `shared`, of all of them together. */
  readonly keys: number;
  readonly shared: boolean;
  /** Whether each thread has a `Map` instead: then they share nothing but the machine. */
  readonly apart: boolean;
  /** Calls of each thread. */
  readonly calls: number;
}

/** What a thread is told. */
export interface ThreadOrder {
  readonly load: Load;
  /** Counts the threads that are ready, and lets them start together. */
  readonly gate: Int32Array;
}

/** What a thread answers: when it was done, and the sum over all that it read. */
export interface ThreadReport {
  readonly startedAt: number;
  readonly endedAt: number;
  readonly sum: number;
}

/** Some threads with a keyspace. */
export class ThreadTeam implements AsyncDisposable {
  readonly #keyspace = new Keyspace();
  readonly #threads: Worker[];

  constructor(count: number) {
    const script = new URL('./load-thread.ts', import.meta.url);
    this.#threads = Array.from({ length: count }, (_, thread) =>
      startThread(script, { keyspaceId: this.#keyspace.id, thread }),
    );
  }

  /** Lets every thread do this. All begin at the same time. */
  async run(load: Load): Promise<ThreadReport[]> {
    const gate = new Int32Array(new SharedArrayBuffer(8));
    const reports = this.#threads.map(async (thread) => {
      const answer = once(thread, 'message') as Promise<[ThreadReport]>;
      thread.postMessage({ load, gate } satisfies ThreadOrder);
      const [report] = await answer;
      return report;
    });
    while (Atomics.load(gate, 0) < this.#threads.length)
      await new Promise((resolve) => setTimeout(resolve, 1));
    Atomics.store(gate, 1, 1);
    Atomics.notify(gate, 1);
    return Promise.all(reports);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await Promise.all(this.#threads.map((thread) => thread.terminate()));
    this.#keyspace.close();
  }
}

/** A number of threads. */
export interface TeamDriver extends Driver {
  readonly threads: number;
}

/** The baseline. */
export const oneThreadDriver: TeamDriver = { name: '1 thread', threads: 1 };
/** As many as the smallest machine has cores. */
export const twoThreadsDriver: TeamDriver = { name: '2 threads', threads: 2 };
