import { majority } from '../../src/raft/quorum.js';
import type { Raft } from '../../src/raft/raft.js';
import type { Entry, MemberId, Message, RaftStatus } from '../../src/raft/types.js';
import { type Break, HUNTING, rulesFor } from './breaks.js';
import { Elections } from './checkers/elections.js';
import { Freshness } from './checkers/freshness.js';
import { History } from './checkers/linearizability.js';
import { Logs } from './checkers/logs.js';
import { Sessions } from './checkers/sessions.js';
import type { Snapshot } from './disk.js';
import { type Command, Commands } from './machine.js';
import { Network } from './network.js';
import { Peer } from './peer.js';
import { Random } from './random.js';
import { Scheduler } from './scheduler.js';
import { drawSwarm, type Swarm } from './swarm.js';

/** Everything of one schedule: the peers, what lies between them, and the checkers that know the truth. */
export class World {
  readonly random: Random;
  readonly swarm: Swarm;
  readonly broken: Break | undefined;
  readonly scheduler = new Scheduler();
  readonly commands = new Commands();
  readonly elections = new Elections();
  readonly logs = new Logs();
  readonly sessions = new Sessions();
  readonly freshness = new Freshness();
  readonly history = new History();
  readonly ids: readonly MemberId[];
  readonly peers: readonly Peer[];
  readonly network: Network;
  readonly #tracing: ((line: string) => void) | undefined;
  /** Of everything that was sent, and when: equal for equal seeds. */
  hash = 0;
  /** The second phase: no faults any more. */
  calm = false;
  /** Told of rare actions, where trouble is most likely to matter. */
  rare: (peer: Peer) => void = () => {};
  /** Told when a leader gives its token away. */
  handsOver: (peer: Peer) => void = () => {};

  constructor(
    seed: number,
    options: {
      broken?: Break | undefined;
      trace?: ((line: string) => void) | undefined;
      swarm?: Partial<Swarm>;
    } = {},
  ) {
    this.random = new Random(seed);
    const hunting = options.broken === undefined ? undefined : HUNTING[options.broken];
    this.swarm = { ...drawSwarm(this.random, hunting), ...options.swarm };
    this.broken = options.broken;
    this.#tracing = options.trace;
    this.ids = Array.from({ length: this.swarm.peers }, (_, at) => at + 1);
    const rules = rulesFor(options.broken);
    this.peers = this.ids.map((id) => new Peer(this, id, rules));
    this.network = new Network(this.scheduler, this.random, this.swarm.network, {
      ids: this.ids,
      alive: (id) => this.peer(id).alive,
      down: (id, other) => this.peer(id).run((raft, now) => raft.peerDown(now, other)),
      up: (id, other) => this.peer(id).run((raft, now) => raft.peerUp(now, other)),
    });
  }

  peer(id: MemberId): Peer {
    const peer = this.peers[id - 1];
    if (peer === undefined) throw new RangeError(`no peer ${id}`);
    return peer;
  }

  /** The leader that most would name: of the highest term. */
  get leader(): Peer | undefined {
    let newest: Peer | undefined;
    for (const peer of this.peers) {
      const status = peer.raft?.status();
      if (status?.role !== 'leader') continue;
      if (newest === undefined || status.term > (newest.raft?.status().term ?? 0)) newest = peer;
    }
    return newest;
  }

  trace(line: () => string): void {
    this.#tracing?.(`${this.scheduler.now.toFixed(2)} ${line()}`);
  }

  #note(value: number): void {
    this.hash = Math.imul(this.hash ^ value, 0x01000193) | 0;
  }

  send(message: Message): void {
    const peer = this.peer(message.from);
    this.elections.sends(message, peer.disk.hardState);
    if (message.type === 'timeoutNow') this.handsOver(peer);
    this.#note(Math.floor(this.scheduler.now * 1_000) + message.type.length);
    this.#note(message.from * 64 + message.to + message.term * 4_096);
    this.network.send(message.from, message.to, () => this.peer(message.to).receive(message));
  }

  /** What a broken host makes of a message that arrives. */
  tamper(message: Message, now: number): Message {
    const { type } = message;
    const ack = type === 'beatReply' || (type === 'appendReply' && message.ok);
    if (this.broken === 'lease-from-ack-arrival' && ack) {
      return { ...message, sentAt: now };
    }
    if (this.broken === 'read-index-unconfirmed' && type === 'beatReply') {
      return { ...message, readRound: Number.MAX_SAFE_INTEGER };
    }
    return message;
  }

  /** A request on its way from the process that took it to the leader. */
  forward(from: MemberId, to: MemberId, command: Command): void {
    this.network.send(from, to, () => this.peer(to).propose(command));
  }

  encode(command: Command): Uint8Array {
    return this.commands.encode(command.id, this.swarm.payloadBytes);
  }

  /** Role, term or leader of a peer changed. */
  changed(peer: Peer, raft: Raft, status: RaftStatus): void {
    this.trace(() => `${peer.id} is ${status.role} in term ${status.term} under ${status.leader}`);
    if (status.role !== 'leader') return;
    this.elections.leads(peer.id, status.term);
    this.logs.leads(peer.id, status.term, peer.disk.mark.index, (index) => raft.termAt(index));
    this.rare(peer);
  }

  /** The first peer to apply an entry did so: it is committed. */
  committed(peer: Peer, entry: Entry): void {
    if (entry.term < (peer.raft?.status().term ?? 0)) this.rare(peer);
    const holders = this.peers.filter((other) => other.disk.holds(entry.index, entry.term)).length;
    this.logs.durable(entry, holders, majority(this.ids.length));
    for (const other of this.peers) {
      if (other === peer || !other.alive || other.now >= other.leaseUntil) continue;
      this.freshness.commits(entry.term, peer.id, { id: other.id, term: other.leaseTerm });
    }
  }

  /** A client has its answer. */
  acknowledged(command: Command): void {
    this.freshness.acknowledge(this.scheduler.now, this.sessions.acknowledged(command));
  }

  /** Bytes of a snapshot travel on one connection: it arrives whole while that lasts, or not at all. */
  transferSnapshot(from: Peer, to: MemberId, snapshot: Snapshot): void {
    const { network, random, scheduler } = this;
    const { mark } = snapshot;
    const epoch = network.epoch(from.id, to);
    const { life } = from;
    let chunks = random.int(1, 8);
    const step = (): void => {
      if (life !== from.life) return;
      if (
        network.epoch(from.id, to) !== epoch ||
        !network.open(from.id, to) ||
        (!this.calm && random.chance(0.02))
      ) {
        from.run((raft, now) => raft.snapshotFailed(now, to, mark));
        return;
      }
      from.run((raft, now) => {
        const chunk = raft.snapshotChunk(now, to, mark);
        if (chunk === undefined) return;
        this.send(chunk);
        if (--chunks > 0) return scheduler.after(random.around(20), step);
        const refuse = !this.calm && random.chance(0.05);
        network.send(from.id, to, () => this.peer(to).install(snapshot, refuse));
        raft.snapshotSent(now, to, mark);
      });
    };
    step();
  }
}
