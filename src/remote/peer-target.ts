/** A running store as a target: one of its peers at a time, another when that one is gone. */
import { HoldfastError } from '../errors.js';
import { connectDataClient, type DataClient } from '../replication/data-client.js';
import {
  type BatchAnswer,
  Outcome,
  type RestoreKey,
  restoreKeyBytesMax,
} from '../replication/restore-codec.js';
import { connectClient } from '../replication/status-client.js';
import type { Target, Verdict } from './target.js';

/** How peers are reached. */
export interface PeerAccess {
  /** The peers' secret. */
  readonly secret: string | undefined;
  /** How long a peer may take to answer a greeting. */
  readonly timeoutMs: number;
}

/** Refusals that another attempt, or another peer, would meet as well. */
const FINAL: ReadonlySet<string> = new Set(['FOREIGN', 'PROTOCOL', 'AMNESIAC']);

/** What a peer answers that cannot reach the others, or is about to end. */
const CUT_OFF: ReadonlySet<string> = new Set(['NO_QUORUM', 'CLOSED', 'FAULTED']);

/** Peers of one store, through one of which everything goes. */
export class PeerTarget implements Target {
  readonly version = undefined;
  readonly hasModules = false;
  readonly keyBytesMax = restoreKeyBytesMax;
  readonly #access: PeerAccess;
  /** The one that is tried next comes first. */
  #addresses: string[];
  #learned = false;
  #attempt: Promise<DataClient> | undefined;
  #client: DataClient | undefined;
  readonly #left = new Set<DataClient>();
  #closed = false;

  constructor(addresses: readonly string[], access: PeerAccess) {
    this.#addresses = [...addresses];
    this.#access = access;
  }

  async restore(keys: readonly RestoreKey[], replace: boolean): Promise<readonly Verdict[]> {
    try {
      const client = await this.#connected();
      const verdicts = verdictsOf(await client.restore(keys, replace));
      if (verdicts.some(({ code = '' }) => CUT_OFF.has(code))) this.#leave(client);
      return verdicts;
    } catch (error) {
      if (!(error instanceof HoldfastError) || FINAL.has(error.code)) throw error;
      const { code, message, mayTakeEffect } = error;
      const outcome = mayTakeEffect ? Outcome.unknown : Outcome.undone;
      return keys.map(() => ({ outcome, code, message }));
    }
  }

  async close(): Promise<void> {
    this.#closed = true;
    const client = await this.#attempt?.catch(() => undefined);
    await Promise.all([client, ...this.#left].map((each) => each?.close()));
  }

  /** The connection that is there, or a new one: all that wait at the same time wait for the same. */
  async #connected(): Promise<DataClient> {
    for (;;) {
      if (this.#closed) throw new HoldfastError('CLOSED', 'the restore is over');
      this.#attempt ??= this.#dial();
      const attempt = this.#attempt;
      const client = await attempt.catch((error) => {
        if (this.#attempt === attempt) this.#attempt = undefined;
        throw error;
      });
      if (!client.closed) {
        this.#client = client;
        return client;
      }
      if (this.#attempt === attempt) this.#attempt = undefined;
    }
  }

  /** What comes next goes to another peer; what is under way may still be answered. */
  #leave(client: DataClient): void {
    if (this.#client !== client || this.#addresses.length < 2) return;
    const [address = '', ...others] = this.#addresses;
    this.#addresses = [...others, address];
    this.#left.add(client);
    this.#attempt = undefined;
    this.#client = undefined;
  }

  async #dial(): Promise<DataClient> {
    const [address = ''] = this.#addresses;
    const { secret, timeoutMs } = this.#access;
    try {
      const client = await connectDataClient(address, secret, timeoutMs);
      await this.#learnOthers(address);
      return client;
    } catch (error) {
      this.#addresses = [...this.#addresses.slice(1), address];
      throw error;
    }
  }

  /** The peers that a peer names are asked when it is gone. */
  async #learnOthers(address: string): Promise<void> {
    if (this.#learned) return;
    this.#learned = true;
    const { secret, timeoutMs } = this.#access;
    try {
      const asked = await connectClient(address, secret, timeoutMs);
      const named = membersOf(await asked.status().finally(() => asked.close()));
      this.#addresses = [...new Set([...this.#addresses, ...named])];
    } catch (error) {
      if (!(error instanceof HoldfastError)) throw error;
      // The peer that answered is enough as long as it is there.
    }
  }
}

function membersOf(status: unknown): string[] {
  const { members } = (status ?? {}) as { members?: unknown };
  if (!Array.isArray(members)) return [];
  return members.flatMap((member: { address?: unknown } | null) =>
    typeof member?.address === 'string' ? [member.address] : [],
  );
}

function verdictsOf({ outcomes, refusals }: BatchAnswer): Verdict[] {
  const verdicts: Verdict[] = outcomes.map((outcome) => ({ outcome }));
  for (const { at, code, message } of refusals) {
    const verdict = verdicts[at];
    if (verdict !== undefined) verdicts[at] = { ...verdict, code, message };
  }
  return verdicts;
}
