/**
 * Peers that have applied the same entries hold the same keys; this is how they notice if that is ever not so (rule D6).
 *
 * Every so many entries the leader appends one that compares: when a peer applies it, it takes the digest of one part of its
 * keys and tells the leader. Whoever differs from a majority has a memory that nobody may read or copy: its store is
 * faulted. Pure; digests and sending belong to the host.
 */
import type { LogIndex, MemberId } from '../raft/types.js';

/** Entries between two comparisons: with 64 parts everything has been compared once in 65,536 entries. */
export const COMPARE_EVERY_ENTRIES = 1024;
/** Comparisons whose reports may be outstanding; older ones are given up. */
const OPEN_MAX = 8;

/** A part of the keys at an entry, as one peer has it. */
export interface Report {
  readonly index: LogIndex;
  readonly digest: string;
  /** The leader's verdict: the receiver's own digest was another one than that of a majority. */
  readonly differs?: boolean;
}

/** A leader's open comparisons. */
export class Comparisons {
  readonly #majority: number;
  readonly #open = new Map<LogIndex, Map<MemberId, string>>();

  constructor(voters: number) {
    this.#majority = Math.floor(voters / 2) + 1;
  }

  /** Takes a peer's report. Answers the peers, among those that reported, that differ from a majority. */
  add(from: MemberId, { index, digest }: Report): readonly MemberId[] {
    const reports = this.#reports(index);
    reports.set(from, digest);
    const [agreed] = [...new Set(reports.values())].filter(
      (candidate) => [...reports.values()].filter((other) => other === candidate).length >= this.#majority,
    );
    if (agreed === undefined) return [];
    return [...reports].filter(([, other]) => other !== agreed).map(([member]) => member);
  }

  /** Another leader compares from now on. */
  clear(): void {
    this.#open.clear();
  }

  #reports(index: LogIndex): Map<MemberId, string> {
    const known = this.#open.get(index);
    if (known !== undefined) return known;
    const reports = new Map<MemberId, string>();
    this.#open.set(index, reports);
    const [oldest] = this.#open.keys();
    if (this.#open.size > OPEN_MAX && oldest !== undefined) this.#open.delete(oldest);
    return reports;
  }
}

/** A report on its way to the leader, or the leader's verdict on its way back. */
export function encodeReport({ index, digest, differs = false }: Report): Buffer {
  return Buffer.from(JSON.stringify({ index, digest, differs }));
}

/** Reads a report; undefined if the bytes are none. */
export function decodeReport(body: Buffer): Report | undefined {
  try {
    const { index, digest, differs } = JSON.parse(body.toString());
    const valid = typeof index === 'number' && typeof digest === 'string' && typeof differs === 'boolean';
    return valid ? { index, digest, differs } : undefined;
  } catch {
    return undefined;
  }
}
