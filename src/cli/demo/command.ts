import { access, constants } from 'node:fs/promises';
import { fileURLToPath } from 'node:url';
import { HoldfastError } from '../../errors.js';
import { Interrupted, onInterrupt } from '../interrupt.js';
import { printLine } from '../output.js';
import { resultTable } from './result.js';
import { Demo } from './run.js';
import { TerminalView } from './terminal-view.js';
import { PlainView, silentView, type View } from './view.js';

/** Options of `holdfast demo`. */
export interface DemoCommandOptions {
  rdb?: string;
  shards: number;
  seconds: number;
  inFlight: number;
  keep?: boolean;
  json?: boolean;
}

// From the package's root, because only the sources lie where they were written: the compiled files are elsewhere.
const OWN_RDB = fileURLToPath(new URL('../../../src/cli/demo/demo.rdb', import.meta.url));

function viewFor(json: boolean): View {
  if (json) return silentView;
  if (!process.stdout.isTTY) return new PlainView(printLine);
  return new TerminalView(process.stdout, process.env.NO_COLOR === undefined);
}

/** Runs the demo and prints what it found. Resolves to the exit code. */
export async function demoCommand(options: DemoCommandOptions): Promise<number> {
  const { rdb = OWN_RDB, shards, seconds, inFlight, keep = false, json = false } = options;
  await access(rdb, constants.R_OK).catch((cause) => {
    throw new HoldfastError(
      'IO',
      `${rdb} cannot be read: ${cause instanceof Error ? cause.message : cause}`,
      { cause },
    );
  });
  const abort = new AbortController();
  // The second time nobody wants to wait any more; what is left is removed on the way out.
  const listening = onInterrupt((signal, times) => {
    if (times > 1) process.exit(new Interrupted(signal).exitCode);
    abort.abort(new Interrupted(signal));
  });
  try {
    const demo = new Demo({ rdb, shards, seconds, inFlight, keep }, viewFor(json), abort.signal);
    const result = await demo.run();
    if (json) printLine(JSON.stringify(result, null, 2));
    else {
      printLine(resultTable(result));
      for (const example of result.examples) printLine(example);
      if (keep) printLine(`the data is in ${demo.dir}`);
    }
    return result.ok ? 0 : 1;
  } finally {
    listening.stop();
  }
}
