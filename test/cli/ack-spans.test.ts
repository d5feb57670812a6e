import { describe, expect, it } from 'vitest';
import { AckRecorder, Availability, STEADY_MS } from '../../src/cli/demo/ack-spans.js';

describe('spans of acknowledgements', () => {
  it('join what comes steadily, shard by shard', () => {
    const recorder = new AckRecorder();
    for (const atMs of [0, 1, STEADY_MS, 50, 51]) recorder.note(0, atMs);
    recorder.note(1, 51);
    expect(recorder.take()).toEqual([
      { shard: 0, fromMs: 0, toMs: STEADY_MS },
      { shard: 0, fromMs: 50, toMs: 51 },
      { shard: 1, fromMs: 51, toMs: 51 },
    ]);
    expect(recorder.take()).toEqual([]);
  });
});

describe('availability', () => {
  function seen(...spans: [shard: number, fromMs: number, toMs: number][]): Availability {
    const availability = new Availability();
    availability.add(spans.map(([shard, fromMs, toMs]) => ({ shard, fromMs, toMs })));
    return availability;
  }

  it('is the longest gap after the kill, whoever saw the acknowledgements', () => {
    const both = seen([0, 0, 100], [0, 0, 110], [0, 410, 600], [0, 700, 800]);
    expect(both.longestGapMs(0, 105, 800)).toBe(300);
  });

  it('counts from the last acknowledgement before the kill', () => {
    expect(seen([0, 0, 90], [0, 400, 500]).longestGapMs(0, 100, 500)).toBe(310);
  });

  it('leaves out gaps before the kill and other shards', () => {
    expect(
      seen([0, 0, 10], [0, 900, 1_000], [0, 1_050, 1_200], [1, 1_100, 1_101]).longestGapMs(0, 950, 1_200),
    ).toBe(50);
  });

  it('is everything up to now if nothing was acknowledged since', () => {
    expect(seen([0, 0, 100]).longestGapMs(0, 100, 1_100)).toBe(1_000);
    expect(seen().longestGapMs(0, 100, 1_100)).toBe(1_000);
  });

  it('knows whether a shard is served', () => {
    const availability = seen([0, 0, 100]);
    expect(availability.since(0, 100)).toBe(true);
    expect(availability.since(0, 101)).toBe(false);
    expect(availability.since(1, 0)).toBe(false);
  });
});
