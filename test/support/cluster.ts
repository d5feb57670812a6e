/** A cluster for a test: its peers in this process, each with its own workers, sockets and directory. */
import { randomInt } from 'node:crypto';
import { once } from 'node:events';
import { mkdtempSync, rmSync } from 'node:fs';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type OpenOptions, open, type Store } from 'holdfast';

// Below the ports that systems give to outgoing connections, so that a peer that is restarted finds its own free.
const PORT_MIN = 10_000;
const PORT_MAX = 20_000;

/** An address of the loopback that nobody listens on. */
export async function freeAddress(): Promise<string> {
  for (;;) {
    const port = randomInt(PORT_MIN, PORT_MAX);
    const server = createServer();
    try {
      server.listen(port, '127.0.0.1');
      await once(server, 'listening');
    } catch {
      continue;
    }
    server.close();
    await once(server, 'close');
    return `127.0.0.1:${port}`;
  }
}

/** Addresses for peers of these names. */
export async function freePeers(names: readonly string[]): Promise<Record<string, string>> {
  const peers: Record<string, string> = {};
  for (const name of names) peers[name] = await freeAddress();
  return peers;
}

/** A directory that goes with the test. */
export function temporaryDirectory(): { path: string; remove(): void } {
  const path = mkdtempSync(join(tmpdir(), 'holdfast-test-'));
  return { path, remove: () => rmSync(path, { recursive: true, force: true }) };
}

/** How a {@link TestCluster} is opened. */
export interface ClusterOptions extends Omit<OpenOptions, 'name' | 'peers' | 'dir'> {
  names?: readonly string[];
  /** Whether peers have directories. Default: no. */
  durable?: boolean;
}

/** Peers of one cluster. */
export class TestCluster implements AsyncDisposable {
  readonly #options: ClusterOptions;
  readonly #peers: Record<string, string>;
  readonly #dir = temporaryDirectory();
  readonly #stores = new Map<string, Store>();

  private constructor(options: ClusterOptions, peers: Record<string, string>) {
    this.#options = options;
    this.#peers = peers;
  }

  /** Opens all peers. */
  static async open(options: ClusterOptions = {}): Promise<TestCluster> {
    const names = options.names ?? ['a', 'b', 'c'];
    const cluster = new TestCluster(options, await freePeers(names));
    try {
      await Promise.all(names.map((name) => cluster.start(name)));
    } catch (error) {
      await cluster[Symbol.asyncDispose]();
      throw error;
    }
    return cluster;
  }

  get names(): string[] {
    return Object.keys(this.#peers);
  }

  get stores(): Store[] {
    return [...this.#stores.values()];
  }

  /** Address of a peer. */
  address(name: string): string {
    return this.#peers[name] ?? '';
  }

  /** Directory of a peer. */
  dir(name: string): string {
    return join(this.#dir.path, name);
  }

  /** The options with which a peer is opened. */
  options(name: string): OpenOptions {
    const { names: _, durable, ...rest } = this.#options;
    const dir = durable ? { dir: this.dir(name) } : {};
    return { name, peers: this.#peers, ...dir, ...rest };
  }

  store(name: string): Store {
    const store = this.#stores.get(name);
    if (store === undefined) throw new Error(`peer ${name} is not open`);
    return store;
  }

  /** Opens a peer that is not open. */
  async start(name: string): Promise<Store> {
    const store = await open(this.options(name));
    this.#stores.set(name, store);
    return store;
  }

  /** Closes a peer in order. */
  async stop(name: string): Promise<void> {
    await this.store(name).close();
    this.#stores.delete(name);
  }

  /** The peer that leads a shard; waits until there is one. */
  async leader(shard = 0): Promise<Store> {
    for (;;) {
      for (const store of this.stores) {
        const { shards } = await store.status();
        if (shards[shard]?.leased) return store;
      }
      await new Promise((resolve) => setTimeout(resolve, 5));
    }
  }

  /** The peers that do not lead a shard. */
  async followers(shard = 0): Promise<Store[]> {
    const leader = await this.leader(shard);
    return this.stores.filter((store) => store !== leader);
  }

  /** Waits until all peers have applied the same entries, and answers their digests, which are then to be equal. */
  async settled(): Promise<string[]> {
    for (;;) {
      const statuses = await Promise.all(this.stores.map((store) => store.status()));
      const applied = statuses.map(({ shards }) => shards.map((shard) => shard.applied).join());
      const last = statuses.map(({ shards }) => shards.map((shard) => shard.lastIndex).join());
      if (new Set([...applied, ...last]).size === 1)
        return Promise.all(this.stores.map((store) => store.digest()));
      await new Promise((resolve) => setTimeout(resolve, 5));
    }
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await Promise.all(this.stores.map((store) => store.close()));
    this.#dir.remove();
  }
}
