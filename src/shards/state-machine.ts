/**
 * The native side of one shard: applies committed entries in order and keeps the outcomes for this process's requests.
 */
import { type Native, type NativeRoom, native } from '../keyspace/native.js';
import type { Entry, LogIndex, SnapshotMark, Term } from '../raft/types.js';
import type { SessionId } from './batch.js';
import { COMPARE_EVERY_ENTRIES } from './comparison.js';

/** What a snapshot holds besides the keys. */
export interface MachineState {
  readonly stampMs: number;
  readonly sessions: Buffer;
}

/** A replica (`native/src/replica`) by its process-wide id, which is also that of its keyspace. */
export class StateMachine {
  readonly id: number;
  readonly #native: Native = native;
  #applied: SnapshotMark = { index: 0, term: 0 };

  constructor(id: number) {
    this.id = id;
  }

  /** The last entry applied. */
  get applied(): LogIndex {
    return this.#applied.index;
  }

  /** The term of that entry. */
  get appliedTerm(): Term {
    return this.#applied.term;
  }

  /** Applies one entry; answers the outcomes for the session, if there are any. Throws when an invariant is broken. */
  apply(entry: Entry, own: SessionId): Buffer | undefined {
    const data = entry.kind === 'batch' ? entry.data : null;
    const outcomes = this.#native.replicaApply(this.id, entry.index, data, own);
    this.#applied = { index: entry.index, term: entry.term };
    return outcomes ?? undefined;
  }

  /** The digest of the part of the keys that an entry at `index` compares. */
  digestAt(index: LogIndex): string {
    return this.#native.replicaDigestSlice(this.id, Math.floor(index / COMPARE_EVERY_ENTRIES));
  }

  /** Outcomes of requests that a snapshot brought instead of their entries. */
  remembered(session: SessionId, firstSeq: number): Buffer {
    return this.#native.replicaRemembered(this.id, session, firstSeq);
  }

  /** The clock and the sessions at {@link applied}. */
  save(): MachineState {
    return this.#native.replicaSave(this.id);
  }

  /** Continues behind a snapshot whose keys are in the keyspace. */
  restore(mark: SnapshotMark, state: MachineState): void {
    this.#native.replicaRestore(this.id, mark.index, state.stampMs, state.sessions);
    this.#applied = mark;
  }

  /** Publishes the end of the lease, 0 for none: every thread's leased reads go by it from now on. */
  publishLease(untilMs: number): void {
    this.#native.replicaSetLease(this.id, untilMs);
  }

  /** Lets local reads through, or not. */
  publishReady(ready: boolean): void {
    this.#native.replicaSetReady(this.id, ready);
  }

  /** What has to go into the log ahead of requests so that this process's limit of memory is kept; undefined while it is. */
  room(): NativeRoom | undefined {
    return this.#native.replicaRoom(this.id) ?? undefined;
  }

  /** When the next key expires, Unix milliseconds of the group clock; undefined if none does. */
  nextExpiryMs(): number | undefined {
    return this.#native.replicaNextExpiry(this.id) ?? undefined;
  }
}
