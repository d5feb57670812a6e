// Hammers a shared keyspace from a worker thread until its time is over, or it is terminated.
import { parentPort, workerData } from 'node:worker_threads';
import { Keyspace } from 'holdfast';

const { id, seed, seconds = Number.POSITIVE_INFINITY, accounts, total } = workerData;
const keyspace = Keyspace.attach(id);
const BATCH = 50;

let state = seed >>> 0;
function below(n) {
  state = (Math.imul(state, 1664525) + 1013904223) >>> 0;
  return Math.floor((state / 2 ** 32) * n);
}
const pick = (choices) => choices[below(choices.length)];
const key = (type) => (below(3) ? `${type}:${below(8)}` : `${type}:${seed}:${below(8)}`);
const text = () => (below(20) ? String(below(300)) : 'x'.repeat(below(400)));
const texts = () => Array.from({ length: 1 + below(below(30) ? 4 : 300) }, text);
const account = (i) => `account:${i}`;

/** Each is one call, of a type of its own or of several. Refusals such as WRONGTYPE are fine. */
const calls = [
  () => keyspace.set(key('string'), text(), below(5) ? {} : { px: 1 + below(5) }),
  () => keyspace.get(key('string')),
  () => keyspace.append(key('string'), text()),
  () => keyspace.hset(key('hash'), Object.fromEntries(texts().map((field) => [field, text()]))),
  () => keyspace.hdel(key('hash'), texts()),
  () => keyspace.hgetall(key('hash')),
  () => keyspace.rpush(key('list'), texts()),
  () => keyspace.lpop(key('list')),
  () => keyspace.lrange(key('list'), 0, -1),
  () => keyspace.ltrim(key('list'), 0, 200),
  () => keyspace.lmove(key('list'), key('list'), 'left', 'right'),
  () => keyspace.sadd(key('set'), texts()),
  () => keyspace.spop(key('set')),
  () => keyspace.smembers(key('set')),
  () => keyspace.sunionstore(key('set'), [key('set'), key('set')]),
  () => keyspace.zadd(key('zset'), Object.fromEntries(texts().map((member) => [member, below(50)]))),
  () => keyspace.zrange(key('zset'), 0, -1, { withScores: true }),
  () => keyspace.zremrangebyrank(key('zset'), 0, 10),
  () => keyspace.rename(key('string'), key('string')),
  () => keyspace.call('COPY', key('hash'), key('hash'), 'REPLACE'),
  () => keyspace.expire(key('set'), below(2)),
  () => keyspace.del(key(pick(['string', 'hash', 'list', 'set', 'zset']))),
  () => keyspace.scan('0', { count: 20 }),
  () => (below(20) ? keyspace.dbsize() : keyspace.call('KEYS', '*')),
];

/** Moves an amount in one transaction: between strings, and between a hash and a sorted set. */
function transfer() {
  const amount = below(9) - 4;
  keyspace
    .multi()
    .decrby(account(below(accounts)), amount)
    .incrby(account(below(accounts)), amount)
    .exec();
  keyspace.multi().hincrby('purse', 'coins', -amount).zincrby('debts', amount, 'ann').exec();
}

function check() {
  const sum = keyspace
    .mget(Array.from({ length: accounts }, (_, i) => account(i)))
    .reduce((all, value) => all + Number(value), 0);
  if (sum !== total) throw new Error(`the accounts hold ${sum}, not ${total}`);
  const [coins, debts] = keyspace.multi().hget('purse', 'coins').zscore('debts', 'ann').exec();
  if (Number(coins ?? 0) + (debts ?? 0) !== 0) throw new Error(`${coins} coins for ${debts} of debts`);
}

function attempt(call) {
  try {
    call();
  } catch (error) {
    if (error.code !== 'ERR' && error.code !== 'WRONGTYPE') throw error;
  }
}

parentPort.postMessage('working');
const end = performance.now() + seconds * 1000;
let done = 0;
try {
  for (; performance.now() < end; done += BATCH) {
    for (let i = 0; i < BATCH; i++) attempt(pick(calls));
    transfer();
    check();
  }
  parentPort.postMessage({ done });
} catch (error) {
  parentPort.postMessage({ failed: `${error.code}: ${error.message}` });
}
