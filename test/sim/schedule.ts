import type { Break } from './breaks.js';
import { check } from './checkers/violation.js';
import { Client } from './client.js';
import { Faults } from './faults.js';
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
    heal(world, faults);
    settle(world, clients);
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

/** The second phase: every peer runs, every connection works, disks are quick. */
function heal(world: World, faults: Faults): void {
  world.trace(() => 'heal');
  world.calm = true;
  world.network.calm();
  for (const peer of world.peers) {
    peer.disk.calm(Math.min(1, world.swarm.disk.syncMs));
    peer.resume();
    faults.restart(peer);
  }
  world.network.heal();
}

/** Liveness (invariant 20): a leader within ten election timeouts, every request answered, equal states. */
function settle(world: World, clients: readonly Client[]): void {
  const { scheduler } = world;
  const allowed = 10 * 2 * Math.max(world.swarm.timers.electionMs, 600) + 5_000;
  const settled = (): boolean => {
    if (world.leader === undefined || clients.some((client) => client.busy)) return false;
    const applied = world.logs.committed;
    return world.peers.every((peer) => peer.machine.applied === applied);
  };
  const until = scheduler.now + allowed;
  while (scheduler.now < until && !settled()) scheduler.run(Math.min(until, scheduler.now + 50));
  check(world.leader !== undefined, 'liveness', () => 'no leader');
  check(!clients.some((client) => client.busy), 'liveness', () => 'a request is not answered');
  const { chain, applied } = world.peer(1).machine;
  for (const peer of world.peers) {
    const same = peer.machine.chain === chain && peer.machine.applied === applied;
    check(same, 'liveness', () => `${peer.id} stays at ${peer.machine.applied}, 1 at ${applied}`);
    peer.checkMonotone();
  }
}
