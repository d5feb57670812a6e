/** Runs trials: every run in a process of its own, drivers in turn, so that what changes on the machine meets all of them. */
import type { ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { RunAnswer } from './child.js';
import { forkScript } from './fork.js';
import { quartiles } from './statistics.js';
import type { RunResult, Scale, Trial } from './trial.js';

const ENTRY = new URL('./child.ts', import.meta.url);
/** How long a run that was told to end may take. */
const END_MS = 3_000;

/** One line of the JSON output. */
export interface Measurement {
  readonly trial: string;
  readonly driver: string;
  readonly metric: string;
  readonly unit: string;
  readonly median: number;
  readonly q1: number;
  readonly q3: number;
  /** How many runs these are of. */
  readonly runs: number;
}

/** A driver that was left out, and why. */
export interface Skipped {
  readonly driver: string;
  readonly reason: string;
}

/** What a trial found. */
export interface TrialOutcome {
  readonly measurements: readonly Measurement[];
  readonly skipped: readonly Skipped[];
}

/** How trials are run. */
export interface RunOptions {
  readonly scale: Scale;
  /** Instead of the trial's own number of runs. */
  readonly runs: number | undefined;
  /** Ends the run under way, and everything after it. */
  readonly signal: AbortSignal;
  /** Told before each run. */
  readonly onRun: (trial: string, driver: string, run: number, runs: number) => void;
}

/** Runs one trial. */
export async function runTrial(trial: Trial, options: RunOptions): Promise<TrialOutcome> {
  const { skipped, drivers } = await available(trial);
  const runs = options.runs ?? trial.runs;
  const results = new Map<string, RunResult[]>(drivers.map((driver) => [driver, []]));
  for (let run = 1; run <= runs; run++) {
    for (const [driver, own] of results) {
      options.onRun(trial.name, driver, run, runs);
      own.push(await runOnce(trial.name, driver, options));
    }
  }
  checkAgreement(trial.name, results);
  const measurements = [...results].flatMap(([driver, own]) => measurementsOf(trial.name, driver, own));
  return { measurements, skipped };
}

async function available(trial: Trial): Promise<{ drivers: string[]; skipped: Skipped[] }> {
  const drivers: string[] = [];
  const skipped: Skipped[] = [];
  for (const driver of trial.drivers) {
    const reason = await driver.unavailable?.();
    if (reason === undefined) drivers.push(driver.name);
    else skipped.push({ driver: driver.name, reason });
  }
  return { drivers, skipped };
}

async function runOnce(trial: string, driver: string, { scale, signal }: RunOptions): Promise<RunResult> {
  signal.throwIfAborted();
  const scratch = mkdtempSync(join(tmpdir(), 'holdfast-bench-'));
  const child = forkScript(ENTRY, [trial, driver, scale, scratch]);
  const end = (): void => endChild(child);
  signal.addEventListener('abort', end);
  try {
    const answer = await answerOf(child);
    signal.throwIfAborted();
    if ('error' in answer) throw new Error(`${trial}, ${driver}: ${answer.error}`);
    return answer.result;
  } finally {
    signal.removeEventListener('abort', end);
    rmSync(scratch, { recursive: true, force: true, maxRetries: 5 });
  }
}

/** What the process says, once it is gone. */
async function answerOf(child: ChildProcess): Promise<RunAnswer> {
  let answer: RunAnswer | undefined;
  child.once('message', (message: RunAnswer) => {
    answer = message;
  });
  const [code, signal] = await once(child, 'exit');
  return answer ?? { error: `the process ended without a result (${signal ?? `exit code ${code}`})` };
}

function endChild(child: ChildProcess): void {
  child.kill('SIGTERM');
  const timer = setTimeout(() => child.kill('SIGKILL'), END_MS);
  child.once('exit', () => clearTimeout(timer));
}

/** Throws unless all runs computed the same: otherwise their figures are of different things. */
export function checkAgreement(trial: string, results: ReadonlyMap<string, readonly RunResult[]>): void {
  const hashes = new Map<string, string>();
  for (const [driver, own] of results) for (const { hash } of own) hashes.set(hash, driver);
  if (hashes.size > 1) {
    const seen = [...hashes].map(([hash, driver]) => `${driver} ${hash}`).join(', ');
    throw new Error(`${trial}: the runs did not compute the same: ${seen}`);
  }
}

/** The figures of a driver's runs, metric by metric. */
export function measurementsOf(trial: string, driver: string, results: readonly RunResult[]): Measurement[] {
  const byMetric = new Map<string, { unit: string; values: number[] }>();
  for (const { metric, unit, value } of results.flatMap(({ figures }) => figures)) {
    const seen = byMetric.get(metric) ?? { unit, values: [] };
    seen.values.push(value);
    byMetric.set(metric, seen);
  }
  return [...byMetric].map(([metric, { unit, values }]) => {
    const { median, q1, q3 } = quartiles(values);
    return { trial, driver, metric, unit, median, q1, q3, runs: values.length };
  });
}
