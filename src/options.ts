/** The options of `open`, checked and made complete. A misspelled or impossible option throws at once. */
import { createHash } from 'node:crypto';
import type { BackupOptions } from './backups/schedule.js';
import { EVENTS, type StoreEvents } from './events.js';
import { type CollectionLimits, checkLimits } from './keyspace/collection-limits.js';
import { checkMemoryOptions, MEMORY_OPTIONS, type MemoryOptions } from './keyspace/memory-options.js';
import type { NativeMemoryLimit } from './keyspace/native.js';
import { limits } from './limits.js';
import type { Timers } from './raft/types.js';
import { parseAddress } from './replication/address.js';
import type { FsyncMode } from './replication/disk-protocol.js';
import type { Member } from './shards/membership.js';

/**
 * What a store is opened with. The options about memory bound what this process holds, all shards together, and are to be the
 * same on every peer: a shard's leader decides what is evicted, by its own memory, and its log tells the others.
 */
export interface OpenOptions extends MemoryOptions {
  /** This peer's name among `peers`. Default: `'main'`, for a store without peers. */
  name?: string | undefined;
  /**
   * All peers of the cluster, this one included: name to `host:port`. The same list on every peer, fixed when the cluster is
   * founded. Default: this process alone.
   */
  peers?: Readonly<Record<string, string>>;
  /** Directory for the log and snapshots, made if it is missing; one for each peer. Default: memory only. */
  dir?: string | undefined;
  /** What all peers know, and nobody else. Default: none, so that whoever reaches the port may be a peer. */
  secret?: string | undefined;
  /** Address to listen on, where it is not the one in `peers`. */
  listen?: string | undefined;
  /** Ranges of slots with a log and a leader each, 1 to 64. Fixed when the cluster is founded. Default: 1. */
  shards?: number;
  /**
   * When an acknowledged write is on the disks of a majority: `'always'`, before it is acknowledged (default), or
   * `'everysec'`, within a second of it. Only with `dir`.
   */
  fsync?: FsyncMode;
  /** Milliseconds that a call may take before it rejects with `NO_QUORUM` or `TIMEOUT`. Default: 10,000. */
  timeoutMs?: number;
  /** Milliseconds that `open` waits for the other peers before it rejects with `NO_QUORUM`. Default: 60,000. */
  openTimeoutMs?: number;
  /**
   * Sizes up to which collections are held in their compact forms, the same on every peer, fixed when the cluster is founded.
   * Default: Redis's.
   */
  limits?: Partial<CollectionLimits>;
  /** Timers of elections and leases, the same on every peer. For links slower than a local network. */
  timers?: Partial<Timers>;
  /** Bytes of log, above which a shard takes a snapshot and drops what it covers. Default: 64 MiB. */
  snapshotLogBytes?: number;
  /**
   * Listens for clients of the Redis protocol on this peer. There are no users and no passwords: whoever reaches the port may do
   * everything. Default: no such port.
   */
  resp?: RespOptions;
  /**
   * Makes backups of this peer's memory, at intervals: all shards as they are at one instant, as `save` does. They are announced by
   * the events `backup` and `backupFailed`; what goes wrong with them is no trouble of the store. A store never restores one by itself:
   * that is for its operator, with {@link latestBackup} and `load`. Default: none.
   */
  backup?: BackupOptions;
  /** Gives up opening. */
  signal?: AbortSignal;
  /** Listeners that are there from the first event on, while the store is still being opened. */
  on?: StoreListeners;
}

/** Where Redis clients connect. */
export interface RespOptions {
  /** Port, 0 to 65535; 0: one that is free, which `store.respAddress` tells. */
  port: number;
  /** Host name or address to listen on. Default: `'127.0.0.1'`. */
  host?: string;
}

/** Listeners by event. */
export type StoreListeners = { [E in keyof StoreEvents]?: (...args: StoreEvents[E]) => void };

