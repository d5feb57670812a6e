/** What a store tells while it runs. */
import type { HoldfastError } from './errors.js';
import type { Role } from './raft/types.js';

/** What a store tells while it runs: event name to what its listeners are given. */
export interface StoreEvents {
  /** A shard has another leader; `undefined` while it has none. */
  leader: [{ readonly shard: number; readonly leader: string | undefined; readonly term: number }];
  /** This peer has another role in a shard. */
  role: [{ readonly shard: number; readonly role: Role; readonly term: number }];
  /** A new leader serves a shard. `unavailableMs`: since this peer last heard of the one before. */
  failover: [
    {
      readonly shard: number;
      readonly leader: string;
      readonly term: number;
      readonly unavailableMs: number;
    },
  ];
  /** Connections to a peer were made, or lost. */
  peer: [{ readonly name: string; readonly up: boolean }];
  /** A peer was refused, or refuses this one; `name` is undefined for somebody who did not say. Comes again while it lasts. */
  refused: [{ readonly name: string | undefined; readonly code: string; readonly message: string }];
  /** A scheduled backup was made. */
  backup: [
    {
      readonly path: string;
      /** Unix milliseconds. */
      readonly savedAtMs: number;
      readonly keys: number;
      readonly bytes: number;
    },
  ];
  /** A scheduled backup failed and is tried again an interval later; or one that was made before, at `path`, is damaged. */
  backupFailed: [{ readonly path: string | undefined; readonly code: string; readonly message: string }];
  /** The store is of no use any more: an invariant is broken, or the disk failed. Every call rejects with this error. */
  fault: [HoldfastError];
}

/** Names of the events. */
export const EVENTS = [
  'leader',
  'role',
  'failover',
  'peer',
  'refused',
  'backup',
  'backupFailed',
  'fault',
] as const satisfies readonly (keyof StoreEvents)[];
