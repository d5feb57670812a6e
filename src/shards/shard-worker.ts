/**
 * One worker thread of a peer: the hosts of its shards, and on one of the workers the sockets. Starts them when there is
 * a cluster, drives their clock, and passes on what the application, the peers and the disk have for them.
 */
import { randomBytes, randomInt } from 'node:crypto';
import { HoldfastError } from '../errors.js';
import { native } from '../keyspace/native.js';
import type { MemberId, Message } from '../raft/types.js';
import { FrameKind } from '../replication/frame.js';
import type { FoundingRecord } from '../replication/identity.js';
import { splitRuns } from './batch.js';
import { decodeReport } from './comparison.js';
import type { Clock, ShardHost } from './host.js';
import type { Failure, FromWorker, HostStatus, ShardId, ToShard, WorkerSetup } from './protocol.js';
import { type OpenedShard, openShard } from './shard.js';
import type { Network } from './transport.js';

/** How often time passes for the protocol. */
const TICK_MS = 10;
/** A gap between the clocks that grew by so much at once was a suspend. */
const SUSPENDED_MS = 500;
/** How often a planned stop looks whether it is done. */
const HAND_OVER_POLL_MS = 5;

/** The clocks and the randomness of the process. */
export const processClock: Clock = {
  now: () => native.boottimeMs(),
  wall: () => Date.now(),
  random32: () => randomInt(2 ** 32),
};

/** The hosts of one worker. */
export class ShardWorker {
  readonly #setup: WorkerSetup;
  readonly #network: Network;
  readonly #post: (message: FromWorker) => void;
  readonly #shards = new Map<ShardId, OpenedShard>();
  readonly #onFault: () => void;
  #beginning: Promise<void> = Promise.resolve();
  #ticker: NodeJS.Timeout | undefined;
  #stopping = false;
  #faulted = false;
  /** By how much the lease clock, which counts suspends, is ahead of the one that does not. */
  #clockGapMs = native.boottimeMs() - performance.now();

  /** @param onFault - Called once, behind everybody who waits having been told. */
  constructor(
    setup: WorkerSetup,
    network: Network,
    post: (message: FromWorker) => void,
    onFault: () => void = () => {},
  ) {
    this.#setup = setup;
    this.#network = network;
    this.#post = post;
    this.#onFault = onFault;
  }

  /** There is a cluster: opens the shards and takes part. Called once; a failure faults the store. */
  begin(founding: FoundingRecord, restarted: boolean): Promise<void> {
    this.#beginning = this.#begin(founding, restarted).catch((error) => this.fault(failureOf(error)));
    return this.#beginning;
  }

  async #begin(founding: FoundingRecord, restarted: boolean): Promise<void> {
    const { self, members, shards } = this.#setup;
    for (const { shard, replica, disk } of shards) {
      if (this.#stopping) return;
      const opened = await openShard({
        ...{ shard, replica, disk, founding, restarted },
        setup: this.#setup,
        network: this.#network,
        clock: processClock,
        newSessionId: () => randomBytes(6).readUIntLE(0, 6),
        post: this.#post,
        fault: (failure) => this.fault(failure),
        guard: (work) => this.#guard(work),
      });
      this.#shards.set(shard, opened);
    }
    if (this.#stopping || this.#faulted) return;
    for (const { host } of this.#shards.values()) {
      for (const { id } of members) if (id !== self.id && !this.#network.isUp(id)) host.peerDown(id);
    }
    this.#foundingLeaders(restarted);
    // Behind the turn's I/O: beats that wait in a socket are heard before their absence is judged (rule G4).
    this.#ticker = setInterval(() => setImmediate(() => this.#tick()), TICK_MS);
  }

  /** The application has something. Nobody has the store before all of its shards are there. */
  application(message: ToShard): void {
    const host = this.#host(message.shard);
    if (host === undefined) return;
    this.#guard(() => {
      if (message.type === 'requests') host.requests(message.count, message.requests);
      else if (message.type === 'withdraw') host.withdraw(message.tickets);
      else if (message.type === 'barrier') host.barrier();
      else this.#post({ type: 'transferred', id: message.id, begun: host.transfer(message.to) });
    });
  }

  /** A message of the protocol came. */
  message(shard: ShardId, message: Message): void {
    this.#guard(() => this.#host(shard)?.message(message));
  }

