// Waits for keys of a shared keyspace, in a worker thread.
import { parentPort, workerData } from 'node:worker_threads';
import { Keyspace } from 'holdfast';

const { id, job, keys, each } = workerData;
const keyspace = Keyspace.attach(id);

/** Takes so many items, several calls at a time. */
async function take() {
  const items = [];
  const taker = async () => {
    while (items.length + under < each) {
      under++;
      const { item } = await keyspace.blpop(keys);
      under--;
      items.push(Number(item));
    }
  };
  let under = 0;
  await Promise.all(Array.from({ length: 5 }, taker));
  return items;
}

/** Waits, and never gets to know: its loop stands still. */
function sleepAfterEntering() {
  keyspace.blpop(keys);
  parentPort.postMessage('entered');
  Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0);
}

/** Waits until it is ended. */
function wait() {
  keyspace.blpop(keys);
  parentPort.postMessage('entered');
  return new Promise(() => {});
}

const jobs = { take, sleepAfterEntering, wait };
parentPort.postMessage(await jobs[job]());
keyspace.close();
