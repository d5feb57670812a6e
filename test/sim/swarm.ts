import { TIMERS } from '../../src/raft/limits.js';
import type { Limits, Timers } from '../../src/raft/types.js';
import type { Random } from './random.js';

/** What one schedule is like. Drawn per seed, so that each kind of trouble meets each other kind undiluted. */
export interface Swarm {
  readonly peers: number;
  readonly timers: Timers;
  readonly limits: Partial<Limits>;
  readonly faultsMs: number;
  readonly tickMs: number;
  /** Clock rates lie within 1 +- this; `outlier`: one is as slow as may be and all others as fast. */
  readonly clockSpread: number;
  readonly clocks: 'uniform' | 'extremes' | 'outlier';
  readonly network: {
    readonly loss: number;
    readonly duplication: number;
    readonly delayMs: number;
    readonly reorder: boolean;
    /** Mean time from a heal or a restart to an open connection. */
    readonly reconnectMs: number;
    /** Mean time until a dead connection is noticed. */
    readonly noticeMs: number;
    /** Whether a crash closes the connections of the process at once (a killed process) or not (a dead host). */
    readonly resets: boolean;
  };
  readonly disk: { readonly syncMs: number; readonly tear: number };
  readonly apply: { readonly slowChance: number; readonly slowMs: number };
  readonly snapshotEvery: number;
  readonly snapshotKeep: number;
  readonly payloadBytes: number;
  readonly clients: number;
  readonly keys: number;
  readonly thinkMs: number;
  readonly leaseReads: boolean;
  /** Mean time between two faults, and the weight of each kind. */
  readonly faultEveryMs: number;
  readonly weights: Readonly<Record<FaultKind, number>>;
  /** Chance of a fault right after a rare action (a new leader and its first commits, a hand-over, a restart). */
  readonly buggify: number;
  /** On waking, whether timers run before the frames that waited. */
  readonly timersFirst: boolean;
}

export const FAULTS = [
  'crash',
  'crashAll',
  'pause',
  'isolate',
  'halve',
  'oneWay',
  'cutPair',
  'heal',
  'slowDisk',
  'transfer',
  'campaign',
  'stepDown',
  'snapshot',
  'usurp',
  'tug',
  'duel',
] as const;
export type FaultKind = (typeof FAULTS)[number];

function weights(random: Random): Record<FaultKind, number> {
  const drawn = {} as Record<FaultKind, number>;
  for (const kind of FAULTS) drawn[kind] = random.chance(0.6) ? random.next() : 0;
  drawn.crashAll *= 0.15;
  drawn.heal += 0.4;
  return drawn;
}

function limits(random: Random): Partial<Limits> {
  if (random.chance(0.5)) return {};
  return {
    appendBytesMax: random.pick([64, 1_000, 10_000]),
    inflightBytesMax: random.pick([200, 5_000, 50_000]),
    inflightFramesMax: random.pick([1, 2, 8, 64]),
    uncommittedBytesMax: random.pick([1_000, 20_000]),
    applyBytesMax: random.pick([100, 10_000]),
    readsMax: random.pick([3, 100]),
  };
}

function timers(random: Random): Timers {
  if (random.chance(0.5)) return TIMERS;
  const beatMs = random.pick([10, 25, 50, 100]);
  const promiseMs = beatMs * random.between(3, 10);
  const electionMs = promiseMs * random.between(1, 3);
  return { beatMs, promiseMs, electionMs, giveUpMs: random.between(0.5, 2) * electionMs, drift: 0.1 };
}

function only(chosen: Partial<Record<FaultKind, number>>): Record<FaultKind, number> {
  const none = Object.fromEntries(FAULTS.map((kind) => [kind, 0])) as Record<FaultKind, number>;
  return { ...none, ...chosen };
}

/** Links and disks on which a campaign takes a few milliseconds. */
function brisk(random: Random): Partial<Swarm> {
  const resets = random.chance(0.5);
  const delayMs = random.pick([0.3, 1, 3]);
  return {
    network: { loss: 0, duplication: 0, delayMs, reorder: false, reconnectMs: 1, noticeMs: 20, resets },
    disk: { syncMs: random.pick([0.1, 0.5, 2]), tear: 0.5 },
    apply: { slowChance: 0, slowMs: 0 },
    thinkMs: random.pick([5, 20]),
    faultsMs: random.pick([3_000, 10_000]),
    peers: random.pick([3, 5, 5]),
    buggify: 0.5,
  };
}

/** One entry a frame, and a window of one frame. */
const NARROW = {
  limits: { appendBytesMax: 64, inflightBytesMax: 200, inflightFramesMax: 1 },
  payloadBytes: 200,
} as const;

