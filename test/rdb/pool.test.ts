/** Threads that fail, and what a thread takes from its host. */
import { execFile } from 'node:child_process';
import { existsSync } from 'node:fs';
import { promisify } from 'node:util';
import { expect, it } from 'vitest';
import { Temporary } from './temporary.js';

const asModule = (source: string): string => `data:text/javascript,${encodeURIComponent(source)}`;

/** Whatever a thread is to run, it fails before that. */
const noThreads = asModule(`
  import threads from 'node:worker_threads';
  import { syncBuiltinESMExports } from 'node:module';
  threads.Worker = class extends threads.Worker {
    constructor(file, options) {
      super("throw new Error('not today')", { ...options, eval: true });
    }
  };
  syncBuiltinESMExports();`);

const program = `
  import { Keyspace } from 'holdfast';
  const keyspace = new Keyspace();
  keyspace.set('a', 'b');
  for (const attempt of [1, 2]) {
    await keyspace.save(process.argv[1]).catch(({ code, message }) => console.log(attempt, code, message));
  }
  console.log(keyspace.get('a'));
  keyspace.close();`;

/** What the program says, on a host with a preload. */
async function run(preload: string, path: string): Promise<{ stdout: string; stderr: string }> {
  const args = ['--import', preload, '--input-type=module', '-e', program, path];
  const { stdout, stderr } = await promisify(execFile)(process.execPath, args, { timeout: 20_000 });
  return { stdout, stderr };
}

it('a thread that cannot start fails what needs it, each time, and nothing else', {
  timeout: 30_000,
}, async () => {
  using directory = new Temporary();
  const path = directory.path('dump.rdb');
  const refusal = 'IO a thread that reads and writes files failed: not today';
  const stdout = `1 ${refusal}\n2 ${refusal}\nb\n`;
  expect(await run(noThreads, path)).toEqual({ stdout, stderr: '' });
  expect(existsSync(path)).toBe(false);
});

it('what the host loads before its program is not loaded by the threads', { timeout: 30_000 }, async () => {
  using directory = new Temporary();
  const path = directory.path('dump.rdb');
  const says = asModule(`
    import { isMainThread } from 'node:worker_threads';
    console.log(isMainThread ? 'main' : 'thread');`);
  expect(await run(says, path)).toEqual({ stdout: 'main\nb\n', stderr: '' });
  expect(existsSync(path)).toBe(true);
});
