/** Runs the compiled command line as users run it: in a process of its own. */
import { type ChildProcess, spawn } from 'node:child_process';
import { fileURLToPath } from 'node:url';

const MAIN = fileURLToPath(new URL('../../dist/cli/main.js', import.meta.url));

/** How a command ended. */
export interface Ended {
  exitCode: number | null;
  signal: NodeJS.Signals | null;
  stdout: string;
  stderr: string;
}

/** A command that runs. */
export interface Running {
  child: ChildProcess;
  /** What it has printed so far. */
  stdout(): string;
  stderr(): string;
  ended: Promise<Ended>;
}

/** Starts `holdfast` with these arguments; variables of the environment that it reads are only those given. */
export function start(args: readonly string[], env: Record<string, string> = {}): Running {
  return watched(process.execPath, [MAIN, ...args], env);
}

/** Runs `holdfast` where files may have so many blocks, as if the disk were full behind them. */
export function runLimited(args: readonly string[], blocks: number): Promise<Ended> {
  const limited = `trap '' XFSZ; ulimit -f ${blocks}; exec "$@"`;
  return watched('bash', ['-c', limited, 'bash', process.execPath, MAIN, ...args], {}).ended;
}

function watched(command: string, args: readonly string[], env: Record<string, string>): Running {
  const inherited = Object.entries(process.env).filter(([name]) => !name.startsWith('HOLDFAST_'));
  const child = spawn(command, args, {
    env: { ...Object.fromEntries(inherited), ...env },
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  let stdout = '';
  let stderr = '';
  child.stdout.setEncoding('utf8').on('data', (text: string) => {
    stdout += text;
  });
  child.stderr.setEncoding('utf8').on('data', (text: string) => {
    stderr += text;
  });
  const ended = new Promise<Ended>((resolve, reject) => {
    child.on('error', reject);
    child.on('close', (exitCode, signal) => resolve({ exitCode, signal, stdout, stderr }));
  });
  return { child, stdout: () => stdout, stderr: () => stderr, ended };
}

/** Runs `holdfast` to its end. */
export function run(args: readonly string[], env?: Record<string, string>): Promise<Ended> {
  return start(args, env).ended;
}
