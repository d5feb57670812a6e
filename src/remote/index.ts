/** Restores into what runs elsewhere, and backups of it: stores of this kind, Redis servers and Redis Clusters. */
import type { ConnectionOptions } from 'node:tls';
import { HoldfastError } from '../errors.js';
import type { KeyFilter } from '../rdb/index.js';
import { parseAddress } from '../replication/address.js';
import { fileFailure, Output } from './output.js';
import { backupPeer } from './peer-backup.js';
import { PeerTarget } from './peer-target.js';
import { isRedisAddress, parseRedisAddress } from './redis-address.js';
import { dumpRedis } from './redis-backup.js';
import { RedisTarget } from './redis-target.js';
import type { BackupReport, RestoreReport } from './report.js';
import { type Conflict, type RestoreProgress, RestoreRun } from './restore-run.js';
import type { Target } from './target.js';

export { type BackupReport, type RefusedKey, RestoreError, type RestoreReport } from './report.js';
export type { Conflict, RestoreProgress } from './restore-run.js';

/** How what runs elsewhere is reached. */
export interface RemoteOptions {
  /** The peers' secret. Default: none. Not for Redis, whose addresses hold user and password. */
  secret?: string | undefined;
  /** Options of the TLS connections of `rediss://` addresses. Default: the certificates that Node trusts. */
  tls?: ConnectionOptions;
  /** Milliseconds that connecting and greeting may take. Default: 2,000. */
  timeoutMs?: number;
  /** Milliseconds of no progress, while peers or servers are gone, elect, or load, after which it is given up. Default: 60,000. */
  retryMs?: number;
  /** Gives it up. */
  signal?: AbortSignal;
}

/** What {@link restoreRdb} restores, and how. */
export interface RestoreRdbOptions extends RemoteOptions, KeyFilter {
  /** Put before the name of every key. Default: nothing. */
  prefix?: string | Uint8Array;
  /**
   * A key that is there already stays and is counted (`'skip'`), is replaced (`'replace'`), or ends the restore
   * (`'fail'`, with the code `BUSYKEY`; keys under way with it may be restored). Default: `'fail'`.
   */
  onConflict?: Conflict;
  /** Called now and then, and at the end. What it throws ends the restore. */
  onProgress?: (progress: RestoreProgress) => void;
}

const TIMEOUT_MS = 2_000;
const RETRY_MS = 60_000;
const CONFLICTS: readonly Conflict[] = ['skip', 'replace', 'fail'];

/**
 * Restores an RDB file into a running store or into Redis: every key becomes a `RESTORE`, with its time to live. A file that is
 * damaged changes nothing. What was acknowledged is done; running it again, with `'skip'` or `'replace'`, does no harm.
 *
 * @param path - The file.
 * @param to - `host:port` of a peer, or several; the others are found through it. Or `redis[s]://[user:password@]host[:port][/db]`
 *   of a server or of any node of a Redis Cluster, which needs the package `ioredis`.
 * @throws TypeError for an address or an option that is none.
 * @throws HoldfastError `CORRUPT`, `IO`, and whatever keeps it from beginning: `FOREIGN` for another secret, `NEEDS_PACKAGE`.
 * @throws RestoreError when it ends early: the code says why (`BUSYKEY`, `ABORTED`, `OOM`, that of what was heard last), and `report` what was done.
 */
export async function restoreRdb(
  path: string,
  to: string | readonly string[],
  options: RestoreRdbOptions = {},
): Promise<RestoreReport> {
  const { match, prefix = '', types, db, onConflict = 'fail', onProgress, signal } = options;
  if (!CONFLICTS.includes(onConflict))
    throw new TypeError(`onConflict must be one of ${CONFLICTS.join(', ')}`);
  const target = await targetOf(to, options);
  try {
    const filter = {
      ...(match !== undefined && { match }),
      ...(types !== undefined && { types }),
      ...(db !== undefined && { db }),
    };
    const retryMs = options.retryMs ?? RETRY_MS;
    return await new RestoreRun(path, target, {
      filter,
      prefix,
      onConflict,
      retryMs,
      onProgress,
      signal,
    }).run();
  } finally {
    await target.close();
  }
}

