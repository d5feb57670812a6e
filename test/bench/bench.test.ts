/** The benchmarks run: every trial at tiny sizes, with output that a program can read. Their figures are not looked at. */
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { readdirSync, readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { fileURLToPath, pathToFileURL } from 'node:url';
import { describe, expect, test } from 'vitest';
import { trials } from '../../bench/catalogue.js';
import { checkAgreement, type Measurement, measurementsOf } from '../../bench/run.js';
import { temporaryDirectory } from '../support/cluster.js';

const MAIN = fileURLToPath(new URL('../../bench/main.ts', import.meta.url));
const LOADER = pathToFileURL(createRequire(import.meta.url).resolve('tsx')).href;
const TRIAL_MS = 120_000;

interface Ended {
  readonly code: number | null;
  readonly stdout: string;
  readonly stderr: string;
}

function start(args: readonly string[], temporary?: string): ChildProcess {
  const env = temporary === undefined ? process.env : { ...process.env, TMPDIR: temporary };
  return spawn(process.execPath, ['--import', LOADER, MAIN, ...args], {
    env,
    stdio: ['ignore', 'pipe', 'pipe'],
  });
}

async function ended(child: ChildProcess): Promise<Ended> {
  let stdout = '';
  let stderr = '';
  child.stdout?.on('data', (chunk: Buffer) => {
    stdout += chunk;
  });
  child.stderr?.on('data', (chunk: Buffer) => {
    stderr += chunk;
  });
  const [code] = await once(child, 'close');
  return { code, stdout, stderr };
}

const bench = (...args: string[]): Promise<Ended> => ended(start(args));

/** Pids of the processes that `pid` has started, and of those that they have. */
function descendants(pid: number): number[] {
  const threads = whileThere(() => readdirSync(`/proc/${pid}/task`)) ?? [];
  const children = threads.flatMap((thread) => {
    const pids = whileThere(() => readFileSync(`/proc/${pid}/task/${thread}/children`, 'utf8')) ?? '';
    return pids.split(' ').filter(Boolean).map(Number);
  });
  return children.flatMap((child) => [child, ...descendants(child)]);
}

/** What is to be read of a process or thread; nothing if it has ended meanwhile. */
function whileThere<T>(read: () => T): T | undefined {
  try {
    return read();
  } catch (error) {
    const gone = error instanceof Error && 'code' in error && ['ENOENT', 'ESRCH'].includes(`${error.code}`);
    if (gone) return undefined;
    throw error;
  }
}

function isAlive(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch {
    return false;
  }
}

/**
 * So few bytes more may be needed that the process has them already, or none at all; and a save of a few keys may be over before
 * the system has given those who write beside it a processor.
 */
function mayBeNothing({ trial, metric, unit }: Measurement): boolean {
  if (trial === 'save-under-load') return metric !== 'save' && metric !== 'file';
  return unit === 'bytes' || unit === 'calls' || metric.endsWith('of the data');
}

describe('every trial runs at tiny sizes', () => {
  test.each(trials)('$name', { timeout: TRIAL_MS }, async ({ name, drivers }) => {
    const directory = temporaryDirectory();
    try {
      const json = join(directory.path, 'figures.json');
      const { code, stdout, stderr } = await bench(name, '--tiny', '--runs', '1', '--json', json);
      expect(stderr).toBe('');
      expect(code).toBe(0);
      expect(stdout).toContain(process.version);
      const figures: Measurement[] = JSON.parse(readFileSync(json, 'utf8'));
      const skipped = drivers.filter((driver) => stdout.includes(`${driver.name} is skipped: `));
      expect(new Set(figures.map(({ driver }) => driver)).size).toBe(drivers.length - skipped.length);
      for (const figure of figures) {
        expect(figure).toEqual({
          trial: name,
          driver: expect.any(String),
          metric: expect.any(String),
          unit: expect.stringMatching(/^(ns|us|ms|ops\/s|bytes|MB|%|calls)$/),
          median: expect.any(Number),
          q1: expect.any(Number),
          q3: expect.any(Number),
          runs: 1,
        });
        expect(figure.q1).toBeGreaterThanOrEqual(0);
        if (!mayBeNothing(figure)) expect(figure.q1).toBeGreaterThan(0);
        expect(figure.median).toBeGreaterThanOrEqual(figure.q1);
        expect(figure.q3).toBeGreaterThanOrEqual(figure.median);
      }
    } finally {
      directory.remove();
    }
  });
});

describe('the command line', () => {
  test('an unknown trial is refused in one sentence', async () => {
    const { code, stdout, stderr } = await bench('memroy');
    expect(code).toBe(2);
    expect(stdout).toBe('');
    expect(stderr).toMatch(/^bench: there is no trial "memroy"; there are keyspace, cluster, floor, .*\n$/);
  });

  test.each([[['--fast']], [['--runs', '0']], [['--runs', 'many']], [['--json']]])(
    '%j is refused',
    async (args) => {
      const { code, stdout, stderr } = await bench(...args);
      expect(code).toBe(2);
      expect(stdout).toBe('');
      expect(stderr).toMatch(/^bench: .+\n$/);
    },
  );

  test('--list names the trials', async () => {
    const { code, stdout } = await bench('--list');
    expect(code).toBe(0);
    const lines = stdout.trimEnd().split('\n');
    expect(lines.map((line) => line.replace(/ +/, ' '))).toEqual(
      trials.map(({ name, about }) => `${name} ${about}`),
    );
  });

  test.runIf(process.platform === 'linux')(
    'Ctrl-C leaves no process and no file behind',
    { timeout: TRIAL_MS },
    async () => {
      const directory = temporaryDirectory();
      try {
        const child = start(['quorum-disk', '--runs', '1000'], directory.path);
        const end = ended(child);
        // The run, its three peers, and what the TypeScript loader starts.
        let started: number[] = [];
        while (started.length < 4) {
          await sleep(20);
          started = descendants(child.pid ?? 0);
        }
        child.kill('SIGINT');
        expect(await end).toMatchObject({ code: 130, stderr: 'bench: interrupted by SIGINT\n' });
        while (started.some(isAlive)) await sleep(20);
        expect(readdirSync(directory.path).filter((name) => name.startsWith('holdfast-'))).toEqual([]);
      } finally {
        directory.remove();
      }
    },
  );
});

describe('what is made of several runs', () => {
  const run = (value: number, hash = 'same') => ({ figures: [{ metric: 'get', unit: 'ns', value }], hash });

  test('median and quartiles for each metric', () => {
    expect(measurementsOf('memory', 'map', [run(30), run(10), run(20)])).toEqual([
      { trial: 'memory', driver: 'map', metric: 'get', unit: 'ns', median: 20, q1: 15, q3: 25, runs: 3 },
    ]);
  });

  test('runs that computed something else are no measurement', () => {
    const results = new Map([
      ['map', [run(1), run(2)]],
      ['lmdb', [run(3), run(4, 'other')]],
    ]);
    expect(() => checkAgreement('memory', results)).toThrow('memory: the runs did not compute the same');
    expect(() => checkAgreement('memory', new Map([['map', [run(1), run(2)]]]))).not.toThrow();
  });
});
