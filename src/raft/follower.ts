import type { Core } from './core.js';
import type {
  Append,
  Beat,
  LogIndex,
  MemberId,
  Milliseconds,
  SnapshotMark,
  SnapshotVerdict,
} from './types.js';

/** What a follower does with its leader's frames (R1, R7, S3). The frame's term is the own one. */
export class Follower {
  readonly #core: Core;
  /** The newest index known to be in the leader's log too, in this term. */
  #matched: LogIndex = 0;
  /** Send time of the newest frame of this term's leader. */
  #heardSentAt: Milliseconds = 0;
  /** A commit index that was current at `at` by the own clock (§2.6.4), until it is applied. */
  #dated: { readonly commit: LogIndex; readonly at: Milliseconds } | undefined;
  /** Everything acknowledged before this instant is applied here. */
  #freshAt: Milliseconds = Number.NEGATIVE_INFINITY;

  constructor(core: Core) {
    this.#core = core;
  }

  get freshAt(): Milliseconds {
    return this.#freshAt;
  }

  /** As a leader with a lease it knows of every acknowledged write. */
  fresh(now: Milliseconds): void {
    this.#freshAt = Math.max(this.#freshAt, now);
  }

  /** A new term: nothing is known of its leader's log. */
  reset(): void {
    this.#matched = 0;
    this.#heardSentAt = 0;
    this.#dated = undefined;
  }

  onAppend(message: Append): void {
    this.#heardSentAt = Math.max(this.#heardSentAt, message.sentAt);
    const { log, outbox, installing } = this.#core;
    // What is being loaded settles where the log starts; the leader probes again.
    if (installing !== undefined) return;
    if (!this.#meets(message.prevIndex, message.prevTerm)) {
      const hint = log.lastNotAbove(message.prevIndex, message.prevTerm);
      outbox.send(this.#reply(message, false, message.prevIndex, hint));
      return;
    }
    log.merge(message.entries, this.#core.commit);
    const last = Math.max(message.prevIndex + message.entries.length, log.base.index);
    this.#matched = Math.max(this.#matched, last);
    this.#learn(message.commit);
    outbox.sendWhenDurable(last, this.#reply(message, true, last, { index: 0, term: 0 }));
  }

  /** R1: a place that a snapshot covers is committed, and so a match. */
  #meets(index: LogIndex, term: number): boolean {
    const { log } = this.#core;
    return index < log.base.index || log.term(index) === term;
  }

  #reply(message: Append, ok: boolean, index: LogIndex, hint: SnapshotMark) {
    return {
      type: 'appendReply',
      from: this.#core.id,
      to: message.from,
      term: this.#core.term,
      ok,
      index,
      hintIndex: hint.index,
      hintTerm: hint.term,
      sentAt: message.sentAt,
    } as const;
  }

  /** Commit moves only over entries that are known to be the leader's. */
  #learn(commit: LogIndex): void {
    const { rules, log } = this.#core;
    this.#core.advanceCommit(rules.knownCommit(commit, this.#matched, log.lastIndex));
  }

  onBeat(message: Beat): void {
    this.#heardSentAt = Math.max(this.#heardSentAt, message.sentAt);
    const { outbox, id, term, now } = this.#core;
    this.#learn(message.commit);
    if (message.leased && message.echoAt > 0 && message.echoAt <= now) {
      this.#dated ??= { commit: message.commit, at: message.echoAt };
      this.freshen();
    }
    outbox.send({
      type: 'beatReply',
      from: id,
      to: message.from,
      term,
      sentAt: message.sentAt,
      readRound: message.readRound,
      repliedAt: now,
    });
  }

  /** More is applied: perhaps a dated commit index is reached. */
  freshen(): void {
    if (this.#dated === undefined || this.#core.applied < this.#dated.commit) return;
    this.#freshAt = Math.max(this.#freshAt, this.#dated.at);
    this.#dated = undefined;
  }

  onSnapshotChunk(sentAt: Milliseconds): void {
    this.#heardSentAt = Math.max(this.#heardSentAt, sentAt);
  }

  /** S3: a complete snapshot is there. */
  offer(mark: SnapshotMark): SnapshotVerdict {
    const core = this.#core;
    if (core.role === 'leader' || core.installing !== undefined) return 'refused';
    if (mark.index <= core.commit) {
      // The committed part of the log is the leader's, as far as it is on disk.
      this.#replySnapshot(false, Math.min(core.commit, core.log.durable));
      return 'refused';
    }
    core.installing = mark;
    return core.log.continues(mark) ? 'keepLog' : 'dropLog';
  }

  /** The offered snapshot is durable and loaded. */
  installed(mark: SnapshotMark): void {
    const core = this.#core;
    core.installing = undefined;
    core.log.restart(mark);
    core.commit = Math.max(core.commit, mark.index);
    core.given = Math.max(core.given, mark.index);
    core.applied = Math.max(core.applied, mark.index);
    this.#replySnapshot(true, mark.index);
  }

  #replySnapshot(ok: boolean, index: LogIndex): void {
    const { leader, id, term, outbox } = this.#core;
    if (leader === 0 || leader === id) return;
    outbox.send({
      type: 'snapshotReply',
      from: id,
      to: leader,
      term,
      ok,
      index,
      sentAt: this.#heardSentAt,
    });
  }

  /** An answer to a leader of an earlier term: the own term, and nothing else (§2.4). */
  correct(to: MemberId): void {
    const { id, term, outbox } = this.#core;
    outbox.send({
      type: 'beatReply',
      from: id,
      to,
      term,
      sentAt: 0,
      readRound: 0,
      repliedAt: 0,
    });
  }
}
