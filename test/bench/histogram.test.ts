/** Durations by their size. */
import { describe, expect, test } from 'vitest';
import { Histogram } from '../../bench/histogram.js';
import { quantile } from '../../bench/statistics.js';

/** The same values in every run. */
function values(count: number, largest: number): number[] {
  let state = 12345;
  return Array.from({ length: count }, () => {
    state = (state * 1_103_515_245 + 12_345) % 2 ** 31;
    return Math.floor((state / 2 ** 31) ** 4 * largest);
  });
}

describe('a histogram', () => {
  test('small values are exact', () => {
    const histogram = new Histogram();
    for (let value = 0; value < 64; value++) histogram.note(value);
    expect(histogram.quantile(0)).toBe(0);
    expect(histogram.quantile(0.5)).toBe(31);
    expect(histogram.quantile(1)).toBe(63);
  });

  test.each([1e3, 1e6, 1e9, 6e10])('quantiles of values up to %d are at most 1.6 %% too large', (largest) => {
    const histogram = new Histogram();
    const noted = values(10_000, largest);
    for (const value of noted) histogram.note(value);
    for (const p of [0.01, 0.5, 0.99, 0.999]) {
      const exact = noted.toSorted((a, b) => a - b)[Math.ceil(p * noted.length) - 1] ?? 0;
      expect(histogram.quantile(p)).toBeGreaterThanOrEqual(exact);
      expect(histogram.quantile(p)).toBeLessThanOrEqual(exact * 1.016 + 1);
    }
    expect(histogram.largest).toBe(Math.max(...noted));
    expect(histogram.quantile(1)).toBe(quantile(noted, 1));
  });

  test('values beyond its classes are counted in the last one', () => {
    const histogram = new Histogram();
    histogram.note(2 ** 50);
    expect(histogram.largest).toBe(2 ** 50);
    expect(histogram.quantile(0.5)).toBeLessThan(2 ** 50);
    expect(new Histogram().quantile(0.5)).toBeNaN();
  });
});