/** The options, complete. `self` is undefined for a store that is this process's memory and nothing else. */
export interface CheckedOptions {
  readonly self: Member;
  /** Ascending by id, which is the rank of the name. */
  readonly members: readonly Member[];
  /** Whether there is a log at all. */
  readonly replicated: boolean;
  readonly dir: string | undefined;
  readonly secret: string | undefined;
  readonly listen: string | undefined;
  readonly shards: number;
  readonly fsync: FsyncMode;
  readonly timeoutMs: number;
  readonly openTimeoutMs: number;
  readonly timers: Timers;
  readonly limits: CollectionLimits;
  readonly snapshotLogBytes: number;
  readonly memoryLimit: NativeMemoryLimit | undefined;
  readonly resp: Required<RespOptions> | undefined;
  readonly backup: Required<BackupOptions> | undefined;
  readonly signal: AbortSignal | undefined;
  readonly on: StoreListeners;
}

const NAMES = [
  'name',
  'peers',
  'dir',
  'secret',
  'listen',
  'shards',
  'fsync',
  'timeoutMs',
  'openTimeoutMs',
  'timers',
  'limits',
  'snapshotLogBytes',
  ...MEMORY_OPTIONS,
  'resp',
  'backup',
  'signal',
  'on',
] as const satisfies readonly (keyof OpenOptions)[];

/** Checks the options of `open`. Throws `TypeError` or `RangeError`, naming the option. */
export function checkOpenOptions(options: OpenOptions, defaultTimers: Timers): CheckedOptions {
  if (typeof options !== 'object' || options === null) throw new TypeError('options must be an object');
  unknownNames(options, NAMES, 'option');
  const name = text(options.name ?? 'main', 'name');
  const members = checkPeers(options.peers, name);
  const self = members.find((member) => member.name === name);
  if (self === undefined) throw new TypeError(`name ${JSON.stringify(name)} is not among the peers`);
  const fsync = options.fsync ?? 'always';
  if (fsync !== 'always' && fsync !== 'everysec') throw new TypeError("fsync must be 'always' or 'everysec'");
  if (options.fsync !== undefined && options.dir === undefined) throw new TypeError('fsync needs dir');
  if (options.listen !== undefined) parseAddress(text(options.listen, 'listen'));
  const replicated = options.peers !== undefined || options.dir !== undefined;
  const shards = whole(options.shards ?? 1, 'shards', 1, limits.shardsMax);
  if (shards > 1 && !replicated) throw new TypeError('shards need peers or dir');
  return {
    ...{ self, members, replicated, shards, fsync },
    dir: options.dir === undefined ? undefined : text(options.dir, 'dir'),
    secret: options.secret === undefined ? undefined : text(options.secret, 'secret'),
    listen: options.listen,
    timeoutMs: whole(options.timeoutMs ?? 10_000, 'timeoutMs', 1, 2 ** 31 - 1),
    openTimeoutMs: whole(options.openTimeoutMs ?? 60_000, 'openTimeoutMs', 1, 2 ** 31 - 1),
    timers: checkTimers(options.timers ?? {}, defaultTimers),
    limits: checkLimits(options.limits),
    snapshotLogBytes: whole(options.snapshotLogBytes ?? 64 * 1024 * 1024, 'snapshotLogBytes', 1024, 2 ** 40),
    memoryLimit: checkMemoryOptions(options),
    resp: checkResp(options.resp),
    backup: checkBackup(options.backup),
    signal: checkSignal(options.signal),
    on: checkListeners(options.on ?? {}),
  };
}

/** Equal on peers that have the same members at the same addresses. */
export function digestOf(value: unknown): string {
  return createHash('sha256').update(JSON.stringify(value)).digest('hex').slice(0, 32);
}

