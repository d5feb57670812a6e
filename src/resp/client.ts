/** What a connection knows of its client, and what commands about connections see of the endpoint. */

import type { StoreStatus } from '../engine/engine.js';
import type { RespProtocol } from '../keyspace/native.js';
import type { Settings } from './config.js';

/** How `CLIENT UNBLOCK` ends a wait: as if its time were over, or with an error. */
export type UnblockKind = 'TIMEOUT' | 'ERROR';

/** One client. */
export class Client {
  /** Ascends, never used twice. */
  readonly id: number;
  readonly address: string;
  readonly localAddress: string;
  readonly connectedAtMs: number;
  protocol: RespProtocol = 2;
  name = '';
  library = '';
  libraryVersion = '';
  lastCommand = '';
  lastCommandAtMs: number;
  /** Commands between MULTI and EXEC, or -1 outside. */
  queued = -1;
  /** Ends its wait, while a blocking command keeps it waiting. */
  unblock: ((kind: UnblockKind) => void) | undefined;

  constructor(id: number, address: string, localAddress: string, nowMs: number) {
    this.id = id;
    this.address = address;
    this.localAddress = localAddress;
    this.connectedAtMs = nowMs;
    this.lastCommandAtMs = nowMs;
  }

  /** As when the client had just connected. */
  reset(): void {
    this.protocol = 2;
    this.name = '';
  }
}

/** What the endpoint and its store tell. */
export interface Surroundings {
  /** Milliseconds of a clock that never runs backwards. */
  nowMs(): number;
  status(): Promise<StoreStatus>;
  /** Ids of the keyspaces, by shard. */
  readonly keyspaces: readonly number[];
  readonly clients: ReadonlyMap<number, Client>;
  /** What CONFIG GET tells. */
  readonly settings: Settings;
  readonly port: number;
  readonly startedAtMs: number;
  /** Requests and connections taken since the start. */
  counts(): { readonly commandsProcessed: number; readonly connectionsReceived: number };
}

/** The error line for a name that {@link clientName} does not take. */
export const BAD_CLIENT_NAME = 'ERR Client names cannot contain spaces, newlines or special characters.';

/** A name of a client, or of its library; undefined if it has characters that would spoil a list of clients. */
export function clientName(word: Buffer): string | undefined {
  const name = word.toString('latin1');
  return /^[!-~]*$/.test(name) ? name : undefined;
}
