import { Core } from './core.js';
import { Election, type Outcome } from './election.js';
import { Follower } from './follower.js';
import { invariant } from './invariant.js';
import { Leadership } from './leadership.js';
import { Promises } from './lease.js';
import { checkTimers } from './limits.js';
import { Reads } from './reads.js';
import { Rules } from './rules.js';
import type {
  Entry,
  FollowerStatus,
  LogIndex,
  MemberId,
  Message,
  Milliseconds,
  RaftOptions,
  RaftStatus,
  Ready,
  Refusal,
  SnapshotChunk,
  SnapshotMark,
  SnapshotVerdict,
  Term,
} from './types.js';

/** Messages of a later term that do not move the own one: a pre-vote only asks, and its grant repeats the question. */
function movesTerm(message: Message): boolean {
  return message.type !== 'preVote' && !(message.type === 'preVoteReply' && message.granted);
}

/**
 * One member of a replicated log: the Raft protocol with leases as reported promises.
 *
 * The parts: `Election` (candidacy and votes), `Leadership` (one term of leading, with its `Lease` and `Replication`),
 * `Follower` (a leader's frames), `Promises` (a voter's side of the lease), `Reads` (reads by index). They share `Core`,
 * keep the `Log`, speak through the `Outbox`, and ask `Rules` for every decision that safety rests on. Roles and terms
 * change here and nowhere else.
 *
 * A pure state machine. Every input carries the time; what has to be done about it is collected and taken with
 * `ready()`, which the host calls until it returns nothing. The host may have several `Persist` under way.
 *
 * After an `InvariantError` the object must not be used again.
 */
export class Raft {
  readonly #core: Core;
  readonly #promises: Promises;
  readonly #election: Election;
  readonly #follower: Follower;
  readonly #reads: Reads;
  /** undefined unless this peer leads. */
  #leadership: Leadership | undefined;
  #tickedAt: Milliseconds;
  /** What the host was last told. */
  #published: Milliseconds = 0;
  #told: { role: string; term: Term; leader: MemberId } | undefined;
  /** Bytes given out to be applied and not yet applied. */
  #applyBytes = 0;

  /** @param rules - The safety rules; only tests replace them, to see that it is noticed. */
  constructor(options: RaftOptions, rules: Rules = new Rules()) {
    checkTimers(options.timers);
    this.#core = new Core(options, rules);
    this.#promises = new Promises(this.#core, options.restarted);
    this.#election = new Election(this.#core, this.#promises);
    this.#follower = new Follower(this.#core);
    this.#reads = new Reads(this.#core);
    this.#tickedAt = options.now;
  }

