/** `npm run test:differential -- --seconds N --seed S --families a,b`: the comparison with Redis, for as long as wanted. */
import { parseArgs } from 'node:util';
import { REDIS_MISSING, redisVersion, startRedis } from '../support/redis.js';
import { MEANT } from './compare.js';
import type { Family } from './families/family.js';
import { FAMILIES } from './families/index.js';
import { ONE_DATABASE } from './pair.js';
import { compareWithRedis } from './run.js';

const REQUESTS_PER_SEED = 20_000;
const USAGE = `usage: npm run test:differential -- [--seconds N] [--seed S] [--families A,B] [--meant]
families: ${FAMILIES.map(({ name }) => name).join(', ')}
--meant lists the differences that are meant`;

function refuse(text: string): never {
  console.error(text);
  process.exit(2);
}

function chosen(names: string | undefined): readonly Family[] {
  if (names === undefined) return FAMILIES;
  return names.split(',').map((name) => FAMILIES.find((one) => one.name === name) ?? refuse(USAGE));
}

const { values } = parseArgs({
  options: {
    seconds: { type: 'string' },
    seed: { type: 'string' },
    families: { type: 'string' },
    meant: { type: 'boolean' },
  },
});
if (values.meant) {
  for (const { reason } of MEANT) console.log(reason);
  process.exit(0);
}
const seconds = Number(values.seconds ?? 30);
const firstSeed = Number(values.seed ?? process.pid);
if (!(seconds > 0) || !Number.isSafeInteger(firstSeed)) refuse(USAGE);
const families = chosen(values.families);
if (redisVersion() === undefined) refuse(REDIS_MISSING);

await using redis = await startRedis(ONE_DATABASE);
const end = process.uptime() + seconds;
let requests = 0;
const meant = new Map<string, number>();
for (let seed = firstSeed; process.uptime() < end; seed++) {
  const outcome = await compareWithRedis(redis, seed, REQUESTS_PER_SEED, families);
  requests += outcome.requests;
  for (const [reason, times] of outcome.meant) meant.set(reason, (meant.get(reason) ?? 0) + times);
  if (outcome.difference === undefined) continue;
  const only = values.families === undefined ? '' : ` --families ${values.families}`;
  console.error(`seed ${seed}, ${outcome.difference}`);
  console.error(`again: npm run test:differential -- --seconds 1 --seed ${seed}${only}`);
  process.exitCode = 1;
  break;
}
console.log(`${requests} requests from seed ${firstSeed} on, redis-server ${redisVersion()}`);
for (const [reason, times] of meant) console.log(`${times} times: ${reason}`);
