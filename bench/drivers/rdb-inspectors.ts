/** Who reads an RDB file and counts its keys. */
import { spawnSync } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import type { Driver } from '../trial.js';

const ROOT = fileURLToPath(new URL('../../', import.meta.url));
const MAIN = fileURLToPath(new URL('../../dist/cli/main.js', import.meta.url));

/** What a look at a file gave. */
export interface Inspected {
  readonly keys: number;
  /** From the beginning to the end. */
  readonly wallMs: number;
  /** Of all processors, for all threads. */
  readonly processorMs: number;
}

/** Looks at files. */
export interface InspectDriver extends Driver {
  inspect(path: string): Promise<Inspected>;
}

/** `times` of the shell says how long the processes that it has waited for had a processor, in its second line. */
function processorMsOf(text: string): number {
  const [, second = ''] = text.trim().split('\n').slice(-2);
  const parts = [...second.matchAll(/(\d+)m([\d.]+)s/g)];
  return parts.reduce(
    (sum, [, minutes, seconds]) => sum + Number(minutes) * 60_000 + Number(seconds) * 1_000,
    0,
  );
}

/** Runs a command in a process of its own. */
function runCommand(words: readonly string[], keysIn: (stdout: string) => number): Inspected {
  const startMs = performance.now();
  const { status, stdout, stderr } = spawnSync('sh', ['-c', '"$@" && times >&2', 'sh', ...words], {
    encoding: 'utf8',
  });
  const wallMs = performance.now() - startMs;
  if (status !== 0) throw new Error(`${words[0]} ended with ${status}: ${stderr}`);
  return { keys: keysIn(stdout), wallMs, processorMs: Math.max(1, processorMsOf(stderr)) };
}

/** The tool that comes with Redis. */
export const redisCheckDriver: InspectDriver = {
  name: 'redis-check-rdb',
  async unavailable() {
    const { error } = spawnSync('redis-check-rdb', ['--version']);
    return error === undefined ? undefined : 'redis-check-rdb is not installed';
  },
  async inspect(path) {
    return runCommand(['redis-check-rdb', path], (stdout) => Number(/(\d+) keys read/.exec(stdout)?.[1]));
  },
};

/** `holdfast rdb inspect`, with the start of Node. */
export const inspectCommandDriver: InspectDriver = {
  name: 'holdfast rdb inspect',
  async inspect(path) {
    const words = [process.execPath, MAIN, 'rdb', 'inspect', '--json', path];
    return runCommand(words, (stdout) => Number(JSON.parse(stdout).keys));
  },
};

/** Looks twice, so that the code of the second look has been loaded, and says what that took. */
const PROGRAM = `
  import { inspectRdb } from 'holdfast/rdb';
  const path = process.argv[1];
  await inspectRdb(path);
  const [startMs, start] = [performance.now(), process.cpuUsage()];
  const { keys } = await inspectRdb(path);
  const { user, system } = process.cpuUsage(start);
  console.log(JSON.stringify({ keys, wallMs: performance.now() - startMs, processorMs: (user + system) / 1_000 }));`;

/** `inspectRdb` in a process that runs already. */
export const inspectDriver: InspectDriver = {
  name: 'inspectRdb',
  async inspect(path) {
    const words = ['--input-type=module', '-e', PROGRAM, path];
    const { status, stdout, stderr } = spawnSync(process.execPath, words, { cwd: ROOT, encoding: 'utf8' });
    if (status !== 0) throw new Error(`inspectRdb ended with ${status}: ${stderr}`);
    return JSON.parse(stdout) as Inspected;
  },
};
