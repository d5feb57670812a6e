// Runs one job against a shared keyspace, in a worker thread.
import { parentPort, workerData } from 'node:worker_threads';
import { Keyspace } from 'holdfast';

const keyspace = Keyspace.attach(workerData.id);

/** Adds up counters of every kind, so that lost or doubled updates show. */
function count({ rounds }) {
  for (let i = 0; i < rounds; i++) {
    keyspace.incr('counter');
    keyspace.hincrby('hash', `field:${i % 50}`, 1);
    keyspace.zincrby('scores', 1, `member:${i % 50}`);
    keyspace.incr(`key:${i % 500}`);
    keyspace.rpush('list', 'item');
    keyspace.sadd('set', `${workerData.name}:${i}`);
  }
}

/** Moves money between accounts, one transaction each, and looks at the sum, which has to stay the same. */
function transfer({ rounds, accounts, total }) {
  const keys = Array.from({ length: accounts }, (_, i) => `account:${i}`);
  for (let i = 0; i < rounds; i++) {
    const from = keys[i % accounts];
    const to = keys[(i * 7 + 3) % accounts];
    keyspace.multi().decrby(from, 5).incrby(to, 5).exec();
    const sum = keyspace.mget(keys).reduce((all, value) => all + Number(value), 0);
    if (sum !== total) throw new Error(`the accounts hold ${sum}, not ${total}`);
  }
}

/** Works until it is told to stop, or is stopped. */
function churn() {
  parentPort.postMessage('working');
  for (let i = 0; ; i++) {
    const key = `churn:${i % 200}`;
    keyspace.hset(key, { a: 'x'.repeat(i % 300), [`f${i % 20}`]: 'y' });
    keyspace.zadd('ranks', { [`m${i % 500}`]: i });
    keyspace.lpush('queue', ['a', 'b', 'c']);
    keyspace.ltrim('queue', 0, 99);
    keyspace.multi().incr('pair:1').incr('pair:2').exec();
    keyspace.zrange('ranks', 0, -1, { withScores: true });
    keyspace.hgetall(key);
    if (i % 50 === 0) keyspace.del(key);
  }
}

const jobs = { count, transfer, churn };
try {
  jobs[workerData.job](workerData);
  parentPort.postMessage('done');
} catch (error) {
  parentPort.postMessage({ failed: error.code ?? error.message });
}
