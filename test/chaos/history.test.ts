/** The judge of chaos runs, on histories that are right and that are not. */
import { describe, expect, test } from 'vitest';
import { type Failed, History, type Seen } from './history.js';

const write = (id: string, value: number, beganMs: number, endedMs: number): Seen => {
  return { kind: 'write', key: 'k', id, value, beganMs, endedMs };
};
const read = (value: number, beganMs: number, endedMs: number): Seen => {
  return { kind: 'read', key: 'k', id: '', value, beganMs, endedMs };
};
const failed = (kind: Failed['kind'], id: string): Failed => ({ kind, key: 'k', id, code: 'TIMEOUT' });

const judge = (list: readonly string[], ...records: (Seen | Failed)[]): string[] => {
  const history = new History();
  for (const record of records) history.add(record);
  return history.violations(new Map([['k', list]]));
};

describe('a history', () => {
  test('that one copy could have shown is right', () => {
    const records = [
      write('a', 1, 0, 10),
      write('b', 2, 5, 8),
      read(1, 6, 7),
      read(2, 9, 12),
      read(2, 13, 14),
    ];
    expect(judge(['a', 'b', 'c'], ...records, failed('unknown', 'c'), failed('unknown', 'd'))).toEqual([]);
  });

  test('shows a read that is older than an acknowledged write', () => {
    expect(judge(['a'], write('a', 1, 0, 10), read(0, 11, 12))).toHaveLength(1);
  });

  test('shows reads that go back', () => {
    expect(judge(['a'], failed('unknown', 'a'), read(1, 1, 2), read(0, 3, 4))).toHaveLength(1);
  });

  test('shows a write that did not see the one before it', () => {
    expect(judge(['a'], write('a', 1, 0, 1), write('b', 1, 2, 3)).length).toBeGreaterThan(0);
  });

  test('shows what is lost, there twice, or elsewhere', () => {
    expect(judge([], write('a', 1, 0, 1))).toHaveLength(1);
    expect(judge(['a', 'a'], failed('unknown', 'a'))).toHaveLength(1);
    expect(judge(['b', 'a'], write('a', 1, 0, 1))).toHaveLength(1);
  });

  test('shows what was refused and took effect', () => {
    expect(judge(['a'], failed('refused', 'a'))).toHaveLength(1);
  });
});
