import { constants } from 'node:os';

const SIGNALS = ['SIGINT', 'SIGTERM', 'SIGHUP'] as const;
/** A signal that asks a process to end. */
export type EndSignal = (typeof SIGNALS)[number];

/** Work given up because of a signal. */
export class Interrupted extends Error {
  override readonly name = 'Interrupted';
  /** What shells expect of a process that a signal ended. */
  readonly exitCode: number;

  constructor(signal: EndSignal) {
    super(`interrupted by ${signal}`);
    this.exitCode = 128 + constants.signals[signal];
  }
}

/** Calls the listener for each such signal, with how many there were, instead of ending the process. */
export function onInterrupt(listener: (signal: EndSignal, times: number) => void): { stop(): void } {
  let times = 0;
  const handle = (signal: NodeJS.Signals) => {
    times++;
    listener(signal as EndSignal, times);
  };
  for (const signal of SIGNALS) process.on(signal, handle);
  return {
    stop() {
      for (const signal of SIGNALS) process.off(signal, handle);
    },
  };
}
