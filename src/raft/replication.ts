import type { Core } from './core.js';
import { Progress } from './progress.js';
import { quorumValue } from './quorum.js';
import type {
  AppendReply,
  BeatReply,
  FollowerStatus,
  LogIndex,
  MemberId,
  Milliseconds,
  SnapshotMark,
  SnapshotReply,
} from './types.js';

/** A leader's view of its followers, for one term (R2 to R4). */
export class Replication {
  readonly #core: Core;
  readonly #progress: readonly Progress[];
  /** Followers for whom the host has yet to be asked for a snapshot. */
  #snapshots: MemberId[] = [];

  constructor(core: Core) {
    this.#core = core;
    this.#progress = core.peers.map((id) => new Progress(id, core.log.lastIndex + 1, core.now));
  }

  progress(id: MemberId): Progress | undefined {
    return this.#progress.find((progress) => progress.id === id);
  }

  get all(): readonly Progress[] {
    return this.#progress;
  }

  /** R5: the index that a majority has on disk; the own log counts as far as it is durable (R4). */
  get quorumIndex(): LogIndex {
    const matches = this.#progress.map((progress) => (progress.amnesiac ? 0 : progress.match));
    return quorumValue([this.#core.log.durable, ...matches]);
  }

  /** E8: the send times that the others have echoed. */
  get ackTimes(): Milliseconds[] {
    return this.#progress.map((progress) =>
      progress.amnesiac ? Number.NEGATIVE_INFINITY : progress.ackedAt,
    );
  }

  /** The read round that a majority has echoed (§2.10). */
  get quorumRound(): number {
    return quorumValue([Number.POSITIVE_INFINITY, ...this.#progress.map((p) => (p.amnesiac ? 0 : p.round))]);
  }

  status(): FollowerStatus[] {
    return this.#progress.map((progress) => progress.status());
  }

  takeSnapshots(): MemberId[] {
    const snapshots = this.#snapshots;
    if (snapshots.length > 0) this.#snapshots = [];
    return snapshots;
  }

  /** Sends what can be sent now. Called once per `Ready`, so that proposals of one turn share frames. */
  pump(): void {
    for (const progress of this.#progress) {
      if (progress.amnesiac || this.#core.down.has(progress.id)) continue;
      if (progress.state === 'probe') this.#probe(progress);
      else if (progress.state === 'replicate') this.#replicate(progress);
    }
  }

  /** The first probe carries entries, in the hope that the logs meet; later ones only ask. */
  #probe(progress: Progress): void {
    const { now, timers } = this.#core;
    if (now < progress.probeAt) return;
    if (this.#send(progress, !progress.probed)) {
      progress.probed = true;
      progress.probeAt = now + 2 * timers.beatMs;
    }
  }

  #replicate(progress: Progress): void {
    const { log, limits, announced, now } = this.#core;
    const { window } = progress;
    if (window.frames === 0) progress.movedAt = now;
    while (
      progress.next <= log.lastIndex &&
      window.frames < limits.inflightFramesMax &&
      window.bytes < limits.inflightBytesMax
    ) {
      const first = progress.next;
      if (!this.#send(progress, true) || progress.next === first) return;
    }
    // Nothing to ride on: followers answer their own callers from what they have applied.
    if (progress.told < announced) this.#send(progress, false);
  }

  /** false: it needs a snapshot. */
  #send(progress: Progress, withEntries: boolean): boolean {
    const { log, outbox, limits, id, term, announced, now } = this.#core;
    const prevIndex = progress.next - 1;
    const prevTerm = log.term(prevIndex);
    if (prevTerm === undefined) {
      // It may be loading the last one still, while this log went on being compacted.
      if (now < progress.loadsUntil) return true;
      progress.becomeSnapshot();
      this.#snapshots.push(progress.id);
      return false;
    }
    const entries = withEntries ? log.slice(progress.next, log.lastIndex, limits.appendBytesMax) : [];
    outbox.send({
      type: 'append',
      from: id,
      to: progress.id,
      term,
      prevIndex,
      prevTerm,
      commit: announced,
      sentAt: now,
      entries,
    });
    progress.told = announced;
    const last = entries[entries.length - 1];
    if (last !== undefined && progress.state === 'replicate') {
      progress.next = last.index + 1;
      progress.window.add(
        last.index,
        entries.reduce((sum, entry) => sum + entry.data.length, 0),
      );
    }
    return true;
  }

  /** Frames without an ack for an election timeout are lost: ask where the logs meet. */
  tick(): void {
    const { now, timers } = this.#core;
    for (const progress of this.#progress) {
      if (progress.window.frames > 0 && now - progress.movedAt > timers.electionMs) {
        progress.becomeProbe(progress.match + 1, now);
      }
    }
  }

  onAppendReply(progress: Progress, message: AppendReply): void {
    progress.ackedAt = Math.max(progress.ackedAt, message.sentAt);
    if (message.ok) this.#accepted(progress, message.index);
    else this.#refused(progress, message);
    progress.verify();
  }

  #accepted(progress: Progress, index: LogIndex): void {
    const { log, now } = this.#core;
    progress.acknowledge(Math.min(index, log.lastIndex), now);
    if (progress.state === 'probe' || (progress.state === 'snapshot' && progress.match >= log.base.index)) {
      progress.becomeReplicate(now);
    }
  }

  #refused(progress: Progress, message: AppendReply): void {
    const { log, now } = this.#core;
    if (message.index <= progress.match) {
      // I4: it acknowledged this index before the refused frame was sent, and has lost it since.
      if (message.sentAt > progress.matchedAt && message.hintIndex < progress.match) progress.amnesiac = true;
      return;
    }
    if (progress.state === 'snapshot') return;
    if (progress.state === 'probe' && progress.next - 1 !== message.index) return;
    progress.loadsUntil = Number.NEGATIVE_INFINITY;
    const meets = log.lastNotAbove(message.hintIndex, message.hintTerm);
    const next = Math.min(meets.index + 1, message.index);
    progress.becomeProbe(message.hintIndex < log.base.index ? message.hintIndex + 1 : next, now);
  }

