/**
 * Who a data directory says this process is (CONSENSUS §2.2, §2.11, §2.19). A process may vote and acknowledge under
 * its identity only as long as it still holds every byte it acknowledged; a directory that cannot prove that is
 * refused.
 */

import { createHash, randomBytes } from 'node:crypto';
import { mkdirSync, readdirSync, readFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { HoldfastError } from '../errors.js';
import type { MemberId, Timers } from '../raft/types.js';
import { DirectoryLock, readBootId } from './directory-lock.js';
import type { FsyncMode } from './disk-protocol.js';
import { codeOf, fileError, replaceFile, syncDirectory } from './durable-file.js';

/** A member as it was when the cluster was founded. */
export interface FoundingMember {
  readonly id: MemberId;
  readonly name: string;
  readonly incarnation: string;
}

/** Limits of collections by their names. */
export type FoundingLimits = Readonly<Record<string, number>>;

/** What the peers of a cluster agreed on when it was founded. Never changes. */
export interface FoundingRecord {
  /** 32 hex digits. */
  readonly clusterId: string;
  readonly members: readonly FoundingMember[];
  readonly shards: number;
  readonly timers: Timers;
  /** Absent in a record of the time before they could be chosen. */
  readonly limits?: FoundingLimits;
}

/** How a directory is opened. */
export interface IdentityOptions {
  /** The peer's name in the list of peers. */
  readonly name: string;
  readonly fsync: FsyncMode;
  /** What this process is configured for; a directory that was founded otherwise is refused. */
  readonly expected?: {
    readonly peers: readonly string[];
    readonly shards: number;
    readonly limits?: FoundingLimits | undefined;
  };
  /** Of this start of the operating system. Default: asked from it. */
  readonly bootId?: string;
}

interface IdentityRecord {
  readonly name: string;
  readonly incarnation: string;
  /** Of the last run. */
  readonly fsync: FsyncMode;
  readonly bootId: string;
  /** The last run closed in order, after everything was synced. */
  readonly clean: boolean;
  readonly founding: FoundingRecord | null;
}

const FORMAT = 1;
const fileName = 'identity.json';
const shardDirectory = /^shard-[0-9]+$/;

/** The identity of this process, and its hold on the directory. */
export class Identity {
  /** Whether this incarnation ran before, and so may have made promises and votes (rule E5). */
  readonly restarted: boolean;
  readonly #path: string;
  readonly #lock: DirectoryLock;
  #record: IdentityRecord;
  #closed = false;

  private constructor(path: string, lock: DirectoryLock, record: IdentityRecord, restarted: boolean) {
    this.#path = path;
    this.#lock = lock;
    this.#record = record;
    this.restarted = restarted;
  }

  /**
   * Takes hold of a data directory, or makes one.
   *
   * @throws HoldfastError `IO` if another process holds it or it cannot be used, `FOREIGN` if it is another peer's or
   *   another cluster's,
   *   `CORRUPT` if its identity is damaged or missing, `AMNESIAC` if it may have lost what it acknowledged.
   */
  static open(dir: string, options: IdentityOptions): Identity {
    makeDirectory(dir);
    const lock = DirectoryLock.acquire(dir);
    try {
      const path = join(dir, fileName);
      const found = readRecord(path);
      if (found === undefined) refuseOrphans(dir);
      else refuseForeign(dir, found, options);
      const bootId = options.bootId ?? readBootId();
      if (found !== undefined) refuseAmnesiac(dir, found, bootId);
      const { name, fsync } = options;
      const made = { name, incarnation: randomBytes(16).toString('hex'), founding: null };
      const record: IdentityRecord = { ...(found ?? made), fsync, bootId, clean: false };
      writeRecord(path, record);
      return new Identity(path, lock, record, found !== undefined);
    } catch (error) {
      lock.release();
      throw error;
    }
  }

  get name(): string {
    return this.#record.name;
  }

  /** 32 hex digits, made with the directory. */
  get incarnation(): string {
    return this.#record.incarnation;
  }

  /** Undefined before the cluster was founded. */
  get founding(): FoundingRecord | undefined {
    return this.#record.founding ?? undefined;
  }

  /**
   * Writes down what the peers agreed on; durable when it returns. Must come before the first frame under the member
   * id.
   *
   * @throws HoldfastError `FOREIGN` if the directory was founded otherwise already.
   */
  found(founding: FoundingRecord): void {
    if (this.#closed) throw new HoldfastError('CLOSED', `${this.#path}: closed`);
    const before = this.#record.founding;
    if (before !== null) {
      if (before.clusterId === founding.clusterId) return;
      const reason = `belongs to cluster ${before.clusterId} already, not to ${founding.clusterId}`;
      throw new HoldfastError('FOREIGN', `${dirname(this.#path)} ${reason}`);
    }
    const record = { ...this.#record, founding };
    writeRecord(this.#path, record);
    this.#record = record;
  }

  /** Lets go of the directory. `clean`: all logs were synced and closed without an error. Idempotent. */
  close(clean: boolean): void {
    if (this.#closed) return;
    this.#closed = true;
    try {
      if (clean) writeRecord(this.#path, { ...this.#record, clean });
    } finally {
      this.#lock.release();
    }
  }
}

function makeDirectory(dir: string): void {
  try {
    if (mkdirSync(dir, { recursive: true }) !== undefined) syncDirectory(dirname(dir));
  } catch (error) {
    throw fileError('make', dir, error);
  }
}

function writeRecord(path: string, identity: IdentityRecord): void {
  const checksum = checksumOf(identity);
  replaceFile(path, `${JSON.stringify({ format: FORMAT, checksum, identity }, null, 2)}\n`);
}

/** JSON keeps the order of keys, so what was read is written the same way again. */
function checksumOf(identity: unknown): string {
  return createHash('sha256').update(JSON.stringify(identity)).digest('hex');
}

function readRecord(path: string): IdentityRecord | undefined {
  let text: string;
  try {
    text = readFileSync(path, 'utf8');
  } catch (error) {
    if (codeOf(error) === 'ENOENT') return undefined;
    throw fileError('read', path, error);
  }
  const damaged = (reason: string): HoldfastError =>
    new HoldfastError('CORRUPT', `${path}, offset 0: ${reason}`);
  let file: { format?: unknown; checksum?: unknown; identity?: unknown } | null;
  try {
    file = JSON.parse(text);
  } catch {
    throw damaged('the identity of the peer is damaged, it is no JSON');
  }
  if (typeof file?.format === 'number' && file.format > FORMAT) {
    throw new HoldfastError('IO', `${path} was written by a newer version (format ${file.format})`);
  }
  if (file?.format !== FORMAT || file.checksum !== checksumOf(file.identity)) {
    throw damaged('the identity of the peer is damaged, its checksum differs');
  }
  return file.identity as IdentityRecord;
}

/** Logs without an identity: whose they are, and whether they are whole, is not known. */
function refuseOrphans(dir: string): void {
  const orphan = readdirSync(dir).find((name) => shardDirectory.test(name));
  if (orphan === undefined) return;
  throw new HoldfastError('CORRUPT', `${join(dir, fileName)} is missing, but ${join(dir, orphan)} is there`);
}

function refuseForeign(dir: string, { name, founding }: IdentityRecord, options: IdentityOptions): void {
  if (name !== options.name) {
    throw new HoldfastError('FOREIGN', `${dir} belongs to peer ${name}, not to ${options.name}`);
  }
  if (founding === null || options.expected === undefined) return;
  const { peers, shards, limits } = options.expected;
  const founded = founding.members.map((member) => member.name).sort();
  const configured = [...peers].sort();
  if (founded.join('\n') !== configured.join('\n')) {
    const reason = `belongs to the cluster of ${founded.join(', ')}, not to one of ${configured.join(', ')}`;
    throw new HoldfastError('FOREIGN', `${dir} ${reason}`);
  }
  if (founding.shards !== shards) {
    const reason = `belongs to a cluster with shards: ${founding.shards}, which cannot be changed to ${shards}`;
    throw new HoldfastError('FOREIGN', `${dir} ${reason}`);
  }
  const differing = founding.limits && limits && differingLimit(founding.limits, limits);
  if (differing !== undefined) {
    const { name, left, right } = differing;
    const reason = `belongs to a cluster with limits.${name}: ${left}, which cannot be changed to ${right}`;
    throw new HoldfastError('FOREIGN', `${dir} ${reason}`);
  }
}

/** The first limit that is not the same in both. */
export function differingLimit(
  left: FoundingLimits,
  right: FoundingLimits,
): { name: string; left: number | undefined; right: number | undefined } | undefined {
  const name = Object.keys({ ...left, ...right }).find((name) => left[name] !== right[name]);
  return name === undefined ? undefined : { name, left: left[name], right: right[name] };
}

/**
 * With `everysec` the last second is in the page cache only. That survives the process, not the system. What counts
 * is how the last run wrote, not how this one will.
 */
function refuseAmnesiac(
  dir: string,
  { name, fsync, bootId, clean, founding }: IdentityRecord,
  now: string,
): void {
  const sameBoot = bootId !== '' && bootId === now;
  if (fsync === 'always' || clean || sameBoot || founding === null) return;
  const reason = `the system was restarted before the last second of fsync: 'everysec' was on disk`;
  throw new HoldfastError(
    'AMNESIAC',
    `peer ${name} may have lost writes that it acknowledged (${reason}), so ${dir} cannot be used to vote as before`,
  );
}
