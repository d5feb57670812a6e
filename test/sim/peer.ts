import { Raft } from '../../src/raft/raft.js';
import type { Rules } from '../../src/raft/rules.js';
import type {
  Entry,
  LogIndex,
  MemberId,
  Message,
  Persist,
  Ready,
  SnapshotMark,
  Term,
} from '../../src/raft/types.js';
import type { Break } from './breaks.js';
import { Disk, type Snapshot } from './disk.js';
import { type Command, Machine, type Outcome } from './machine.js';
import type { Random } from './random.js';
import type { World } from './world.js';

/** The local clock of a peer: its own offset and rate, and it runs on whatever happens to the process. */
export class Clock {
  readonly #offset: number;
  readonly #rate: number;

  constructor(random: Random, rate: number) {
    this.#offset = random.between(1_000, 1_000_000);
    this.#rate = rate;
  }

  at(real: number): number {
    return this.#offset + real * this.#rate;
  }

  real(local: number): number {
    return (local - this.#offset) / this.#rate;
  }
}

/** How fast the clock of a peer runs. */
function drawRate({ random, swarm }: World, id: MemberId): number {
  const drawn = {
    uniform: random.between(-1, 1),
    extremes: random.pick([-1, 1]),
    outlier: id === 1 ? -1 : 1,
  };
  return 1 + swarm.clockSpread * drawn[swarm.clocks];
}

type Answer = (index: LogIndex) => void;

/** One process: a core, its disk and state, and what a host does with what the core hands out. */
export class Peer {
  readonly id: MemberId;
  readonly clock: Clock;
  readonly disk: Disk;
  readonly #world: World;
  readonly #rules: Rules;
  readonly #broken: Break | undefined;
  #raft: Raft | undefined;
  machine: Machine;
  /** What readers in this process compare their clock with, and the term it belongs to. */
  leaseUntil = 0;
  leaseTerm: Term = 0;
  /** Counts starts: whatever was under way in an earlier life is void. */
  life = 0;
  #commit: LogIndex = 0;
  #paused = false;
  #backlog: ((raft: Raft, now: number) => void)[] = [];
  #applying: Entry[][] = [];
  #readId = 0;
  readonly #reads = new Map<number, Answer>();
  #waitingReads: { readonly index: LogIndex; readonly answer: Answer }[] = [];
  /** Requests of clients of this process, by session: one at a time. */
  readonly #requests = new Map<
    number,
    { readonly command: Command; readonly answer: (value: number) => void }
  >();
  #snapshotAt: LogIndex = 0;
  #publishing = false;

  constructor(world: World, id: MemberId, rules: Rules) {
    this.#world = world;
    this.id = id;
    this.#rules = rules;
    this.#broken = world.broken;
    const { random, swarm } = world;
    this.clock = new Clock(random, drawRate(world, id));
    this.disk = new Disk(world.scheduler, random, swarm.disk.syncMs, world.broken === 'vote-not-durable');
    this.machine = new Machine(this.#dedup);
  }

  get #dedup(): boolean {
    return this.#broken !== 'no-session-dedup';
  }

  get alive(): boolean {
    return this.#raft !== undefined;
  }

