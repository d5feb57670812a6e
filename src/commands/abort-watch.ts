/** Callbacks for signals, any number of them to a signal: each has one listener, since Node warns of more than ten. */

interface Watch {
  readonly callbacks: Set<() => void>;
  readonly listener: () => void;
}

const watches = new WeakMap<AbortSignal, Watch>();

/** Calls `onAbort` when the signal is aborted, unless {@link unwatchAbort} comes before. */
export function watchAbort(signal: AbortSignal, onAbort: () => void): void {
  const watch = watches.get(signal);
  if (watch !== undefined) {
    watch.callbacks.add(onAbort);
    return;
  }
  const callbacks = new Set([onAbort]);
  const listener = () => notify(callbacks);
  watches.set(signal, { callbacks, listener });
  signal.addEventListener('abort', listener, { once: true });
}

/** Ends {@link watchAbort}. A signal may live much longer than those who watch it: the last one takes the listener along. */
export function unwatchAbort(signal: AbortSignal, onAbort: () => void): void {
  const watch = watches.get(signal);
  if (watch === undefined) return;
  watch.callbacks.delete(onAbort);
  if (watch.callbacks.size > 0) return;
  signal.removeEventListener('abort', watch.listener);
  watches.delete(signal);
}

function notify(callbacks: ReadonlySet<() => void>): void {
  for (const callback of [...callbacks]) callback();
}
