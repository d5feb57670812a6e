/** Writes what only a single instant shows whole, until it is told to stop: two counters that add up to 0, and a ring of numbers. */
import { parentPort, workerData } from 'node:worker_threads';
import { Keyspace } from '../../../dist/index.js';

const { id, name, ring, counters } = workerData;
const keyspace = Keyspace.attach(id);
let stopped = false;
parentPort.once('message', () => {
  stopped = true;
});
parentPort.postMessage('started');
for (let n = 0; !stopped; n++) {
  keyspace.set(`ring:${name}:${n % ring}`, `${n}`.padStart(1 + (n % 70)));
  keyspace
    .multi()
    .incrby(`counter:${n % counters}`, 3)
    .decrby(`counter:${(n * 7 + 1) % counters}`, 3)
    .exec();
  keyspace.rpush(`list:${n % 50}`, `${n}`);
  if (n % 3 === 0) keyspace.del(`list:${(n + 25) % 50}`);
  if (n % 500 === 0) await new Promise((resolve) => setImmediate(resolve));
}
keyspace.close();
parentPort.close();
