import { TIMERS } from '../../src/raft/limits.js';
import { Raft } from '../../src/raft/raft.js';
import type {
  Entry,
  HardState,
  Limits,
  LogIndex,
  MemberId,
  Message,
  Milliseconds,
  Persist,
  ReadAnswer,
  SnapshotMark,
  Timers,
} from '../../src/raft/types.js';

/** One peer under manual control: its disk and its state machine act when told to, or at once. */
export interface Member {
  readonly id: MemberId;
  raft: Raft;
  alive: boolean;
  /** On disk. */
  hardState: HardState;
  snapshot: SnapshotMark;
  entries: Entry[];
  /** Given out and not on disk yet. */
  writes: Persist[];
  /** Given out and not applied yet. */
  committed: Entry[];
  /** Contents of the batches that were applied, in order. */
  applied: string[];
  leaseUntil: Milliseconds;
  reads: ReadAnswer[];
  snapshots: MemberId[];
  /** Writes and applies happen at once. */
  autoSync: boolean;
  autoApply: boolean;
}

export type Filter = (message: Message) => boolean;

interface ClusterOptions {
  readonly peers?: number;
  readonly timers?: Partial<Timers>;
  readonly limits?: Partial<Limits>;
  /** Draws of all peers, in order, then again from the first. */
  readonly draws?: readonly number[];
  /** Whether a lease stands for a round of beats. Default here: no, so that the rounds can be seen. */
  readonly leaseReads?: boolean;
}

/** Cores without a network: frames wait until they are delivered or dropped, by hand. */
export class Cluster {
  readonly members: readonly Member[];
  readonly ids: readonly MemberId[];
  now: Milliseconds = 10_000;
  wire: Message[] = [];
  /** Told of every frame that leaves. */
  onSend: (message: Message) => void = () => {};
  readonly #options: ClusterOptions;
  readonly #text = new TextEncoder();
  #drawn = 0;

  constructor(options: ClusterOptions = {}) {
    this.#options = options;
    this.ids = Array.from({ length: options.peers ?? 3 }, (_, at) => at + 1);
    const fresh = { hardState: { term: 0, vote: 0 }, snapshot: { index: 0, term: 0 }, entries: [] };
    this.members = this.ids.map((id) => ({
      id,
      raft: this.#core(id, { ...fresh, restarted: false }),
      alive: true,
      ...fresh,
      entries: [],
      writes: [],
      committed: [],
      applied: [],
      leaseUntil: 0,
      reads: [],
      snapshots: [],
      autoSync: true,
      autoApply: true,
    }));
  }

