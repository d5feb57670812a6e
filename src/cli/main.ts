#!/usr/bin/env node
/** The command line: `holdfast --help`. */
import { CommanderError } from 'commander';
import { describeFailure, EXIT, exitCodeOf } from './failure.js';
import { Interrupted } from './interrupt.js';
import { tolerateGoneReader } from './output.js';
import { program } from './program.js';

/** How long a process that was interrupted waits for whoever reads its output. */
const FLUSH_MS = 500;

function isVerbose(): boolean {
  return process.argv.includes('--verbose') || (process.env.HOLDFAST_DEBUG ?? '') !== '';
}

function fail(error: unknown): void {
  if (error instanceof CommanderError) {
    // Help that was asked for is fine; commander has said already what is wrong otherwise.
    process.exitCode = error.exitCode === 0 ? EXIT.fine : EXIT.usage;
    return;
  }
  process.stderr.write(`${describeFailure(error, isVerbose())}\n`);
  process.exitCode = exitCodeOf(error);
  // What has been printed may wait for a reader who never comes.
  if (error instanceof Interrupted) setTimeout(() => process.exit(), FLUSH_MS).unref();
}

async function main(): Promise<void> {
  tolerateGoneReader();
  process.stderr.on('error', () => {});
  const commands = program((exitCode) => {
    process.exitCode = exitCode;
  });
  try {
    await commands.parseAsync();
  } catch (error) {
    fail(error);
  }
}

void main();
