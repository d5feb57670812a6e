/**
 * What a leader has been asked to append and has not yet: runs of requests, from this process and from others. They
 * become entries as large as the load makes them: while few entries are under way, what is there leaves at once; while
 * many are, runs gather until one of them is committed.
 */
import type { MemberId } from '../raft/types.js';

/** Entries under way, above which runs gather. */
const ENTRIES_UNDER_WAY_MAX = 4;
/** Bytes of one entry, unless a single run is larger. */
const ENTRY_BYTES_MAX = 256 * 1024;
/** Bytes that may gather, above which runs are refused. */
const GATHERED_BYTES_MAX = 32 * 1024 * 1024;

interface Run {
  readonly from: MemberId;
  readonly bytes: Uint8Array;
}

/** The runs that wait for their entry. */
export class Proposals {
  #runs: Run[] = [];
  #bytes = 0;

  /** Whether anything waits. */
  get waiting(): boolean {
    return this.#runs.length > 0;
  }

  /** Takes runs over. False: too much has gathered, and nothing was taken. */
  add(from: MemberId, runs: readonly Uint8Array[]): boolean {
    if (this.#bytes > GATHERED_BYTES_MAX) return false;
    for (const bytes of runs) {
      this.#runs.push({ from, bytes });
      this.#bytes += bytes.byteLength;
    }
    return true;
  }

  /** The runs of the next entry, or none while enough entries are under way. They stay until {@link taken}. */
  next(entriesUnderWay: number): readonly Uint8Array[] {
    if (entriesUnderWay >= ENTRIES_UNDER_WAY_MAX) return [];
    const runs: Uint8Array[] = [];
    let bytes = 0;
    for (const run of this.#runs) {
      if (bytes > 0 && bytes + run.bytes.byteLength > ENTRY_BYTES_MAX) break;
      runs.push(run.bytes);
      bytes += run.bytes.byteLength;
    }
    return runs;
  }

  /** The first `count` runs have become an entry. */
  taken(count: number): void {
    for (const run of this.#runs.splice(0, count)) this.#bytes -= run.bytes.byteLength;
  }

  /** Gives up everything; answers whose runs they were. */
  drop(): ReadonlySet<MemberId> {
    const senders = new Set(this.#runs.map((run) => run.from));
    this.#runs = [];
    this.#bytes = 0;
    return senders;
  }
}
