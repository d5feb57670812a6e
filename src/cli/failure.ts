import { HoldfastError } from '../errors.js';
import { Interrupted } from './interrupt.js';

/** What the shell is told. */
export const EXIT = { fine: 0, failed: 1, usage: 2, unusable: 2 } as const;

/** The command line asks for something that cannot be. */
export class UsageError extends Error {
  override readonly name = 'UsageError';
}

/** A file that the user named cannot be used: for commands whose exit code 1 has another meaning. */
export class FileTrouble extends HoldfastError {}

/** Runs checks of what the user asked for, whose misuse errors are usage errors here. */
export async function asUsage<T>(check: () => T | Promise<T>): Promise<T> {
  try {
    return await check();
  } catch (error) {
    if (error instanceof TypeError || error instanceof RangeError)
      throw new UsageError(error.message, { cause: error });
    throw error;
  }
}

/** One word for the kind of failure. */
function codeOf(error: unknown): string {
  if (error instanceof HoldfastError) return error.code;
  if (error instanceof UsageError) return 'USAGE';
  if (error instanceof Interrupted) return 'INTERRUPTED';
  if (error instanceof Error && 'syscall' in error) return 'IO';
  return 'FAILED';
}

/** The exit code for an error. */
export function exitCodeOf(error: unknown): number {
  if (error instanceof Interrupted) return error.exitCode;
  if (error instanceof UsageError) return EXIT.usage;
  return error instanceof FileTrouble ? EXIT.unusable : EXIT.failed;
}

/** The error as one line; with `verbose`, where it comes from as well. */
export function describeFailure(error: unknown, verbose: boolean): string {
  const text = error instanceof Error ? error.message : String(error);
  const line = `holdfast: ${codeOf(error)}: ${text.replaceAll(/\s*\n\s*/g, ' ')}`;
  if (!verbose || !(error instanceof Error)) return line;
  const cause = error.cause === undefined ? '' : `\ncaused by ${stackOf(error.cause)}`;
  return `${line}\n${stackOf(error)}${cause}`;
}

function stackOf(error: unknown): string {
  return error instanceof Error ? (error.stack ?? error.message) : String(error);
}