  get now(): number {
    return this.clock.at(this.#world.scheduler.now);
  }

  get raft(): Raft | undefined {
    return this.#raft;
  }

  start(): void {
    const { world, disk } = this.#parts;
    this.life++;
    this.machine = disk.snapshot?.machine.copy() ?? new Machine(this.#dedup);
    this.#snapshotAt = this.machine.applied;
    this.#commit = this.machine.applied;
    this.#publishing = false;
    world.logs.restores(this.id, this.machine.applied, this.machine.chain);
    this.#raft = new Raft(
      {
        id: this.id,
        voters: world.ids,
        timers: world.swarm.timers,
        limits: world.swarm.limits,
        random: world.random.next,
        leaseReads: world.swarm.leaseReads,
        now: this.now,
        hardState: disk.hardState,
        snapshot: disk.mark,
        entries: disk.entries,
        restarted: this.life > 1 && this.#broken !== 'restart-forgets-promise',
      },
      this.#rules,
    );
    this.#tick(this.life);
    this.#drain();
  }

  get #parts(): { world: World; disk: Disk } {
    return { world: this.#world, disk: this.disk };
  }

  crash(): void {
    this.#raft = undefined;
    this.life++;
    this.leaseUntil = 0;
    this.#paused = false;
    this.#backlog = [];
    this.#applying = [];
    this.#reads.clear();
    this.#waitingReads = [];
    this.#requests.clear();
    this.disk.crash(this.#world.swarm.disk.tear);
  }

  /** Runs `input` on the core now, or when the process runs again. */
  run(input: (raft: Raft, now: number) => void): void {
    if (this.#raft === undefined) return;
    if (this.#paused) {
      this.#backlog.push(input);
      return;
    }
    input(this.#raft, this.now);
    this.#drain();
  }

  pause(ms: number): void {
    if (this.#paused || this.#raft === undefined) return;
    this.#paused = true;
    const { life } = this;
    this.#world.scheduler.after(ms, () => {
      if (life === this.life) this.resume();
    });
  }

  resume(): void {
    if (!this.#paused) return;
    this.#paused = false;
    const waiting = this.#backlog;
    this.#backlog = [];
    if (this.#world.swarm.timersFirst) this.run((raft, now) => raft.tick(now));
    for (const input of waiting) this.run(input);
  }

  #tick(life: number): void {
    const { scheduler, random, swarm } = this.#world;
    scheduler.after(swarm.tickMs * random.between(0.9, 1.1), () => {
      if (life !== this.life) return;
      if (!this.#paused) this.run((raft, now) => raft.tick(now));
      this.#checkAge();
      this.#tick(life);
    });
  }

  #checkAge(): void {
    const fresh = this.#raft?.freshAt ?? 0;
    if (fresh > 0) this.#world.freshness.claims(this.id, this.clock.real(fresh), this.machine.applied);
  }

  receive(message: Message): void {
    this.run((raft, now) => {
      const arrived = this.#world.tamper(message, now);
      this.#world.trace(() => `${this.id} <- ${JSON.stringify(arrived, brief)}`);
      raft.step(now, arrived);
    });
  }

  /** Does what the core asks for, until it asks for nothing more. */
  #drain(): void {
    const { life } = this;
    for (;;) {
      const raft = this.#raft;
      if (raft === undefined || life !== this.life) return;
      const ready = raft.ready(this.now);
      if (ready === undefined) return;
      this.#handle(raft, ready);
    }
  }

  #handle(raft: Raft, ready: Ready): void {
    if (ready.leaseUntil !== undefined) {
      this.leaseUntil = ready.leaseUntil;
      this.leaseTerm = raft.status().term;
    }
    if (ready.status !== undefined) this.#world.changed(this, raft, ready.status);
    if (ready.persist !== undefined) this.#persist(raft, ready.persist);
    for (const message of ready.messages) this.#world.send(message);
    if (ready.committed.length > 0) this.#apply(ready.committed);
    for (const { id, index } of ready.reads) this.#answerRead(id, index);
    for (const to of ready.snapshots) this.#sendSnapshot(to);
  }

  #persist(raft: Raft, persist: Persist): void {
    const { world, disk } = this.#parts;
    for (const entry of persist.entries) {
      world.logs.writes(this.id, entry, world.commands.of(entry), raft.termAt(entry.index - 1));
    }
    const early = persist.messages.filter((message) => this.#leavesEarly(message));
    for (const message of early) world.send(message);
    const { life } = this;
    const { role } = raft.status();
    if (this.#broken === 'self-ack-before-fsync' && role === 'leader' && persist.hardState === undefined) {
      raft.persisted(this.now, persist.seq);
    }
    disk.persist(persist, () => {
      world.elections.durable(this.id, disk.hardState.term);
      if (life !== this.life) return;
      this.run((core, now) => {
        for (const message of persist.messages) if (!early.includes(message)) world.send(message);
        core.persisted(now, persist.seq);
      });
    });
  }

  #leavesEarly(message: Message): boolean {
    if (this.#broken === 'term-not-durable') return message.type === 'beatReply';
    return this.#broken === 'ack-before-fsync' && message.type === 'appendReply';
  }

  /** Entries are applied in order, at times slowly. */
  #apply(entries: readonly Entry[]): void {
    const last = entries[entries.length - 1];
    if (this.#broken === 'announce-before-apply' && last !== undefined)
      this.#raft?.applied(this.now, last.index);
    this.#applying.push([...entries]);
    if (this.#applying.length === 1) this.#applyNext();
  }

  #applyNext(): void {
    const { scheduler, random, swarm, calm } = this.#world;
    const { life } = this;
    const slow = !calm && random.chance(swarm.apply.slowChance);
    if (!slow) {
      this.#applyNow();
      return;
    }
    scheduler.after(random.around(swarm.apply.slowMs), () => {
      if (life === this.life) this.run(() => this.#applyNow());
    });
  }

  #applyNow(): void {
    const entries = this.#applying[0];
    if (entries === undefined) return;
    for (const entry of entries) this.#applyOne(entry);
    this.#applying.shift();
    this.#raft?.applied(this.now, this.machine.applied);
    this.#serveReads();
    this.#maybeSnapshot();
    if (this.#applying.length > 0) this.#applyNext();
  }

  #applyOne(entry: Entry): void {
    const world = this.#world;
    const command = world.commands.of(entry);
    const before = this.machine.applied;
    const outcome = this.machine.apply(entry, command);
    const term = this.#raft?.status().term ?? 0;
    const first = world.logs.applies(this.id, entry, command, { chain: this.machine.chain, term, before });
    if (first) world.committed(this, entry);
    if (outcome === undefined) return;
    world.sessions.applied(entry.index, outcome);
    this.#answerWrite(outcome);
  }

  #answerWrite({ command, status, value }: Outcome): void {
    const request = this.#requests.get(command.session);
    if (request?.command.seq !== command.seq || status === 'gap') return;
    this.#requests.delete(command.session);
    request.answer(value);
  }

  /** A client of this process writes; answered when the request is applied here. */
  write(command: Command, answer: (value: number) => void): void {
    this.run(() => {
      this.#requests.set(command.session, { command, answer });
      this.#forward(command);
    });
  }

  #forward(command: Command): void {
    const leader = this.#raft?.status().leader ?? 0;
    if (leader === this.id) this.propose(command);
    else if (leader !== 0) this.#world.forward(this.id, leader, command);
  }

