/** Callbacks for signals, any number of them to a signal: each has one listener, since Node warns of more than ten. */

const watches = new WeakMap<AbortSignal, Set<() => void>>();

/** Calls `onAbort` when the signal is aborted, unless {@link unwatchAbort} comes before. */
export function watchAbort(signal: AbortSignal, onAbort: () => void): void {
  const watch = watches.get(signal);
  if (watch !== undefined) {
    watch.add(onAbort);
    return;
  }
  const callbacks = new Set([onAbort]);
  watches.set(signal, callbacks);
  signal.addEventListener('abort', () => notify(callbacks), { once: true });
}

/** Ends {@link watchAbort}. */
export function unwatchAbort(signal: AbortSignal, onAbort: () => void): void {
  watches.get(signal)?.delete(onAbort);
}

function notify(callbacks: ReadonlySet<() => void>): void {
  for (const callback of [...callbacks]) callback();
}
