/**
 * One restore: keys of a file on their way to a target, in batches, with a bounded window; each is sent again until it has an
 * outcome, or too long nothing moves.
 */
import { stat } from 'node:fs/promises';
import { setImmediate as immediate, setTimeout as sleep } from 'node:timers/promises';
import { HoldfastError } from '../errors.js';
import { limits } from '../limits.js';
import { checkRdb, type KeyFilter, type RequestStats, requests } from '../rdb/index.js';
import { Outcome, restoreKeyBytes } from '../replication/restore-codec.js';
import { keysOf } from './records.js';
import { type RefusedKey, RestoreError, type RestoreReport } from './report.js';
import type { SlottedKey, Target, Verdict } from './target.js';

/** What happens to a key that is there already. */
export type Conflict = 'skip' | 'replace' | 'fail';

/** How far a restore is. */
export interface RestoreProgress {
  /** `'check'`: the file is verified. `'restore'`: its keys are sent. */
  readonly stage: 'check' | 'restore';
  /** Bytes of the file that were read, of `totalBytes`. */
  readonly readBytes: number;
  readonly totalBytes: number;
  /** What has been done so far. */
  readonly report: RestoreReport;
}

/** What a run is told. */
export interface RunOptions {
  readonly filter: KeyFilter;
  readonly prefix: string | Uint8Array;
  readonly onConflict: Conflict;
  /** How long nothing may move. */
  readonly retryMs: number;
  readonly onProgress: ((progress: RestoreProgress) => void) | undefined;
  readonly signal: AbortSignal | undefined;
}

/** Bytes of keys without an outcome, above which reading waits: a little more than the window, so that it is always full. */
const AHEAD_BYTES_MAX = limits.dataWindowBytesMax + limits.dataBatchBytes;
/** How many refused keys are named. */
const NAMED_MAX = 100;
/** How long a restore that ends early waits for answers that are under way. */
const SETTLE_MS = 2_000;
const RETRY_MS_MIN = 20;
const RETRY_MS_MAX = 500;
const WATCH_MS = 250;

type Counts = { -readonly [K in 'restored' | 'skipped' | 'unsure' | 'refused']: number };

/** One of its keys, and whether an attempt went out that has no answer. */
interface Sent {
  readonly key: SlottedKey;
  lost: boolean;
}

/** The run. */
export class RestoreRun {
  readonly #path: string;
  readonly #target: Target;
  readonly #options: RunOptions;
  readonly #startedMs = performance.now();
  readonly #counts: Counts = { restored: 0, skipped: 0, unsure: 0, refused: 0 };
  readonly #refusals: RefusedKey[] = [];
  readonly #underWay = new Set<Sent>();
  #stats: RequestStats | undefined;
  #keys = 0;
  #bytes = 0;
  #readBytes = 0;
  /** Batches that are not through yet. */
  #deliveries = 0;
  #underWayBytes = 0;
  #movedAtMs = performance.now();
  #lastTrouble: Verdict | undefined;
  #failure: { readonly code: string; readonly message: string; readonly cause?: unknown } | undefined;
  #wake: () => void = () => {};
  readonly #ending = new AbortController();

  constructor(path: string, target: Target, options: RunOptions) {
    this.#path = path;
    this.#target = target;
    this.#options = options;
  }

