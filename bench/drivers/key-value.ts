/** What drivers of strings by key offer. */
import type { Driver } from '../trial.js';

/** Strings by key. A Map and a Keyspace are such stores as they are: nothing stands between them and the trial. */
export interface KeyValueStore {
  get(key: string): string | null | undefined;
  set(key: string, value: string): unknown;
}

/** An open store. */
export interface OpenKeyValue {
  readonly store: KeyValueStore;
  /** Runs many writes in the way that this store has for many. */
  batch(writes: () => void): void;
  close(): Promise<void>;
}

/** Opens one store in an empty directory, which it may leave empty. */
export interface KeyValueDriver extends Driver {
  open(directory: string): Promise<OpenKeyValue>;
}