  /** A client is still waiting. */
  retry(command: Command): void {
    this.run(() => {
      if (this.#requests.get(command.session)?.command === command) this.#forward(command);
    });
  }

  propose(command: Command): void {
    this.run((raft, now) => raft.propose(now, this.#world.encode(command)));
  }

  /** §2.6.4: the check precedes the read, and the process may be stopped in between. */
  leased(key: number, answer: (value: number) => void): boolean {
    const world = this.#world;
    if (this.#raft === undefined || this.now >= this.leaseUntil) return false;
    const needed = world.freshness.newest;
    const { life } = this;
    const read = (): void => {
      if (life !== this.life) return;
      world.freshness.read('leased', this.id, needed, this.machine.applied);
      answer(this.machine.get(key));
    };
    if (world.random.chance(0.1)) world.scheduler.after(world.random.around(50), read);
    else read();
    return true;
  }

  /** A read by index, on any peer. */
  indexed(key: number, answer: (value: number | undefined) => void): void {
    const { freshness } = this.#world;
    const needed = freshness.newest;
    this.run((raft, now) => {
      const id = ++this.#readId;
      this.#reads.set(id, (index) => {
        if (index < 0) return answer(undefined);
        freshness.read('index', this.id, needed, this.machine.applied);
        answer(this.machine.get(key));
      });
      raft.readIndex(now, id);
    });
  }

  #answerRead(id: number, index: LogIndex): void {
    const answer = this.#reads.get(id);
    this.#reads.delete(id);
    if (answer === undefined) return;
    if (index <= this.machine.applied) answer(index);
    else this.#waitingReads.push({ index, answer });
  }

  #serveReads(): void {
    if (this.#waitingReads.length === 0) return;
    const { applied } = this.machine;
    const served = this.#waitingReads.filter((read) => read.index <= applied);
    this.#waitingReads = this.#waitingReads.filter((read) => read.index > applied);
    for (const { index, answer } of served) answer(index);
  }

  #maybeSnapshot(): void {
    if (this.machine.applied - this.#snapshotAt >= this.#world.swarm.snapshotEvery) this.takeSnapshot();
  }

  takeSnapshot(): void {
    const raft = this.#raft;
    const { swarm } = this.#world;
    const index = this.machine.applied;
    const term = raft?.termAt(index);
    if (raft === undefined || this.#publishing || term === undefined || index <= this.disk.mark.index) return;
    this.#publishing = true;
    this.#snapshotAt = index;
    const { life } = this;
    const keep = Math.max(0, index - swarm.snapshotKeep);
    const machine = this.machine.copy();
    if (this.#broken === 'snapshot-without-sessions') machine.forgetSessions();
    this.disk.publish({ mark: { index, term }, machine }, { drop: false, keep }, () => {
      if (life !== this.life) return;
      this.run((core) => {
        this.#publishing = false;
        core.compact(keep);
      });
    });
  }

  #sendSnapshot(to: MemberId): void {
    const { snapshot } = this.disk;
    if (snapshot === undefined) throw new Error(`${this.id} has no snapshot for ${to}`);
    this.#world.transferSnapshot(this, to, snapshot);
  }

  /** All bytes of a snapshot are here. */
  install(snapshot: Snapshot, refuse: boolean): void {
    this.run((raft, now) => {
      const verdict = raft.installSnapshot(now, snapshot.mark);
      if (verdict === 'refused') {
        if (this.#broken === 'install-refused-snapshot') this.machine = snapshot.machine.copy();
        return;
      }
      if (refuse) {
        raft.snapshotAbandoned(now);
        return;
      }
      const { life } = this;
      const drop = verdict === 'dropLog' && this.#broken !== 'snapshot-keeps-conflict';
      const publish = { drop, keep: snapshot.mark.index };
      this.disk.publish(snapshot, publish, () => {
        if (life === this.life) this.run((core, at) => this.#load(core, at, snapshot));
      });
    });
  }

  #load(raft: Raft, now: number, snapshot: Snapshot): void {
    this.#applying = [];
    this.machine = snapshot.machine.copy();
    this.#snapshotAt = snapshot.mark.index;
    this.#world.logs.restores(this.id, snapshot.mark.index, this.machine.chain);
    raft.snapshotInstalled(now, snapshot.mark);
    this.#serveReads();
  }

  /** Commit never falls within a life. */
  checkMonotone(): void {
    const commit = this.#raft?.status().commit ?? 0;
    if (this.alive && commit < this.#commit) throw new Error(`commit of ${this.id} falls`);
    this.#commit = commit;
  }

  mark(): SnapshotMark {
    return this.disk.mark;
  }
}

function brief(name: string, value: unknown): unknown {
  if (name === 'data') return undefined;
  return name === 'entries' && Array.isArray(value) ? value.length : value;
}
