/** The command line of the benchmarks. */
import { parseArgs } from 'node:util';
import { chosen } from './catalogue.js';
import type { Scale, Trial } from './trial.js';

const RUNS_MAX = 1_000;

export const USAGE = `npm run bench [-- TRIAL...] [--json FILE] [--list] [--runs N] [--tiny]

  TRIAL        a trial, the first word of several, keyspace or cluster; all of them by default
  --json FILE  write the figures to FILE as well
  --list       name the trials and run none
  --runs N     runs of each driver instead of the trial's own number
  --tiny       sizes that take a moment and measure nothing: shows that everything works
  --help       this text`;

/** What was asked for. */
export interface Asked {
  readonly trials: readonly Trial[];
  readonly json: string | undefined;
  readonly runs: number | undefined;
  readonly scale: Scale;
  readonly list: boolean;
  readonly help: boolean;
}

/**
 * Reads the command line.
 *
 * @throws TypeError or RangeError, with one sentence, for what cannot be.
 */
export function readArguments(args: readonly string[]): Asked {
  const { values, positionals } = parseArgs({
    args: [...args],
    allowPositionals: true,
    options: {
      json: { type: 'string' },
      list: { type: 'boolean' },
      runs: { type: 'string' },
      tiny: { type: 'boolean' },
      help: { type: 'boolean' },
    },
  });
  return {
    trials: chosen(positionals),
    json: values.json,
    runs: values.runs === undefined ? undefined : runsOf(values.runs),
    scale: values.tiny ? 'tiny' : 'real',
    list: values.list ?? false,
    help: values.help ?? false,
  };
}

function runsOf(text: string): number {
  const runs = Number(text);
  if (/^\d+$/.test(text) && runs >= 1 && runs <= RUNS_MAX) return runs;
  throw new RangeError(`--runs must be a whole number from 1 to ${RUNS_MAX}, not ${JSON.stringify(text)}`);
}
