/**
 * One shard on one peer: feeds the protocol core with what happens, and does what it says, in its order. Everything
 * here runs on the shard's worker thread; nothing waits.
 *
 *     requests, messages, ticks  ->  Raft  ->  Ready: lease, messages, log, apply, reads
 */
import type { Raft } from '../raft/raft.js';
import type {
  Entry,
  LogIndex,
  MemberId,
  Message,
  Milliseconds,
  Persist,
  RaftStatus,
  Ready,
  SnapshotMark,
} from '../raft/types.js';
import { Barriers } from './barriers.js';
import { decodeOutcomes, encodeComparison, isComparison, stampOf } from './batch.js';
import { COMPARE_EVERY_ENTRIES, Comparisons, type Report } from './comparison.js';
import { Evictions } from './evictions.js';
import { GroupClock } from './group-clock.js';
import { Observer } from './observer.js';
import { Proposals } from './proposals.js';
import type { FromWorker, HostStatus, ShardId } from './protocol.js';
import type { Abandoned, Session } from './session.js';
import type { ShardLog } from './shard-log.js';
import type { StateMachine } from './state-machine.js';
import type { ShardTransport } from './transport.js';

/** Requests and reads without an answer are sent again when none came for so long: the last resort, behind links and leaders. */
const STALL_MS = 1_000;
/** A leader with expired keys and nothing to append moves the clock this often (rule D3). */
const CLOCK_EVERY_MS = 20;
/** A session says something this often, so that the group does not forget it. */
const TOUCH_EVERY_MS = 120_000;

/** The clocks. */
export interface Clock {
  /** Lease clock. */
  now(): Milliseconds;
  /** Unix milliseconds. */
  wall(): number;
  /** 32 random bits. */
  random32(): number;
}

/** This peer's memory differs from that of a majority that applied the same entries. */
export class DivergenceError extends Error {
  constructor(shard: ShardId, index: LogIndex) {
    super(`the keys of shard ${shard} differ from those of a majority of the peers at entry ${index}`);
  }
}

/** What a host is made of. */
export interface HostParts {
  readonly shard: ShardId;
  /** Peers that vote. */
  readonly voters: number;
  readonly raft: Raft;
  readonly machine: StateMachine;
  readonly session: Session;
  readonly log: ShardLog;
  readonly transport: ShardTransport;
  readonly clock: Clock;
  readonly post: (message: FromWorker) => void;
  /** How old, at the most, what local reads see is: written for the application's thread. */
  readonly freshness: Float64Array;
  /** How long a request may wait for its outcome. */
  readonly timeoutMs: Milliseconds;
  /** Whether this process has a limit of memory. */
  readonly limited: boolean;
  /** Followers that need a snapshot. */
  readonly sendSnapshot: (to: MemberId) => void;
  /** Runs what nobody else guards: an exception faults the store. */
  readonly guard: (work: () => void) => void;
}

/** A shard's host. */
export class ShardHost {
  readonly shard: ShardId;
  readonly raft: Raft;
  readonly #parts: HostParts;
  readonly #clock: Clock;
  readonly #groupClock = new GroupClock();
  readonly #proposals = new Proposals();
  readonly #barriers = new Barriers();
  readonly #evictions: Evictions;
  readonly #observer: Observer;
  /** Committed, and waiting for a snapshot to be finished. */
  #held: Entry[] = [];
  #applyHolds = 0;
  #flushing = false;
  #pumping = false;
  #ready = false;
  #stopped = false;
  /** The commit index of the first leader heard: whoever has applied so far has caught up. */
  #catchUpIndex: number | undefined;
  /** The newest entry proposed here in this term; what is above `applied` is under way. */
  #proposedIndex = 0;
  /** The newest entry at which peers were asked to compare. */
  #comparedIndex = 0;
  readonly #comparisons: Comparisons;
  #progressAtMs = 0;
  #askedAtMs = 0;
  #clockAtMs = 0;
  /** As published: 0 where there is no lease. */
  #leaseUntilMs: Milliseconds = 0;

