import type { MemberId } from '../../src/raft/types.js';
import type { Break } from './breaks.js';
import { check } from './checkers/violation.js';
import { Client } from './client.js';
import { Faults } from './faults.js';
import type { Peer } from './peer.js';
import type { Swarm } from './swarm.js';
import { World } from './world.js';

/** How far one schedule went. */
export interface Report {
  readonly seed: number;
  readonly simulatedMs: number;
  readonly events: number;
  readonly elections: number;
  readonly requests: number;
  readonly leasedReads: number;
  readonly indexReads: number;
  readonly inconclusive: number;
  readonly hash: number;
  /** What was found wrong; undefined: nothing. */
  readonly failure: Error | undefined;
}

export interface ScheduleOptions {
  readonly broken?: Break | undefined;
  readonly trace?: ((line: string) => void) | undefined;
  readonly swarm?: Partial<Swarm>;
}

/** One cluster from its first start, through faults, to the state that it must reach once they end. */
export function runSchedule(seed: number, options: ScheduleOptions = {}): Report {
  const world = new World(seed, options);
  const clients = Array.from({ length: world.swarm.clients }, (_, at) => new Client(world, at + 1));
  const faults = new Faults(world);
  let failure: Error | undefined;
  world.trace(() => JSON.stringify(world.swarm));
  try {
    for (const peer of world.peers) peer.start();
    for (const client of clients) client.start();
    faults.start();
    world.scheduler.run(world.swarm.faultsMs);
    settle(world, clients, heal(world, faults));
    world.history.check();
  } catch (error) {
    failure = error instanceof Error ? error : new Error(String(error));
  }
  return {
    seed,
    simulatedMs: world.scheduler.now,
    events: world.scheduler.events,
    elections: world.elections.elections,
    requests: clients.reduce((sum, client) => sum + client.finished, 0),
    leasedReads: world.freshness.leasedReads,
    indexReads: world.freshness.indexReads,
    inconclusive: world.history.inconclusive,
    hash: world.hash,
    failure,
  };
}

/** The second phase: every peer runs, connections work, disks are quick; but a minority may stay in trouble for ever. */
function heal(world: World, faults: Faults): Peer[] {
  world.trace(() => 'heal');
  world.calm = true;
  world.network.calm(world.random.pick([5, 1e9]));
  for (const peer of world.peers) {
    peer.disk.calm(Math.min(1, world.swarm.disk.syncMs));
    peer.resume();
    faults.restart(peer);
  }
  world.network.heal();
  if (world.ids.length < 3 || !world.random.chance(0.3)) return [...world.peers];
  const lame = cripple(world, world.random.pick(world.peers));
  return world.peers.filter((peer) => !lame.includes(peer.id));
}

/** Dead, deaf, mute, or without a link to one other. Returns who need not catch up: either end of a link may lead. */
function cripple(world: World, victim: Peer): MemberId[] {
  const { network, random, ids } = world;
  const how = random.pick(['dead', 'deaf', 'mute', 'pair'] as const);
  world.trace(() => `${victim.id} stays ${how}`);
  if (how === 'dead') {
    victim.crash();
    network.crashed(victim.id);
    return [victim.id];
  }
  const others = how === 'pair' ? [random.pick(ids)] : ids;
  for (const other of others) {
    if (how !== 'mute') network.cut(other, victim.id);
    if (how !== 'deaf') network.cut(victim.id, other);
  }
  return how === 'pair' ? [victim.id, ...others] : [victim.id];
}

/** Liveness (invariant 20): a leader within ten election timeouts, every request answered, equal states. */
function settle(world: World, clients: readonly Client[], healthy: readonly Peer[]): void {
  const { scheduler } = world;
  const allowed = 10 * 2 * Math.max(world.swarm.timers.electionMs, 600) + 10_000;
  const settled = (): boolean => {
    if (world.leader === undefined || clients.some((client) => client.busy)) return false;
    const applied = world.logs.committed;
    return healthy.every((peer) => peer.machine.applied === applied);
  };
  const until = scheduler.now + allowed;
  while (scheduler.now < until && !settled()) scheduler.run(Math.min(until, scheduler.now + 50));
  check(world.leader !== undefined, 'liveness', () => 'no leader');
  check(!clients.some((client) => client.busy), 'liveness', () => 'a request is not answered');
  for (const peer of healthy) {
    const { applied } = peer.machine;
    check(applied === world.logs.committed, 'liveness', () => `${peer.id} stays at ${applied}`);
    peer.checkMonotone();
  }
}