async function targetOf(to: string | readonly string[], options: RemoteOptions): Promise<Target> {
  const { secret, tls, timeoutMs = TIMEOUT_MS } = options;
  const addresses = typeof to === 'string' ? [to] : to;
  const [first = ''] = addresses;
  if (isRedisAddress(first)) {
    if (addresses.length > 1) throw new TypeError('one redis:// address is enough');
    return RedisTarget.open(parseRedisAddress(first, tls), timeoutMs);
  }
  for (const address of addresses) parseAddress(address);
  if (addresses.length === 0) throw new TypeError('there is no address');
  return new PeerTarget(addresses, { secret, timeoutMs });
}

/** How far a backup is. */
export interface BackupProgress {
  /** `'snapshot'`: the other side makes it, `done` of 1. `'transfer'`: `done` bytes are here. */
  readonly stage: 'snapshot' | 'transfer';
  readonly done: number;
  /** `undefined` where the other side does not say. */
  readonly total: number | undefined;
}

/** How {@link backupRdb} takes a backup. */
export interface BackupRdbOptions extends RemoteOptions {
  /** Version of the format, 9 to 12: which servers can read the file. For stores only: Redis writes its own. Default: 10. */
  version?: number;
  /** Called now and then. What it throws ends the backup. */
  onProgress?: (progress: BackupProgress) => void;
}

/** Milliseconds for which a Redis server may say nothing: as long as it gives a replica. */
const SILENCE_MS = 60_000;

/**
 * Takes a backup of a running store, or of Redis, as an RDB file: all keys as they were at one instant, of each master's own where
 * there are several. The file is there when it is complete, verified and on disk; otherwise nothing is.
 *
 * @param from - As `to` of {@link restoreRdb}. Of Redis the dump is taken as a replica takes it (PSYNC), for which no package is needed;
 *   with a database in the address, only that database is kept.
 * @throws TypeError for an address that is none, RangeError for a version.
 * @throws HoldfastError `IO`, `FOREIGN`, `BUSY` while a peer gives another backup; `CORRUPT` if what came is not what was sent; `ERR`
 *   names a key that the version cannot hold; `TRYAGAIN` if slots of a Redis Cluster move meanwhile; or the code of the server's error.
 */
export async function backupRdb(
  from: string | readonly string[],
  path: string,
  options: BackupRdbOptions = {},
): Promise<BackupReport> {
  const startedMs = performance.now();
  const output = new Output(path);
  try {
    await output.prepare();
    const { report, sources } = await fetched(from, output, options);
    await output.commit();
    const { keys, bytes, checksum } = report;
    return { keys, bytes, sources, checksum, durationMs: performance.now() - startedMs };
  } catch (error) {
    options.signal?.throwIfAborted();
    throw isOfSystem(error) ? fileFailure(error, path) : error;
  } finally {
    await output.discard();
  }
}

/** What the operating system says of a file that is being written; of connections it is told under their names. */
function isOfSystem(error: unknown): boolean {
  return error instanceof Error && !(error instanceof HoldfastError) && 'syscall' in error;
}

async function fetched(from: string | readonly string[], output: Output, options: BackupRdbOptions) {
  const { secret, tls, version, signal, onProgress } = options;
  const { timeoutMs = TIMEOUT_MS, retryMs = RETRY_MS } = options;
  const addresses = typeof from === 'string' ? [from] : from;
  const [first] = addresses;
  if (first === undefined) throw new TypeError('there is no address');
  const transfer = (done: number, total: number | undefined): void =>
    onProgress?.({ stage: 'transfer', done, total });
  if (isRedisAddress(first)) {
    if (addresses.length > 1) throw new TypeError('one redis:// address is enough');
    if (version !== undefined) throw new TypeError('a Redis writes its own version: none can be asked for');
    const onSnapshot = (): void => onProgress?.({ stage: 'snapshot', done: 0, total: 1 });
    const reach = { timeoutMs, retryMs, silenceMs: SILENCE_MS, signal, onSnapshot, onProgress: transfer };
    return dumpRedis(parseRedisAddress(first, tls), output, reach);
  }
  for (const address of addresses) parseAddress(address);
  if (version !== undefined && (!Number.isInteger(version) || version < 9 || version > 12))
    throw new RangeError(`version ${version} cannot be written; it is one of 9, 10, 11, 12`);
  const report = await backupPeer(addresses, output, {
    ...{ secret, timeoutMs, version, signal, onProgress: transfer },
    onSnapshot: (done) => onProgress?.({ stage: 'snapshot', done, total: 1 }),
  });
  return { report, sources: 1 };
}
