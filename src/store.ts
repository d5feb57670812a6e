/**
 * The store: a keyspace that this process shares with its peers. What runs where is decided below this file
 * (`engine/`, `shards/`); what commands look like, beside it (`commands/`).
 */
import { EventEmitter } from 'node:events';
import type { GoodBackup } from './backups/files.js';
import { type BackupOptions, BackupSchedule } from './backups/schedule.js';
import { AsyncCommands } from './commands/async.js';
import { checkNames, checkPath } from './commands/options.js';
import type { Engine, StoreReads, StoreStatus } from './engine/engine.js';
import { memoryEngine } from './engine/memory.js';
import { PeerEngine } from './engine/peer.js';
import { HoldfastError } from './errors.js';
import { EVENTS, type StoreEvents } from './events.js';
import { checkOpenOptions, digestOf, type OpenOptions } from './options.js';
import { TIMERS } from './raft/limits.js';
import { digest, type SaveOptions, type SaveResult, Saves } from './rdb/index.js';
import { type Settings, settingsOf } from './resp/config.js';
import { type RespAddress, RespServer } from './resp/server.js';
import type { StoreLoadOptions, StoreLoadResult } from './shards/load.js';

/** Options of {@link Store.save}. */
export type StoreSaveOptions = Omit<SaveOptions, 'aux' | 'exact'>;

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
  readonly #saves = new Saves();
  #resp: RespServer | undefined;
  #backups: BackupSchedule | undefined;
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
    if (!EVENTS.includes(event)) {
      throw new TypeError(`unknown event ${JSON.stringify(event)}; known are ${EVENTS.join(', ')}`);
    }
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
   * The newest scheduled backup of this peer that is known to be sound: found and read when the store was opened, or made since. See the
   * option `backup`.
   */
  get lastBackup(): GoodBackup | undefined {
    return this.#backups?.latest;
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
   * @throws TypeError at once, for a path that is no string or an unknown option.
   * @throws HoldfastError `CORRUPT` with file, reason and offset; `IO`; or as any write.
   */
  load(path: string, options: StoreLoadOptions = {}): Promise<StoreLoadResult> {
    checkPath(path);
    checkNames('load', options, ['onProgress', 'signal']);
    return this.#engine.load(path, options);
  }

  /**
   * Saves everything in this process's memory, all shards at the same instant between the call and its end, as an RDB file,
   * which real servers read, too. All threads go on reading and writing meanwhile. In a cluster it is what this peer has applied, which may be
   * behind what is acknowledged elsewhere by `local.staleness()`. The file is there when it is complete and on disk, and not before.
   *
   * @throws TypeError or RangeError at once, for a path that is no string, an unknown option or version.
   * @throws HoldfastError `IO`; `CLOSED`, also if the store is closed meanwhile; `ERR` names a key that the version cannot hold; or
   * the reason of an aborted `signal`.
   */
  save(path: string, options: StoreSaveOptions = {}): Promise<SaveResult> {
    checkPath(path);
    checkNames('save', options, ['onProgress', 'signal', 'version', 'compress']);
    return this.#saves.save(this.#engine.keyspaces, path, options);
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
   * @throws RangeError for a shard that does not exist, TypeError for a peer that does not, both at once.
   * @throws HoldfastError `CLOSED`, or the error of a store that is faulted.
   */
  transfer(shard = 0, to?: string): Promise<boolean> {
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
    if (this.#backups !== undefined) await this.#backups.stop();
    // Without Redis clients and saves there is nothing to wait for: the next call is refused.
    if (this.#resp !== undefined) await this.#resp.close();
    if (!this.#saves.idle) await this.#saves.close(new HoldfastError('CLOSED', 'the store is closed'));
    await this.#engine.close();
  }

  /** @internal Listens for Redis clients. */
  async listen(address: RespAddress, settings: Settings): Promise<void> {
    const engine = this.#engine;
    this.#resp = await RespServer.listen(address, {
      executor: engine.encodedExecutor(),
      status: () => engine.status(),
      keyspaces: engine.keyspaces,
      settings,
    });
  }

  /** @internal Makes backups at intervals. */
  scheduleBackups(options: Required<BackupOptions>): void {
    const tell = <E extends 'backup' | 'backupFailed'>(event: E, news: StoreEvents[E][0]): void =>
      // What a listener throws is the program's trouble, and keeps the next backup from nothing.
      queueMicrotask(() => (this.#events as EventEmitter).emit(event, news));
    this.#backups = new BackupSchedule(options, {
      name: this.name,
      // The version that has a form for everything: a backup is not to fail for one key.
      save: (path, { signal }) => this.save(path, { signal, version: 12 }),
      made: ({ name: _, ...backup }) => tell('backup', backup),
      failed: (failure) => tell('backupFailed', failure),
    });
    this.#backups.start();
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
    if (checked.resp !== undefined) await store.listen(checked.resp, settingsOf(checked));
    if (checked.backup !== undefined) store.scheduleBackups(checked.backup);
  } catch (error) {
    await store.close();
    throw error;
  }
  return store;
}
