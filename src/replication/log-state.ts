import type { HardState, LogIndex, SnapshotMark, Term } from '../raft/types.js';

interface TermRun {
  readonly first: LogIndex;
  readonly term: Term;
}

/**
 * What the records of a log come to, without the data of its entries. Fed when the log is read and when it is
 * written, so that what would be refused when read is never written.
 */
export class LogState {
  #hardState: HardState;
  #mark: SnapshotMark;
  #lastIndex: LogIndex;
  /** Where each term starts, ascending; entries before the first run are not known. */
  #runs: TermRun[] = [];

  constructor(hardState: HardState, mark: SnapshotMark, lastIndex: LogIndex) {
    this.#hardState = hardState;
    this.#mark = mark;
    this.#lastIndex = lastIndex;
  }

  get hardState(): HardState {
    return this.#hardState;
  }

  get mark(): SnapshotMark {
    return this.#mark;
  }

  /** At least the index of the mark. */
  get lastIndex(): LogIndex {
    return this.#lastIndex;
  }

  setHardState(hardState: HardState): void {
    if (hardState.term < this.#hardState.term) {
      throw new RangeError(`term ${hardState.term} follows term ${this.#hardState.term}`);
    }
    this.#hardState = hardState;
  }

  /** Puts an entry at `index`, in place of that one and all behind it (rule R1: one step). */
  append(index: LogIndex, term: Term): void {
    if (index > this.#lastIndex + 1) throw new RangeError(`entry ${index} follows entry ${this.#lastIndex}`);
    if (index <= this.#mark.index)
      throw new RangeError(`entry ${index} is in the snapshot up to ${this.#mark.index}`);
    while ((this.#runs.at(-1)?.first ?? 0) >= index) this.#runs.pop();
    if (this.#runs.at(-1)?.term !== term) this.#runs.push({ first: index, term });
    this.#lastIndex = index;
  }

  /** Whether the log, with a snapshot at `mark`, keeps its entries behind it (rule S3). */
  agreesWith(mark: SnapshotMark): boolean {
    if (mark.index > this.#lastIndex) return false;
    if (mark.index === this.#mark.index) return mark.term === this.#mark.term;
    return this.#runs.findLast(({ first }) => first <= mark.index)?.term === mark.term;
  }

  setMark(mark: SnapshotMark, keepsLog: boolean): void {
    if (mark.index < this.#mark.index) {
      throw new RangeError(`a snapshot at ${mark.index} follows one at ${this.#mark.index}`);
    }
    if (keepsLog && mark.index > this.#lastIndex)
      throw new RangeError(`a snapshot at ${mark.index} keeps no entries`);
    this.#mark = mark;
    if (keepsLog) {
      const kept = this.#runs.findLastIndex(({ first }) => first <= mark.index);
      this.#runs.splice(0, Math.max(0, kept));
    } else {
      this.#runs = [];
      this.#lastIndex = mark.index;
    }
  }
}
