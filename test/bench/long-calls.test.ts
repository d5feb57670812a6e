import { describe, expect, test } from 'vitest';
import { CollectionWatch, LongCalls, longestOutside } from '../../bench/long-calls.js';

const span = (startMs: number, endMs: number) => ({ startMs, endMs });

describe('calls outside of garbage collection', () => {
  test('are those that share no instant with one', () => {
    const calls = [span(0, 5), span(5, 9), span(9, 10), span(20, 22)];
    expect(longestOutside(calls, [])).toBe(5);
    expect(longestOutside(calls, [span(4, 5)])).toBe(4);
    expect(longestOutside(calls, [span(1, 2), span(6, 7)])).toBe(2);
    expect(longestOutside(calls, [span(0, 100)])).toBe(0);
  });

  test('are found among very many', () => {
    const calls = new LongCalls();
    for (let i = 0; i < 100_000; i++) calls.note(i * 1_000, i * 1_000 + (i % 997));
    expect(calls.longestOutside([])).toBe(996);
    const everySecondOfTheLongest = Array.from({ length: 100 }, (_, i) => (997 * i + 996) * 1_000);
    const pauses = everySecondOfTheLongest.map((startMs) => span(startMs, startMs + 1));
    expect(calls.longestOutside(pauses)).toBe(995);
    expect(calls.longestOutside([span(0, 1e9)])).toBeGreaterThan(900);
  });

  test('a collection is noticed', async () => {
    const watch = new CollectionWatch();
    const startMs = performance.now();
    let kept: number[][] = [];
    for (let i = 0; i < 3e5; i++) kept = i % 1000 === 0 ? [] : [...kept.slice(-50), [i]];
    const call = span(startMs, performance.now());
    expect(kept.length).toBeGreaterThan(0);
    const pauses = await watch.pauses();
    watch.stop();
    expect(pauses.length).toBeGreaterThan(0);
    expect(longestOutside([call], pauses)).toBe(0);
  });
});