  onBeatReply(progress: Progress, message: BeatReply): void {
    progress.ackedAt = Math.max(progress.ackedAt, message.sentAt);
    progress.round = Math.max(progress.round, message.readRound);
    progress.repliedAt = Math.max(progress.repliedAt, message.repliedAt);
  }

  /** It loaded the snapshot, or refused it since its own log is as far: either way it has `index`. */
  onSnapshotReply(progress: Progress, message: SnapshotReply): void {
    progress.ackedAt = Math.max(progress.ackedAt, message.sentAt);
    this.#accepted(progress, message.index);
    progress.verify();
  }

  /** The snapshot's bytes are out. Its reply may be lost, so the log is probed behind it. */
  snapshotSent(id: MemberId, mark: SnapshotMark): void {
    const progress = this.progress(id);
    if (progress?.state !== 'snapshot') return;
    progress.becomeProbe(mark.index + 1, this.#core.now);
    progress.loadsUntil = this.#core.now + 10 * this.#core.timers.electionMs;
  }

  snapshotFailed(id: MemberId): void {
    const progress = this.progress(id);
    if (progress?.state !== 'snapshot') return;
    progress.becomeProbe(progress.match + 1, this.#core.now + 4 * this.#core.timers.beatMs);
  }

  /** Whatever was on its way is lost, and the next connection may find another run of that peer. */
  peerDown(id: MemberId): void {
    const progress = this.progress(id);
    if (progress === undefined) return;
    progress.repliedAt = 0;
    progress.loadsUntil = Number.NEGATIVE_INFINITY;
    if (progress.state === 'replicate') progress.becomeProbe(progress.match + 1, this.#core.now);
  }

  peerUp(id: MemberId): void {
    const progress = this.progress(id);
    if (progress?.state === 'probe') progress.becomeProbe(progress.next, this.#core.now);
  }
}
