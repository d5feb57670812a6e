import type { Core } from './core.js';
import type { LogIndex, MemberId, ReadIndex, ReadIndexReply } from './types.js';

interface Pending {
  readonly id: number;
  /** Who asked; the leader itself for its own reads. */
  readonly from: MemberId;
  /** What was committed when the read arrived; -1 while this leader cannot say. */
  index: LogIndex;
  /** The round that confirms it, 0 before one was opened. */
  round: number;
}

/**
 * Reads by index (§2.10): the leader notes its commit index, proves that it still leads, and only then names the index. While
 * it holds its lease, that is the proof; otherwise a round of beats is. A read joins the NEXT round to be opened, never one
 * that is out already.
 */
export class Reads {
  readonly #core: Core;
  /** At the leader: its own and its followers' reads. */
  #pending: Pending[] = [];
  /** At a follower: reads that the leader was asked about. */
  readonly #asked = new Set<number>();
  /** The newest round opened. Never reused in this run. */
  #round = 0;
  #confirmed = 0;

  constructor(core: Core) {
    this.#core = core;
  }

  get round(): number {
    return this.#round;
  }

  get #full(): boolean {
    return this.#pending.length + this.#asked.size >= this.#core.limits.readsMax;
  }

  /** A read of this process. `leased`: this peer leads and holds its lease. */
  ask(id: number, leased: boolean): void {
    const { role, leader, down, outbox, id: self, term, commit } = this.#core;
    if (leased) this.#answer(self, id, commit);
    else if (this.#full) this.#answer(self, id, -1);
    else if (role === 'leader') this.#pending.push({ id, from: self, index: -1, round: 0 });
    else if (leader === 0 || down.has(leader)) this.#answer(self, id, -1);
    else {
      this.#asked.add(id);
      outbox.send({ type: 'readIndex', from: self, to: leader, term, id });
    }
  }

  /** A read of another process. */
  onReadIndex(message: ReadIndex, leased: boolean): void {
    if (leased) this.#answer(message.from, message.id, this.#core.commit);
    else if (this.#core.role !== 'leader' || this.#full) this.#answer(message.from, message.id, -1);
    else this.#pending.push({ id: message.id, from: message.from, index: -1, round: 0 });
  }

  /** The answer holds whoever leads by now: it was the commit index at some moment since the question. */
  onReadIndexReply(message: ReadIndexReply): void {
    if (this.#asked.delete(message.id)) this.#answer(this.#core.id, message.id, message.index);
  }

  /**
   * Opens a round for the reads that arrived since the last one. `able`: the leader's no-op is applied and its barrier
   * over, so that its commit index covers everything that was ever acknowledged (E7).
   */
  open(able: boolean): boolean {
    if (!able) return false;
    let opened = false;
    for (let at = this.#pending.length - 1; at >= 0; at--) {
      const read = this.#pending[at];
      if (read === undefined || read.round !== 0) break;
      read.index = this.#core.commit;
      read.round = this.#round + 1;
      opened = true;
    }
    if (opened) this.#round++;
    return opened;
  }

  /** Whether a round is out: the next waits for it or for the next beat, so that there is one beat a round trip. */
  get busy(): boolean {
    return this.#confirmed < this.#round && this.#pending.some((read) => read.round !== 0);
  }

  get waiting(): boolean {
    return this.#pending.length > 0 && this.#pending[this.#pending.length - 1]?.round === 0;
  }

  /** A majority has echoed `round`. */
  confirm(round: number): void {
    if (round <= this.#confirmed) return;
    this.#confirmed = Math.min(round, this.#round);
    const open = this.#pending.findIndex((read) => read.round === 0 || read.round > round);
    const answered = open < 0 ? this.#pending : this.#pending.slice(0, open);
    if (answered.length === 0) return;
    this.#pending = open < 0 ? [] : this.#pending.slice(open);
    for (const read of answered) this.#answer(read.from, read.id, read.index);
  }

  /** Leadership ended, here or at the leader that was asked: every reader has to ask again. */
  fail(): void {
    const pending = this.#pending;
    this.#pending = [];
    for (const read of pending) this.#answer(read.from, read.id, -1);
    for (const id of this.#asked) this.#answer(this.#core.id, id, -1);
    this.#asked.clear();
  }

  #answer(to: MemberId, id: number, index: LogIndex): void {
    const { id: self, term, outbox, reads } = this.#core;
    if (to === self) reads.push({ id, index });
    else outbox.send({ type: 'readIndexReply', from: self, to, term, id, index });
  }
}
