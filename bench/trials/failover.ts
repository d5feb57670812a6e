/** How long nobody can write when the leader is killed, as those see it who go on writing on the other peers. */
import { setTimeout as sleep } from 'node:timers/promises';
import { Cluster, type PeerProcess } from '../drivers/cluster.js';
import { type Driver, defineTrial, type RunResult, type Scale } from '../trial.js';

const IN_FLIGHT = 16;
/** One kill each, so many that their median means something. */
const RUNS = 15;
const BEFORE_MS: Readonly<Record<Scale, number>> = { real: 500, tiny: 100 };
const WRITES_AFTERWARDS = 100;
const POLL_MS = 10;

interface KillDriver extends Driver {
  /** Whether the peers have directories. */
  readonly durable: boolean;
}

const drivers: readonly [KillDriver, KillDriver] = [
  { name: 'disk', durable: true },
  { name: 'memory', durable: false },
];

const counterOf = (peer: PeerProcess): string => `counter:${peer.name}`;

async function untilAnother(survivor: PeerProcess, killed: string): Promise<void> {
  for (;;) {
    const leader = await survivor.ask('leader');
    if (leader !== undefined && leader !== killed) return;
    await sleep(POLL_MS);
  }
}

/** Ends the load, and checks that every write that was acknowledged took effect exactly once. */
async function longestGapMs(survivor: PeerProcess): Promise<number> {
  const counted = await survivor.ask('stopCounting');
  const value = await survivor.ask('value', counterOf(survivor));
  if (Number(value) !== counted.acknowledged) {
    throw new Error(`${counted.acknowledged} writes were acknowledged, and ${value} took effect`);
  }
  return counted.longestGapMs;
}

async function measure({ durable }: KillDriver, scale: Scale, scratch: string): Promise<RunResult> {
  await using cluster = await Cluster.open(durable ? scratch : undefined);
  const leader = await cluster.leader();
  const survivors = await cluster.followers();
  await Promise.all(survivors.map((peer) => peer.ask('startCounting', counterOf(peer), IN_FLIGHT)));
  await Promise.all(survivors.map((peer) => peer.ask('moreCounted', IN_FLIGHT)));
  await sleep(BEFORE_MS[scale]);
  await Promise.all(survivors.map((peer) => peer.ask('watchGaps')));
  await leader.kill();
  await Promise.all(survivors.map((peer) => untilAnother(peer, leader.name)));
  await Promise.all(survivors.map((peer) => peer.ask('moreCounted', WRITES_AFTERWARDS)));
  const gaps = await Promise.all(survivors.map(longestGapMs));
  const figures = [{ metric: 'unavailable after SIGKILL', unit: 'ms', value: Math.max(...gaps) }];
  return { figures, hash: 'every acknowledged write took effect once' };
}

/** The killed leader. */
export const failoverTrial = defineTrial({
  name: 'failover',
  about:
    'longest time without an acknowledged write around a SIGKILL of the leader, the worse of two survivors',
  drivers,
  runs: RUNS,
  measure: (driver, { scale, scratch }) => measure(driver, scale, scratch),
});
