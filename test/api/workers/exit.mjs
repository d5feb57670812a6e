// A program whose main thread ends while others work. How, after how many milliseconds, and
// where a file may be, its arguments say.
import { join } from 'node:path';
import { Worker } from 'node:worker_threads';
import { Keyspace } from 'holdfast';

const [way, delayMs, directory] = process.argv.slice(2);
const keyspace = new Keyspace();
for (let i = 0; i < 10; i++) keyspace.set(`account:${i}`, 100);
const script = new URL('./hammer.mjs', import.meta.url);
const workers = [1, 2, 3].map(
  (seed) => new Worker(script, { workerData: { id: keyspace.id, seed, accounts: 10, total: 1000 } }),
);
const problem = (text) => {
  console.error(text);
  process.exit(1);
};
let working = 0;
for (const worker of workers) {
  worker.on('error', (error) => problem(String(error)));
  worker.on('message', (message) => {
    if (message !== 'working') problem(JSON.stringify(message));
    working += 1;
    if (working === workers.length) setTimeout(end, Number(delayMs));
  });
}

const ways = {
  exit: () => process.exit(0),
  // Nothing keeps the process alive any more; the threads are ended by Node.
  return: () => {
    for (const worker of workers) worker.unref();
  },
  close: () => {
    keyspace.close();
    process.exit(0);
  },
  save: () => {
    keyspace.save(join(directory, 'all.rdb')).catch(() => {});
    setImmediate(() => process.exit(0));
  },
};
function end() {
  ways[way]();
}
