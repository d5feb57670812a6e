/**
 * The store: a keyspace that this process shares with its peers. What runs where is decided below this file
 * (`shards/`); what commands look like, beside it (`commands/`).
 */
import { EventEmitter } from 'node:events';
import { AsyncCommands } from './commands/async.js';
import type { EncodedExecutor, Executor, Request } from './commands/executor.js';
import type { Bulk } from './commands/form.js';
import { ReadOnlyCommands } from './commands/sync.js';
import { HoldfastError } from './errors.js';
import type { StoreEvents } from './events.js';
import { type NativeHandle, native, type ReplyValue, type Word } from './keyspace/native.js';
import { type CheckedOptions, checkOpenOptions, digestOf, type OpenOptions } from './options.js';
import { TIMERS } from './raft/limits.js';
import type { Role } from './raft/types.js';
import { digest, loadFile } from './rdb/index.js';
import { type RespAddress, RespServer } from './resp/server.js';
import { ReplicatedEncodedExecutor } from './shards/encoded-executor.js';
import { ReplicatedExecutor } from './shards/executor.js';
import { loadThroughLog, type StoreLoadOptions, type StoreLoadResult } from './shards/load.js';
import { Peer } from './shards/peer.js';
import type { HostEvent } from './shards/protocol.js';

/** One shard as one peer sees it. */
export interface ShardStatus {
  /** Number of the shard, from 0. */
  readonly shard: number;
  /** This peer's role in it. */
  readonly role: Role;
  /** Name of the leader; `undefined` while this peer knows of none. */
  readonly leader: string | undefined;
  /** The term that this peer is in; 0 before the first election, and in a store without a log. */
  readonly term: number;
  /** The last entry known to be on a majority. */
  readonly commit: number;
  /** The last entry in this peer's memory. */
  readonly applied: number;
  /** The last entry in this peer's log. */
  readonly lastIndex: number;
  /** Whether this peer leads and may answer reads by itself. */
  readonly leased: boolean;
  /** Whether this peer has caught up since it started. */
  readonly ready: boolean;
  /** Milliseconds since the leader was heard; 0 on the leader. */
  readonly silentMs: number;
  /** Bytes of the log behind the last snapshot. */
  readonly logBytes: number;
  /** The entry that the last snapshot reaches to. */
  readonly snapshotIndex: number;
}

/** A store as one peer sees it. */
export interface StoreStatus {
  /** The name of the peer that answers. */
  readonly name: string;
  /** Every shard, in the order of their numbers. */
  readonly shards: readonly ShardStatus[];
  /** All peers; `up`: connected to this one (which is always up). */
  readonly peers: readonly { readonly name: string; readonly address: string; readonly up: boolean }[];
}

/** Reads from this process's memory, at once. See {@link Store.local} and {@link Store.leased}. */
export class StoreReads extends ReadOnlyCommands<string> {
  /** The same reads, with Buffers in place of strings. */
  readonly bytes: ReadOnlyCommands<Buffer>;
  readonly #staleness: () => number;

  /** @internal */
  constructor(
    strings: NativeHandle<string>,
    buffers: NativeHandle<Buffer>,
    why: Why,
    staleness: () => number,
  ) {
    super({ handle: strings, bytes: false, refusal: why });
    this.bytes = new ReadOnlyCommands({ handle: buffers, bytes: true, refusal: why });
    this.#staleness = staleness;
  }

  /** Milliseconds by which these reads are behind at the most: 0 on a leader with a lease, Infinity if nobody can say. */
  staleness(): number {
    return this.#staleness();
  }
}

/** Why a handle gave no answer for a key. */
type Why = (key: Word | undefined) => HoldfastError;

/** What differs between a store with a log and one that is memory and nothing else. */
interface Engine {
  executor(bytes: boolean): Executor;
  encodedExecutor(): EncodedExecutor;
  readonly local: StoreReads;
  readonly leased: StoreReads;
  /** Ids of the keyspaces, by shard. */
  readonly keyspaces: readonly number[];
  /** Resolves when the store can be used. */
  start(): Promise<void>;
  load(path: string, options: StoreLoadOptions): Promise<StoreLoadResult>;
  status(): Promise<StoreStatus>;
  transfer(shard: number, to: string | undefined): Promise<boolean>;
  close(): Promise<void>;
}

/**
 * A store. Every command is a method, named as in Redis in lower case, and returns a promise: a write is acknowledged
 * when it is on a majority of the peers and in this process's memory; a read sees everything that was acknowledged anywhere before it.
 */