  /** Time passed. To be called every 10 ms or so, and at `wakeAt`; frames that wait come first (G4). */
  tick(now: Milliseconds): void {
    this.#advance(now);
    const { timers } = this.#core;
    if (this.#core.now - this.#tickedAt > 2 * timers.beatMs) this.#election.stalled();
    this.#tickedAt = this.#core.now;
    const verdict = this.#leadership?.tick();
    if (verdict === 'stepDown') this.#becomeFollower(this.#core.term, 0);
    else if (verdict === 'reelect') this.#campaign(true);
    else if (verdict === undefined && this.#core.now >= this.#election.deadline) this.#timedOut();
  }

  /** When `tick` has something to do, if nothing else happens. */
  get wakeAt(): Milliseconds {
    return this.#leadership?.wakeAt ?? this.#election.deadline;
  }

  /** A message arrived. */
  step(now: Milliseconds, message: Message): void {
    this.#advance(now);
    const { id, voters } = this.#core;
    if (message.to !== id || !voters.includes(message.from) || message.from === id) return;
    if (message.term > this.#core.term && movesTerm(message)) this.#becomeFollower(message.term, 0);
    this.#dispatch(message);
  }

  /** Appends a batch if this peer leads. Its fate is known when an entry is committed at the index that is returned. */
  propose(now: Milliseconds, data: Uint8Array): LogIndex | Refusal {
    this.#advance(now);
    return this.#leadership?.propose(data) ?? 'notLeader';
  }

  /** Asks how far this peer must have applied to answer a read that began before now; see `Ready.reads`. */
  readIndex(now: Milliseconds, id: number): void {
    this.#advance(now);
    this.#reads.ask(id, this.#leased);
  }

  /** Hands leadership to `to` (E9). false: this peer does not lead, or not yet, or `to` cannot be reached. */
  transfer(now: Milliseconds, to: MemberId): boolean {
    this.#advance(now);
    return this.#leadership?.transfer(to) ?? false;
  }

  /** Campaigns at once, without asking first: for a host that knows that the group has no leader. */
  campaign(now: Milliseconds): void {
    this.#advance(now);
    if (this.#leadership === undefined && this.#election.electable) this.#campaign(false);
  }

  /** Everything up to the `Persist` number `seq` is durable. */
  persisted(now: Milliseconds, seq: number): void {
    this.#advance(now);
    this.#core.outbox.persisted(seq);
    this.#conclude(this.#election.persisted());
    this.#leadership?.commit();
  }

  /** Everything up to `index` is applied. */
  applied(now: Milliseconds, index: LogIndex): void {
    this.#advance(now);
    const core = this.#core;
    if (index <= core.applied) return;
    invariant(index <= core.given, 'only what was given out is applied');
    for (let at = core.applied + 1; at <= index; at++) {
      this.#applyBytes -= core.log.entry(at)?.data.length ?? 0;
    }
    core.applied = index;
    this.#follower.freshen();
  }

  /** The last connection to a peer closed. */
  peerDown(now: Milliseconds, id: MemberId): void {
    this.#advance(now);
    const core = this.#core;
    if (core.down.has(id)) return;
    core.down.add(id);
    this.#leadership?.peerDown(id);
    this.#conclude(this.#election.peerDown());
    if (core.leader !== id) return;
    this.#reads.fail();
    this.#election.hurry();
  }

  /** A connection to a peer is open (again). Peers count as connected until `peerDown` is called. */
  peerUp(now: Milliseconds, id: MemberId): void {
    this.#advance(now);
    const core = this.#core;
    if (!core.down.delete(id)) return;
    this.#leadership?.replication.peerUp(id);
    if (core.role === 'leader') return;
    if (core.leader === id) this.#election.defer();
    else if (core.leader === 0) this.#election.reachable();
  }

  /** The sign of life that goes with each chunk of a snapshot (E4). undefined: no longer the leader, so stop sending. */
  snapshotChunk(now: Milliseconds, to: MemberId, mark: SnapshotMark): SnapshotChunk | undefined {
    this.#advance(now);
    if (this.#leadership === undefined) return undefined;
    const { id, term } = this.#core;
    return { type: 'snapshotChunk', from: id, to, term, mark, sentAt: this.#core.now };
  }

  /** All bytes of the snapshot went out to `peer`. */
  snapshotSent(now: Milliseconds, peer: MemberId, mark: SnapshotMark): void {
    this.#advance(now);
    this.#leadership?.replication.snapshotSent(peer, mark);
  }

  /** The snapshot did not go out; it is asked for again after a while. */
  snapshotFailed(now: Milliseconds, peer: MemberId, _mark: SnapshotMark): void {
    this.#advance(now);
    this.#leadership?.replication.snapshotFailed(peer);
  }

  /**
   * A complete snapshot arrived (S3). Unless it is refused, the host waits for its outstanding writes, publishes the
   * snapshot (with `dropLog` the log goes in the same durable step), loads it, and calls `snapshotInstalled`, or
   * `snapshotAbandoned` if nothing came of it. Until then nothing is given out to be applied.
   */
  installSnapshot(now: Milliseconds, mark: SnapshotMark): SnapshotVerdict {
    this.#advance(now);
    return this.#follower.offer(mark);
  }

  /** The snapshot accepted by `installSnapshot` is durable and loaded. */
  snapshotInstalled(now: Milliseconds, mark: SnapshotMark): void {
    this.#advance(now);
    invariant(this.#core.installing?.index === mark.index, 'S3: only an accepted snapshot is installed');
    this.#follower.installed(mark);
    this.#applyBytes = 0;
  }

  /** The snapshot accepted by `installSnapshot` was neither published nor loaded. */
  snapshotAbandoned(now: Milliseconds): void {
    this.#advance(now);
    this.#core.installing = undefined;
  }

  /** Forgets the log up to `index`, which a durable snapshot covers. */
  compact(index: LogIndex): void {
    invariant(index <= this.#core.applied, 'compaction stays behind what is applied');
    this.#core.log.compact(index);
  }

  /** The index behind which the entries up to `index` come to `bytes` at the most: for those who keep the log short. */
  reachingBack(index: LogIndex, bytes: number): LogIndex {
    return this.#core.log.reachingBack(index, bytes);
  }

  /** Gives leadership up at once (E10): the disk failed, the host slept, the host is faulty. */
  stepDown(now: Milliseconds, _reason: string): void {
    this.#advance(now);
    if (this.#leadership !== undefined) this.#becomeFollower(this.#core.term, 0);
    this.#election.defer();
  }

  status(): RaftStatus {
    const { id, role, term, leader, commit, applied, log } = this.#core;
    const barrierUntil = Math.max(0, this.#leadership?.lease.barrierUntil ?? 0);
    return { id, role, term, leader, commit, applied, lastIndex: log.lastIndex, barrierUntil };
  }

  /** The term of the entry at `index`; undefined: compacted, or behind the end. */
  termAt(index: LogIndex): Term | undefined {
    return this.#core.log.term(index);
  }

  /** What a leader knows of the others; empty on the others. */
  followers(): readonly FollowerStatus[] {
    return this.#leadership?.replication.status() ?? [];
  }

  /** Everything acknowledged anywhere before this instant of the own clock is applied here (§2.6.4). */
  get freshAt(): Milliseconds {
    return this.#follower.freshAt;
  }

  /** What has to be done about the inputs since the last call; undefined: nothing. */
  ready(now: Milliseconds): Ready | undefined {
    this.#advance(now);
    this.#leadership?.flush();
    const { outbox, reads } = this.#core;
    const leaseUntil = this.#leaseChange();
    const persist = outbox.takePersist();
    const messages = outbox.takeMessages();
    const committed = this.#takeCommitted();
    const answers = reads.length > 0 ? reads.splice(0) : reads;
    const snapshots = this.#leadership?.replication.takeSnapshots() ?? [];
    const status = this.#statusChange();
    const idle =
      leaseUntil === undefined &&
      persist === undefined &&
      messages.length + committed.length + answers.length + snapshots.length === 0 &&
      status === undefined;
    if (idle) return undefined;
    return { leaseUntil, messages, persist, committed, reads: [...answers], snapshots, status };
  }

  #advance(now: Milliseconds): void {
    if (now > this.#core.now) this.#core.now = now;
  }

  #dispatch(message: Message): void {
    switch (message.type) {
      case 'preVote':
        this.#election.onPreVote(message, this.#holdsSupport);
        return;
      case 'preVoteReply':
        this.#conclude(this.#election.onPreVoteReply(message));
        return;
      case 'vote':
        this.#election.onVote(message);
        return;
      case 'readIndex':
        this.#reads.onReadIndex(message, this.#leased);
        return;
      case 'readIndexReply':
        this.#reads.onReadIndexReply(message);
        return;
      case 'beat':
      case 'append':
      case 'snapshotChunk':
        if (message.term < this.#core.term) this.#follower.correct(message.from);
        else this.#fromLeader(message);
        return;
      default:
        if (message.term === this.#core.term) this.#reply(message);
    }
  }

  /** Whether the lease may stand for a round of beats. */
  get #leased(): boolean {
    return this.#core.leaseReads && (this.#leadership?.lease.until ?? 0) > this.#core.now;
  }

  /** E1: a leader whose lease lives refuses pre-votes. */
  get #holdsSupport(): boolean {
    return this.#leadership !== undefined && this.#leadership.lease.supportedUntil > this.#core.now;
  }

  #fromLeader(message: Extract<Message, { type: 'beat' | 'append' | 'snapshotChunk' }>): void {
    const core = this.#core;
    invariant(core.role !== 'leader', 'one leader per term');
    invariant(core.leader === 0 || core.leader === message.from, 'one leader per term');
    if (core.leader === 0) this.#becomeFollower(core.term, message.from);
    this.#promises.renew();
    this.#election.heard();
    if (message.type === 'append') this.#follower.onAppend(message);
    else if (message.type === 'beat') this.#follower.onBeat(message);
    else this.#follower.onSnapshotChunk(message.sentAt);
  }

  #reply(
    message: Extract<
      Message,
      { type: 'voteReply' | 'beatReply' | 'appendReply' | 'snapshotReply' | 'timeoutNow' }
    >,
  ): void {
    if (message.type === 'voteReply') this.#conclude(this.#election.onVoteReply(message));
    else if (message.type === 'timeoutNow') this.#takeOver(message.from);
    else this.#acknowledge(message);
  }

  #acknowledge(message: Extract<Message, { type: 'beatReply' | 'appendReply' | 'snapshotReply' }>): void {
    const leadership = this.#leadership;
    const progress = leadership?.replication.progress(message.from);
    if (leadership === undefined || progress === undefined) return;
    if (message.type === 'beatReply') leadership.replication.onBeatReply(progress, message);
    else if (message.type === 'appendReply') leadership.replication.onAppendReply(progress, message);
    else leadership.replication.onSnapshotReply(progress, message);
    leadership.acknowledged();
  }

  /** E9: the token of this term's leader, good for exactly the next term. */
  #takeOver(from: MemberId): void {
    const { role, leader } = this.#core;
    if (role === 'follower' && leader === from && this.#election.electable) this.#campaign(true);
  }

  #timedOut(): void {
    if (!this.#election.electable) {
      this.#election.defer();
      return;
    }
    this.#loseLeader();
    this.#conclude(this.#election.preCampaign());
  }

  /** Who has not been heard for so long is no leader to send anything to, nor to name to users. */
  #loseLeader(): void {
    if (this.#core.leader === 0) return;
    this.#core.leader = 0;
    this.#reads.fail();
  }

  #conclude(outcome: Outcome): void {
    if (outcome === 'lost') {
      this.#election.lost();
      if (this.#core.role === 'candidate') this.#becomeFollower(this.#core.term, 0);
      return;
    }
    if (outcome !== 'won') return;
    if (this.#election.close() === 'preVote') this.#campaign(false);
    else this.#becomeLeader();
  }

  /** E2: a new term with the own vote, in one record. */
  #campaign(transfer: boolean): void {
    this.#becomeFollower(this.#core.term + 1, 0);
    this.#core.role = 'candidate';
    this.#core.vote = this.#core.id;
    this.#core.outbox.setHardState({ term: this.#core.term, vote: this.#core.vote });
    this.#election.campaign(transfer);
  }

  /** E3: only a larger term clears the vote. The published lease goes first: `ready` finds no leadership (E10). */
  #becomeFollower(term: Term, leader: MemberId): void {
    const core = this.#core;
    invariant(term >= core.term, 'terms never fall');
    if (this.#leadership !== undefined) this.#election.defer();
    this.#leadership = undefined;
    if (term > core.term) {
      core.term = term;
      core.vote = 0;
      core.outbox.setHardState({ term, vote: 0 });
      this.#follower.reset();
    }
    core.role = 'follower';
    if (core.leader !== leader) this.#reads.fail();
    core.leader = leader;
    this.#election.reset();
  }

  #becomeLeader(): void {
    const core = this.#core;
    core.role = 'leader';
    core.leader = core.id;
    this.#leadership = new Leadership(core, this.#reads, this.#election.barrierUntil);
    this.#leadership.supported();
  }

  #leaseChange(): Milliseconds | undefined {
    const until = this.#leadership?.lease.until ?? 0;
    if (until > 0) this.#follower.fresh(this.#core.now);
    if (until === this.#published) return undefined;
    this.#published = until;
    return until;
  }

  #takeCommitted(): Entry[] {
    const core = this.#core;
    const room = core.limits.applyBytesMax - this.#applyBytes;
    if (core.given >= core.commit || core.installing !== undefined) return [];
    if (room <= 0) return [];
    const entries = core.log.slice(core.given + 1, core.commit, room);
    for (const entry of entries) this.#applyBytes += entry.data.length;
    core.given += entries.length;
    return entries;
  }

  #statusChange(): RaftStatus | undefined {
    const { role, term, leader } = this.#core;
    const told = this.#told;
    if (told?.role === role && told.term === term && told.leader === leader) return undefined;
    this.#told = { role, term, leader };
    return this.status();
  }
}
