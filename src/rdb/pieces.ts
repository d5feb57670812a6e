/** The result of a job that comes in pieces, with the thread never more than a few pieces ahead. */
import { type JobOrder, start } from './pool.js';

/** What the thread has said and the receiver has not asked for yet. Bounded by the thread's credit. */
class Inbox {
  readonly #pieces: Uint8Array[] = [];
  #wake: (() => void) | undefined;
  #ended = false;

  put(piece: Uint8Array): void {
    this.#pieces.push(piece);
    this.#wake?.();
  }

  end(): void {
    this.#ended = true;
    this.#wake?.();
  }

  /** The next piece, `undefined` behind the last. */
  async take(): Promise<Uint8Array | undefined> {
    while (this.#pieces.length === 0 && !this.#ended) {
      await new Promise<void>((resolve) => {
        this.#wake = resolve;
      });
    }
    return this.#pieces.shift();
  }
}

/** Runs the job while the pieces are asked for. Leaving early cancels it. */
export async function* pieces(
  order: JobOrder,
  signal?: AbortSignal,
  onProgress?: (done: number, total: number, note: unknown) => void,
): AsyncGenerator<Uint8Array, void, undefined> {
  const inbox = new Inbox();
  const job = start(
    order,
    (notice) => {
      if (notice.kind === 'piece') inbox.put(notice.bytes);
      else if (notice.kind === 'progress') onProgress?.(notice.done, notice.total ?? 0, notice.note);
    },
    signal,
  );
  const ended = job.result.finally(() => inbox.end());
  // Awaited below, or of no interest to a receiver who has left.
  ended.catch(() => {});
  let complete = false;
  try {
    for (;;) {
      const piece = await inbox.take();
      if (piece === undefined) break;
      job.more();
      yield piece;
    }
    complete = true;
    await ended;
  } finally {
    if (!complete) job.cancel();
  }
}
