import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { formatFigure } from '../../bench/report.js';
import { quantile, quartiles } from '../../bench/statistics.js';
import { BLOCK_CALLS, timeBlocks } from '../../bench/stopwatch.js';
import { allIndices, drawIndices } from '../../bench/workload.js';

describe('quantile', () => {
  test.each([
    [[7], 0.5, 7],
    [[1, 2, 3, 4], 0.5, 2.5],
    [[4, 1, 3, 2, 5], 0.5, 3],
    [[1, 2, 3, 4, 5], 0.25, 2],
    [[10, 20], 0.99, 19.9],
    [[3, 1, 2], 0, 1],
    [[3, 1, 2], 1, 3],
  ])('of %j at %d is %d', (values, p, expected) => {
    expect(quantile(values, p)).toBeCloseTo(expected, 10);
  });

  test('has at most so many values below it and above it', () => {
    const values = fc.array(fc.double({ noNaN: true, noDefaultInfinity: true, min: -1e9, max: 1e9 }), {
      minLength: 1,
    });
    fc.assert(
      fc.property(values, fc.double({ min: 0, max: 1, noNaN: true }), (list, p) => {
        const found = quantile(list, p);
        const last = list.length - 1;
        expect(list.filter((value) => value < found).length).toBeLessThanOrEqual(Math.ceil(last * p));
        expect(list.filter((value) => value > found).length).toBeLessThanOrEqual(Math.ceil(last * (1 - p)));
      }),
    );
  });

  test('leaves the values as they were, and refuses shares that are none', () => {
    const values = [3, 1, 2];
    expect(quartiles(values)).toEqual({ q1: 1.5, median: 2, q3: 2.5 });
    expect(values).toEqual([3, 1, 2]);
    expect(quantile([], 0.5)).toBeNaN();
    expect(() => quantile(values, 1.5)).toThrow(RangeError);
    expect(() => quantile(values, Number.NaN)).toThrow(RangeError);
  });
});

test('figures have as many digits as mean something', () => {
  expect([0.123, 12.34, 1234.5, Number.NaN].map(formatFigure)).toEqual(['0.12', '12.3', '1,235', '-']);
});

test('every call is timed once, behind its preparation', () => {
  const calls = BLOCK_CALLS * 2 + 17;
  const prepared: number[] = [];
  const called: number[] = [];
  const ns = timeBlocks(
    calls,
    (from, to) => {
      expect(prepared.at(-1)).toBe(from);
      for (let i = from; i < to; i++) called.push(i);
    },
    (from) => prepared.push(from),
  );
  expect(called).toEqual(Array.from({ length: calls }, (_, i) => i));
  expect(ns).toBeGreaterThan(0);
});

describe('the order of keys', () => {
  const KEYS = 1_000;

  test('all of them once', () => {
    expect([...allIndices(KEYS)].sort((a, b) => a - b)).toEqual(Array.from({ length: KEYS }, (_, i) => i));
  });

  test.each(['uniform', 'zipf'] as const)('%s: the same in every run, and within bounds', (distribution) => {
    const drawn = drawIndices(distribution, KEYS, 5_000, 7);
    expect(drawIndices(distribution, KEYS, 5_000, 7)).toEqual(drawn);
    expect(Math.max(...drawn)).toBeLessThan(KEYS);
  });

  test('zipf has favourites, uniform has none', () => {
    const usesOfTheFirst = (distribution: 'uniform' | 'zipf'): number => {
      const uses = new Map<number, number>();
      for (const index of drawIndices(distribution, KEYS, 10_000, 7))
        uses.set(index, (uses.get(index) ?? 0) + 1);
      return Math.max(...uses.values());
    };
    expect(usesOfTheFirst('uniform')).toBeLessThan(50);
    expect(usesOfTheFirst('zipf')).toBeGreaterThan(1_000);
  });
});
