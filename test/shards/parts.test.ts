import { describe, expect, it } from 'vitest';
import { Barriers } from '../../src/shards/barriers.js';
import { Observer } from '../../src/shards/observer.js';
import { Proposals } from '../../src/shards/proposals.js';
import type { HostEvent } from '../../src/shards/protocol.js';
import { shardOfSlot } from '../../src/shards/router.js';

describe('barriers', () => {
  it('ask once, and pass when what they wait for is applied', () => {
    const barriers = new Barriers();
    expect(barriers.ask()).toBeUndefined();
    barriers.want(1_000);
    const id = barriers.ask() ?? 0;
    expect(barriers.ask()).toBeUndefined();
    expect(barriers.passed(99)).toBe(false);
    barriers.answer(id, 10);
    expect(barriers.passed(9)).toBe(false);
    expect(barriers.passed(10)).toBe(true);
    expect(barriers.passed(10)).toBe(false);
  });

  it('ask again under another id, and do not take the answer to the first question', () => {
    const barriers = new Barriers();
    barriers.want(1_000);
    const first = barriers.ask() ?? 0;
    barriers.reset();
    const second = barriers.ask() ?? 0;
    expect(second).not.toBe(first);
    barriers.answer(first, 1);
    expect(barriers.passed(1)).toBe(false);
    barriers.answer(second, -1);
    expect(barriers.ask()).toBeDefined();
  });

  it('expire', () => {
    const barriers = new Barriers();
    barriers.want(1_000);
    expect(barriers.expired(999)).toBe(false);
    expect(barriers.expired(1_000)).toBe(true);
    expect(barriers.expired(1_001)).toBe(false);
  });
});

describe('proposals', () => {
  const run = (bytes: number): Uint8Array => new Uint8Array(bytes);

  it('leave at once while few entries are under way, and gather while many are', () => {
    const proposals = new Proposals();
    proposals.add(1, [run(10), run(20)]);
    proposals.add(2, [run(30)]);
    expect(proposals.next(4)).toEqual([]);
    expect(proposals.next(3)).toHaveLength(3);
    proposals.taken(3);
    expect(proposals.waiting).toBe(false);
  });

  it('make entries of a bounded size, unless one run is larger', () => {
    const proposals = new Proposals();
    proposals.add(1, [run(1_000_000), run(200_000), run(100_000)]);
    expect(proposals.next(0)).toHaveLength(1);
    proposals.taken(1);
    expect(proposals.next(0)).toHaveLength(1);
  });

  it('are refused when too much has gathered', () => {
    const proposals = new Proposals();
    expect(proposals.add(1, [run(33 * 1024 * 1024)])).toBe(true);
    expect(proposals.add(1, [run(1)])).toBe(false);
    expect([...proposals.drop()]).toEqual([1]);
    expect(proposals.add(1, [run(1)])).toBe(true);
  });
});

describe('an observer', () => {
  const observe = () => {
    const events: HostEvent[] = [];
    return { events, observer: new Observer(0, (event) => events.push(event)) };
  };
  const status = (role: 'follower' | 'leader', leader: number, term: number) => ({
    ...{ id: 1, role, leader, term, commit: 0, applied: 0, lastIndex: 0, barrierUntil: 0 },
  });

  it('tells of roles and leaders when they change', () => {
    const { events, observer } = observe();
    expect(observer.status(status('follower', 2, 1))).toBe(true);
    expect(observer.status(status('follower', 2, 1))).toBe(false);
    expect(observer.status(status('leader', 1, 2))).toBe(true);
    expect(events.map(({ event }) => event)).toEqual(['leader', 'role', 'leader']);
  });

  it('measures a failover from the last word of the old leader', () => {
    const { events, observer } = observe();
    observer.status(status('follower', 2, 1));
    observer.applied(1, 1_000, false);
    observer.heard(1, 5_000);
    observer.status(status('follower', 3, 2));
    observer.applied(2, 5_400, true);
    expect(events.at(-1)).toEqual({ event: 'failover', shard: 0, leader: 3, term: 2, unavailableMs: 400 });
  });

  it('takes the log that is read again for no failover', () => {
    const { events, observer } = observe();
    observer.status(status('follower', 3, 5));
    observer.applied(4, 1_000, false);
    observer.applied(5, 1_001, false);
    expect(events.map(({ event }) => event)).toEqual(['leader']);
  });
});

describe('slots', () => {
  it('belong to contiguous shards of nearly the same size', () => {
    for (const shards of [1, 3, 64]) {
      const sizes = new Map<number, number>();
      let last = 0;
      for (let slot = 0; slot < 16_384; slot++) {
        const shard = shardOfSlot(slot, shards);
        expect(shard === last || shard === last + 1).toBe(true);
        sizes.set(shard, (sizes.get(shard) ?? 0) + 1);
        last = shard;
      }
      expect(sizes.size).toBe(shards);
      expect(Math.max(...sizes.values()) - Math.min(...sizes.values())).toBeLessThanOrEqual(1);
    }
  });
});
