import type { MemberId } from '../../src/raft/types.js';
import type { Peer } from './peer.js';
import type { Random } from './random.js';
import { FAULTS, type FaultKind } from './swarm.js';
import type { World } from './world.js';

/** What goes wrong, and when. */
export class Faults {
  readonly #world: World;
  readonly counts = new Map<FaultKind, number>();

  readonly #acts: Readonly<Record<FaultKind, (peer: Peer) => void>> = {
    crash: (peer) => this.#crash(peer),
    crashAll: () => {
      for (const peer of this.#world.peers) this.#crash(peer);
    },
    pause: (peer) => peer.pause(this.#random.around(this.#random.pick([30, 300, 2_000]))),
    isolate: (peer) => this.#isolate(peer.id),
    halve: () => this.#halve(),
    oneWay: (peer) => this.#world.network.cut(peer.id, this.#random.pick(this.#world.ids)),
    cutPair: (peer) => this.#cut(peer.id, this.#random.pick(this.#world.ids)),
    heal: () => this.#world.network.heal(),
    slowDisk: (peer) => {
      peer.disk.syncMs = this.#world.swarm.disk.syncMs * this.#random.pick([1, 1, 30, 300]);
    },
    transfer: (peer) => this.#transfer(this.#world.leader ?? peer, this.#random.pick(this.#world.ids)),
    campaign: (peer) => peer.run((raft, now) => raft.campaign(now)),
    stepDown: (peer) => peer.run((raft, now) => raft.stepDown(now, 'fault')),
    snapshot: (peer) => peer.run(() => peer.takeSnapshot()),
    usurp: () => this.#usurp(),
    duel: () => this.#duel(this.#random.shuffle(this.#world.peers)),
    tug: () => this.#tug(this.#random.shuffle(this.#world.peers).slice(0, 2), this.#random.int(3, 8)),
  };

  constructor(world: World) {
    this.#world = world;
    world.rare = (peer) => this.#buggify(peer);
    world.handsOver = (peer) => this.#deafen(peer);
  }

  get #random(): Random {
    return this.#world.random;
  }

  start(): void {
    const { scheduler, random, swarm } = this.#world;
    scheduler.after(random.around(swarm.faultEveryMs), () => {
      if (this.#world.calm) return;
      this.#inject(this.#draw());
      this.start();
    });
  }

  #draw(): FaultKind {
    const { random, swarm } = this.#world;
    let left = random.next() * FAULTS.reduce((sum, kind) => sum + swarm.weights[kind], 0);
    for (const kind of FAULTS) {
      left -= swarm.weights[kind];
      if (left < 0) return kind;
    }
    return 'heal';
  }

  /** The middle of a rare action is where trouble is most likely to matter. */
  #buggify(peer: Peer): void {
    const { random, swarm, scheduler, network, calm, ids } = this.#world;
    if (calm || !random.chance(swarm.buggify)) return;
    const { life } = peer;
    scheduler.after(random.around(random.pick([0, 1, 20, 200])), () => {
      if (this.#world.calm || life !== peer.life) return;
      const what = random.next();
      if (what < 0.3) this.#isolate(peer.id);
      else if (what < 0.5) this.#crash(peer);
      else if (what < 0.65) peer.pause(random.around(500));
      else if (what < 0.85) this.#transfer(peer, random.pick(ids));
      else network.cut(peer.id, random.pick(ids));
    });
  }

