import type { Entry, LogIndex, MemberId, Term } from '../../../src/raft/types.js';
import type { Command } from '../machine.js';
import { check } from './violation.js';

interface Truth {
  readonly term: Term;
  readonly command: number;
  readonly chain: number;
  /** Term of the peer that applied it first: no older leader can have committed it later. */
  readonly seenIn: Term;
}

/** Log matching, leader completeness and state machine safety, against what was applied anywhere. */
export class Logs {
  /** The committed log: what was applied first at each index. */
  readonly #truth: (Truth | undefined)[] = [];
  /** Every (index, term) ever written: its command and the term before it. */
  readonly #written = new Map<number, { readonly command: number; before: Term | undefined }>();

  get committed(): LogIndex {
    return Math.max(0, this.#truth.length - 1);
  }

  /** Log matching by induction: an (index, term) has one content and one predecessor. */
  writes(id: MemberId, entry: Entry, command: Command | undefined, before: Term | undefined): void {
    const key = entry.index * 2 ** 24 + entry.term;
    const known = this.#written.get(key);
    const content = command?.id ?? -1;
    if (known === undefined) {
      this.#written.set(key, { command: content, before });
      return;
    }
    const where = () => `entry ${entry.index} of term ${entry.term} on ${id} differs from what others wrote`;
    check(known.command === content, 'log matching', where);
    if (before === undefined) return;
    check(known.before === undefined || known.before === before, 'log matching', where);
    known.before ??= before;
  }

  /** State machine safety: the same entry at the same place, whoever applies it. true: the first to apply it. */
  applies(
    id: MemberId,
    entry: Entry,
    command: Command | undefined,
    state: { readonly chain: number; readonly term: Term; readonly before: LogIndex },
  ): boolean {
    check(
      entry.index === state.before + 1,
      'apply order',
      () => `${id} applies ${entry.index} after ${state.before}`,
    );
    const truth = this.#truth[entry.index];
    const content = command?.id ?? -1;
    if (truth === undefined) {
      this.#truth[entry.index] = {
        term: entry.term,
        command: content,
        chain: state.chain,
        seenIn: state.term,
      };
      return true;
    }
    check(
      truth.term === entry.term && truth.command === content && truth.chain === state.chain,
      'state machine safety',
      () => `${id} applies at ${entry.index} term ${entry.term}, others term ${truth.term}`,
    );
    return false;
  }

  /** A snapshot stands for the same prefix. */
  restores(id: MemberId, index: LogIndex, chain: number): void {
    const truth = this.#truth[index];
    if (index === 0) return;
    check(truth?.chain === chain, 'state machine safety', () => `${id} restores another state at ${index}`);
  }

  /** Leader completeness: a new leader has all that was committed in earlier terms. */
  leads(id: MemberId, term: Term, base: LogIndex, termAt: (index: LogIndex) => Term | undefined): void {
    for (let index = this.committed; index > base; index--) {
      const truth = this.#truth[index];
      if (truth === undefined || truth.seenIn >= term) continue;
      check(
        termAt(index) === truth.term,
        'leader completeness',
        () => `leader ${id} of term ${term} lacks entry ${index} of term ${truth.term}`,
      );
    }
  }

  /** Committed means on the disks of a majority. */
  durable(entry: Entry, holders: number, majority: number): void {
    check(
      holders >= majority,
      'durable on a majority',
      () => `entry ${entry.index} of term ${entry.term} is applied, but on ${holders} disks`,
    );
  }
}
