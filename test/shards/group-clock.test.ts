import { describe, expect, it } from 'vitest';
import { GroupClock } from '../../src/shards/group-clock.js';

describe('the clock of a log', () => {
  it('begins with the wall clock', () => {
    expect(new GroupClock().stamp(5_000, 1_700_000_000_000.4)).toBe(1_700_000_000_000);
  });

  it('runs with the lease clock', () => {
    const clock = new GroupClock();
    clock.stamp(1_000, 1_700_000_000_000);
    expect(clock.stamp(1_250, 1_700_000_000_250)).toBe(1_700_000_000_250);
  });

  it('never runs backwards, whatever the wall clock does', () => {
    const clock = new GroupClock();
    const first = clock.stamp(1_000, 1_700_000_000_000);
    expect(clock.stamp(1_000, 1_600_000_000_000)).toBeGreaterThanOrEqual(first);
    expect(clock.stamp(1_100, 1_600_000_000_000)).toBeGreaterThanOrEqual(first + 99);
  });

  it('is drawn towards the wall clock by half a percent at the most', () => {
    const clock = new GroupClock();
    clock.stamp(0, 1_700_000_000_000);
    expect(clock.stamp(10_000, 1_700_003_600_000)).toBe(1_700_000_010_050);
    expect(clock.stamp(20_000, 1_600_000_000_000)).toBe(1_700_000_020_000);
  });

  it('does not lose the fractions of frequent stamps', () => {
    const clock = new GroupClock();
    for (let i = 0; i <= 1_000; i++) clock.stamp(i * 1.9, 1_700_000_000_000 + i * 1.9);
    expect(clock.stampMs).toBe(1_700_000_001_900);
  });

  it('continues from the stamps of an earlier leader', () => {
    const clock = new GroupClock();
    clock.observe(1_700_000_500_000, 2_000);
    expect(clock.stamp(2_100, 1_700_000_000_000)).toBeGreaterThanOrEqual(1_700_000_500_099);
    clock.observe(1_600_000_000_000, 2_200);
    expect(clock.stampMs).toBeGreaterThanOrEqual(1_700_000_500_099);
  });
});
