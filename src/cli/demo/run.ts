import { HoldfastError } from '../../errors.js';
import { Availability, monotonicMs } from './ack-spans.js';
import { examine, judge } from './check.js';
import { DemoCluster, PEER_NAMES, type PeerName } from './cluster.js';
import { Ledger } from './ledger.js';
import type { PeerNews } from './messages.js';
import { type DemoResult, number } from './result.js';
import type { Picture, View } from './view.js';

/** How the demo runs. */
export interface DemoOptions {
  /** The RDB file to restore. */
  rdb: string;
  shards: number;
  /** How long the workload runs, failover included. */
  seconds: number;
  /** Writes at a time, from each peer. */
  inFlight: number;
  /** Leave the data directory. */
  keep: boolean;
}

interface Failover {
  killed: PeerName;
  newLeader: PeerName;
  term: number;
  unavailableMs: number;
}

const DRAW_EVERY_MS = 100;
const POLL_EVERY_MS = 10;
const START_WITHIN_MS = 30_000;
const FAILOVER_WITHIN_MS = 30_000;
const CATCH_UP_WITHIN_MS = 60_000;
const SETTLE_WITHIN_MS = 30_000;
const DIGEST_TRIES = 3;
const DIGEST_AGAIN_MS = 250;
/** Writes per second are those of so many last pictures. */
const RATE_WINDOW_DRAWS = 10;

/** One run of the demo: a cluster, its workload, and what is known of both. */
export class Demo {
  readonly #options: DemoOptions;
  readonly #view: View;
  readonly #signal: AbortSignal;
  readonly #cluster: DemoCluster;
  readonly #ledger = new Ledger();
  readonly #availability = new Availability();
  readonly #recentTotals: { atMs: number; acknowledged: number }[] = [];
  #restore: Picture['restore'];
  #writing = false;
  #writingMs = 0;