export class Store extends AsyncCommands<string> implements AsyncDisposable {
  /** This peer's name. */
  readonly name: string;
  /** The same commands, with Buffers in place of strings. */
  readonly bytes: AsyncCommands<Buffer>;
  /**
   * Reads of this process's memory as it is now, at once, on any peer. They may be behind by `local.staleness()`. On a peer that
   * has not caught up they throw `NOT_READY`.
   */
  readonly local: StoreReads;
  /**
   * Reads that see everything acknowledged anywhere, at once, where this process leads the key's shard and holds its
   * lease. Elsewhere they throw `NOT_LEASED`, which names the leader.
   */
  readonly leased: StoreReads;
  readonly #engine: Engine;
  readonly #events: EventEmitter<StoreEvents>;
  #resp: RespServer | undefined;
  #closing: Promise<void> | undefined;

  /** @internal Use {@link open}. */
  constructor(name: string, engine: Engine, events: EventEmitter<StoreEvents>) {
    super(engine.executor(false), false);
    this.name = name;
    this.bytes = new AsyncCommands(engine.executor(true), true);
    this.local = engine.local;
    this.leased = engine.leased;
    this.#engine = engine;
    this.#events = events;
  }

  /**
   * Calls `listener` at each such event, until {@link off}. What a listener throws is an uncaught exception of the program,
   * and keeps the store from nothing. What happens while the store is being opened reaches the listeners of `options.on` only.
   */
  on<E extends keyof StoreEvents>(event: E, listener: (...args: StoreEvents[E]) => void): this {
    (this.#events as EventEmitter).on(event, listener);
    return this;
  }

  /** Ends {@link on}. */
  off<E extends keyof StoreEvents>(event: E, listener: (...args: StoreEvents[E]) => void): this {
    (this.#events as EventEmitter).off(event, listener);
    return this;
  }

  /** Where Redis clients reach this peer, if it was opened with `resp`. */
  get respAddress(): RespAddress | undefined {
    return this.#resp?.address;
  }

  /**
   * What this peer knows of the cluster now. It answers without a majority.
   *
   * @throws HoldfastError `CLOSED`, or the error of a store that is faulted.
   */
  status(): Promise<StoreStatus> {
    return this.#engine.status();
  }

  /**
   * Loads an RDB file into the store, on all peers. A key that is there already is replaced. The file is verified first: one
   * that is damaged changes nothing.
   *
   * @throws HoldfastError `CORRUPT` with file, reason and offset; `IO`; or as any write.
   */
  load(path: string, options: StoreLoadOptions = {}): Promise<StoreLoadResult> {
    return this.#engine.load(path, options);
  }

  /**
   * 32 hex digits over everything in this process's memory, all shards. Peers that have applied the same entries have the same.
   * It looks at every key, on another thread.
   *
   * @throws HoldfastError `CLOSED`.
   */
  async digest(): Promise<string> {
    const digests = await Promise.all(this.#engine.keyspaces.map((id) => digest(id)));
    const [only = ''] = digests;
    return digests.length === 1 ? only : digestOf(digests);
  }

  /**
   * Hands a shard's leadership to another peer, or to the one that is furthest. Answers whether it was begun: it is not where this
   * peer does not lead, or nobody can take over.
   *
   * @throws RangeError for a shard that does not exist, TypeError for a peer that does not (both reject).
   * @throws HoldfastError `CLOSED`, or the error of a store that is faulted.
   */
  async transfer(shard = 0, to?: string): Promise<boolean> {
    if (!this.#engine.keyspaces[shard]) throw new RangeError(`there is no shard ${shard}`);
    return this.#engine.transfer(shard, to);
  }

  /**
   * Ends this peer's part: Redis clients are answered and sent away, leadership is handed over, calls under way are finished, then every thread, socket, timer and
   * file of the store goes. Calls from now on reject with `CLOSED`. Never rejects; may be called more than once.
   */
  close(): Promise<void> {
    this.#closing ??= this.#close();
    return this.#closing;
  }

  async #close(): Promise<void> {
    // Without Redis clients there is nothing to wait for: the next call is refused.
    if (this.#resp !== undefined) await this.#resp.close();
    await this.#engine.close();
  }

  /** @internal Listens for Redis clients. */
  async listen(address: RespAddress): Promise<void> {
    const engine = this.#engine;
    this.#resp = await RespServer.listen(address, {
      executor: engine.encodedExecutor(),
      status: () => engine.status(),
      keyspaces: engine.keyspaces,
    });
  }

  /** {@link close}, for `await using`. */
  [Symbol.asyncDispose](): Promise<void> {
    return this.close();
  }
}

/**
 * Opens a store.
 *
 * Without `peers` and `dir` it is this process's memory. With `dir` it survives the process. With `peers` this process is
 * one of them: the promise resolves when the cluster exists (the first time, all peers have to be there for that; later a
 * majority), and this peer has caught up.
 *
 * @throws TypeError or RangeError for an option that is unknown or impossible.
 * @throws HoldfastError `NO_QUORUM` after `openTimeoutMs`; `IO` if the address or directory cannot be used; `FOREIGN` if
 * the directory belongs to another cluster; `CORRUPT` if a file in it is damaged; `AMNESIAC` if the other peers know this
 * one with data that it has no more.
 */
export async function open(options: OpenOptions = {}): Promise<Store> {
  const checked = checkOpenOptions(options, TIMERS);
  checked.signal?.throwIfAborted();
  const events = new EventEmitter<StoreEvents>();
  for (const [event, listener] of Object.entries(checked.on)) (events as EventEmitter).on(event, listener);
  const engine = checked.replicated ? new PeerEngine(checked, events) : memoryEngine(checked);
  const store = new Store(checked.self.name, engine, events);
  try {
    await engine.start();
    if (checked.resp !== undefined) await store.listen(checked.resp);
  } catch (error) {
    await store.close();
    throw error;
  }
  return store;
}

/** A store that is one keyspace of this process. */
function memoryEngine({ self }: CheckedOptions): Engine {
  const id = native.keyspaceCreate();
  const strings = native.attach([id], 'plain', false);
  const buffers = native.attach([id], 'plain', true);
  const closed = () => new HoldfastError('CLOSED', 'the store is closed');
  const reads = new StoreReads(strings, buffers, closed, () => 0);
  const shard: ShardStatus = {
    ...{ shard: 0, role: 'leader', leader: self.name, term: 0, commit: 0, applied: 0, lastIndex: 0 },
    ...{ leased: true, ready: true, silentMs: 0, logBytes: 0, snapshotIndex: 0 },
  };
  return {
    executor: (bytes) => new MemoryExecutor(bytes ? buffers : strings),
    encodedExecutor: () => ({
      execute: ({ words }, protocol) => answered(strings.callEncoded(words, protocol)),
      transaction: (requests, protocol) => {
        const words = requests.map((request) => request.words);
        return answered(strings.transactionEncoded(words, protocol));
      },
    }),
    local: reads,
    leased: reads,
    keyspaces: [id],
    start: async () => {},
    load: async (path, { onProgress, signal }) => {
      const { keys, bytes, durationMs } = await loadFile(path, id, signal === undefined ? {} : { signal });
      onProgress?.({ keys, totalKeys: keys });
      return { keys, bytes, durationMs };
    },
    status: async () => ({ name: self.name, shards: [shard], peers: [{ ...self, up: true }] }),
    transfer: async () => false,
    close: async () => {
      native.keyspaceClose(id);
      strings.release();
      buffers.release();
    },
  };
}

/** A plain handle answers everything. */
function answered<T>(reply: T | undefined): T {
  if (reply === undefined) throw new TypeError('a keyspace gave no answer');
  return reply;
}

/** Commands straight down, as promises. */
class MemoryExecutor implements Executor {
  readonly #handle: NativeHandle<Bulk>;

  constructor(handle: NativeHandle<Bulk>) {
    this.#handle = handle;
  }

  get reads(): NativeHandle<Bulk> {
    return this.#handle;
  }

  async execute({ words }: Request): Promise<ReplyValue> {
    return this.#handle.call(words) ?? null;
  }

  async transaction(requests: readonly Request[]): Promise<ReplyValue[]> {
    return this.#handle.transaction(requests.map(({ words }) => words)) ?? [];
  }
}

/** A store with a log: this process is a peer. */
class PeerEngine implements Engine {
  readonly local: StoreReads;
  readonly leased: StoreReads;
  readonly #options: CheckedOptions;
  readonly #events: EventEmitter<StoreEvents>;
  readonly #peer: Peer;
  readonly #handles: readonly NativeHandle<Bulk>[];
  #refused = '';

  constructor(options: CheckedOptions, events: EventEmitter<StoreEvents>) {
    this.#options = options;
    this.#events = events;
    this.#peer = new Peer({
      ...options,
      shardCount: options.shards,
      reachable: options.members.length > 1 || options.members[0]?.address !== 'localhost:0',
      onEvent: (event) => this.#emit(event),
      onFault: (error) => this.#deliver('fault', error),
    });
    const ids = this.#peer.replicas;
    const local = native.attach(ids, 'local', false);
    const localBytes = native.attach(ids, 'local', true);
    const leased = native.attach(ids, 'leased', false);
    const leasedBytes = native.attach(ids, 'leased', true);
    this.#handles = [local, localBytes, leased, leasedBytes];
    const staleness = () => this.#peer.staleness();
    this.local = new StoreReads(local, localBytes, () => this.#peer.notReady(), staleness);
    this.leased = new StoreReads(
      leased,
      leasedBytes,
      (key) => this.#peer.notLeased(key),
      () => 0,
    );
  }

  get keyspaces(): readonly number[] {
    return this.#peer.replicas;
  }

  load(path: string, options: StoreLoadOptions): Promise<StoreLoadResult> {
    return loadThroughLog(path, this.#peer.clients, options);
  }

  executor(bytes: boolean): Executor {
    const [local, localBytes, leased, leasedBytes] = this.#handles;
    const handles = bytes ? { local: localBytes, leased: leasedBytes } : { local, leased };
    if (handles.local === undefined || handles.leased === undefined) throw new RangeError('no handles');
    return new ReplicatedExecutor({
      clients: this.#peer.clients,
      local: handles.local,
      leased: handles.leased,
      bytes,
    });
  }

  encodedExecutor(): EncodedExecutor {
    const [local, , leased] = this.#handles;
    if (local === undefined || leased === undefined) throw new RangeError('no handles');
    return new ReplicatedEncodedExecutor({ clients: this.#peer.clients, local, leased });
  }

  /** Resolves when this peer has caught up. */
  async start(): Promise<void> {
    const { openTimeoutMs, signal } = this.#options;
    const timeout = AbortSignal.timeout(openTimeoutMs);
    const gaveUp = new Promise<never>((_, reject) => {
      timeout.addEventListener('abort', () => reject(this.#notJoined()), { once: true });
      signal?.addEventListener('abort', () => reject(signal.reason), { once: true });
    });
    await Promise.race([this.#peer.start(), gaveUp]);
  }

  async status(): Promise<StoreStatus> {
    const { members, self } = this.#options;
    const { shards, up } = await this.#peer.status();
    return {
      name: self.name,
      shards: shards.map(({ id: _, barrierUntil: __, ...shard }) => ({
        ...shard,
        leader: this.#nameOf(shard.leader),
      })),
      peers: members.map(({ id, name, address }) => ({
        name,
        address,
        up: id === self.id || up.includes(id),
      })),
    };
  }

  async transfer(shard: number, to: string | undefined): Promise<boolean> {
    const member = this.#options.members.find(({ name }) => name === to);
    if (to !== undefined && member === undefined) throw new TypeError(`${JSON.stringify(to)} is no peer`);
    return this.#peer.transfer(shard, member?.id);
  }

  async close(): Promise<void> {
    await this.#peer.close(new HoldfastError('CLOSED', 'the store is closed'));
    for (const handle of this.#handles) handle.release();
  }

  #nameOf(id: number): string | undefined {
    return this.#options.members.find((member) => member.id === id)?.name;
  }

  #notJoined(): HoldfastError {
    const text = `no majority of the peers within ${this.#options.openTimeoutMs} ms`;
    return new HoldfastError('NO_QUORUM', this.#refused === '' ? text : `${text}; ${this.#refused}`);
  }

  #emit(event: HostEvent): void {
    switch (event.event) {
      case 'leader':
        this.#deliver('leader', { ...withoutTag(event), leader: this.#nameOf(event.leader) });
        break;
      case 'failover':
        this.#deliver('failover', { ...withoutTag(event), leader: this.#nameOf(event.leader) ?? '' });
        break;
      case 'role':
        this.#deliver('role', withoutTag(event));
        break;
      case 'peer':
        this.#deliver('peer', { name: this.#nameOf(event.member) ?? '', up: event.up });
        break;
      case 'refused':
        this.#refused = `${event.code}: ${event.message}`;
        this.#deliver('refused', { ...withoutTag(event), name: this.#nameOf(event.member) });
    }
  }

  /** A listener that throws is the host's error, reported as one: it does not keep the store from its work. */
  #deliver<E extends keyof StoreEvents>(event: E, ...args: StoreEvents[E]): void {
    try {
      (this.#events as EventEmitter).emit(event, ...args);
    } catch (error) {
      queueMicrotask(() => {
        throw error;
      });
    }
  }
}

function withoutTag<T extends { event: string }>({ event: _, ...rest }: T): Omit<T, 'event'> {
  return rest;
}
