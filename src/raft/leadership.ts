import type { Core } from './core.js';
import { Lease } from './lease.js';
import type { Reads } from './reads.js';
import { Replication } from './replication.js';
import type { Entry, LogIndex, MemberId, Milliseconds, Refusal } from './types.js';

const NOTHING = new Uint8Array(0);

/** What a leader should do next about its leadership: nothing, step down (E10), or win it again with its token (E9). */
export type Verdict = 'lead' | 'stepDown' | 'reelect';

/** One term of leadership: proposals, commit, beats, and how it ends (E7 to E10, R4 to R8). */
export class Leadership {
  readonly #core: Core;
  readonly #reads: Reads;
  readonly lease: Lease;
  readonly replication: Replication;
  /** Payload appended and not committed (R8). */
  #uncommittedBytes = 0;
  /** When the commit index last moved, or had nothing to wait for. */
  #commitMovedAt: Milliseconds;
  #beatAt: Milliseconds = 0;
  /** A hand-over that was asked for: to whom, and when the current step of it began. */
  #transfer: { readonly to: MemberId; since: Milliseconds } | undefined;

  /** E7: appends the no-op of its term and replicates at once; commit waits for the barrier. */
  constructor(core: Core, reads: Reads, barrierUntil: Milliseconds) {
    this.#core = core;
    this.#reads = reads;
    this.replication = new Replication(core);
    this.#commitMovedAt = Math.max(core.now, barrierUntil);
    for (let index = core.commit + 1; index <= core.log.lastIndex; index++) {
      this.#uncommittedBytes += core.log.entry(index)?.data.length ?? 0;
    }
    this.lease = new Lease(core, core.log.lastIndex + 1, barrierUntil);
    this.#append('noop', NOTHING);
    this.#beatAt = this.#nextBeat();
  }

  get uncommittedBytes(): number {
    return this.#uncommittedBytes;
  }

  #append(kind: Entry['kind'], data: Uint8Array): LogIndex {
    const { log, term } = this.#core;
    const index = log.lastIndex + 1;
    log.append({ index, term, kind, data });
    this.#uncommittedBytes += data.length;
    return index;
  }

  propose(data: Uint8Array): LogIndex | Refusal {
    if (this.#transfer !== undefined || this.lease.relinquished) return 'busy';
    const { uncommittedBytesMax } = this.#core.limits;
    const bytes = this.#uncommittedBytes;
    if (bytes > 0 && bytes + data.length > uncommittedBytesMax) return 'busy';
    return this.#append('batch', data);
  }

  /** R5: moves the commit index as far as a majority allows. */
  commit(): void {
    const core = this.#core;
    const index = this.replication.quorumIndex;
    if (index <= core.commit) return;
    if (!core.rules.mayCommit(core.log.term(index) ?? 0, core.term, this.lease.barrierUntil, core.now))
      return;
    for (let at = core.commit + 1; at <= index; at++) {
      this.#uncommittedBytes -= core.log.entry(at)?.data.length ?? 0;
    }
    core.advanceCommit(index);
    this.#commitMovedAt = core.now;
  }

  /** Acks changed: the lease may last longer and reads may be answered. */
  supported(): void {
    this.lease.support(this.replication.ackTimes);
    this.#reads.confirm(this.replication.quorumRound);
  }

  tick(): Verdict {
    const { now, log, commit, timers } = this.#core;
    this.supported();
    this.commit();
    this.replication.tick();
    if (log.lastIndex === commit) this.#commitMovedAt = now;
    if (this.lease.hopeless) return 'stepDown';
    // E10: acks come, but nothing is ever durable: 2 Emax, where Emax is twice the timeout.
    if (now - this.#commitMovedAt > 4 * timers.electionMs) return 'stepDown';
    const verdict = this.#tickTransfer();
    if (now >= this.#beatAt) this.#beat();
    return verdict;
  }

  /** On the grid of the clock, so that the beats of several groups on one link fall together (G2). */
  #nextBeat(): Milliseconds {
    const { beatMs } = this.#core.timers;
    return (Math.floor(this.#core.now / beatMs) + 1) * beatMs;
  }

  #beat(): void {
    const { outbox, id, term, announced, now, down } = this.#core;
    this.#reads.open(this.#answersReads);
    this.#beatAt = this.#nextBeat();
    const leased = this.lease.until > now;
    for (const progress of this.replication.all) {
      if (down.has(progress.id)) continue;
      outbox.send({
        type: 'beat',
        from: id,
        to: progress.id,
        term,
        commit: announced,
        sentAt: now,
        readRound: this.#reads.round,
        leased,
        echoAt: progress.repliedAt,
      });
    }
  }

  /** E7: not before the barrier, and not before the no-op is applied. */
  get #answersReads(): boolean {
    return this.lease.barrierOver && this.#core.applied >= this.lease.noopIndex;
  }

  /** What one turn collected leaves: frames for followers, and a round for the reads that wait. */
  flush(): void {
    if (this.#reads.waiting && !this.#reads.busy && this.#answersReads) {
      this.#beat();
      this.supported();
    }
    this.replication.pump();
  }

  /** E9: begins a hand-over. false: not now, or not to that peer. */
  transfer(to: MemberId): boolean {
    const { peers, down, now, rules } = this.#core;
    if (this.#transfer !== undefined || this.lease.relinquished) return false;
    if (!rules.mayHandOver(this.lease.barrierUntil, now)) return false;
    if (!peers.includes(to) || down.has(to)) return false;
    this.#transfer = { to, since: now };
    this.#tickTransfer();
    return true;
  }

  /**
   * E9: waits until the target has the whole log, gives up the lease for the rest of the term, and only then hands the
   * token over. A target that is not heard of again loses the race against the old leader, which has a token as well.
   */
  #tickTransfer(): Verdict {
    const { log, now, timers, outbox, id, term } = this.#core;
    const transfer = this.#transfer;
    if (transfer === undefined) return 'lead';
    const late = now - transfer.since > timers.electionMs;
    if (this.lease.relinquished) return late ? 'reelect' : 'lead';
    if (this.replication.progress(transfer.to)?.match === log.lastIndex) {
      this.lease.relinquished = true;
      transfer.since = now;
      outbox.send({ type: 'timeoutNow', from: id, to: transfer.to, term });
    } else if (late) this.#transfer = undefined;
    return 'lead';
  }

  /** A target that cannot be reached any more will not take over: the own token is used at the next tick. */
  peerDown(id: MemberId): void {
    this.replication.peerDown(id);
    if (this.#transfer?.to === id) this.#transfer.since = Number.NEGATIVE_INFINITY;
  }

  /** An ack may be the one that a hand-over waits for. */
  acknowledged(): void {
    this.supported();
    this.commit();
    this.#tickTransfer();
  }

  /** When a tick would do something. */
  get wakeAt(): Milliseconds {
    const { barrierUntil } = this.lease;
    return barrierUntil > this.#core.now ? Math.min(this.#beatAt, barrierUntil) : this.#beatAt;
  }
}
