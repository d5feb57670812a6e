import { describe, expect, it } from 'vitest';
import { TIMERS } from '../../src/raft/limits.js';
import { BREAKS, type Break } from './breaks.js';
import { type Report, runSchedule, type ScheduleOptions } from './schedule.js';
import { FAULTS, type FaultKind, type Swarm } from './swarm.js';
import { World } from './world.js';

/** Runs schedules until one fails, at most so many. */
function search(first: number, schedules: number, options: ScheduleOptions = {}): Report | undefined {
  for (let seed = first; seed < first + schedules; seed++) {
    const report = runSchedule(seed, options);
    if (report.failure !== undefined) return report;
  }
  return undefined;
}

function explain(report: Report | undefined): string {
  if (report === undefined) return 'nothing';
  return `${report.failure?.message}; replay: npm run sim -- --seed ${report.seed} --schedules 1 --trace`;
}

describe('simulated clusters', () => {
  it('keep every promise in schedules with known seeds', { timeout: 120_000 }, () => {
    expect(explain(search(1, 200))).toBe('nothing');
  });

  it('keep every promise in schedules with new seeds', { timeout: 120_000 }, () => {
    const first = Math.floor(Math.random() * 2 ** 31);
    console.log(`sim: new seeds from ${first}`);
    expect(explain(search(first, 80))).toBe('nothing');
  });

  it('replay exactly', { timeout: 60_000 }, () => {
    for (const seed of [3, 14, 15]) expect(runSchedule(seed)).toEqual(runSchedule(seed));
  });
});

describe('a protocol that is broken on purpose', () => {
  it.each(Object.keys(BREAKS) as Break[])('is found: %s', { timeout: 120_000 }, (broken) => {
    const report = search(1, 400, { broken });
    expect(report, 'not found in 400 schedules').toBeDefined();
    // The break is found, not the seed: it is fine without.
    expect(explain(search(report?.seed ?? 0, 1))).toBe('nothing');
  });

  it('is noticed when clocks leave their bound (TL9)', { timeout: 120_000 }, () => {
    const swarm: Partial<Swarm> = { clockSpread: 0.6, clocks: 'outlier', timers: TIMERS };
    const found = search(1, 400, { swarm })?.failure?.message ?? '';
    expect(found).toMatch(/lease exclusivity|fresh leased read|true age/);
  });
});

describe('the outage after a crash', () => {
  const quiet = Object.fromEntries(FAULTS.map((kind) => [kind, 0])) as Record<FaultKind, number>;
  const swarm: Partial<Swarm> = {
    peers: 3,
    timers: TIMERS,
    limits: {},
    tickMs: 10,
    weights: quiet,
    faultEveryMs: 1e9,
    buggify: 0,
    network: {
      loss: 0,
      duplication: 0,
      delayMs: 0.3,
      reorder: false,
      reconnectMs: 20,
      noticeMs: 5,
      resets: true,
    },
    disk: { syncMs: 1, tear: 0 },
    apply: { slowChance: 0, slowMs: 0 },
  };

  function outage(seed: number): number {
    const world = new World(seed, { swarm });
    for (const peer of world.peers) peer.start();
    world.scheduler.run(3_000 + world.random.between(0, 100));
    const { leader } = world;
    const crashedAt = world.scheduler.now;
    const { committed } = world.logs;
    leader?.crash();
    world.network.crashed(leader?.id ?? 0);
    world.scheduler.run(crashedAt + 5_000, () => world.logs.committed > committed);
    return world.scheduler.now - crashedAt;
  }

  it('is well under 600 ms at default timers when the links close', () => {
    const outages = Array.from({ length: 200 }, (_, at) => outage(at + 1)).sort((a, b) => a - b);
    expect(outages[100]).toBeLessThan(400);
    expect(outages[199]).toBeLessThan(550);
  });
});
