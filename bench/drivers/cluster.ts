/** Three peers on the loopback, each a process of its own. */
import type { ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { freePeers } from '../../test/support/cluster.js';
import { forkScript } from '../fork.js';
import type { Driver } from '../trial.js';
import type { PeerAnswer, PeerCalls, PeerQuestion } from './peer-process.js';

const NAMES = ['a', 'b', 'c'] as const;
const POLL_MS = 5;

/** Where in the cluster the load comes from. */
export interface PlaceDriver extends Driver {
  peerOf(cluster: Cluster): Promise<PeerProcess>;
}

/** Load from the process that leads. */
export const leaderDriver: PlaceDriver = {
  name: 'leader',
  peerOf: (cluster) => cluster.leader(),
};

/** Load from a process that follows. */
export const followerDriver: PlaceDriver = {
  name: 'follower',
  async peerOf(cluster) {
    const [follower] = await cluster.followers();
    if (follower === undefined) throw new Error('there is no follower');
    return follower;
  },
};

/** One peer. */
export class PeerProcess {
  readonly name: string;
  readonly #child: ChildProcess;
  readonly #waiting = new Map<number, { resolve(value: unknown): void; reject(error: Error): void }>();
  #questions = 0;

  constructor(name: string) {
    this.name = name;
    this.#child = forkScript(new URL('./peer-process.ts', import.meta.url));
    this.#child.on('message', ({ id, value, error }: PeerAnswer) => {
      if (error === undefined) this.#waiting.get(id)?.resolve(value);
      else this.#waiting.get(id)?.reject(new Error(`peer ${name}: ${error}`));
      this.#waiting.delete(id);
    });
    this.#child.on('exit', (code, signal) => {
      const ended = new Error(`peer ${name} ended (${signal ?? `exit code ${code}`})`);
      for (const { reject } of this.#waiting.values()) reject(ended);
    });
    process.on('exit', () => this.#child.kill('SIGKILL'));
  }

  /** Calls what `peer-process.ts` offers. */
  ask<K extends keyof PeerCalls>(
    method: K,
    ...args: Parameters<PeerCalls[K]>
  ): Promise<Awaited<ReturnType<PeerCalls[K]>>> {
    const question: PeerQuestion = { id: ++this.#questions, method, args };
    return new Promise((resolve, reject) => {
      const settle = (value: unknown): void => resolve(value as Awaited<ReturnType<PeerCalls[K]>>);
      this.#waiting.set(question.id, { resolve: settle, reject });
      this.#child.send(question);
    });
  }

  /** Kills the process and waits until it is gone. */
  async kill(): Promise<void> {
    if (this.#child.exitCode !== null || this.#child.signalCode !== null) return;
    const exit = once(this.#child, 'exit');
    this.#child.kill('SIGKILL');
    await exit;
  }
}

/** A cluster, with default settings. */
export class Cluster implements AsyncDisposable {
  readonly #peers: PeerProcess[];

  private constructor(peers: PeerProcess[]) {
    this.#peers = peers;
  }

  /** Starts all peers; with directories below `directory`, or memory only. */
  static async open(directory: string | undefined): Promise<Cluster> {
    const peers = await freePeers(NAMES);
    const cluster = new Cluster(NAMES.map((name) => new PeerProcess(name)));
    const open = (peer: PeerProcess): Promise<void> => {
      const durable =
        directory === undefined ? {} : { dir: join(directory, peer.name), fsync: 'always' as const };
      return peer.ask('open', { name: peer.name, peers, ...durable });
    };
    try {
      await Promise.all(cluster.#peers.map(open));
    } catch (error) {
      await cluster[Symbol.asyncDispose]();
      throw error;
    }
    return cluster;
  }

  /** The peer that leads, once there is one. */
  async leader(): Promise<PeerProcess> {
    for (;;) {
      for (const peer of this.#peers) if ((await peer.ask('leader')) === peer.name) return peer;
      await sleep(POLL_MS);
    }
  }

  async followers(): Promise<PeerProcess[]> {
    const leader = await this.leader();
    return this.#peers.filter((peer) => peer !== leader);
  }

  /** Microseconds of processor time that all threads of all peers have had. */
  async cpuUs(): Promise<number> {
    const all = await Promise.all(this.#peers.map((peer) => peer.ask('cpuUs')));
    return all.reduce((sum, one) => sum + one, 0);
  }

  /** Waits until all peers hold the same, and answers its digest. */
  async settledDigest(): Promise<string> {
    for (;;) {
      const places = await Promise.all(this.#peers.map((peer) => peer.ask('reached')));
      if (new Set(places.flat()).size === 1) break;
      await sleep(POLL_MS);
    }
    const digests = new Set(await Promise.all(this.#peers.map((peer) => peer.ask('digest'))));
    if (digests.size > 1) throw new Error(`the peers differ: ${[...digests].join(', ')}`);
    return [...digests].join();
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await Promise.all(this.#peers.map((peer) => peer.kill()));
  }
}
