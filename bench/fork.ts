/** Processes and threads that run a TypeScript file of the benchmarks. */
import { type ChildProcess, fork } from 'node:child_process';
import { createRequire } from 'node:module';
import { fileURLToPath, pathToFileURL } from 'node:url';
import { Worker } from 'node:worker_threads';

const LOADER = pathToFileURL(createRequire(import.meta.url).resolve('tsx')).href;

/** Starts one. What it prints on stdout is dropped; messages go over the channel of {@link ChildProcess.send}. */
export function forkScript(script: URL, args: readonly string[] = []): ChildProcess {
  return fork(fileURLToPath(script), args, {
    execArgv: ['--import', LOADER],
    stdio: ['ignore', 'ignore', 'inherit', 'ipc'],
    serialization: 'advanced',
  });
}

/** A thread does not inherit the loader: it registers one, and then imports the script. */
const THREAD_ENTRY = `
  const { script } = require('node:worker_threads').workerData;
  import(${JSON.stringify(import.meta.resolve('tsx/esm/api'))})
    .then(({ register }) => { register(); return import(script); });
`;

/** Starts a thread. `data` is its `workerData`. */
export function startThread(script: URL, data: object): Worker {
  return new Worker(THREAD_ENTRY, { eval: true, workerData: { ...data, script: script.href } });
}