  constructor(parts: HostParts) {
    this.shard = parts.shard;
    this.raft = parts.raft;
    this.#parts = parts;
    this.#clock = parts.clock;
    this.#comparisons = new Comparisons(parts.voters);
    this.#evictions = new Evictions(parts.machine, parts.limited);
    this.#observer = new Observer(parts.shard, (event) => parts.post({ type: 'event', event }));
    parts.log.onDurable = (persist) => parts.guard(() => this.#durable(persist));
  }

  /** Whether this peer has caught up since it started. */
  get ready(): boolean {
    return this.#ready;
  }

  /** The last entry applied. */
  get applied(): number {
    return this.#parts.machine.applied;
  }

  /** What the log held when it was opened: the clock goes on from there. */
  observeRecovered(entries: readonly Entry[]): void {
    this.#observeStamps(entries);
  }

  /** Time passes. */
  tick(): void {
    if (this.#stopped) return;
    const now = this.#clock.now();
    this.raft.tick(now);
    this.#tickRequests(now);
    this.#tickClock(now);
    // Whatever kept the runs from becoming an entry, a full disk queue or a hand-over, may be over without a word.
    if (this.#proposals.waiting) this.#scheduleFlush();
    this.#pump();
  }

  /** A message of the protocol came. */
  message(message: Message): void {
    if (this.#stopped) return;
    const now = this.#clock.now();
    this.#noteLeader(message, now);
    this.raft.step(now, message);
    this.#pump();
  }

  /** Connections to a peer were opened. */
  peerUp(peer: MemberId): void {
    if (this.#stopped) return;
    this.raft.peerUp(this.#clock.now(), peer);
    if (peer === this.raft.status().leader) this.#newWay();
    this.#pump();
  }

  /** Connections to a peer are gone. */
  peerDown(peer: MemberId): void {
    if (this.#stopped) return;
    this.raft.peerDown(this.#clock.now(), peer);
    this.#pump();
  }

  /** Requests of this process. */
  requests(count: number, requests: Uint8Array): void {
    if (this.#stopped) return;
    const now = this.#clock.now();
    if (this.#parts.session.pending === 0) this.#progressAtMs = now;
    this.#parts.session.handIn(count, requests, now + this.#parts.timeoutMs);
    this.#sendRequests(now);
  }

  /** Callers in this process gave these requests up. */
  withdraw(tickets: readonly number[]): void {
    if (!this.#stopped) this.#abandoned(this.#parts.session.withdraw(tickets));
  }

  /** Runs of another process. */
  proposal(from: MemberId, runs: readonly Uint8Array[]): void {
    if (this.#stopped) return;
    if (this.raft.status().role !== 'leader' || !this.#proposals.add(from, runs)) {
      this.#parts.transport.refuse(from);
      return;
    }
    this.#scheduleFlush();
  }

  /** A leader did not take this process's runs: they go again with the next tick, when a new leader may be known. */
  refused(from: MemberId): void {
    if (from === this.raft.status().leader) this.#parts.session.resend();
  }

  /** The application waits for everything acknowledged before now. */
  barrier(): void {
    if (this.#stopped) return;
    this.#barriers.want(this.#clock.now() + this.#parts.timeoutMs);
    this.#askBarrier();
    this.#pump();
  }

  /** Hands leadership to a peer, or to the one that is furthest. Whether it was begun. */
  transfer(to: MemberId | undefined): boolean {
    const target = to ?? this.#furthest();
    const begun = target !== undefined && this.raft.transfer(this.#clock.now(), target);
    this.#pump();
    return begun;
  }

  /** Whether this peer leads. */
  get leads(): boolean {
    return this.raft.status().role === 'leader';
  }

  /** Whether there is somebody to hand leadership to. */
  get hasSuccessor(): boolean {
    return this.#furthest() !== undefined;
  }

  /** Gives leadership up at once. */
  stepDown(reason: string): void {
    this.raft.stepDown(this.#clock.now(), reason);
    this.#pump();
  }

  /** Stands for election at once: for the peer that a shard's founding leader is to be. */
  campaign(): void {
    this.raft.campaign(this.#clock.now());
    this.#pump();
  }

  /** A peer's digest, which only a leader looks at, or a leader's verdict on this peer's, which holds whoever leads by now. */
  compared(from: MemberId, report: Report): void {
    const { id, role } = this.raft.status();
    if (report.differs) throw new DivergenceError(this.shard, report.index);
    if (role !== 'leader') return;
    for (const member of this.#comparisons.add(from, report)) {
      if (member === id) throw new DivergenceError(this.shard, report.index);
      this.#parts.transport.report(member, { ...report, differs: true });
    }
  }

  /** Committed entries wait from now on, so that the state stands still, until {@link releaseApply}. */
  holdApply(): void {
    this.#applyHolds++;
  }

  /** Ends a {@link holdApply}. */
  releaseApply(): void {
    this.#applyHolds--;
    this.#apply([]);
    this.#pump();
  }

  /**
   * A leader's snapshot is loaded: the keyspace holds it already. The host has held `apply` since before it was asked
   * whether the snapshot is wanted.
   */
  snapshotLoaded(mark: SnapshotMark): void {
    this.#held = this.#held.filter((entry) => entry.index > mark.index);
    this.raft.snapshotInstalled(this.#clock.now(), mark);
    const { machine, session } = this.#parts;
    if (session.pending > 0) this.#outcomes(machine.remembered(session.id, session.firstPendingSeq));
    this.#observeReady();
    this.#passBarrier();
  }

  /**
   * A durable snapshot stands at `mark`: the core forgets what it covers, but for the newest part, so that a follower that
   * is away for a moment, or a little behind a new leader, still finds the log. One that follows may be further behind, but
   * it does not make the log grow for ever.
   */
  compact(mark: SnapshotMark, logBytesMax: number): void {
    const following = this.raft.followers().filter(({ state }) => state === 'replicate');
    const kept = this.raft.reachingBack(mark.index, logBytesMax / 4);
    const needed = Math.min(kept, ...following.map(({ match }) => match));
    this.raft.compact(Math.max(needed, this.raft.reachingBack(mark.index, logBytesMax)));
  }

  /** What `status` shows. */
  status(): HostStatus {
    const now = this.#clock.now();
    const status = this.raft.status();
    return {
      ...status,
      shard: this.shard,
      leased: this.#leaseUntilMs > now,
      ready: this.#ready,
      silentMs: status.role === 'leader' ? 0 : this.#observer.silentMs(now),
      logBytes: this.#parts.log.bytes,
      snapshotIndex: this.#parts.log.mark.index,
    };
  }

  /** Whether this process still waits for outcomes. */
  get draining(): boolean {
    return this.#parts.session.pending > 0;
  }

  /** The end: the lease goes first, then everybody who waits is told. */
  stop(): void {
    if (this.#stopped) return;
    this.#stopped = true;
    this.#parts.machine.publishLease(0);
    this.#parts.machine.publishReady(false);
    this.#abandoned(this.#parts.session.close());
  }

  #pump(): void {
    if (this.#pumping || this.#stopped) return;
    this.#pumping = true;
    try {
      for (;;) {
        const ready = this.raft.ready(this.#clock.now());
        if (ready === undefined) break;
        this.#do(ready);
      }
      this.#publishFreshness();
    } finally {
      this.#pumping = false;
    }
  }

  #do(ready: Ready): void {
    if (ready.leaseUntil !== undefined) {
      this.#leaseUntilMs = ready.leaseUntil;
      this.#parts.machine.publishLease(ready.leaseUntil);
      this.#observeReady();
    }
    if (ready.status !== undefined) this.#statusChanged(ready.status);
    for (const message of ready.messages) this.#parts.transport.message(message);
    if (ready.persist !== undefined) {
      this.#observeStamps(ready.persist.entries);
      this.#parts.log.append(ready.persist);
    }
    if (ready.committed.length > 0) this.#apply(ready.committed);
    for (const { id, index } of ready.reads) this.#barriers.answer(id, index);
    if (ready.reads.length > 0) this.#passBarrier();
    for (const follower of ready.snapshots) this.#parts.sendSnapshot(follower);
  }

  #compare(index: LogIndex): void {
    const { id, role, leader } = this.raft.status();
    this.#comparedIndex = index;
    const report = { index, digest: this.#parts.machine.digestAt(index) };
    if (role === 'leader') this.compared(id, report);
    else if (leader !== 0) this.#parts.transport.report(leader, report);
  }

  #durable(persist: Persist): void {
    if (this.#stopped) return;
    for (const message of persist.messages) this.#parts.transport.message(message);
    this.raft.persisted(this.#clock.now(), persist.seq);
    if (this.#proposals.waiting) this.#scheduleFlush();
    this.#pump();
  }

  #apply(entries: readonly Entry[]): void {
    if (this.#applyHolds > 0) {
      this.#held.push(...entries);
      return;
    }
    const due = this.#held.length > 0 ? [...this.#held, ...entries] : entries;
    this.#held = [];
    if (due.length === 0) return;
    const now = this.#clock.now();
    const outcomes: Buffer[] = [];
    for (const entry of due) {
      const own = this.#parts.machine.apply(entry, this.#parts.session.id);
      if (own !== undefined) outcomes.push(own);
      if (entry.kind === 'batch' && isComparison(entry.data)) this.#compare(entry.index);
      this.#observer.applied(entry.term, now, this.#ready);
    }
    this.raft.applied(now, this.applied);
    if (outcomes.length > 0) this.#outcomes(outcomes.length === 1 ? outcomes[0] : Buffer.concat(outcomes));
    this.#observeReady();
    this.#passBarrier();
    if (this.#proposals.waiting) this.#scheduleFlush();
  }

  /** Tickets are settled against the session that the outcomes belong to, and only then may it begin another life. */
  #outcomes(outcomes: Buffer | undefined): void {
    if (outcomes === undefined || outcomes.length === 0) return;
    const { session, post } = this.#parts;
    const base = session.ticketOf(0);
    const { id, pending } = session;
    const abandoned: Abandoned[] = [];
    for (const outcome of decodeOutcomes(outcomes)) {
      // What follows counts in the numbers of a life that is over.
      if (session.id !== id) break;
      abandoned.push(...session.settle(outcome));
    }
    if (session.pending < pending) this.#progressAtMs = this.#clock.now();
    post({ type: 'outcomes', shard: this.shard, base, outcomes });
    this.#abandoned(abandoned);
    if (session.unsent) this.#sendRequests(this.#clock.now());
  }

  #abandoned(abandoned: readonly Abandoned[]): void {
    if (abandoned.length > 0) this.#parts.post({ type: 'abandoned', shard: this.shard, abandoned });
  }

  #sendRequests(now: Milliseconds): void {
    const { session, transport } = this.#parts;
    const { role, leader, id } = this.raft.status();
    this.#abandoned(session.renew(now));
    if (role !== 'leader' && (leader === 0 || !transport.isUp(leader))) return;
    while (session.unsent) {
      const runs = session.takeRuns(now);
      const taken = role === 'leader' ? this.#proposals.add(id, runs) : transport.propose(leader, runs);
      if (!taken) {
        session.putBack();
        break;
      }
    }
    if (role === 'leader') this.#scheduleFlush();
  }

  /** Runs that arrive in one turn of the event loop become one entry: the flush comes behind the turn's I/O. */
  #scheduleFlush(): void {
    if (this.#flushing) return;
    this.#flushing = true;
    setImmediate(() => {
      this.#flushing = false;
      this.#parts.guard(() => this.#flush());
    });
  }

  #flush(): void {
    if (this.#stopped) return;
    for (;;) {
      if (this.#parts.log.full || this.#evictions.underWay) break;
      const underWay = Math.max(0, this.#proposedIndex - this.applied);
      const runs = this.#proposals.next(underWay);
      const taken = runs.length === 0 ? undefined : this.#propose(runs);
      if (taken === undefined) break;
      this.#proposals.taken(taken);
      this.#pump();
    }
    if (this.#proposedIndex - this.#comparedIndex >= COMPARE_EVERY_ENTRIES) this.#proposeComparison();
    this.#pump();
  }

  /** Answers how many of the runs are in the entry; undefined if there is none. */
  #propose(runs: readonly Uint8Array[]): number | undefined {
    const now = this.#clock.now();
    const stampMs = this.#groupClock.stamp(now, this.#clock.wall());
    const seed = [this.#clock.random32(), this.#clock.random32()] as const;
    const { data, taken } = this.#evictions.encode(stampMs, seed, runs);
    const index = this.raft.propose(now, data);
    if (typeof index !== 'number') return undefined;
    this.#evictions.proposed(index);
    this.#proposedIndex = index;
    this.#clockAtMs = now;
    return taken;
  }

  #proposeComparison(): void {
    const now = this.#clock.now();
    const index = this.raft.propose(now, encodeComparison(this.#groupClock.stamp(now, this.#clock.wall())));
    if (typeof index === 'number') this.#comparedIndex = index;
  }

  #statusChanged(status: RaftStatus): void {
    if (!this.#observer.status(status)) return;
    this.#proposedIndex = 0;
    this.#evictions.clear();
    this.#comparedIndex = this.applied;
    this.#comparisons.clear();
    this.#newWay();
  }

  /** The way to the leader is another one: what has no outcome is sent again, and what others sent is given back. */
  #newWay(): void {
    const { session, transport } = this.#parts;
    const { id } = this.raft.status();
    for (const sender of this.#proposals.drop()) if (sender !== id) transport.refuse(sender);
    session.resend();
    this.#sendRequests(this.#clock.now());
    this.#barriers.reset();
    this.#askBarrier();
  }

  #askBarrier(): void {
    const { role, leader } = this.raft.status();
    if (role !== 'leader' && leader === 0) return;
    const id = this.#barriers.ask();
    if (id === undefined) return;
    this.#askedAtMs = this.#clock.now();
    this.raft.readIndex(this.#askedAtMs, id);
  }

  #passBarrier(): void {
    if (this.#barriers.passed(this.applied)) {
      this.#parts.post({ type: 'barrier', shard: this.shard, failure: undefined });
    }
  }

  #tickRequests(now: Milliseconds): void {
    const { session, post, timeoutMs } = this.#parts;
    const leaderless = this.raft.status().leader === 0 || this.#observer.silentMs(now) > timeoutMs / 2;
    const code = leaderless ? 'NO_QUORUM' : 'TIMEOUT';
    this.#abandoned(session.expire(now, code));
    if (this.#barriers.expired(now)) {
      const message = `no leader confirmed the read within ${timeoutMs} ms`;
      post({ type: 'barrier', shard: this.shard, failure: { code, message } });
    }
    if (session.pending > 0 && now - this.#progressAtMs > STALL_MS) {
      this.#progressAtMs = now;
      session.resend();
    }
    if (this.#barriers.asks && now - this.#askedAtMs > STALL_MS) this.#barriers.reset();
    if (session.unsent) this.#sendRequests(now);
    else if (session.needsTouch(now, TOUCH_EVERY_MS)) this.#control(session.touch(now));
    this.#askBarrier();
  }

  /** Sends a run that needs no outcome. */
  #control(run: Uint8Array): void {
    const { role, leader, id } = this.raft.status();
    if (role === 'leader') {
      this.#proposals.add(id, [run]);
      this.#scheduleFlush();
    } else if (leader !== 0 && this.#parts.transport.isUp(leader)) {
      this.#parts.transport.propose(leader, [run]);
    }
  }

  /** Expiry goes by the log's clock: an idle leader moves it when there is something to expire. */
  #tickClock(now: Milliseconds): void {
    if (this.#leaseUntilMs > now) this.#observer.heard(this.raft.status().term, now);
    if (this.raft.status().role !== 'leader' || now - this.#clockAtMs < CLOCK_EVERY_MS) return;
    // What is under way moves the clock as well.
    if (this.#parts.log.full || this.#proposedIndex > this.applied) return;
    this.#clockAtMs = now;
    const due = this.#parts.machine.nextExpiryMs();
    if (due === undefined || due > this.#groupClock.stamp(now, this.#clock.wall())) return;
    this.#propose([]);
  }

  #observeStamps(entries: readonly Entry[]): void {
    const now = this.#clock.now();
    for (const entry of entries) {
      if (entry.kind === 'batch') this.#groupClock.observe(stampOf(entry.data), now);
    }
  }

  #noteLeader(message: Message, now: Milliseconds): void {
    if (message.type !== 'beat' && message.type !== 'append') return;
    if (message.term < this.raft.status().term) return;
    this.#catchUpIndex ??= message.commit;
    this.#observer.heard(message.term, now);
  }

  #observeReady(): void {
    if (this.#ready) return;
    const caughtUp = this.#catchUpIndex !== undefined && this.applied >= this.#catchUpIndex;
    if (!caughtUp && this.#leaseUntilMs === 0) return;
    this.#ready = true;
    this.#parts.machine.publishReady(true);
    this.#parts.post({ type: 'ready', shard: this.shard });
  }

  /** A leader's memory is current while it holds its lease; a follower's as of what its leader confirmed. */
  #publishFreshness(): void {
    const leading = this.raft.status().role === 'leader';
    const freshMs = leading ? Math.min(this.raft.freshAt, this.#leaseUntilMs) : this.raft.freshAt;
    const { freshness } = this.#parts;
    freshness[this.shard] = Math.max(freshness[this.shard] ?? 0, freshMs);
  }

  #furthest(): MemberId | undefined {
    const candidates = this.raft
      .followers()
      .filter(({ state, amnesiac }) => state === 'replicate' && !amnesiac);
    return candidates.sort((a, b) => b.match - a.match)[0]?.id;
  }
}
