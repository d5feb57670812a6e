/**
 * The requests of this process to one shard, from the moment they are handed in until their outcome is known: numbered,
 * in order, sent again in the same order and under the same numbers whenever the way to the leader may have lost them
 * (rules X1 to X3). Pure: sending, clocks and timers belong to the host.
 *
 * A process that ends leaves its session to be forgotten: if it said goodbye, what a slow link still carries could open it
 * again, and take effect twice.
 *
 * Two countings: a *ticket* numbers the requests of this process for ever, from 1; a *sequence number* is what the log
 * sees, `ticket - base`, and begins anew when the group has forgotten the session and another one is opened.
 */
import {
  encodeControl,
  encodeRun,
  type Outcome,
  RequestWriter,
  replaceRequests,
  type SessionId,
} from './batch.js';

/** Why a request will get no reply. */
export type AbandonCode = 'NO_QUORUM' | 'TIMEOUT' | 'SESSION_EXPIRED' | 'CLOSED' | 'WITHDRAWN';

/** Consecutive requests that will get no reply. */
export interface Abandoned {
  readonly firstTicket: number;
  readonly count: number;
  readonly code: AbandonCode;
  readonly mayTakeEffect: boolean;
}

/** Requests that were handed in together. */
interface Batch {
  readonly firstTicket: number;
  readonly count: number;
  requests: Uint8Array;
  readonly deadlineMs: number;
  /** Whether it has left for a leader at least once, and so may be in a log. */
  sent: boolean;
}

/** What stands in the place of a request that was given up. */
const DO_NOTHING = ['PING'];
/** How many bytes of requests leave in one run at the most; a single batch may be longer. */
const RUN_BYTES_MAX = 256 * 1024;
/** Bytes of requests that a leader is sent ahead of their outcomes; a single batch may be longer. */
const WINDOW_BYTES_MAX = 8 * 1024 * 1024;
/** Batches that nobody waits for any more, above which a new life begins without them. */
const ABANDONED_MAX = 1024;
/** A session that was not seen open for so long may have been opened and forgotten: half of the group's patience. */
const UNSEEN_MS = 5 * 60 * 1000;

/** One process's requests to one shard. */
export class Session {
  readonly #newId: () => SessionId;
  #id: SessionId;
  /** Whether the group is known to have the session. Until then every run is preceded by the request that opens it. */
  #open = false;
  #base = 0;
  #handedIn = 0;
  /** Tickets up to this one have an outcome. */
  #settled = 0;
  /** In the order of their tickets; the first may be settled in part. Those that were sent come first. */
  #batches: Batch[] = [];
  /** How many of `#batches` the present leader has been sent, and their bytes. */
  #sentToLeader = 0;
  #sentBytes = 0;
  /** What the last {@link takeRuns} added to these. */
  #taken = { batches: 0, bytes: 0 };
  /**
   * How many of `#batches` have callers that were told that there will be no reply: those in front, since deadlines
   * ascend. They keep their place in line all the same.
   */
  #abandonedBatches = 0;
  /** The number that the group waited for when everything was last sent again because of a gap. */
  #gapSeq = 0;
  #pendingBytes = 0;
  #usedAtMs = 0;
  /** When this life's first run left. */
  #begunAtMs: number | undefined;

  constructor(newId: () => SessionId) {
    this.#newId = newId;
    this.#id = newId();
  }

  /** The session's id in the log. */
  get id(): SessionId {
    return this.#id;
  }

  /** Requests without an outcome. */
  get pending(): number {
    return this.#handedIn - this.#settled;
  }

  /** Bytes of the requests that are kept. */
  get pendingBytes(): number {
    return this.#pendingBytes;
  }

  /** Whether there is something to send: the present leader has not been sent it, and has room for it. */
  get unsent(): boolean {
    const next = this.#batches[this.#sentToLeader];
    if (next === undefined) return false;
    return this.#sentBytes === 0 || this.#sentBytes + next.requests.byteLength <= WINDOW_BYTES_MAX;
  }

  /** The ticket of a sequence number. */
  ticketOf(seq: number): number {
    return seq + this.#base;
  }

