import { once } from 'node:events';

let gone = false;

/**
 * Whoever reads the output may stop reading, as `head` does. That is no failure: the process ends quietly, or does what
 * `onGone` says, and what is printed afterwards goes nowhere.
 */
export function tolerateGoneReader(onGone: () => void = () => process.exit(0)): void {
  process.stdout.removeAllListeners('error');
  process.stdout.on('error', (error: NodeJS.ErrnoException) => {
    if (error.code !== 'EPIPE') throw error;
    if (gone) return;
    gone = true;
    onGone();
  });
}

/** A line on stdout. */
export function printLine(text: string): void {
  if (!gone) process.stdout.write(`${text}\n`);
}

/** Many chunks on stdout, no faster than they are read. */
export async function printAll(chunks: AsyncIterable<string>): Promise<void> {
  for await (const chunk of chunks) {
    if (gone) return;
    if (!process.stdout.write(chunk)) await once(process.stdout, 'drain');
  }
}

/** A message on stderr. */
export function warn(text: string): void {
  process.stderr.write(`holdfast: ${text}\n`);
}