  /** Runs to the end. Rejects with a {@link RestoreError}, or with what is wrong with the file before anything is sent. */
  async run(): Promise<RestoreReport> {
    const { signal } = this.#options;
    const aborted = () => this.#fail('ABORTED', messageOf(signal?.reason), signal?.reason);
    const watch = setInterval(() => this.#watch(), WATCH_MS);
    signal?.addEventListener('abort', aborted, { once: true });
    if (signal?.aborted) aborted();
    try {
      await this.#verify();
      if (this.#failure === undefined) await this.#sendAll();
    } finally {
      clearInterval(watch);
      signal?.removeEventListener('abort', aborted);
    }
    this.#tell();
    if (this.#failure === undefined) return this.#report();
    const { code, message, cause } = this.#failure;
    throw new RestoreError(code, message, this.#report(), cause);
  }

  /** The whole file is verified first: one that is damaged changes nothing. */
  async #verify(): Promise<void> {
    try {
      await readableTwice(this.#path);
      const { keys, bytes, otherDatabases } = await checkRdb(this.#path, {
        signal: this.#ending.signal,
        onProgress: (done, total) => this.#tell({ stage: 'check', readBytes: done, totalBytes: total }),
      });
      this.#keys = keys;
      this.#bytes = bytes;
      if (otherDatabases > 0 && this.#options.filter.db === undefined)
        throw this.#manyDatabases(otherDatabases);
    } catch (error) {
      if (this.#failure === undefined) throw error;
    }
  }

  #manyDatabases(keys: number): HoldfastError {
    const text = `it has keys in other databases than 0 (${keys} of ${this.#keys}): say which database is meant (db, --db)`;
    return new HoldfastError('ERR', `${this.#path}: ${text}`);
  }

  async #sendAll(): Promise<void> {
    try {
      await this.#read();
      await this.#until(() => this.#deliveries === 0);
    } catch (error) {
      if (this.#failure === undefined) this.#failWith(error);
    }
    if (this.#failure === undefined) return;
    const enough = sleep(SETTLE_MS, undefined, { ref: false });
    await Promise.race([enough, this.#until(() => this.#deliveries === 0, false)]);
    await this.#target.close();
  }

  async #read(): Promise<void> {
    const { filter, prefix } = this.#options;
    const { version, hasModules } = this.#target;
    const records = requests(this.#path, {
      ...{ filter, prefix, hasModules, namesRefused: true, signal: this.#ending.signal },
      ...(version !== undefined && { version }),
      onProgress: (readBytes, _, stats) => {
        this.#readBytes = readBytes;
        this.#stats = stats;
      },
    });
    let batch = new Batch();
    for await (const piece of records) {
      for (const each of keysOf(piece)) {
        if (each.kind === 'refused') this.#refuse(each.key, 'ERR', each.reason);
        else if (restoreKeyBytes(each.key) > this.#target.keyBytesMax)
          this.#refuse(each.key.key, 'ERR', 'too large to be sent');
        else if (batch.add(each.key)) {
          await this.#until(() => this.#underWayBytes < AHEAD_BYTES_MAX);
          this.#send(batch);
          batch = new Batch();
          // A piece may hold tens of thousands of keys: others of this thread have their turns in between.
          await immediate();
          this.#ending.signal.throwIfAborted();
        }
      }
      this.#tell();
      this.#ending.signal.throwIfAborted();
    }
    this.#send(batch);
  }

  #send({ keys, bytes }: Batch): void {
    if (keys.length === 0) return;
    for (const key of keys) this.#underWay.add(key);
    this.#underWayBytes += bytes;
    this.#deliveries++;
    this.#deliver(keys)
      .catch((error) => this.#failWith(error))
      .finally(() => {
        this.#underWayBytes -= bytes;
        this.#deliveries--;
        this.#wake();
      });
  }

  /** Sends keys until each has an outcome. */
  async #deliver(keys: readonly Sent[]): Promise<void> {
    let left = keys;
    for (let waitMs = RETRY_MS_MIN; ; waitMs = Math.min(2 * waitMs, RETRY_MS_MAX)) {
      const each = left.map(({ key }) => key);
      const verdicts = await this.#target.restore(each, this.#options.onConflict === 'replace');
      const rest = left.filter((sent, i) => !this.#settled(sent, verdicts[i]));
      if (rest.length < left.length) {
        this.#movedAtMs = performance.now();
        waitMs = RETRY_MS_MIN;
      }
      if (rest.length === 0 || this.#failure !== undefined) return;
      left = rest;
      await sleep(waitMs, undefined, { ref: true });
    }
  }

  /** Whether the key has an outcome now. */
  #settled(sent: Sent, verdict: Verdict | undefined): boolean {
    switch (verdict?.outcome) {
      case Outcome.restored:
        this.#counts.restored++;
        break;
      case Outcome.there:
        this.#there(sent);
        break;
      case Outcome.refused:
        this.#refusedBy(sent.key, verdict);
        break;
      default:
        sent.lost ||= verdict?.outcome === Outcome.unknown;
        this.#lastTrouble = verdict;
        return false;
    }
    this.#underWay.delete(sent);
    return true;
  }

  #there({ key, lost }: Sent): void {
    if (lost) this.#counts.unsure++;
    else this.#counts.skipped++;
    if (lost || this.#options.onConflict !== 'fail') return;
    this.#fail('BUSYKEY', `the key ${JSON.stringify(key.key.toString())} is there already`);
  }

  #refusedBy({ key }: SlottedKey, { code = 'ERR', message = '' }: Verdict): void {
    // It is not this key that is too much: the next ones would be told the same.
    if (code === 'OOM') this.#fail(code, message);
    this.#refuse(key, code, message);
  }

  #refuse(key: Buffer, code: string, message: string): void {
    this.#counts.refused++;
    if (this.#refusals.length < NAMED_MAX) this.#refusals.push({ key: key.toString(), code, message });
  }

  #watch(): void {
    if (this.#deliveries === 0) this.#movedAtMs = performance.now();
    const { retryMs } = this.#options;
    if (performance.now() - this.#movedAtMs < retryMs) return;
    const { code = 'TIMEOUT', message = 'no answer' } = this.#lastTrouble ?? {};
    this.#fail(code, `nothing was acknowledged for ${retryMs} ms; the last that was heard: ${message}`);
  }

  #failWith(error: unknown): void {
    const code = error instanceof HoldfastError ? error.code : 'FAILED';
    this.#fail(code, messageOf(error), error);
  }

  #fail(code: string, message: string, cause?: unknown): void {
    this.#failure ??= { code, message, cause };
    this.#ending.abort(new HoldfastError(code, message));
    this.#wake();
  }

  /** Waits for a condition that answers may bring; a failure ends it. */
  async #until(condition: () => boolean, unlessFailed = true): Promise<void> {
    while (!condition()) {
      if (unlessFailed) this.#ending.signal.throwIfAborted();
      await new Promise<void>((resolve) => {
        this.#wake = resolve;
      });
    }
  }

  #tell(
    progress: Omit<RestoreProgress, 'report'> = {
      stage: 'restore',
      readBytes: this.#readBytes,
      totalBytes: this.#bytes,
    },
  ): void {
    this.#options.onProgress?.({ ...progress, report: this.#report() });
  }

  #report(): RestoreReport {
    const { expired = 0, empty = 0, unwanted = 0, functions = 0, moduleData = 0 } = this.#stats ?? {};
    const { restored, skipped, unsure, refused } = this.#counts;
    const unanswered = [...this.#underWay].filter(({ lost }) => lost).length;
    const done = restored + skipped + unsure + refused + expired + empty + unwanted;
    return {
      ...{ keys: this.#keys, restored, skipped, unsure, refused, expired, empty, unwanted },
      unanswered,
      unsent: Math.max(0, this.#keys - done - unanswered),
      functions,
      moduleData,
      refusals: this.#refusals,
      bytes: this.#bytes,
      durationMs: performance.now() - this.#startedMs,
    };
  }
}

/** A file is verified, then restored. What cannot be opened is told by whoever reads it. */
export async function readableTwice(path: string): Promise<void> {
  const found = await stat(path).catch(() => undefined);
  if (found === undefined || found.isFile()) return;
  const reason = found.isDirectory()
    ? 'it is a directory'
    : 'it is read twice, which only a file can be, and no pipe';
  throw new HoldfastError('IO', `${path}: ${reason}`);
}

/** Keys that are to travel together. */
class Batch {
  readonly keys: Sent[] = [];
  bytes = 0;

  /** Whether it is full now. */
  add(key: SlottedKey): boolean {
    this.keys.push({ key, lost: false });
    this.bytes += restoreKeyBytes(key);
    return this.keys.length >= limits.dataBatchKeysMax || this.bytes >= limits.dataBatchBytes;
  }
}

function messageOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}
