/** Threads that fail. */
import { execFile } from 'node:child_process';
import { existsSync } from 'node:fs';
import { promisify } from 'node:util';
import { expect, it } from 'vitest';
import { Temporary } from './temporary.js';

/** Every thread of the process but the first fails before it has loaded anything. */
const noThreads = `data:text/javascript,${encodeURIComponent(
  `import { isMainThread } from 'node:worker_threads'; if (!isMainThread) throw new Error('not today');`,
)}`;
const program = `
  import { Keyspace } from 'holdfast';
  const keyspace = new Keyspace();
  keyspace.set('a', 'b');
  for (const attempt of [1, 2]) {
    await keyspace.save(process.argv[1]).catch(({ code, message }) => console.log(attempt, code, message));
  }
  console.log(keyspace.get('a'));
  keyspace.close();`;

it('a thread that cannot start fails what needs it, each time, and nothing else', {
  timeout: 30_000,
}, async () => {
  using directory = new Temporary();
  const path = directory.path('dump.rdb');
  const args = ['--import', noThreads, '--input-type=module', '-e', program, path];
  const { stdout, stderr } = await promisify(execFile)(process.execPath, args, { timeout: 20_000 });
  const refusal = 'IO a thread that reads and writes files failed: not today';
  expect([stdout, stderr]).toEqual([`1 ${refusal}\n2 ${refusal}\nb\n`, '']);
  expect(existsSync(path)).toBe(false);
});
