/** `holdfast rdb restore` and `holdfast rdb backup`: what is elsewhere. */
import { constants } from 'node:fs';
import { access, readFile } from 'node:fs/promises';
import { basename } from 'node:path';
import type { ConnectionOptions } from 'node:tls';
import { HoldfastError } from '../../errors.js';
import { closePool } from '../../rdb/index.js';
import type { RdbType } from '../../rdb/workbench/shapes.js';
import {
  type BackupReport,
  backupRdb,
  type Conflict,
  RestoreError,
  type RestoreReport,
  restoreRdb,
} from '../../remote/index.js';
import { isRedisAddress } from '../../remote/redis-address.js';
import { readableTwice } from '../../remote/restore-run.js';
import { readSecret, type SecretSource } from '../arguments.js';
import { asUsage, FileTrouble, UsageError } from '../failure.js';
import { type EndSignal, Interrupted, onInterrupt } from '../interrupt.js';
import { printLine } from '../output.js';
import { tableOf } from '../table.js';
import { progressOn } from './progress.js';

interface RemoteOptions extends SecretSource, TlsFiles {
  timeoutMs: number;
  retryMs: number;
  json?: boolean;
}

/** Files for `rediss://` addresses. */
interface TlsFiles {
  cacert?: string;
  cert?: string;
  key?: string;
}

/** Options of `holdfast rdb restore`. */
export interface RestoreOptions extends RemoteOptions {
  to: string[];
  match?: string;
  prefix?: string;
  type?: readonly RdbType[];
  db?: number;
  onConflict: Conflict;
}

/** Options of `holdfast rdb backup`. */
export interface BackupOptions extends RemoteOptions {
  from: string[];
  rdbVersion?: number;
}

const REFUSALS_SHOWN = 10;

/** Restores a file. Resolves to the exit code: 1 if a key could not be restored. */
export async function rdbRestoreCommand(path: string, options: RestoreOptions): Promise<number> {
  const { to, match, prefix, type, db, onConflict, timeoutMs, retryMs, json = false } = options;
  await usable(path);
  const secret = await readSecret(options);
  const tls = await tlsFor(to, options);
  const bar = progressOn(`checking ${basename(path)}`, false);
  const tell = (report: RestoreReport, error?: unknown): void => {
    bar.end();
    printLine(json ? JSON.stringify(jsonOf(report, error), null, 2) : renderRestore(report));
  };
  try {
    const report = await interruptibly((signal) =>
      asUsage(() =>
        restoreRdb(path, withPassword(to), {
          ...{ secret, tls, onConflict, timeoutMs, retryMs, signal },
          ...(match !== undefined && { match }),
          ...(prefix !== undefined && { prefix }),
          ...(type !== undefined && { types: type }),
          ...(db !== undefined && { db }),
          onProgress: ({ stage, readBytes, totalBytes }) => {
            bar.begin(`${stage === 'check' ? 'checking' : 'restoring'} ${basename(path)}`);
            bar.show(readBytes, totalBytes);
          },
        }),
      ),
    );
    tell(report);
    return report.refused === 0 ? 0 : 1;
  } catch (error) {
    bar.end();
    if (error instanceof RestoreError) tell(error.report, error);
    throw interruptionOf(error);
  } finally {
    await closePool();
  }
}

/** Takes a backup. Resolves to the exit code. */
export async function rdbBackupCommand(path: string, options: BackupOptions): Promise<number> {
  const { from, rdbVersion, timeoutMs, retryMs, json = false } = options;
  const secret = await readSecret(options);
  const tls = await tlsFor(from, options);
  const bar = progressOn(`backing up to ${basename(path)}`, false);
  try {
    const report = await interruptibly((signal) =>
      asUsage(() =>
        backupRdb(withPassword(from), path, {
          ...{ secret, tls, timeoutMs, retryMs, signal },
          ...(rdbVersion !== undefined && { version: rdbVersion }),
          onProgress: ({ stage, done, total }) => {
            if (stage === 'transfer') bar.show(done, total ?? 0);
            else bar.say('waiting for the other side to take a snapshot');
          },
        }),
      ),
    );
    bar.end();
    printLine(json ? JSON.stringify(report, null, 2) : renderBackup(report));
    return 0;
  } catch (error) {
    bar.end();
    throw asOfFile(interruptionOf(error));
  } finally {
    await closePool();
  }
}

/** A password in an address can be read by every user of the machine while the command runs: it may come from the environment. */
function withPassword(addresses: readonly string[]): readonly string[] {
  const password = process.env.HOLDFAST_REDIS_PASSWORD ?? '';
  if (password === '') return addresses;
  return addresses.map((address) => {
    if (!isRedisAddress(address)) return address;
    const url = new URL(address);
    if (url.password === '') url.password = encodeURIComponent(password);
    return url.href;
  });
}

