/** `holdfast rdb restore` and `holdfast rdb backup`: what is elsewhere. */
import { basename } from 'node:path';
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
import { readSecret, type SecretSource } from '../arguments.js';
import { asUsage } from '../failure.js';
import { type EndSignal, Interrupted, onInterrupt } from '../interrupt.js';
import { printLine } from '../output.js';
import { tableOf } from '../table.js';
import { progressOn } from './progress.js';

interface RemoteOptions extends SecretSource {
  timeoutMs: number;
  retryMs: number;
  json?: boolean;
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
  const secret = await readSecret(options);
  const bar = progressOn(`restoring ${basename(path)}`, false);
  const tell = (report: RestoreReport, error?: unknown): void => {
    bar.end();
    printLine(json ? JSON.stringify(jsonOf(report, error), null, 2) : renderRestore(report));
  };
  try {
    const report = await interruptibly((signal) =>
      asUsage(() =>
        restoreRdb(path, withPassword(to), {
          ...{ secret, onConflict, timeoutMs, retryMs, signal },
          ...(match !== undefined && { match }),
          ...(prefix !== undefined && { prefix }),
          ...(type !== undefined && { types: type }),
          ...(db !== undefined && { db }),
          onProgress: ({ readBytes, totalBytes }) => bar.show(readBytes, totalBytes),
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
  const bar = progressOn(`backing up to ${basename(path)}`, false);
  try {
    const report = await interruptibly((signal) =>
      asUsage(() =>
        backupRdb(withPassword(from), path, {
          ...{ secret, timeoutMs, retryMs, signal },
          ...(rdbVersion !== undefined && { version: rdbVersion }),
          onProgress: ({ stage, done, total }) => {
            if (stage === 'transfer') bar.show(done, total ?? 0);
          },
        }),
      ),
    );
    bar.end();
    printLine(json ? JSON.stringify(report, null, 2) : renderBackup(report));
    return 0;
  } catch (error) {
    bar.end();
    throw interruptionOf(error);
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
    ['functions, not restored', report.functions],
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
