import { once } from 'node:events';
import { EXIT } from './failure.js';

let gone = false;

/**
 * Whoever reads the output may stop reading, as `head` does. That is no failure: the process ends quietly, or does what
 * `onGone` says, and what is printed afterwards goes nowhere.
 */
export function tolerateGoneReader(onGone: () => void = () => process.exit(0)): void {
  process.stdout.removeAllListeners('error');
  process.stdout.on('error', (error: NodeJS.ErrnoException) => {
    if (gone) return;
    gone = true;
    if (error.code === 'EPIPE') return onGone();
    process.stderr.write(`holdfast: IO: stdout: ${error.message}\n`);
    process.exit(EXIT.unusable);
  });
}

/** A line on stdout. */
export function printLine(text: string): void {
  if (!gone) process.stdout.write(`${text}\n`);
}

/** Many chunks on stdout, no faster than they are read. The signal ends the waiting for a reader. */
export async function printAll(chunks: AsyncIterable<string>, signal: AbortSignal): Promise<void> {
  for await (const chunk of chunks) {
    if (gone) return;
    if (!process.stdout.write(chunk)) await once(process.stdout, 'drain', { signal });
  }
}

/** A message on stderr. */
export function warn(text: string): void {
  process.stderr.write(`holdfast: ${text}\n`);
}