function checkPeers(peers: OpenOptions['peers'], name: string): Member[] {
  if (peers === undefined) return [{ id: 1, name, address: 'localhost:0' }];
  if (typeof peers !== 'object' || peers === null || Array.isArray(peers)) {
    throw new TypeError('peers must be an object of name to address');
  }
  const byAddress = new Map<string, string>();
  const names = Object.keys(peers).sort();
  if (names.length === 0) throw new TypeError('peers must not be empty');
  return names.map((peer, rank) => {
    const address = text(peers[peer], `peers.${peer}`);
    parseAddress(address);
    const twin = byAddress.get(address);
    if (twin !== undefined)
      throw new TypeError(`peers ${twin} and ${peer} have the same address, ${address}`);
    byAddress.set(address, peer);
    return { id: rank + 1, name: peer, address };
  });
}

function checkTimers(given: Partial<Timers>, defaults: Timers): Timers {
  if (typeof given !== 'object' || given === null) throw new TypeError('timers must be an object');
  unknownNames(given, Object.keys(defaults), 'timer');
  for (const [name, value] of Object.entries(given)) {
    if (typeof value !== 'number' || !(value > 0))
      throw new RangeError(`timers.${name} must be a positive number`);
  }
  const timers = { ...defaults, ...given };
  const { drift, beatMs, promiseMs, electionMs } = timers;
  if (drift >= 0.5) throw new RangeError('timers.drift must be below 0.5');
  if (promiseMs < 3 * beatMs)
    throw new RangeError('timers.promiseMs must be at least three times timers.beatMs');
  if (electionMs < promiseMs) throw new RangeError('timers.electionMs must be at least timers.promiseMs');
  return timers;
}

function checkSignal(signal: OpenOptions['signal']): AbortSignal | undefined {
  if (signal !== undefined && !(signal instanceof AbortSignal))
    throw new TypeError('signal must be an AbortSignal');
  return signal;
}

function checkResp(resp: OpenOptions['resp']): CheckedOptions['resp'] {
  if (resp === undefined) return undefined;
  if (typeof resp !== 'object' || resp === null) throw new TypeError('resp must be an object');
  unknownNames(resp, ['port', 'host'], 'option of resp');
  return {
    port: whole(resp.port, 'resp.port', 0, 65_535),
    host: text(resp.host ?? '127.0.0.1', 'resp.host'),
  };
}

function checkBackup(backup: OpenOptions['backup']): CheckedOptions['backup'] {
  if (backup === undefined) return undefined;
  if (typeof backup !== 'object' || backup === null) throw new TypeError('backup must be an object');
  unknownNames(backup, ['dir', 'everyMs', 'keep'], 'option of backup');
  return {
    dir: text(backup.dir, 'backup.dir'),
    everyMs: whole(backup.everyMs ?? 3_600_000, 'backup.everyMs', 1_000, 2 ** 31 - 1),
    keep: whole(backup.keep ?? 24, 'backup.keep', 1, 10_000),
  };
}

function checkListeners(on: StoreListeners): StoreListeners {
  if (typeof on !== 'object' || on === null) throw new TypeError('on must be an object of event to listener');
  unknownNames(on, EVENTS, 'event');
  for (const [event, listener] of Object.entries(on)) {
    if (typeof listener !== 'function') throw new TypeError(`on.${event} must be a function`);
  }
  return on;
}

function unknownNames(given: object, known: readonly string[], what: string): void {
  for (const name of Object.keys(given)) {
    if (!known.includes(name))
      throw new TypeError(`unknown ${what} ${JSON.stringify(name)}; known are ${known.join(', ')}`);
  }
}

function text(value: unknown, name: string): string {
  if (typeof value !== 'string' || value === '')
    throw new TypeError(`${name} must be a string that is not empty`);
  return value;
}

function whole(value: unknown, name: string, min: number, max: number): number {
  if (typeof value !== 'number') throw new TypeError(`${name} must be a number`);
  if (!Number.isInteger(value) || value < min || value > max) {
    throw new RangeError(`${name} must be a whole number from ${min} to ${max}, not ${value}`);
  }
  return value;
}
