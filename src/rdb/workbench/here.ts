/** Tools that run on the calling thread, in slices, for sources that no other thread could read. */
import type { Watched } from '../watched.js';
import type { Listener } from './source.js';

/** Tells a caller how far the work is, and ends it when the caller has had enough. */
export function listenerOf({ onProgress, signal }: Watched): Listener {
  return {
    progress(done, total) {
      signal?.throwIfAborted();
      onProgress?.(done, total ?? 0);
    },
  };
}

/** Refuses options that no function here knows: one that is misspelled would do nothing. */
export function checkOptions(options: object, known: readonly string[]): void {
  const unknown = Object.keys(options).find((name) => !known.includes(name));
  if (unknown !== undefined)
    throw new TypeError(`unknown option ${JSON.stringify(unknown)}; known are ${known.join(', ')}`);
}
