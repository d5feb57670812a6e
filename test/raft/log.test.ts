import { expect, it } from 'vitest';
import { ENTRY_BYTES, Log } from '../../src/raft/log.js';
import { Rules } from '../../src/raft/rules.js';

it('a log tells how far back so many bytes reach', () => {
  const entries = Array.from({ length: 10 }, (_, at) => {
    return { index: at + 4, term: 1, kind: 'batch', data: new Uint8Array(100) } as const;
  });
  const log = new Log({ index: 3, term: 1 }, entries, new Rules());
  const each = ENTRY_BYTES + 100;
  expect(log.reachingBack(13, 0)).toBe(13);
  expect(log.reachingBack(13, each - 1)).toBe(13);
  expect(log.reachingBack(13, 2 * each)).toBe(11);
  expect(log.reachingBack(10, 2 * each)).toBe(8);
  expect(log.reachingBack(13, 1e9)).toBe(3);
});
