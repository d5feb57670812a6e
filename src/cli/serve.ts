import type { HoldfastError } from '../errors.js';
import type { CollectionLimits } from '../keyspace/collection-limits.js';
import type { MaxMemoryPolicy } from '../keyspace/native.js';
import type { OpenOptions } from '../options.js';
import { formatAddress } from '../replication/address.js';
import { open } from '../store.js';
import { readSecret, type SecretSource } from './arguments.js';
import { asUsage, UsageError } from './failure.js';
import { Interrupted, onInterrupt } from './interrupt.js';
import { printLine, tolerateGoneReader, warn } from './output.js';

const MS_PER_SECOND = 1_000;

/** Options of `holdfast serve`. */
export interface ServeOptions extends SecretSource {
  name: string;
  peers: Record<string, string>;
  dir?: string;
  listen?: string;
  shards: number;
  fsync?: 'always' | 'everysec';
  respPort?: number;
  respHost: string;
  maxMemory?: number;
  maxMemoryPolicy?: MaxMemoryPolicy;
  maxMemorySamples?: number;
  limits?: CollectionLimits;
  backupDir?: string;
  backupEvery?: number;
  backupKeep?: number;
  json?: boolean;
}

type Fields = Record<string, string | number | boolean | undefined>;
type Log = (event: string, fields: Fields) => void;

function logger(json: boolean): Log {
  return (event, fields) => {
    const time = new Date().toISOString();
    if (json) {
      printLine(JSON.stringify({ time, event, ...fields }));
      return;
    }
    const words = Object.entries(fields).filter(([, value]) => value !== undefined);
    printLine([time, event, ...words.map(([name, value]) => `${name}=${value}`)].join(' '));
  };
}

/** Listeners that write every event down. */
function eventLog(log: Log): NonNullable<OpenOptions['on']> {
  return {
    leader: ({ shard, leader, term }) => log('leader', { shard, leader: leader ?? 'none', term }),
    role: ({ shard, role, term }) => log('role', { shard, role, term }),
    peer: ({ name, up }) => log('peer', { name, up }),
    refused: ({ name, code, message }) => log('refused', { name: name ?? 'unknown', code, message }),
    failover: ({ shard, leader, term, unavailableMs }) => {
      log('failover', { shard, leader, term, unavailableMs: Math.round(unavailableMs) });
    },
    backup: ({ path, keys, bytes }) => log('backup', { path, keys, bytes }),
    backupFailed: ({ path, code, message }) => log('backupFailed', { path, code, message }),
  };
}

/** Runs a peer until a signal asks for its end. Resolves to the exit code. */
export async function serveCommand(options: ServeOptions): Promise<number> {
  // A peer does not end because nobody reads its log any more.
  tolerateGoneReader(() => {});
  const secret = await readSecret(options);
  if (secret === undefined) warn('no secret is set: whoever reaches the port may be a peer');
  const ending = new AbortController();
  const listening = onInterrupt((signal, times) => {
    if (times > 1) process.exit(new Interrupted(signal).exitCode);
    ending.abort(new Interrupted(signal));
  });
  try {
    await serve(options, secret, ending);
  } catch (error) {
    // Told to end before the other peers were there.
    if (!(error instanceof Interrupted)) throw error;
  } finally {
    listening.stop();
  }
  return 0;
}

async function serve(
  options: ServeOptions,
  secret: string | undefined,
  ending: AbortController,
): Promise<void> {
  const { name, peers, dir, listen, shards, fsync, respPort, respHost } = options;
  const { maxMemory, maxMemoryPolicy, maxMemorySamples, limits } = options;
  const log = logger(options.json ?? false);
  const given = {
    ...(dir && { dir }),
    ...(listen && { listen }),
    ...(fsync && { fsync }),
    ...(secret && { secret }),
    ...(limits && { limits }),
    ...{ maxMemory, maxMemoryPolicy, maxMemorySamples },
    ...(respPort !== undefined && { resp: { port: respPort, host: respHost } }),
    ...backupOf(options),
  };
  const on = { ...eventLog(log), fault: (error: HoldfastError) => ending.abort(error) };
  log('opening', { name, address: peers[name], dir, shards });
  const store = await asUsage(() => open({ name, peers, shards, signal: ending.signal, on, ...given }));
  const resp = store.respAddress;
  log('ready', { name, resp: resp && formatAddress(resp) });
  const reason = await reasonOf(ending.signal);
  log('closing', { name, reason: reason instanceof Error ? reason.message : undefined });
  await store.close();
  log('closed', { name });
  throw reason;
}

function backupOf({ backupDir, backupEvery, backupKeep }: ServeOptions): Pick<OpenOptions, 'backup'> {
  if (backupDir === undefined) {
    if (backupEvery === undefined && backupKeep === undefined) return {};
    throw new UsageError('--backup-every and --backup-keep need --backup-dir');
  }
  const everyMs = backupEvery === undefined ? {} : { everyMs: backupEvery * MS_PER_SECOND };
  return { backup: { dir: backupDir, ...everyMs, ...(backupKeep !== undefined && { keep: backupKeep }) } };
}

function reasonOf(signal: AbortSignal): Promise<unknown> {
  return new Promise((resolve) => {
    if (signal.aborted) resolve(signal.reason);
    else signal.addEventListener('abort', () => resolve(signal.reason), { once: true });
  });
}
