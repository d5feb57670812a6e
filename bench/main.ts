/** `npm run bench`: runs trials, prints their figures, writes them as JSON. */
import { writeFileSync } from 'node:fs';
import { constants } from 'node:os';
import { type Asked, readArguments, USAGE } from './arguments.js';
import { describeMachine, load } from './machine.js';
import { formatTrial } from './report.js';
import { type Measurement, runTrial } from './run.js';

const EXIT_FAILED = 1;
const EXIT_USAGE = 2;
const SIGNALS = ['SIGINT', 'SIGTERM', 'SIGHUP'] as const;

function print(text: string): void {
  process.stdout.write(`${text}\n`);
}

/** What runs just now, for who watches: on one line of a terminal. */
function showRun(trial: string, driver: string, run: number, runs: number): void {
  if (process.stderr.isTTY) process.stderr.write(`\r\x1b[K${trial}: run ${run} of ${runs}, ${driver}`);
}

function hideRun(): void {
  if (process.stderr.isTTY) process.stderr.write('\r\x1b[K');
}

async function runAll({ trials, json, runs, scale }: Asked, signal: AbortSignal): Promise<void> {
  for (const line of describeMachine(trials)) print(line);
  if (scale === 'tiny') print('sizes     tiny: these figures mean nothing');
  const all: Measurement[] = [];
  for (const trial of trials) {
    print(`\n${trial.name}: ${trial.about}`);
    const { measurements, skipped } = await runTrial(trial, { scale, runs, signal, onRun: showRun });
    hideRun();
    for (const { driver, reason } of skipped) print(`${driver} is skipped: ${reason}`);
    print(formatTrial(trial, measurements));
    all.push(...measurements);
  }
  print(`\nload      ${load()} after the last run`);
  if (json !== undefined) writeFileSync(json, `${JSON.stringify(all, null, 2)}\n`);
}

/** Ends what is under way at a signal. */
function interruption(): { readonly signal: AbortSignal; exitCode(): number | undefined } {
  const controller = new AbortController();
  let exitCode: number | undefined;
  for (const name of SIGNALS) {
    process.on(name, () => {
      exitCode = 128 + constants.signals[name];
      controller.abort(new Error(`interrupted by ${name}`));
    });
  }
  return { signal: controller.signal, exitCode: () => exitCode };
}

function complain(error: unknown): void {
  hideRun();
  process.stderr.write(`bench: ${error instanceof Error ? error.message : error}\n`);
}

async function main(): Promise<number> {
  let asked: Asked;
  try {
    asked = readArguments(process.argv.slice(2));
  } catch (error) {
    complain(error);
    return EXIT_USAGE;
  }
  if (asked.help) {
    print(USAGE);
    return 0;
  }
  if (asked.list) {
    for (const { name, about } of asked.trials) print(`${name.padEnd(17)} ${about}`);
    return 0;
  }
  const { signal, exitCode } = interruption();
  try {
    await runAll(asked, signal);
    return 0;
  } catch (error) {
    complain(error);
    return exitCode() ?? EXIT_FAILED;
  }
}

process.exitCode = await main();