  /** `signal` ends it early: `run` rejects with the signal's reason. */
  constructor(options: DemoOptions, view: View, signal: AbortSignal) {
    this.#options = options;
    this.#view = view;
    // A peer that ends by itself ends the demo as well, wherever it is.
    const failure = new AbortController();
    this.#signal = AbortSignal.any([signal, failure.signal]);
    this.#cluster = new DemoCluster(options, {
      news: (news) => this.#receive(news),
      failed: (error) => failure.abort(error),
    });
  }

  /** The directory of the peers' data. */
  get dir(): string {
    return this.#cluster.dir;
  }

  /** Runs all steps. Whatever happens, no process is left, and no directory unless it is to be kept. */
  async run(): Promise<DemoResult> {
    const painter = setInterval(() => this.#draw(), DRAW_EVERY_MS);
    try {
      return await this.#steps();
    } finally {
      clearInterval(painter);
      this.#view.close();
      await this.#cluster.dispose();
    }
  }

  async #steps(): Promise<DemoResult> {
    const phaseMs = (this.#options.seconds * 1_000) / 3;
    await this.#start();
    const restored = await this.#restoreFile();
    await this.#interruptible(this.#cluster.peer('a').call('prepare', null));
    const startedMs = monotonicMs();
    await this.#write(PEER_NAMES, 1);
    await this.#pass(phaseMs);
    const failover = await this.#killLeader();
    await this.#pass(phaseMs);
    const catchUpMs = await this.#restart(failover.killed);
    await this.#write([failover.killed], 2);
    await this.#pass(phaseMs);
    await this.#stopWriting();
    this.#writingMs = monotonicMs() - startedMs;
    return { ...(await this.#check()), ...restored, ...failover, catchUpMs };
  }

  async #start(): Promise<void> {
    const { shards } = this.#options;
    this.#view.note(`starting three peers, data in ${this.dir}`);
    await this.#interruptible(this.#cluster.startAll());
    await this.#until('a leader of every shard', START_WITHIN_MS, () =>
      Array.from({ length: shards }, (_, shard) => shard).every((shard) => this.#cluster.leader(shard)),
    );
    const leaders = Array.from({ length: shards }, (_, shard) => this.#cluster.leader(shard)?.name);
    this.#view.note(shards === 1 ? `${leaders[0]} leads` : `leaders of the shards: ${leaders.join(' ')}`);
  }

  async #restoreFile(): Promise<Pick<DemoResult, 'keysRestored' | 'restoreMs'>> {
    const { rdb } = this.#options;
    this.#view.note(`restoring ${rdb} into the cluster`);
    const startedMs = monotonicMs();
    const { keys } = await this.#interruptible(this.#cluster.peer('a').call('load', { path: rdb }));
    this.#restore = undefined;
    const restoreMs = Math.round(monotonicMs() - startedMs);
    this.#view.note(`restored ${number(keys)} keys in ${number(restoreMs)} ms`);
    return { keysRestored: keys, restoreMs };
  }

  async #write(names: readonly PeerName[], incarnation: number): Promise<void> {
    const { inFlight } = this.#options;
    this.#writing = true;
    const start = (name: PeerName) =>
      this.#cluster.peer(name).call('write', { writer: `${name}${incarnation}`, inFlight });
    await this.#interruptible(Promise.all(names.map(start)));
    const from = names.length === 1 ? `${names[0]} again` : 'all peers';
    this.#view.note(`writing from ${from}, ${inFlight} writes at a time each`);
  }

  async #killLeader(): Promise<Failover> {
    const leader = this.#cluster.leader(0);
    if (leader === undefined) throw new HoldfastError('NO_QUORUM', 'shard 0 has no leader');
    const killed = leader.name;
    const led = this.#shardsLedBy(killed);
    this.#view.note(`killing ${killed}, the leader, with SIGKILL`);
    const killedMs = monotonicMs();
    await this.#cluster.kill(killed);
    let leadsMs: number | undefined;
    await this.#until('writes under a new leader', FAILOVER_WITHIN_MS, () => {
      if (this.#shardsLedBy(killed).length > 0 || led.some((shard) => !this.#cluster.leader(shard)))
        return false;
      leadsMs ??= monotonicMs();
      return led.every((shard) => this.#availability.since(shard, leadsMs ?? Infinity));
    });
    const servesMs = monotonicMs();
    const gapsMs = led.map((shard) => this.#availability.longestGapMs(shard, killedMs, servesMs));
    const unavailableMs = Math.round(Math.max(...gapsMs));
    const next = this.#cluster.leader(0);
    if (next === undefined) throw new HoldfastError('NO_QUORUM', 'shard 0 lost its leader again');
    this.#view.note(
      `${next.name} leads in term ${next.term}, after ${unavailableMs} ms without an acknowledged write`,
    );
    return { killed, newLeader: next.name, term: next.term, unavailableMs };
  }

  #shardsLedBy(name: PeerName): number[] {
    const shards = Array.from({ length: this.#options.shards }, (_, shard) => shard);
    return shards.filter((shard) => this.#cluster.leader(shard)?.name === name);
  }

  async #restart(name: PeerName): Promise<number> {
    this.#view.note(`starting ${name} again`);
    const startedMs = monotonicMs();
    await this.#interruptible(this.#cluster.start(name));
    // What the leaders have applied at this instant is ahead of all they had when the peer began to catch up.
    const goals = this.#cluster.views().map((peer) => peer.shards.map((shard) => shard.applied));
    await this.#until(`${name} to catch up`, CATCH_UP_WITHIN_MS, () => {
      const { shards } = this.#cluster.view(name);
      if (shards.length < this.#options.shards) return false;
      return shards.every((shard, at) => goals.every((goal) => shard.applied >= (goal[at] ?? 0)));
    });
    const catchUpMs = Math.round(monotonicMs() - startedMs);
    this.#view.note(`${name} has caught up after ${number(catchUpMs)} ms`);
    return catchUpMs;
  }

  async #stopWriting(): Promise<void> {
    this.#view.note('stopping the workload');
    const stopping = PEER_NAMES.map((name) => this.#cluster.peer(name).call('stop', null));
    for (const { writer, issued } of await this.#interruptible(Promise.all(stopping))) {
      this.#ledger.settle(writer, issued);
    }
    this.#writing = false;
  }

  /** Waits until every peer has applied the whole log. */
  async #settle(): Promise<void> {
    const deadlineMs = monotonicMs() + SETTLE_WITHIN_MS;
    for (;;) {
      const views = await this.#interruptible(
        Promise.all(PEER_NAMES.map((name) => this.#cluster.peer(name).call('status', null))),
      );
      const applied = views.map((shards) => shards.map((shard) => shard.applied).join());
      const commits = views.map((shards) => shards.map((shard) => shard.commit).join());
      if (new Set([...applied, ...commits]).size === 1) return;
      if (monotonicMs() > deadlineMs)
        throw late('all peers to have applied the same index', SETTLE_WITHIN_MS);
      await this.#pass(POLL_EVERY_MS);
    }
  }

  async #check(): Promise<Omit<DemoResult, keyof Failover | 'keysRestored' | 'restoreMs' | 'catchUpMs'>> {
    this.#view.note('checking every peer');
    const digests = await this.#digests();
    const ask = async (name: PeerName) => {
      const trace = await this.#cluster.peer(name).call('trace', null);
      return { name, digest: digests[name], verdict: examine(this.#ledger, trace) };
    };
    const peers = await this.#interruptible(Promise.all(PEER_NAMES.map(ask)));
    const { acknowledged, unknown, refused } = this.#ledger.totals();
    return {
      ...judge(peers),
      ...{ rdb: this.#options.rdb, shards: this.#options.shards, acknowledged, unknown, refused, digests },
      writesPerSecond: Math.round((acknowledged * 1_000) / this.#writingMs),
    };
  }

  /**
   * The digest of each peer. A key whose time to live ends just now may be gone from one state and not yet from another;
   * states that have really parted stay apart however often they are asked.
   */
  async #digests(): Promise<Record<PeerName, string>> {
    for (let tries = 1; ; tries++) {
      await this.#settle();
      const asked = PEER_NAMES.map((name) => this.#cluster.peer(name).call('digest', null));
      const [a, b, c] = (await this.#interruptible(Promise.all(asked))) as [string, string, string];
      if ((a === b && b === c) || tries === DIGEST_TRIES) return { a, b, c };
      await this.#pass(DIGEST_AGAIN_MS);
    }
  }

  #receive(news: PeerNews): void {
    if (news.type === 'issuing') this.#ledger.issue(news.writer, news.below);
    if (news.type === 'restored') this.#restore = news;
    if (news.type !== 'written') return;
    for (const sequence of news.acknowledged) this.#ledger.acknowledge(news.writer, sequence);
    for (const sequence of news.refused) this.#ledger.refuse(news.writer, sequence);
    this.#availability.add(news.spans);
  }

  #draw(): void {
    const now = { atMs: monotonicMs(), acknowledged: this.#ledger.acknowledged };
    this.#recentTotals.push(now);
    if (this.#recentTotals.length > RATE_WINDOW_DRAWS) this.#recentTotals.shift();
    const then = this.#recentTotals[0] ?? now;
    const elapsedMs = Math.max(1, now.atMs - then.atMs);
    this.#view.draw({
      peers: this.#cluster.views(),
      acknowledged: now.acknowledged,
      writesPerSecond: ((now.acknowledged - then.acknowledged) * 1_000) / elapsedMs,
      writing: this.#writing,
      restore: this.#restore,
    });
  }

  /** Rejects as soon as the demo is interrupted, whatever the promise does. */
  async #interruptible<T>(promise: Promise<T>): Promise<T> {
    this.#signal.throwIfAborted();
    let interrupt: () => void = () => {};
    const interrupted = new Promise<never>((_, reject) => {
      interrupt = () => reject(this.#signal.reason);
      this.#signal.addEventListener('abort', interrupt);
    });
    try {
      return await Promise.race([promise, interrupted]);
    } finally {
      this.#signal.removeEventListener('abort', interrupt);
    }
  }

  async #pass(durationMs: number): Promise<void> {
    const untilMs = monotonicMs() + durationMs;
    while (monotonicMs() < untilMs) {
      const waitMs = Math.min(DRAW_EVERY_MS, Math.max(1, untilMs - monotonicMs()));
      await this.#interruptible(new Promise((resolve) => setTimeout(resolve, waitMs)));
    }
  }

  async #until(what: string, withinMs: number, condition: () => boolean): Promise<void> {
    const deadlineMs = monotonicMs() + withinMs;
    while (!condition()) {
      if (monotonicMs() > deadlineMs) throw late(what, withinMs);
      await this.#pass(POLL_EVERY_MS);
    }
  }
}

function late(what: string, withinMs: number): HoldfastError {
  return new HoldfastError('TIMEOUT', `waited ${withinMs} ms in vain for ${what}`);
}
