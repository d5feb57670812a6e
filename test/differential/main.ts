/** `npm run test:differential -- --seconds N --seed S`: the comparison with Redis, for as long as wanted. */
import { parseArgs } from 'node:util';
import { REDIS_MISSING, redisVersion, startRedis } from '../support/redis.js';
import { compareWithRedis } from './run.js';

const REQUESTS_PER_SEED = 20_000;

const { values } = parseArgs({ options: { seconds: { type: 'string' }, seed: { type: 'string' } } });
const seconds = Number(values.seconds ?? 30);
const firstSeed = Number(values.seed ?? process.pid);
if (!(seconds > 0) || !Number.isSafeInteger(firstSeed)) {
  console.error('usage: npm run test:differential -- [--seconds N] [--seed S]');
  process.exit(2);
}
if (redisVersion() === undefined) {
  console.error(REDIS_MISSING);
  process.exit(2);
}

await using redis = await startRedis();
const end = process.uptime() + seconds;
let requests = 0;
const meant = new Map<string, number>();
for (let seed = firstSeed; process.uptime() < end; seed++) {
  const outcome = await compareWithRedis(redis, seed, REQUESTS_PER_SEED);
  requests += outcome.requests;
  for (const [reason, times] of outcome.meant) meant.set(reason, (meant.get(reason) ?? 0) + times);
  if (outcome.difference === undefined) continue;
  console.error(`${outcome.difference}\nagain: npm run test:differential -- --seconds 1 --seed ${seed}`);
  process.exitCode = 1;
  break;
}
console.log(`${requests} requests from seed ${firstSeed} on, redis-server ${redisVersion()}`);
for (const [reason, times] of meant) console.log(`${times} times: ${reason}`);
