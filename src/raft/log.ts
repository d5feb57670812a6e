import { invariant } from './invariant.js';
import type { Rules } from './rules.js';
import type { Entry, LogIndex, SnapshotMark, Term } from './types.js';

/** About what an entry takes besides its data. */
export const ENTRY_BYTES = 64;

/** A `Persist` that the host has and has not reported: its newest entry that the log still holds. */
interface InFlight {
  readonly seq: number;
  last: LogIndex;
}

/**
 * The log in memory, and how much of it is on disk.
 *
 *     base.index  <=  durable  <=  handed  <=  last.index
 */
export class Log {
  readonly #rules: Rules;
  /** What the log starts behind: everything up to here is committed and covered by a snapshot. */
  #base: SnapshotMark;
  #entries: Entry[];
  /** Newest index given out to be written. Falls when the log is truncated. */
  #handed: LogIndex;
  /** Newest index known to be on disk in THIS form of the log: truncation lowers it (R7). */
  #durable: LogIndex;
  readonly #inFlight: InFlight[] = [];

  constructor(base: SnapshotMark, entries: readonly Entry[], rules: Rules) {
    this.#rules = rules;
    this.#base = base;
    this.#entries = [...entries];
    entries.forEach((entry, at) => {
      invariant(entry.index === base.index + 1 + at, 'storage: the log has no gaps');
    });
    this.#handed = this.lastIndex;
    this.#durable = this.lastIndex;
  }

  get base(): SnapshotMark {
    return this.#base;
  }

  get lastIndex(): LogIndex {
    return this.#base.index + this.#entries.length;
  }

  get last(): SnapshotMark {
    const entry = this.#entries[this.#entries.length - 1];
    return entry ?? this.#base;
  }

  get durable(): LogIndex {
    return this.#durable;
  }

  /** undefined: before the base or behind the end. */
  term(index: LogIndex): Term | undefined {
    if (index === this.#base.index) return this.#base.term;
    return this.#entries[index - this.#base.index - 1]?.term;
  }

  entry(index: LogIndex): Entry | undefined {
    return this.#entries[index - this.#base.index - 1];
  }

  append(entry: Entry): void {
    invariant(entry.index === this.lastIndex + 1, 'R1: entries are appended in order');
    this.#entries.push(entry);
  }

  /** Entries from `first`, as many as fit into `bytesMax`, but one at least. */
  slice(first: LogIndex, last: LogIndex, bytesMax: number): Entry[] {
    const found: Entry[] = [];
    let bytes = 0;
    for (let index = first; index <= last; index++) {
      const entry = this.entry(index);
      if (entry === undefined) break;
      bytes += entry.data.length;
      if (found.length > 0 && bytes > bytesMax) break;
      found.push(entry);
    }
    return found;
  }

  /**
   * R1: takes what a leader sent behind a matching entry. Equal entries are kept, so that a late or doubled frame takes
   * nothing back; only a real conflict truncates, and never at or below the commit index.
   */
  merge(entries: readonly Entry[], commit: LogIndex): void {
    for (const entry of entries) {
      if (entry.index <= this.#base.index) continue;
      if (entry.index <= this.lastIndex) {
        if (this.#rules.sameEntry(this.term(entry.index), entry.term)) continue;
        invariant(entry.index > commit, 'R1: a committed entry is never replaced');
        this.#truncate(entry.index);
      }
      this.append(entry);
    }
  }

  #truncate(from: LogIndex): void {
    this.#entries.length = from - this.#base.index - 1;
    this.#handed = Math.min(this.#handed, from - 1);
    this.#durable = Math.min(this.#durable, from - 1);
    for (const write of this.#inFlight) write.last = Math.min(write.last, from - 1);
  }

  /** R2: the largest own index at or before `index` with a term not above `term`. */
  lastNotAbove(index: LogIndex, term: Term): SnapshotMark {
    for (let at = Math.min(index, this.lastIndex); at > this.#base.index; at--) {
      const own = this.term(at) ?? 0;
      if (own <= term) return { index: at, term: own };
    }
    return this.#base;
  }

  /** The entries to write next, as part of the `Persist` number `seq`. */
  hand(seq: number): Entry[] {
    const entries = this.#entries.slice(this.#handed - this.#base.index);
    this.#handed = this.lastIndex;
    if (entries.length > 0) this.#inFlight.push({ seq, last: this.lastIndex });
    return entries;
  }

  get hasUnhanded(): boolean {
    return this.#handed < this.lastIndex;
  }

  /** Which `Persist` makes `index` durable: 0 if it is, `next` if it is not given out yet. */
  seqOf(index: LogIndex, next: number): number {
    if (index <= this.#durable) return 0;
    if (index > this.#handed) return next;
    return this.#inFlight.find((write) => write.last >= index)?.seq ?? next;
  }

  /** All writes up to `seq` are on disk. */
  persisted(seq: number): void {
    for (;;) {
      const write = this.#inFlight[0];
      if (write === undefined || write.seq > seq) return;
      this.#inFlight.shift();
      this.#durable = Math.max(this.#durable, write.last);
    }
  }

  /** The index behind which the entries up to `index` come to `bytes` at the most. */
  reachingBack(index: LogIndex, bytes: number): LogIndex {
    let left = bytes;
    for (let at = index; at > this.#base.index; at--) {
      left -= ENTRY_BYTES + (this.entry(at)?.data.length ?? 0);
      if (left < 0) return at;
    }
    return this.#base.index;
  }

  /** Forgets entries that a snapshot covers. */
  compact(index: LogIndex): void {
    const term = this.term(index);
    if (index <= this.#base.index) return;
    invariant(term !== undefined, 'compaction stays within the log');
    this.#entries = this.#entries.slice(index - this.#base.index);
    this.#base = { index, term };
    this.#handed = Math.max(this.#handed, index);
    this.#durable = Math.max(this.#durable, index);
  }

  /** S3: whether the log continues `mark`. */
  continues(mark: SnapshotMark): boolean {
    return this.term(mark.index) === mark.term;
  }

  /** S3: starts again behind an installed snapshot, keeping what continues it. */
  restart(mark: SnapshotMark): void {
    if (this.continues(mark)) {
      this.compact(mark.index);
      return;
    }
    this.#entries = [];
    this.#base = mark;
    this.#handed = mark.index;
    this.#durable = mark.index;
    for (const write of this.#inFlight) write.last = mark.index;
  }
}