  /** The old leader hands over and hears nothing of what comes of it. */
  #deafen(peer: Peer): void {
    const { random, swarm, network, ids, calm } = this.#world;
    if (calm || !random.chance(swarm.buggify)) return;
    for (const id of ids) network.cut(id, peer.id);
  }

  #inject(kind: FaultKind): void {
    const { random, peers } = this.#world;
    this.counts.set(kind, (this.counts.get(kind) ?? 0) + 1);
    const peer = random.chance(0.4) ? (this.#world.leader ?? random.pick(peers)) : random.pick(peers);
    this.#world.trace(() => `fault ${kind} at ${peer.id}`);
    this.#acts[kind](peer);
  }

  #crash(peer: Peer): void {
    const { random, scheduler, network } = this.#world;
    if (!peer.alive) return;
    peer.crash();
    network.crashed(peer.id);
    scheduler.after(random.around(random.pick([5, 100, 2_000])), () => this.restart(peer));
  }

  restart(peer: Peer): void {
    if (peer.alive) return;
    peer.start();
    this.#world.network.started(peer.id);
    this.#buggify(peer);
  }

  #cut(a: MemberId, b: MemberId): void {
    this.#world.network.cut(a, b);
    this.#world.network.cut(b, a);
  }

  /** While a leader that hears nobody believes in its lease, another peer campaigns; a voter may just have restarted. */
  #usurp(): void {
    const { peers, scheduler, swarm, leader, ids } = this.#world;
    const rivals = peers.filter((peer) => peer !== leader);
    if (leader === undefined || rivals.length === 0) return;
    this.#strand(leader, ids.length >= 5 && this.#random.chance(0.4) ? rivals.splice(0, 1) : []);
    if (this.#random.chance(0.5)) {
      for (const peer of rivals) if (this.#random.chance(0.5)) this.#bounce(peer);
    }
    const rival = this.#random.pick(rivals);
    const delay = this.#random.between(this.#random.pick([0, 0.8]), 1.2) * swarm.timers.promiseMs;
    scheduler.after(delay, () => rival.run((raft, now) => raft.campaign(now)));
    const trip = swarm.network.delayMs + swarm.disk.syncMs;
    const handOver = this.#random.chance(0.3) ? this.#random.between(3, 20) * trip : undefined;
    if (handOver !== undefined)
      scheduler.after(delay + handOver, () => this.#transfer(rival, this.#random.pick(ids)));
  }

  /** A leader no longer hears the others, except those that still follow it and hear nobody else either. */
  #strand(leader: Peer, loyal: readonly Peer[]): void {
    const { network, ids } = this.#world;
    const stranded = [leader, ...loyal].map((peer) => peer.id);
    const deafOnly = this.#random.chance(0.5);
    for (const inside of stranded) {
      for (const outside of ids) {
        if (stranded.includes(outside)) continue;
        network.cut(outside, inside);
        if (!deafOnly) network.cut(inside, outside);
      }
    }
  }

  /** Two peers take turns: one is cut off with what it has not committed, the other campaigns. */
  #tug(pair: readonly Peer[], turns: number): void {
    const { scheduler, network, calm, swarm } = this.#world;
    const [active, passive] = pair;
    if (calm || turns === 0 || active === undefined || passive === undefined) return;
    network.heal();
    this.#isolate(passive.id);
    const trip = swarm.network.delayMs + swarm.disk.syncMs;
    for (const campaign of [2, 6]) {
      scheduler.after(campaign * trip, () => {
        if (active.raft?.status().role === 'follower') active.run((raft, now) => raft.campaign(now));
      });
    }
    const turnMs = this.#random.between(4, 20) * trip + this.#random.pick([0, 1, 2]) * swarm.timers.promiseMs;
    scheduler.after(turnMs, () => this.#tug([passive, active], turns - 1));
  }

  /** Two campaign for the same term, and voters forget what is not on disk between the two requests. */
  #duel(peers: readonly Peer[]): void {
    const { scheduler, swarm } = this.#world;
    const trip = swarm.network.delayMs + swarm.disk.syncMs;
    peers.forEach((peer, at) => {
      const delay = this.#random.between(0, 8) * trip;
      if (at < 2) scheduler.after(delay, () => peer.run((raft, now) => raft.campaign(now)));
      else if (this.#random.chance(0.5)) scheduler.after(delay, () => this.#bounce(peer));
    });
  }

  /** A restart that takes no time, with connections that are back at once. */
  #bounce(peer: Peer): void {
    if (!peer.alive || this.#world.calm) return;
    peer.crash();
    peer.start();
    this.#world.network.started(peer.id, 1);
  }

  #isolate(id: MemberId): void {
    for (const other of this.#world.ids) this.#cut(id, other);
  }

  #halve(): void {
    const { random, ids } = this.#world;
    const mixed = random.shuffle(ids);
    const half = random.int(1, mixed.length);
    for (const a of mixed.slice(0, half)) for (const b of mixed.slice(half)) this.#cut(a, b);
  }

  #transfer(from: Peer, to: MemberId): void {
    from.run((raft, now) => {
      if (raft.transfer(now, to)) this.#buggify(from);
    });
  }
}
