/** Where keys can be restored to. */
import type { Outcome, RestoreKey } from '../replication/restore-codec.js';

/** A key on its way, and what a target needs to find its place. */
export interface SlottedKey extends RestoreKey {
  /** Hash slot, as in Redis Cluster. */
  readonly slot: number;
}

/** What became of a key, and why if it was neither restored nor there. */
export interface Verdict {
  readonly outcome: Outcome;
  readonly code?: string;
  readonly message?: string;
}

/** A running store, or servers. */
export interface Target {
  /** The newest version of the format whose payloads it reads; `undefined`: any that is known here. */
  readonly version: number | undefined;
  /** Whether it may know modules. */
  readonly hasModules: boolean;
  /** Bytes of the largest key, with its value, that can be sent. */
  readonly keyBytesMax: number;
  /**
   * Restores keys. What a later attempt might mend is a verdict; it rejects only with what no attempt would. Keys without an answer
   * are settled when the target is closed.
   */
  restore(keys: readonly SlottedKey[], replace: boolean): Promise<readonly Verdict[]>;
  /** Idempotent. */
  close(): Promise<void>;
}
