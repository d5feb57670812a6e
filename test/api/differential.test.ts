/**
 * The same random commands to a real Redis and to a keyspace: the same replies, the same state. For more of it:
 * `npm run test:differential -- --seconds N --seed S`.
 */
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import type { Family } from '../differential/families/family.js';
import { ONE_DATABASE } from '../differential/pair.js';
import { compareWithRedis } from '../differential/run.js';
import { REDIS_MISSING, type Redis, redisVersion, startRedis } from '../support/redis.js';

const missing = redisVersion() === undefined;

describe.skipIf(missing)(`compared with redis-server${missing ? `: ${REDIS_MISSING}` : ''}`, () => {
  let redis: Redis;

  beforeAll(async () => {
    redis = await startRedis(ONE_DATABASE);
  });
  afterAll(async () => {
    await redis[Symbol.asyncDispose]();
  });

  test.each([1, 2, 3, 4])('replies and state are the same, seed %d', { timeout: 60_000 }, async (seed) => {
    const { difference, requests } = await compareWithRedis(redis, seed, 4000);
    expect(difference).toBeUndefined();
    expect(requests).toBeGreaterThanOrEqual(4000);
  });

  test('a difference is noticed, and told in a few requests', { timeout: 60_000 }, async () => {
    const drawn: Family = {
      name: 'drawn',
      rows: [
        (w) => ['SADD', w.key(), ...w.words(5, 10)],
        { fixed: true, make: (w) => ['SPOP', w.key(), '1'] },
      ],
    };
    const { difference = '' } = await compareWithRedis(redis, 1, 4000, [drawn]);
    expect(difference).toMatch(/redis: .*\nholdfast: /);
    expect(difference.split('\n').length).toBeLessThan(10);
  });
});