  /** Any other frame of a shard came. */
  frame(from: MemberId, kind: FrameKind, shard: ShardId, body: Buffer): void {
    this.#guard(() => {
      const opened = this.#shards.get(shard);
      if (opened === undefined) return;
      if (kind === FrameKind.proposeReply) opened.host.refused(from);
      else if (kind === FrameKind.propose) opened.host.proposal(from, splitRuns(body) ?? []);
      else if (kind === FrameKind.digest) this.#compared(opened.host, from, body);
      else opened.snapshots.frame(from, kind, body);
    });
  }

  /** Connections to a peer were made. */
  up(peer: MemberId): void {
    this.#guard(() => {
      for (const { host } of this.#shards.values()) host.peerUp(peer);
    });
  }

  /** Connections to a peer are gone. */
  down(peer: MemberId): void {
    this.#guard(() => {
      for (const { host, snapshots } of this.#shards.values()) {
        snapshots.peerDown(peer);
        host.peerDown(peer);
      }
    });
  }

  /** What the shards look like. */
  status(): readonly HostStatus[] {
    return [...this.#shards.values()].map(({ host }) => host.status());
  }

  /** Hands leadership over where this peer leads, and waits until nothing is under way. The caller sets the limit. */
  async handOver(): Promise<void> {
    const hosts = [...this.#shards.values()].map(({ host }) => host);
    const over = () => this.#faulted || this.#stopping;
    const busy = () => !over() && hosts.some((host) => host.draining || (host.leads && host.hasSuccessor));
    while (busy()) {
      for (const host of hosts) if (host.leads) host.transfer(undefined);
      await new Promise((resolve) => setTimeout(resolve, HAND_OVER_POLL_MS));
    }
  }

  /** Ends everything, also what has only begun. Answers whether all that was acknowledged is in the log. */
  async stop(): Promise<boolean> {
    this.#stopping = true;
    await this.#beginning;
    clearInterval(this.#ticker);
    for (const { host } of this.#shards.values()) host.stop();
    await Promise.all([...this.#shards.values()].map((opened) => opened.close()));
    return !this.#faulted;
  }

  /** An invariant is broken or the disk failed: the leases go first, then everybody is told. */
  fault(failure: Failure): void {
    if (this.#faulted) return;
    this.#faulted = true;
    clearInterval(this.#ticker);
    for (const { host } of this.#shards.values()) host.stop();
    this.#post({ type: 'fault', failure });
    this.#onFault();
  }

  #tick(): void {
    this.#guard(() => {
      if (this.#slept())
        for (const { host } of this.#shards.values()) host.stepDown('the host was suspended');
      for (const { host, snapshots } of this.#shards.values()) {
        host.tick();
        snapshots.tick();
      }
    });
  }

  /** Whether the host was suspended since the last tick: the lease clock ran on, the other one did not (rule E10). */
  #slept(): boolean {
    const gapMs = native.boottimeMs() - performance.now();
    const slept = gapMs - this.#clockGapMs > SUSPENDED_MS;
    this.#clockGapMs = gapMs;
    return slept;
  }

  /** In a new cluster the leaders are spread over the peers from the start. */
  #foundingLeaders(restarted: boolean): void {
    if (restarted) return;
    const { members, self } = this.#setup;
    for (const [shard, { host }] of this.#shards) {
      if (members[shard % members.length]?.id === self.id) host.campaign();
    }
  }

  #compared(host: ShardHost, from: MemberId, body: Buffer): void {
    const report = decodeReport(body);
    if (report !== undefined) host.compared(from, report);
  }

  #host(shard: ShardId): ShardHost | undefined {
    return this.#shards.get(shard)?.host;
  }

  #guard(work: () => void): void {
    if (this.#faulted) return;
    try {
      work();
    } catch (error) {
      // A peer that talks nonsense loses its connection; everything else is ours.
      if (error instanceof HoldfastError && error.code === 'PROTOCOL') throw error;
      this.fault(failureOf(error));
    }
  }
}

/** Codes with which the native code refuses, without its errors being of the class. */
const NATIVE_CODES: ReadonlySet<unknown> = new Set(['CLOSED', 'CORRUPT', 'FAULTED']);

/** An error as another thread is told of it. */
export function failureOf(error: unknown): Failure {
  if (error instanceof HoldfastError) return { code: error.code, message: error.message };
  if (!(error instanceof Error)) return { code: 'FAULTED', message: `a broken invariant: ${String(error)}` };
  const code = 'code' in error && NATIVE_CODES.has(error.code) ? String(error.code) : 'FAULTED';
  return { code, message: code === 'FAULTED' ? `a broken invariant: ${error.message}` : error.message };
}
