/** Runs a cluster of processes that are killed, stopped, closed and started again at random, under clients that watch. */

import { type PeerProcess, ProcessCluster } from '../support/processes.js';
import { SeededRandom } from '../support/random.js';
import { type Failed, History, type Seen } from './history.js';

/** A run. The same seed gives the same misfortunes, at about the same times. */
export interface ChaosOptions {
  readonly seed: number;
  readonly seconds: number;
  /** Hears of each misfortune. */
  readonly log?: (line: string) => void;
}

/** What came of it. */
export interface ChaosResult {
  readonly shards: number;
  readonly durable: boolean;
  readonly writes: number;
  readonly reads: number;
  readonly unknown: number;
  readonly refused: number;
  readonly misfortunes: number;
  /** From the last misfortune's end until every peer wrote and read every key again. */
  readonly healMs: number;
  /** Empty if all is well. */
  readonly violations: readonly string[];
}

const sleep = (ms: number) => new Promise((resolve) => setTimeout(resolve, ms));

/** Counters in different shards, where there are several. */
const KEYS = ['{a}', '{b}', '{c}', '{d}'];
/** Small enough that snapshots are taken, sent and loaded all the time. */
const SNAPSHOT_LOG_BYTES = 30_000;
/** What may happen to a peer, by how often: with directories, and without, where nobody comes back. */
const BLOWS = ['kill', 'kill', 'kill', 'stop', 'stop', 'long stop', 'transfer', 'close'] as const;
const MEMORY_BLOWS = ['stop', 'long stop', 'long stop', 'transfer'] as const;
type Blow = (typeof BLOWS)[number];

/** One run. */
class Chaos {
  readonly history = new History();
  misfortunes = 0;
  readonly #cluster: ProcessCluster;
  readonly #shards: number;
  readonly #durable: boolean;
  readonly #random: SeededRandom;
  readonly #log: (line: string) => void;
  /** What is being done to a peer; a peer has one misfortune at a time. */
  readonly #busy = new Map<string, Promise<void>>();
  #starts = 0;

  constructor(
    cluster: ProcessCluster,
    { shards, durable }: { shards: number; durable: boolean },
    random: SeededRandom,
    log: (line: string) => void,
  ) {
    this.#cluster = cluster;
    this.#shards = shards;
    this.#durable = durable;
    this.#random = random;
    this.#log = log;
  }

  /** Lets clients loose on a peer that is open. */
  async begin(name: string): Promise<void> {
    const peer = this.#cluster.peer(name);
    peer.onRecord = (record) => this.history.add(record as Seen | Failed);
    await peer.ask('startClients', { keys: KEYS, tag: `${name}${++this.#starts}`, width: 3 });
  }

  /** Strikes until the time is over, and heals what it struck. */
  async strike(seconds: number): Promise<void> {
    const endMs = performance.now() + seconds * 1_000;
    while (performance.now() < endMs) {
      await sleep(100 + this.#random.below(700));
      // Mostly a majority is left to go on.
      if (this.#busy.size > 0 && !this.#random.once(3)) continue;
      const free = this.#cluster.names.filter((name) => !this.#busy.has(name));
      // Now and then all at once, mostly one, sometimes a majority.
      const victims = this.#random.once(12) ? free : free.slice(0, this.#random.once(4) ? 2 : 1);
      const shift = this.#random.below(3);
      const blow = this.#random.pick<Blow>(this.#durable ? BLOWS : MEMORY_BLOWS);
      for (const name of victims) this.#strike(this.#rotated(name, shift, free), blow);
    }
    await Promise.all(this.#busy.values());
  }

  #rotated(name: string, shift: number, free: readonly string[]): string {
    return free[(free.indexOf(name) + shift) % free.length] ?? name;
  }

  #strike(name: string, blow: Blow): void {
    const waitMs = this.#random.below(900);
    this.misfortunes++;
    this.#log(`${blow} ${name} ${waitMs} ms`);
    const work = this.#blow(blow, name, waitMs).finally(() => this.#busy.delete(name));
    this.#busy.set(name, work);
  }

  #blow(blow: Blow, name: string, waitMs: number): Promise<void> {
    if (blow === 'kill') return this.#kill(name, waitMs);
    if (blow === 'close') return this.#close(name, waitMs);
    if (blow === 'transfer') return this.#transfer(name);
    return this.#stop(name, blow === 'stop' ? waitMs : 2 * waitMs + 1_000);
  }

