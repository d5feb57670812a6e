import { expect, test } from 'vitest';
import type { Request } from './families/family.js';
import { shrink } from './shrink.js';

const requests: readonly Request[] = Array.from({ length: 1000 }, (_, i) => [
  'SET',
  i % 2 ? 'odd' : 'even',
  `${i}`,
]);
const last: Request = ['GET', 'odd'];
const TIMEOUT_MS = 10_000;

test('what is not needed is left out', async () => {
  let replays = 0;
  const few = await shrink(
    requests,
    last,
    async (some) => {
      replays += 1;
      return ['17', '801', '803'].every((word) => some.some((request) => request[2] === word));
    },
    TIMEOUT_MS,
  );
  expect(few.map((request) => request[2])).toEqual(['17', '801', '803']);
  expect(replays).toBeLessThan(100);
});

test('requests on other keys are kept where they matter', async () => {
  const few = await shrink(
    requests,
    last,
    async (some) => some.some((request) => request[2] === '500'),
    TIMEOUT_MS,
  );
  expect(few).toEqual([['SET', 'even', '500']]);
});

test('nothing may be needed at all', async () => {
  expect(await shrink(requests, last, async () => true, TIMEOUT_MS)).toEqual([]);
});