/** Ways to lie in wait for interleavings that undirected faults hardly meet. */
const FLAVOURS = {
  /** Elections faster than logs converge, and hardly a leader that lasts. */
  storm: (random: Random): Partial<Swarm> => ({
    ...brisk(random),
    ...NARROW,
    faultEveryMs: random.pick([10, 20, 50]),
    weights: { ...weights(random), isolate: 0.5, campaign: 2, heal: 2, crash: random.pick([0, 0.5]), tug: 1 },
  }),
  /** Two leaders in turn, on slow disks and with short promises: entries of old terms meet new ones in the making. */
  tugOfWar: (random: Random): Partial<Swarm> => ({
    ...brisk(random),
    ...NARROW,
    peers: 5,
    timers: { beatMs: 10, promiseMs: 30, electionMs: random.pick([60, 200]), giveUpMs: 100, drift: 0.1 },
    disk: { syncMs: random.pick([2, 5, 10, 30]), tear: 0.5 },
    faultsMs: 20_000,
    faultEveryMs: 300,
    weights: only({ tug: 1 }),
  }),
  /** While a leader believes in its lease, others elect another one; clocks are at their bound. */
  usurpers: (random: Random): Partial<Swarm> => ({
    ...brisk(random),
    timers: TIMERS,
    faultsMs: 15_000,
    faultEveryMs: 500,
    clockSpread: 0.095,
    clocks: random.pick(['extremes', 'outlier']),
    weights: only({ usurp: 2, heal: 2 }),
  }),
  /** Leadership is handed over all the time, and the old leader often hears nothing of what comes of it. */
  handOvers: (random: Random): Partial<Swarm> => ({
    ...brisk(random),
    timers: TIMERS,
    faultEveryMs: 300,
    weights: only({ transfer: 2, heal: 2 }),
  }),
  /** Candidates of one term, and voters that restart between two requests. */
  duels: (random: Random): Partial<Swarm> => ({
    ...brisk(random),
    faultEveryMs: random.pick([30, 100]),
    weights: only({ duel: 3, heal: 1, isolate: 0.3 }),
  }),
} as const;
export type Flavour = keyof typeof FLAVOURS;

/** @param hunting - The flavour of every other schedule, for a search that knows what it is after. */
export function drawSwarm(random: Random, hunting?: Flavour): Swarm {
  const drawn = drawOrdinary(random);
  const flavour = random.chance(0.2) ? random.pick(Object.keys(FLAVOURS) as Flavour[]) : undefined;
  const chosen = hunting !== undefined && random.chance(0.5) ? hunting : flavour;
  return chosen === undefined ? drawn : { ...drawn, ...FLAVOURS[chosen](random) };
}

function drawOrdinary(random: Random): Swarm {
  const calm = random.chance(0.2);
  return {
    peers: random.pick([1, 2, 3, 3, 3, 3, 3, 3, 4, 5, 5, 5, 5, 7]),
    timers: timers(random),
    limits: limits(random),
    faultsMs: random.pick([5_000, 15_000, 30_000]),
    tickMs: random.pick([5, 10, 10, 20]),
    clockSpread: random.pick([0, 0.01, 0.095, 0.095]),
    clocks: random.pick(['uniform', 'extremes', 'outlier', 'outlier']),
    network: {
      loss: calm || random.chance(0.4) ? 0 : random.pick([0.001, 0.02, 0.2]),
      duplication: calm || random.chance(0.5) ? 0 : random.pick([0.01, 0.2]),
      delayMs: random.pick([0.1, 0.5, 2, 20, 60]),
      reorder: !calm && random.chance(0.4),
      reconnectMs: random.pick([1, 20, 300, 1_500]),
      noticeMs: random.pick([5, 100, 3_000]),
      resets: random.chance(0.6),
    },
    disk: { syncMs: random.pick([0.1, 0.5, 5, 40]), tear: random.pick([0, 0.5, 1]) },
    apply: { slowChance: random.pick([0, 0, 0.05, 0.5]), slowMs: random.pick([5, 100, 500]) },
    snapshotEvery: random.pick([5, 30, 100, 1_000_000]),
    snapshotKeep: random.pick([0, 3, 50]),
    payloadBytes: random.pick([4, 4, 200, 3_000]),
    clients: random.int(2, 8),
    keys: random.int(1, 5),
    thinkMs: random.pick([2, 20, 100, 400]),
    faultEveryMs: calm ? 5_000 : random.pick([150, 500, 1_500, 4_000]),
    weights: weights(random),
    buggify: random.pick([0, 0.1, 0.5]),
    timersFirst: random.chance(0.3),
    leaseReads: random.chance(0.5),
  };
}
