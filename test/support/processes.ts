/** Peers in processes of their own, which a test can kill, stop and start again. */
import { type ChildProcess, fork } from 'node:child_process';
import { once } from 'node:events';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { HoldfastError, type OpenOptions } from 'holdfast';
import { freePeers, temporaryDirectory } from './cluster.js';

const entry = fileURLToPath(new URL('./peer-process.mjs', import.meta.url));

/** What a hammer did; see `peer-process.mjs`. */
export interface HammerResult {
  readonly acknowledged: string[];
  readonly unknown: string[];
  readonly refused: string[];
  /** Longest time between two acknowledged writes. */
  readonly longestMs: number;
}

interface Answer {
  readonly id: number;
  readonly value?: unknown;
  readonly error?: { readonly code: string; readonly message: string };
}

/** One process. */
export class PeerProcess {
  readonly #child: ChildProcess;
  readonly #waiting = new Map<number, (answer: Answer) => void>();
  #calls = 0;
  /** Hears what the process tells unasked. */
  onRecord: (record: unknown) => void = () => {};

  /** @param temporary - For what the process would have removed, had it not been killed. */
  constructor(temporary: string) {
    this.#child = fork(entry, {
      stdio: ['ignore', 'inherit', 'inherit', 'ipc'],
      serialization: 'advanced',
      env: { ...process.env, TMPDIR: temporary },
    });
    this.#child.on('message', (answer: Answer | { records: unknown[] }) => {
      if ('records' in answer) {
        for (const record of answer.records) this.onRecord(record);
        return;
      }
      this.#waiting.get(answer.id)?.(answer);
      this.#waiting.delete(answer.id);
    });
    this.#child.on('exit', () => {
      for (const [id, resolve] of this.#waiting)
        resolve({ id, error: { code: 'EXIT', message: 'the process ended' } });
    });
  }

  /** Calls what `peer-process.mjs` offers. */
  async ask<T = unknown>(method: string, ...args: unknown[]): Promise<T> {
    const id = ++this.#calls;
    const answer = await new Promise<Answer>((resolve) => {
      this.#waiting.set(id, resolve);
      this.#child.send({ id, method, args });
    });
    if (answer.error !== undefined) throw new HoldfastError(answer.error.code, answer.error.message);
    return answer.value as T;
  }

  /** Sends a signal to the process. */
  signal(signal: NodeJS.Signals): void {
    this.#child.kill(signal);
  }

  /** Kills the process and waits until it is gone. */
  async kill(): Promise<void> {
    if (this.#child.exitCode !== null || this.#child.signalCode !== null) return;
    const exit = once(this.#child, 'exit');
    this.#child.kill('SIGKILL');
    await exit;
  }
}

/** Options that all peers of a cluster are opened with. */
interface SharedOptions extends Omit<OpenOptions, 'name' | 'peers' | 'dir' | 'on' | 'signal'> {
  /** Whether peers have directories. Default: yes. */
  durable?: boolean;
}

/** A cluster of three processes. */
export class ProcessCluster implements AsyncDisposable {
  readonly names = ['a', 'b', 'c'] as const;
  readonly #options: SharedOptions;
  readonly #peers: Record<string, string>;
  readonly #dir = temporaryDirectory();
  readonly #processes = new Map<string, PeerProcess>();

  private constructor(options: SharedOptions, peers: Record<string, string>) {
    this.#options = options;
    this.#peers = peers;
  }

  static async open(options: SharedOptions = {}): Promise<ProcessCluster> {
    const cluster = new ProcessCluster(options, await freePeers(['a', 'b', 'c']));
    await Promise.all(cluster.names.map((name) => cluster.start(name)));
    return cluster;
  }

  peer(name: string): PeerProcess {
    const peer = this.#processes.get(name);
    if (peer === undefined) throw new Error(`peer ${name} was not started`);
    return peer;
  }

  /** Starts a peer, again if it was killed. */
  async start(name: string): Promise<void> {
    const peer = new PeerProcess(this.#dir.path);
    this.#processes.set(name, peer);
    const { durable = true, ...rest } = this.#options;
    const dir = durable ? { dir: join(this.#dir.path, name) } : {};
    await peer.ask('open', { ...rest, name, peers: this.#peers, ...dir });
  }

  /** The name of a shard's leader, asked from `by`, which must be running. */
  async leader(by: string, shard = 0): Promise<string> {
    for (;;) {
      const status = await this.peer(by).ask<{ shards: { leader?: string }[] }>('status');
      const leader = status.shards[shard]?.leader;
      if (leader !== undefined) return leader;
      await new Promise((resolve) => setTimeout(resolve, 10));
    }
  }

  /** Waits until all peers have applied the same entries, and answers their digests. */
  async settled(): Promise<string[]> {
    for (;;) {
      const all = [...this.#processes.values()];
      const statuses = await Promise.all(
        all.map((peer) => peer.ask<{ shards: { applied: number; lastIndex: number }[] }>('status')),
      );
      const places = statuses.flatMap(({ shards }) => [
        shards.map(({ applied }) => applied).join(),
        shards.map(({ lastIndex }) => lastIndex).join(),
      ]);
      if (new Set(places).size === 1) return Promise.all(all.map((peer) => peer.ask<string>('digest')));
      await new Promise((resolve) => setTimeout(resolve, 10));
    }
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await Promise.all([...this.#processes.values()].map((peer) => peer.kill()));
    this.#dir.remove();
  }
}
