/**
 * Backups at intervals. One at a time; the next is due so long after the newest one that is there, whoever started the process
 * since. Whatever goes wrong is told, and tried again an interval later: it is no trouble of the store.
 */
import { mkdir, rm } from 'node:fs/promises';
import { HoldfastError } from '../errors.js';
import {
  type BadBackup,
  backupPath,
  type GoodBackup,
  latestBackup,
  listBackups,
  listTemporaries,
} from './files.js';

/** When and where backups are made. */
export interface BackupOptions {
  /** Folder for the files, made if it is missing. Peers may share one: the names tell whose a file is. */
  dir: string;
  /** Milliseconds from one backup to the next, 1,000 to 2^31 - 1. Default: an hour. */
  everyMs?: number;
  /** How many backups of this peer are kept, 1 to 10,000; the oldest ones beyond are removed. Default: 24. */
  keep?: number;
}

/** The store that backups are made of. */
export interface BackedUp {
  /** The peer's name. */
  readonly name: string;
  /** Makes a backup; gives what is in it. */
  save(
    path: string,
    options: { readonly signal: AbortSignal },
  ): Promise<{ readonly keys: number; readonly bytes: number }>;
  /** A backup was made. Must not throw. */
  made(backup: GoodBackup): void;
  /** One was not, or one that is there is damaged. Must not throw. */
  failed(failure: {
    readonly path: string | undefined;
    readonly code: string;
    readonly message: string;
  }): void;
}

/** The backups of one store. */
export class BackupSchedule {
  readonly #options: Required<BackupOptions>;
  readonly #store: BackedUp;
  readonly #ending = new AbortController();
  /** Files known to be damaged: they are left to whoever looks after them, and do not count as kept. */
  readonly #damaged = new Set<string>();
  #latest: GoodBackup | undefined;
  #timer: NodeJS.Timeout | undefined;
  #work: Promise<void> = Promise.resolve();

  constructor(options: Required<BackupOptions>, store: BackedUp) {
    this.#options = options;
    this.#store = store;
  }

  /** The newest backup of this peer that is known to be sound. */
  get latest(): GoodBackup | undefined {
    return this.#latest;
  }

  /** Looks at what is there, and begins. */
  start(): void {
    this.#work = this.#guarded(undefined, () => this.#find()).then(() => this.#waitForNext());
  }

  /** Ends it; a backup that is being made is given up. Never rejects. */
  async stop(): Promise<void> {
    clearTimeout(this.#timer);
    this.#ending.abort(new HoldfastError('CLOSED', 'the store is closed'));
    await this.#work;
  }

  async #find(): Promise<void> {
    const { dir } = this.#options;
    await mkdir(dir, { recursive: true });
    for (const temporary of await listTemporaries(dir, this.#store.name))
      await rm(temporary, { force: true });
    const { signal } = this.#ending;
    const { backup, damaged } = await latestBackup(dir, { name: this.#store.name, signal });
    this.#latest = backup;
    for (const bad of damaged) this.#skip(bad);
  }

  #skip({ path, code, message }: BadBackup): void {
    this.#damaged.add(path);
    this.#store.failed({ path, code, message });
  }

  #waitForNext(): void {
    if (this.#ending.signal.aborted) return;
    const { everyMs } = this.#options;
    const sinceMs = Date.now() - (this.#latest?.savedAtMs ?? Number.NEGATIVE_INFINITY);
    // A clock that was set back does not put the next one off for longer than an interval.
    const waitMs = Math.min(everyMs, Math.max(0, everyMs - sinceMs));
    this.#later(waitMs);
  }

  #later(waitMs: number): void {
    if (this.#ending.signal.aborted) return;
    this.#timer = setTimeout(() => {
      const savedAtMs = Date.now();
      const path = backupPath(this.#options.dir, this.#store.name, savedAtMs);
      this.#work = this.#guarded(path, () => this.#make(path, savedAtMs)).then(() =>
        this.#later(this.#options.everyMs),
      );
    }, waitMs);
    // It does not keep the process from ending.
    this.#timer.unref();
  }

  async #make(path: string, savedAtMs: number): Promise<void> {
    await mkdir(this.#options.dir, { recursive: true });
    const { keys, bytes } = await this.#store.save(path, { signal: this.#ending.signal });
    this.#latest = { path, name: this.#store.name, savedAtMs, keys, bytes };
    this.#store.made(this.#latest);
    await this.#removeOldest();
  }

  async #removeOldest(): Promise<void> {
    const { dir, keep } = this.#options;
    const own = (await listBackups(dir)).filter(
      ({ name, path }) => name === this.#store.name && !this.#damaged.has(path),
    );
    for (const { path } of own.slice(keep)) await rm(path, { force: true });
  }

  async #guarded(path: string | undefined, work: () => Promise<void>): Promise<void> {
    try {
      await work();
    } catch (error) {
      if (this.#ending.signal.aborted) return;
      const code = error instanceof HoldfastError ? error.code : 'IO';
      const message = error instanceof Error ? error.message : String(error);
      this.#store.failed({ path, code, message });
    }
  }
}
