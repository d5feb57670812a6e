#!/usr/bin/env node
/** The command line: `holdfast --help`. */
import { CommanderError } from 'commander';
import { describeFailure, EXIT, exitCodeOf } from './failure.js';
import { tolerateGoneReader } from './output.js';
import { program } from './program.js';

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
