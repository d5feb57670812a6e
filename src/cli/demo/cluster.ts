import { randomBytes, randomInt } from 'node:crypto';
import { once } from 'node:events';
import { mkdtempSync, rmSync } from 'node:fs';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { HoldfastError } from '../../errors.js';
import type { PeerNews, ShardView } from './messages.js';
import { type PeerListener, PeerProcess } from './peer-process.js';

/** The demo's peers. */
export const PEER_NAMES = ['a', 'b', 'c'] as const;
/** One of them. */
export type PeerName = (typeof PEER_NAMES)[number];

/** What can be seen of a peer from outside. */
export interface PeerView {
  name: PeerName;
  pid: number | undefined;
  state: 'starting' | 'running' | 'killed' | 'catching up';
  /** As the peer said last; empty before it has said anything. */
  shards: ShardView[];
}

// Below the range from which systems take the ports of outgoing connections: a peer that is dialled
// while it is being restarted must not find its port taken by the dialler.
const PORT_MIN = 20_000;
const PORT_MAX = 30_000;
const PORT_TRIES_MAX = 100;

async function isFree(port: number): Promise<boolean> {
  const server = createServer();
  try {
    server.listen(port, '127.0.0.1');
    await once(server, 'listening');
  } catch {
    return false;
  }
  server.close();
  await once(server, 'close');
  return true;
}

async function freeAddresses(): Promise<Record<PeerName, string>> {
  const ports = new Set<number>();
  for (let tries = 0; ports.size < PEER_NAMES.length; tries++) {
    if (tries === PORT_TRIES_MAX)
      throw new HoldfastError('IO', `no free ports from ${PORT_MIN} to ${PORT_MAX}`);
    const port = randomInt(PORT_MIN, PORT_MAX);
    if (await isFree(port)) ports.add(port);
  }
  const [a, b, c] = [...ports].map((port) => `127.0.0.1:${port}`) as [string, string, string];
  return { a, b, c };
}

/** Three peers in processes of their own, with their data in one temporary directory. */
export class DemoCluster {
  readonly dir: string;
  readonly #keep: boolean;
  readonly #shards: number;
  readonly #secret = randomBytes(32).toString('hex');
  readonly #listener: PeerListener;
  readonly #processes = new Map<PeerName, PeerProcess>();
  readonly #views = new Map<PeerName, PeerView>();
  readonly #disposeAtExit = () => this.#disposeNow();
  #peers: Record<PeerName, string> | undefined;
  #disposed = false;

  /** `keep`: the directory stays. */
  constructor(options: { shards: number; keep: boolean }, listener: PeerListener) {
    this.#shards = options.shards;
    this.#keep = options.keep;
    this.#listener = listener;
    this.dir = mkdtempSync(join(tmpdir(), 'holdfast-demo-'));
    process.on('exit', this.#disposeAtExit);
  }

  /** Starts a peer, again if it was there before; resolves when it has caught up. */
  async start(name: PeerName): Promise<void> {
    this.#peers ??= await freeAddresses();
    if (this.#disposed) throw new HoldfastError('CLOSED', 'the demo is over');
    const restarted = this.#processes.has(name);
    const peer = new PeerProcess(name, {
      news: (news) => this.#receive(name, news),
      failed: (error) => this.#listener.failed(error),
    });
    this.#processes.set(name, peer);
    this.#views.set(name, { name, pid: peer.pid, state: restarted ? 'catching up' : 'starting', shards: [] });
    await peer.call('open', {
      ...{ name, peers: this.#peers, secret: this.#secret, shards: this.#shards },
      dir: join(this.dir, name),
      orphanedDir: this.#keep ? undefined : this.dir,
    });
    this.view(name).state = 'running';
  }

  /** Starts all peers. */
  async startAll(): Promise<void> {
    this.#peers = await freeAddresses();
    await Promise.all(PEER_NAMES.map((name) => this.start(name)));
  }

  peer(name: PeerName): PeerProcess {
    const peer = this.#processes.get(name);
    if (peer === undefined) throw new HoldfastError('NOT_READY', `peer ${name} was not started`);
    return peer;
  }

  view(name: PeerName): PeerView {
    return this.#views.get(name) ?? { name, pid: undefined, state: 'starting', shards: [] };
  }

  /** All peers, in order. */
  views(): PeerView[] {
    return PEER_NAMES.map((name) => this.view(name));
  }

  /** The peers that run. */
  running(): PeerName[] {
    return PEER_NAMES.filter((name) => this.view(name).state === 'running');
  }

  /** The leader of a shard in the newest term that a running peer knows of. */
  leader(shard: number): { name: PeerName; term: number } | undefined {
    const shards = this.running().flatMap((name) =>
      this.view(name).shards.filter((seen) => seen.shard === shard),
    );
    const newest = shards.reduce<ShardView | undefined>(
      (best, seen) => (best === undefined || seen.term > best.term ? seen : best),
      undefined,
    );
    const name = PEER_NAMES.find((peer) => peer === newest?.leader);
    return name === undefined || newest === undefined ? undefined : { name, term: newest.term };
  }

  /** Kills a peer with SIGKILL and waits until the process is gone. */
  async kill(name: PeerName): Promise<void> {
    this.view(name).state = 'killed';
    const peer = this.peer(name);
    peer.kill();
    await peer.ended();
  }

  /** Ends every process and removes the directory. */
  async dispose(): Promise<void> {
    this.#disposed = true;
    for (const peer of this.#processes.values()) peer.kill();
    await Promise.all([...this.#processes.values()].map((peer) => peer.ended()));
    this.#removeDir();
    process.off('exit', this.#disposeAtExit);
  }

  /** For the way out without an event loop. */
  #disposeNow(): void {
    for (const peer of this.#processes.values()) peer.kill();
    this.#removeDir();
  }

  #removeDir(): void {
    if (!this.#keep) rmSync(this.dir, { recursive: true, force: true, maxRetries: 10 });
  }

  #receive(name: PeerName, news: PeerNews): void {
    if (news.type === 'status') this.view(name).shards = news.shards;
    this.#listener.news(news);
  }
}