/** Says what is wrong with a file before anybody is asked for anything. */
async function usable(path: string): Promise<void> {
  if (path === '-')
    throw new UsageError('a restore reads its file twice, which stdin cannot be: name a file');
  try {
    await access(path, constants.R_OK);
    await readableTwice(path);
  } catch (cause) {
    throw new FileTrouble(
      'IO',
      cause instanceof HoldfastError ? cause.message : `${path}: ${messageOf(cause)}`,
      {
        cause,
      },
    );
  }
}

function messageOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}

/** Whether a failure is one of the file that a backup goes to, and not of the other side. */
function asOfFile(error: unknown): unknown {
  if (!(error instanceof HoldfastError) || error.code !== 'IO') return error;
  const { cause, message } = error;
  const isOfFile =
    cause instanceof Error
      ? 'path' in cause || isFull(cause)
      : /: it is (a directory|no file)$/.test(message);
  return isOfFile ? new FileTrouble(error.code, message, { cause }) : error;
}

function isFull(cause: Error): boolean {
  return 'code' in cause && ['ENOSPC', 'EDQUOT', 'EFBIG'].includes(String(cause.code));
}

/** What the files of the TLS options hold. */
async function tlsFor(addresses: readonly string[], files: TlsFiles): Promise<ConnectionOptions> {
  const { cacert, cert, key } = files;
  const isGiven = [cacert, cert, key].some((path) => path !== undefined);
  if (isGiven && !addresses.every((address) => /^rediss:/i.test(address)))
    throw new UsageError('--cacert, --cert and --key are for rediss:// addresses');
  if ((cert === undefined) !== (key === undefined)) throw new UsageError('--cert and --key belong together');
  return {
    ...(cacert !== undefined && { ca: await contentOf(cacert) }),
    ...(cert !== undefined && { cert: await contentOf(cert) }),
    ...(key !== undefined && { key: await contentOf(key) }),
  };
}

async function contentOf(path: string): Promise<Buffer> {
  return readFile(path).catch((cause: Error) => {
    throw new FileTrouble('IO', `${path}: ${cause.message}`, { cause });
  });
}

/** The first signal gives the work up, the second one ends the process at once. */
async function interruptibly<T>(work: (signal: AbortSignal) => Promise<T>): Promise<T> {
  const ending = new AbortController();
  const listening = onInterrupt((signal: EndSignal, times) => {
    if (times > 1) process.exit(new Interrupted(signal).exitCode);
    ending.abort(new Interrupted(signal));
  });
  try {
    return await work(ending.signal);
  } finally {
    listening.stop();
  }
}

function interruptionOf(error: unknown): unknown {
  return error instanceof RestoreError && error.cause instanceof Interrupted ? error.cause : error;
}

function jsonOf(report: RestoreReport, error: unknown): object {
  if (!(error instanceof HoldfastError)) return report;
  return { ...report, error: { code: error.code, message: error.message } };
}

function renderRestore(report: RestoreReport): string {
  const rows = [
    ['keys in the file', report.keys],
    ['restored', report.restored],
    ['skipped: there already', report.skipped],
    ['there after an attempt without an answer', report.unsure],
    ['refused', report.refused],
    ['left out: expired', report.expired],
    ['left out: empty', report.empty],
    ['left out: not asked for', report.unwanted],
    ['sent, without an answer', report.unanswered],
    ['not sent', report.unsent],
    ['libraries of functions, not restored', report.functions],
    ["records of modules' data, not restored", report.moduleData],
  ] as const;
  const [keys, restored, ...others] = rows;
  const shown = [keys, restored, ...others.filter(([, count]) => count > 0)];
  const lines = [tableOf(shown), `in ${(report.durationMs / 1000).toFixed(1)} s`];
  for (const { key, code, message } of report.refusals.slice(0, REFUSALS_SHOWN)) {
    lines.push(`refused: ${JSON.stringify(key)}: ${message.startsWith(code) ? '' : `${code}: `}${message}`);
  }
  if (report.refused > REFUSALS_SHOWN) lines.push(`and ${report.refused - REFUSALS_SHOWN} more`);
  return lines.join('\n');
}

function renderBackup({ keys, bytes, sources, checksum, durationMs }: BackupReport): string {
  const rows = [
    ['keys', keys],
    ['bytes', bytes],
    ['checksum', checksum],
    ...(sources > 1 ? [['masters', sources]] : []),
  ];
  return `${tableOf(rows)}\nin ${(durationMs / 1000).toFixed(1)} s`;
}