  async #kill(name: string, waitMs: number): Promise<void> {
    await this.#cluster.peer(name).kill();
    await sleep(waitMs);
    await this.#again(name);
  }

  async #close(name: string, waitMs: number): Promise<void> {
    await this.#cluster.peer(name).ask('close');
    await this.#cluster.peer(name).kill();
    await sleep(waitMs);
    await this.#again(name);
  }

  async #stop(name: string, waitMs: number): Promise<void> {
    const peer: PeerProcess = this.#cluster.peer(name);
    peer.signal('SIGSTOP');
    await sleep(waitMs);
    peer.signal('SIGCONT');
  }

  async #transfer(name: string): Promise<void> {
    for (let shard = 0; shard < this.#shards; shard++) await this.#cluster.peer(name).ask('transfer', shard);
  }

  async #again(name: string): Promise<void> {
    await this.#cluster.start(name);
    await this.begin(name);
  }

  /** Writes and reads every key on every peer. Gives how long that took. */
  async heal(): Promise<number> {
    const beganMs = performance.now();
    const calls = this.#cluster.names.flatMap((name) =>
      KEYS.map(async (key) => {
        await this.#cluster.peer(name).ask('call', 'SET', `${key}healed`, name);
        await this.#cluster.peer(name).ask('call', 'GET', `${key}healed`);
      }),
    );
    await Promise.all(calls);
    return Math.round(performance.now() - beganMs);
  }

  /** Ends the clients, and gives what the lists hold on every peer. */
  async end(): Promise<Map<string, string[]>[]> {
    const peers = this.#cluster.names.map((name) => this.#cluster.peer(name));
    await Promise.all(peers.map((peer) => peer.ask('stopClients')));
    await this.#cluster.settled();
    return Promise.all(peers.map((peer) => listsOf(peer)));
  }
}

async function listsOf(peer: PeerProcess): Promise<Map<string, string[]>> {
  const lists = new Map<string, string[]>();
  for (const key of KEYS) {
    lists.set(key, await peer.ask<string[]>('local', 'LRANGE', `${key}list`, '0', '-1'));
  }
  return lists;
}

/** Runs for so many seconds, and judges. */
export async function runChaos({ seed, seconds, log = () => {} }: ChaosOptions): Promise<ChaosResult> {
  const random = new SeededRandom(seed);
  const kind = { shards: random.pick([1, 1, 3]), durable: !random.once(3) };
  await using cluster = await ProcessCluster.open({ ...kind, snapshotLogBytes: SNAPSHOT_LOG_BYTES });
  const chaos = new Chaos(cluster, kind, random, log);
  await Promise.all(cluster.names.map((name) => chaos.begin(name)));
  await chaos.strike(seconds);
  const healMs = await chaos.heal();
  const lists = await chaos.end();
  const digests = new Set(await cluster.settled());
  const { history, misfortunes } = chaos;
  const violations = history.violations(lists[0] ?? new Map());
  if (digests.size !== 1) violations.push(`the peers' digests differ: ${[...digests].join(', ')}`);
  if (new Set(lists.map((of) => JSON.stringify([...of]))).size !== 1) violations.push('the lists differ');
  const count = (kinds: readonly string[], of: readonly { kind: string }[]) =>
    of.filter(({ kind }) => kinds.includes(kind)).length;
  return {
    ...{ ...kind, misfortunes, healMs, violations },
    writes: count(['write'], history.seen),
    reads: count(['read', 'leased'], history.seen),
    unknown: count(['unknown'], history.failed),
    refused: count(['refused'], history.failed),
  };
}
