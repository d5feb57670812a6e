import { type JobOrder, start } from './pool.js';

/** Hears how far a job is. */
export interface Watched {
  /**
   * Called with what is done and the total: bytes of the file for reading, a fraction of 1 for saving. The total is 0 where nobody
   * knows it.
   */
  onProgress?: (done: number, total: number) => void;
  /** Ends the job at its next step; its promise rejects with the signal's reason. */
  signal?: AbortSignal;
}

/** Runs a job whose result is one value. */
export async function runWatched<T>(order: JobOrder, { onProgress, signal }: Watched = {}): Promise<T> {
  const job = start(
    order,
    (notice) => {
      if (notice.kind === 'progress') onProgress?.(notice.done, notice.total ?? 0);
    },
    signal,
  );
  return (await job.result) as T;
}
