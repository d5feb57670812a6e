import type { Entry, HardState, LogIndex, Persist, SnapshotMark, Term } from '../../src/raft/types.js';
import type { Machine } from './machine.js';
import type { Random } from './random.js';
import type { Scheduler } from './scheduler.js';

/** A durable snapshot: the state at exactly `mark`. */
export interface Snapshot {
  readonly mark: SnapshotMark;
  readonly machine: Machine;
}

interface Write {
  /** Applies the write to what is durable. A torn one applies only its first `records` records. */
  readonly apply: (records: number) => void;
  readonly records: number;
  readonly done: () => void;
}

/** The disk of one peer: writes become durable in order, and a crash loses or tears those that are not. */
export class Disk {
  readonly #scheduler: Scheduler;
  readonly #random: Random;
  hardState: HardState = { term: 0, vote: 0 };
  snapshot: Snapshot | undefined;
  /** What the log on disk starts behind. */
  #base: LogIndex = 0;
  #entries: Entry[] = [];
  #queue: Write[] = [];
  #busy = false;
  /** Counts what cancels a sync under way: its completion is void. */
  #life = 0;
  syncMs: number;
  /** Votes are lost on purpose. */
  readonly #forgetsVotes: boolean;

  constructor(scheduler: Scheduler, random: Random, syncMs: number, forgetsVotes: boolean) {
    this.#scheduler = scheduler;
    this.#random = random;
    this.syncMs = syncMs;
    this.#forgetsVotes = forgetsVotes;
  }

  get mark(): SnapshotMark {
    return this.snapshot?.mark ?? { index: 0, term: 0 };
  }

  /** The log behind the snapshot. */
  get entries(): readonly Entry[] {
    return this.#entries.slice(Math.max(0, this.mark.index - this.#base));
  }

  holds(index: LogIndex, term: Term): boolean {
    return index <= this.mark.index || this.#entries[index - this.#base - 1]?.term === term;
  }

  persist({ hardState, entries }: Persist, done: () => void): void {
    const hardRecords = hardState === undefined ? 0 : 1;
    const apply = (records: number): void => {
      if (hardState !== undefined && records > 0) {
        this.hardState = this.#forgetsVotes ? { term: hardState.term, vote: 0 } : hardState;
      }
      this.#append(entries.slice(0, Math.max(0, records - hardRecords)));
    };
    this.#push({ apply, records: hardRecords + entries.length, done });
  }

  #append(entries: readonly Entry[]): void {
    for (const entry of entries) {
      if (entry.index <= this.#base) continue;
      this.#entries.length = Math.min(this.#entries.length, entry.index - this.#base - 1);
      this.#entries.push(entry);
    }
  }

  /** S2, S3: publishes a snapshot, and in the same step drops the log or what it covers of it. */
  publish(
    snapshot: Snapshot,
    log: { readonly drop: boolean; readonly keep: LogIndex },
    done: () => void,
  ): void {
    const apply = (records: number): void => {
      if (records === 0 || snapshot.mark.index <= this.mark.index) return;
      this.snapshot = snapshot;
      if (log.drop) {
        this.#entries = [];
        this.#base = snapshot.mark.index;
        return;
      }
      const first = Math.min(log.keep, this.#base + this.#entries.length);
      if (first <= this.#base) return;
      this.#entries = this.#entries.slice(first - this.#base);
      this.#base = first;
    };
    this.#push({ apply, records: 1, done });
  }

  /** What is being written is done soon, however slow the disk was when it began. */
  calm(syncMs: number): void {
    this.syncMs = syncMs;
    this.#life++;
    this.#sync();
  }

  #push(write: Write): void {
    this.#queue.push(write);
    if (!this.#busy) this.#sync();
  }

  /** One sync makes everything durable that was queued when it began. */
  #sync(): void {
    const writes = this.#queue.length;
    if (writes === 0) return;
    this.#busy = true;
    const life = this.#life;
    this.#scheduler.after(this.#random.between(0.2, 1.8) * this.syncMs, () => {
      if (life !== this.#life) return;
      this.#busy = false;
      const synced = this.#queue.splice(0, writes);
      for (const write of synced) write.apply(write.records);
      this.#sync();
      for (const write of synced) write.done();
    });
  }

  /** Of what is not durable, a prefix may be found after the crash, and the last record of it is whole. */
  crash(tear: number): void {
    this.#life++;
    this.#busy = false;
    const lost = this.#queue.splice(0);
    if (!this.#random.chance(tear)) return;
    let records = this.#random.int(
      0,
      lost.reduce((sum, write) => sum + write.records, 0),
    );
    for (const write of lost) {
      write.apply(Math.min(records, write.records));
      records -= write.records;
      if (records < 0) return;
    }
  }
}