  #core(
    id: MemberId,
    disk: { hardState: HardState; snapshot: SnapshotMark; entries: readonly Entry[]; restarted: boolean },
  ): Raft {
    const { timers, limits, draws = [0.5], leaseReads = false } = this.#options;
    return new Raft({
      id,
      voters: this.ids,
      timers: { ...TIMERS, ...timers },
      limits: limits ?? {},
      random: () => draws[this.#drawn++ % draws.length] ?? 0.5,
      now: this.now,
      leaseReads,
      ...disk,
    });
  }

  member(id: MemberId): Member {
    const member = this.members[id - 1];
    if (member === undefined) throw new RangeError(`no member ${id}`);
    return member;
  }

  raft(id: MemberId): Raft {
    return this.member(id).raft;
  }

  /** Runs an input on a core and does what it asks for. */
  do<T>(id: MemberId, input: (raft: Raft) => T): T {
    const member = this.member(id);
    const result = input(member.raft);
    this.drain(member);
    return result;
  }

  drain(member: Member): void {
    for (;;) {
      const ready = member.raft.ready(this.now);
      if (ready === undefined) return;
      if (ready.leaseUntil !== undefined) member.leaseUntil = ready.leaseUntil;
      for (const message of ready.messages) this.#send(message);
      if (ready.persist !== undefined) member.writes.push(ready.persist);
      member.committed.push(...ready.committed);
      member.reads.push(...ready.reads);
      member.snapshots.push(...ready.snapshots);
      if (member.autoSync) this.#sync(member);
      if (member.autoApply) this.#apply(member);
    }
  }

  #send(message: Message): void {
    this.onSend(message);
    this.wire.push(message);
  }

  /** Makes outstanding writes durable: all, or the first so many. */
  sync(id: MemberId, writes = Number.POSITIVE_INFINITY): void {
    this.#sync(this.member(id), writes);
    this.drain(this.member(id));
  }

  #sync(member: Member, writes = Number.POSITIVE_INFINITY): void {
    for (const write of member.writes.splice(0, writes)) {
      if (write.hardState !== undefined) member.hardState = write.hardState;
      const first = write.entries[0];
      if (first !== undefined) {
        member.entries = member.entries.filter((entry) => entry.index < first.index).concat(write.entries);
      }
      for (const message of write.messages) this.#send(message);
      member.raft.persisted(this.now, write.seq);
    }
  }

  apply(id: MemberId): void {
    this.#apply(this.member(id));
    this.drain(this.member(id));
  }

  #apply(member: Member): void {
    const last = member.committed[member.committed.length - 1];
    if (last === undefined) return;
    for (const entry of member.committed.splice(0)) {
      if (entry.kind === 'batch') member.applied.push(new TextDecoder().decode(entry.data));
    }
    member.raft.applied(this.now, last.index);
  }

  /** Lets time pass in steps of 5 ms, with a tick of every living core at each. */
  pass(ms: Milliseconds, ticking: readonly MemberId[] = this.ids): void {
    const until = this.now + ms;
    while (this.now < until) {
      this.now = Math.min(until, this.now + 5);
      for (const id of ticking) if (this.member(id).alive) this.do(id, (raft) => raft.tick(this.now));
    }
  }

  /** Time passes and frames travel without loss. */
  run(ms: Milliseconds, ticking: readonly MemberId[] = this.ids): void {
    for (let passed = 0; passed < ms; passed += 5) {
      this.pass(5, ticking);
      this.deliver();
    }
  }

  /** Delivers what matches, and what that brings about, until nothing is left. */
  deliver(filter: Filter = () => true): Message[] {
    const delivered: Message[] = [];
    for (;;) {
      const at = this.wire.findIndex(filter);
      const [message] = at < 0 ? [] : this.wire.splice(at, 1);
      if (message === undefined) return delivered;
      delivered.push(message);
      this.give(message);
    }
  }

  /** A frame arrives, once more perhaps. */
  give(message: Message): void {
    if (this.member(message.to).alive) this.do(message.to, (raft) => raft.step(this.now, message));
  }

  drop(filter: Filter = () => true): Message[] {
    const dropped = this.wire.filter(filter);
    this.wire = this.wire.filter((message) => !filter(message));
    return dropped;
  }

  /** Campaigns and delivers everything: `id` leads afterwards, unless its barrier says otherwise with a lease. */
  elect(id: MemberId): void {
    this.do(id, (raft) => raft.campaign(this.now));
    this.deliver();
  }

  propose(id: MemberId, text: string): ReturnType<Raft['propose']> {
    return this.do(id, (raft) => raft.propose(this.now, this.#text.encode(text)));
  }

  /** Ends a process: what is not on disk is gone. */
  crash(id: MemberId): void {
    const member = this.member(id);
    member.alive = false;
    member.writes = [];
    member.committed = [];
    member.applied = [];
    member.leaseUntil = 0;
  }

  restart(id: MemberId): void {
    const member = this.member(id);
    member.alive = true;
    const entries = member.entries.filter((entry) => entry.index > member.snapshot.index);
    member.raft = this.#core(id, { ...member, entries, restarted: true });
    this.drain(member);
  }

  /** Puts a snapshot of everything applied on disk, and forgets the log behind it. */
  compact(id: MemberId): SnapshotMark {
    const member = this.member(id);
    const index = member.raft.status().applied;
    const mark = { index, term: member.raft.termAt(index) ?? 0 };
    member.snapshot = mark;
    this.do(id, (raft) => raft.compact(index));
    return mark;
  }

  /** All bytes of a snapshot arrive, and it is loaded at once unless it is refused. */
  install(id: MemberId, mark: SnapshotMark): ReturnType<Raft['installSnapshot']> {
    const member = this.member(id);
    const verdict = this.do(id, (raft) => raft.installSnapshot(this.now, mark));
    if (verdict === 'refused') return verdict;
    member.snapshot = mark;
    if (verdict === 'dropLog') member.entries = [];
    this.do(id, (raft) => raft.snapshotInstalled(this.now, mark));
    return verdict;
  }

  /** Closes the connections of a peer on both ends. */
  disconnect(id: MemberId): void {
    this.wire = this.wire.filter((message) => message.from !== id && message.to !== id);
    for (const other of this.ids) {
      if (other === id) continue;
      if (this.member(other).alive) this.do(other, (raft) => raft.peerDown(this.now, id));
      if (this.member(id).alive) this.do(id, (raft) => raft.peerDown(this.now, other));
    }
  }

  connect(id: MemberId): void {
    for (const other of this.ids) {
      if (other === id) continue;
      this.do(other, (raft) => raft.peerUp(this.now, id));
      this.do(id, (raft) => raft.peerUp(this.now, other));
    }
  }

  /** Whether `id` would serve a leased read now. */
  leased(id: MemberId): boolean {
    return this.now < this.member(id).leaseUntil;
  }

  log(id: MemberId): string {
    const { lastIndex } = this.raft(id).status();
    const terms: string[] = [];
    for (let index: LogIndex = 1; index <= lastIndex; index++)
      terms.push(String(this.raft(id).termAt(index) ?? '-'));
    return terms.join(' ');
  }
}

/** Frames between these two. */
export function between(a: MemberId, b: MemberId): Filter {
  return ({ from, to }) => (from === a && to === b) || (from === b && to === a);
}

export function from(id: MemberId): Filter {
  return (message) => message.from === id;
}

export function to(id: MemberId): Filter {
  return (message) => message.to === id;
}

export function ofType(...types: readonly Message['type'][]): Filter {
  return ({ type }) => types.includes(type);
}

export function without(id: MemberId): Filter {
  return (message) => message.from !== id && message.to !== id;
}
