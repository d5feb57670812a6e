import { invariant } from './invariant.js';
import type { FollowerStatus, LogIndex, MemberId, Milliseconds } from './types.js';

interface Frame {
  readonly last: LogIndex;
  readonly bytes: number;
}

/** Frames with entries on their way to one follower (R3). */
export class Window {
  #frames: Frame[] = [];
  #bytes = 0;

  get frames(): number {
    return this.#frames.length;
  }

  get bytes(): number {
    return this.#bytes;
  }

  add(last: LogIndex, bytes: number): void {
    this.#frames.push({ last, bytes });
    this.#bytes += bytes;
  }

  /** The follower has everything up to `index`. */
  free(index: LogIndex): void {
    const first = this.#frames.findIndex((frame) => frame.last > index);
    this.#frames = first < 0 ? [] : this.#frames.slice(first);
    this.#bytes = this.#frames.reduce((sum, frame) => sum + frame.bytes, 0);
  }

  clear(): void {
    this.#frames = [];
    this.#bytes = 0;
  }
}

/**
 * What a leader knows of one follower (R3). `match < next` always; `match` never falls (I4).
 *
 * - `probe`: it is not known where the logs meet; one frame at a time.
 * - `replicate`: frames are sent ahead of their acks, within the window.
 * - `snapshot`: what it needs is no longer in the log, and the host is sending it.
 */
export class Progress {
  readonly id: MemberId;
  /** Newest index durable there. */
  match: LogIndex = 0;
  /** When `match` was last raised, by the leader's clock. */
  matchedAt: Milliseconds;
  /** First index of the next frame. */
  next: LogIndex;
  state: FollowerStatus['state'] = 'probe';
  /** A probe is out; the next one, without entries, leaves at this instant. */
  probeAt: Milliseconds = 0;
  probed = false;
  readonly window = new Window();
  /** When the oldest unacknowledged frame was sent or the newest ack came: silence behind it means loss. */
  movedAt: Milliseconds;
  /** The newest send time it has echoed in this term (E8). */
  ackedAt: Milliseconds = Number.NEGATIVE_INFINITY;
  /** The newest read round it has echoed. */
  round = 0;
  /** Its clock at its newest beat reply. */
  repliedAt: Milliseconds = 0;
  /** The newest commit index it was told. */
  told: LogIndex = 0;
  amnesiac = false;
  /** A snapshot went out whole, and this long it is not sent again for want of an answer. */
  loadsUntil: Milliseconds = Number.NEGATIVE_INFINITY;

  constructor(id: MemberId, next: LogIndex, now: Milliseconds) {
    this.id = id;
    this.next = next;
    this.matchedAt = now;
    this.movedAt = now;
  }

  becomeProbe(next: LogIndex, at: Milliseconds): void {
    this.state = 'probe';
    this.next = Math.max(next, this.match + 1);
    this.probeAt = at;
    this.probed = false;
    this.window.clear();
  }

  /** From what is known to be there: a frame sent ahead of it may be lost. */
  becomeReplicate(now: Milliseconds): void {
    this.state = 'replicate';
    this.next = this.match + 1;
    this.loadsUntil = Number.NEGATIVE_INFINITY;
    this.movedAt = now;
    this.window.clear();
  }

  becomeSnapshot(): void {
    this.state = 'snapshot';
    this.window.clear();
  }

  /** It has everything up to `index` on disk. */
  acknowledge(index: LogIndex, now: Milliseconds): void {
    this.window.free(index);
    this.movedAt = now;
    if (index <= this.match) return;
    this.match = index;
    this.matchedAt = now;
    this.next = Math.max(this.next, index + 1);
  }

  verify(): void {
    invariant(this.match < this.next, 'R3: match is below next');
    invariant(
      this.state === 'replicate' || this.window.frames === 0,
      'R3: only replication fills the window',
    );
  }

  status(): FollowerStatus {
    return { id: this.id, match: this.match, state: this.state, amnesiac: this.amnesiac };
  }
}