  /** The lowest sequence number without an outcome. */
  get firstPendingSeq(): number {
    return this.#settled + 1 - this.#base;
  }

  /** Takes requests over; their tickets follow those of the call before. */
  handIn(count: number, requests: Uint8Array, deadlineMs: number): void {
    const firstTicket = this.#handedIn + 1;
    this.#batches.push({ firstTicket, count, requests, deadlineMs, sent: false });
    this.#handedIn += count;
    this.#pendingBytes += requests.byteLength;
  }

  /** The way to the leader is another one, or may have lost something: everything is sent again. */
  resend(): void {
    this.#sentToLeader = 0;
    this.#sentBytes = 0;
    this.#gapSeq = 0;
  }

  /** The next runs for the leader, or none. They count as sent from now on. */
  takeRuns(nowMs: number): readonly Uint8Array[] {
    const first = this.#batches[this.#sentToLeader];
    if (first === undefined || !this.unsent) return [];
    const parts: Uint8Array[] = [];
    let bytes = 0;
    let count = 0;
    for (let at = this.#sentToLeader; at < this.#batches.length; at++) {
      const batch = this.#batches[at];
      if (batch === undefined || (bytes > 0 && bytes + batch.requests.byteLength > RUN_BYTES_MAX)) break;
      parts.push(batch.requests);
      bytes += batch.requests.byteLength;
      count += batch.count;
      batch.sent = true;
    }
    this.#taken = { batches: parts.length, bytes };
    this.#sentToLeader += parts.length;
    this.#sentBytes += bytes;
    this.#usedAtMs = nowMs;
    this.#begunAtMs ??= nowMs;
    const firstSeq = first.firstTicket - this.#base;
    const run = encodeRun({ session: this.#id, firstSeq, lowestUnacked: this.firstPendingSeq, count }, parts);
    return this.#open ? [run] : [encodeControl('HOLDFAST.SESSION', 'OPEN', this.#id), run];
  }

  /** What {@link takeRuns} just gave found no room on its way: it is still to be sent, and what went before it is not. */
  putBack(): void {
    this.#sentToLeader -= this.#taken.batches;
    this.#sentBytes -= this.#taken.bytes;
    this.#taken = { batches: 0, bytes: 0 };
  }

  /**
   * To be called before anything is sent. A session that was not seen open for long may have been opened, and forgotten
   * by now: opening it again would let what was sent take effect again. Returns what is left without a reply.
   */
  renew(nowMs: number): readonly Abandoned[] {
    if (this.#open || this.#begunAtMs === undefined || nowMs - this.#begunAtMs < UNSEEN_MS) return [];
    return this.#beginLife();
  }

  /** Whether the group is about to forget the session because nothing was said for `idleMs`. */
  needsTouch(nowMs: number, idleMs: number): boolean {
    return this.#open && nowMs - this.#usedAtMs >= idleMs;
  }

  /** The run that keeps an idle session alive. */
  touch(nowMs: number): Uint8Array {
    this.#usedAtMs = nowMs;
    return encodeControl('HOLDFAST.SESSION', 'TOUCH', this.#id);
  }

  /** An outcome came with an applied entry. Returns the requests that it leaves without a reply. */
  settle(outcome: Outcome): readonly Abandoned[] {
    if (outcome.kind === 'expired') return this.#forgotten();
    this.#open = true;
    if (outcome.kind === 'gap') this.#gap(outcome.seq);
    else this.#settleUpTo(this.ticketOf(outcome.seq));
    return [];
  }

  /** Everything behind the one that is missing comes back as a gap, too: it is sent again once. */
  #gap(seq: number): void {
    if (seq === this.#gapSeq) return;
    this.resend();
    this.#gapSeq = seq;
  }

  /**
   * Gives up what is overdue. What was never sent is replaced, in its place, by requests that do nothing: it takes no
   * effect. What was sent stays as it is, and may still take effect.
   */
  expire(nowMs: number, code: 'NO_QUORUM' | 'TIMEOUT'): readonly Abandoned[] {
    const overdue: Abandoned[] = [];
    for (;;) {
      const batch = this.#batches[this.#abandonedBatches];
      if (batch === undefined || batch.deadlineMs > nowMs) break;
      overdue.push(this.#abandon(batch, code));
    }
    if (this.#abandonedBatches > ABANDONED_MAX) this.#leaveBehind();
    return overdue;
  }

  /**
   * Gives up requests whose callers have gone. Those that were never sent are replaced, in their places, by requests that do nothing, and
   * returned: they take no effect. The others go on.
   */
  withdraw(tickets: readonly number[]): readonly Abandoned[] {
    const ascending = [...tickets].sort((a, b) => a - b);
    const withdrawn: number[] = [];
    let next = 0;
    for (const batch of this.#batches.slice(this.#abandonedBatches)) {
      const { firstTicket, count, sent } = batch;
      const places = new Set<number>();
      for (let ticket = ascending[next]; ticket !== undefined && ticket < firstTicket + count; ) {
        if (ticket >= firstTicket && !sent) places.add(ticket - firstTicket);
        ticket = ascending[++next];
      }
      if (places.size === 0) continue;
      this.#replace(batch, replaceRequests(batch.requests, places, DO_NOTHING));
      for (const place of places) withdrawn.push(firstTicket + place);
    }
    return withdrawn.map((firstTicket) => {
      return { firstTicket, count: 1, code: 'WITHDRAWN', mayTakeEffect: false };
    });
  }

  /** The store closes: what has no outcome gets none. */
  close(): readonly Abandoned[] {
    const left = this.#batches.slice(this.#abandonedBatches).map((batch) => this.#abandon(batch, 'CLOSED'));
    this.#settleUpTo(this.#handedIn);
    return left;
  }

  #abandon(batch: Batch, code: AbandonCode): Abandoned {
    const firstTicket = Math.max(batch.firstTicket, this.#settled + 1);
    const count = batch.firstTicket + batch.count - firstTicket;
    this.#abandonedBatches++;
    if (!batch.sent) this.#replace(batch, requestsThatDoNothing(batch.count));
    return { firstTicket, count, code, mayTakeEffect: batch.sent };
  }

  /** While there is no quorum what was given up must not pile up. It can go once it is all that was ever sent. */
  #leaveBehind(): void {
    if (this.#batches[this.#abandonedBatches]?.sent !== true) this.#beginLife();
  }

  #replace(batch: Batch, requests: Uint8Array): void {
    this.#pendingBytes += requests.byteLength - batch.requests.byteLength;
    batch.requests = requests;
  }

  #settleUpTo(ticket: number): void {
    this.#settled = Math.max(this.#settled, ticket);
    let first = this.#batches[0];
    while (first !== undefined && first.firstTicket + first.count - 1 <= this.#settled) {
      this.#batches.shift();
      this.#pendingBytes -= first.requests.byteLength;
      if (this.#sentToLeader > 0) {
        this.#sentToLeader--;
        this.#sentBytes -= first.requests.byteLength;
      }
      this.#abandonedBatches = Math.max(0, this.#abandonedBatches - 1);
      first = this.#batches[0];
    }
  }

  /**
   * The group has no such session. If it was never seen open, the request that opens it was lost on the way; otherwise
   * the group forgot it, and nobody can tell any more what became of what was sent.
   */
  #forgotten(): readonly Abandoned[] {
    if (this.#open) return this.#beginLife();
    this.resend();
    return [];
  }

  /** What was sent gets no reply any more; what was not begins under another session, numbered anew. */
  #beginLife(): readonly Abandoned[] {
    const sent = this.#batches.filter((batch) => batch.sent).length;
    const lost = this.#batches
      .slice(this.#abandonedBatches, sent)
      .map((batch) => this.#abandon(batch, 'SESSION_EXPIRED'));
    const last = this.#batches[Math.max(sent, this.#abandonedBatches) - 1];
    if (last !== undefined) this.#settleUpTo(last.firstTicket + last.count - 1);
    this.#open = false;
    this.#begunAtMs = undefined;
    this.#id = this.#newId();
    this.#base = this.#settled;
    this.resend();
    return lost;
  }
}

function requestsThatDoNothing(count: number): Uint8Array {
  const writer = new RequestWriter();
  for (let i = 0; i < count; i++) writer.write(DO_NOTHING);
  return writer.take();
}
