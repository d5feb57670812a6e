/** Processes that run a TypeScript file of the benchmarks. */
import { type ChildProcess, fork } from 'node:child_process';
import { createRequire } from 'node:module';
import { fileURLToPath, pathToFileURL } from 'node:url';

const LOADER = pathToFileURL(createRequire(import.meta.url).resolve('tsx')).href;

/** Starts one. What it prints on stdout is dropped; messages go over the channel of {@link ChildProcess.send}. */
export function forkScript(script: URL, args: readonly string[] = []): ChildProcess {
  return fork(fileURLToPath(script), args, {
    execArgv: ['--import', LOADER],
    stdio: ['ignore', 'ignore', 'inherit', 'ipc'],
    serialization: 'advanced',
  });
}
