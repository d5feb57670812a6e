import { randomBytes } from 'node:crypto';
import {
  linkSync,
  mkdirSync,
  readFileSync,
  readlinkSync,
  rmdirSync,
  rmSync,
  statSync,
  writeFileSync,
} from 'node:fs';
import { join } from 'node:path';
import { HoldfastError } from '../errors.js';
import { limits } from '../limits.js';
import { codeOf, fileError } from './durable-file.js';

/** Who holds a directory. */
interface Holder {
  readonly pid: number;
  /** Tells the process from a later one with the same pid; empty where the system does not say. */
  readonly started: string;
  /** Of the system start in which the pid is meant. */
  readonly bootId: string;
  /** In which pids count. */
  readonly pidNamespace: string;
}

/** Changes with each start of the operating system; empty where the system does not say. */
export function readBootId(): string {
  return readOr('/proc/sys/kernel/random/boot_id').trim();
}

function readOr(path: string): string {
  try {
    return readFileSync(path, 'utf8');
  } catch {
    return '';
  }
}

/** Field 22 of `stat`, counted behind the name, which may hold anything. */
function startOf(pid: number): string {
  const stat = readOr(`/proc/${pid}/stat`);
  return stat.slice(stat.lastIndexOf(')') + 2).split(' ')[19] ?? '';
}

function pidNamespace(): string {
  try {
    return readlinkSync('/proc/self/ns/pid');
  } catch {
    return '';
  }
}

function isAlive(holder: Holder): boolean {
  if (holder.bootId !== readBootId() || holder.pidNamespace !== pidNamespace()) return false;
  try {
    process.kill(holder.pid, 0);
  } catch (error) {
    if (codeOf(error) === 'ESRCH') return false;
  }
  return holder.started === startOf(holder.pid);
}

/** Undefined if there is none, or one that a crash of the system left half written. */
function readHolder(path: string): Holder | undefined {
  try {
    const value: unknown = JSON.parse(readFileSync(path, 'utf8'));
    if (typeof value !== 'object' || value === null) return undefined;
    const { pid, started, bootId, pidNamespace: namespace } = value as Partial<Holder>;
    if (typeof pid !== 'number' || pid <= 0) return undefined;
    return { pid, started: started ?? '', bootId: bootId ?? '', pidNamespace: namespace ?? '' };
  } catch (error) {
    if (codeOf(error) !== undefined && codeOf(error) !== 'ENOENT') throw fileError('read', path, error);
    return undefined;
  }
}

/**
 * Keeps two processes, or two stores of one process, from using one directory. A file names the holder; the lock of a
 * dead process is taken over. Processes on different machines, or in containers with process ids of their own, do not
 * see each other.
 */
export class DirectoryLock {
  readonly #path: string;
  #held = true;

  private constructor(path: string) {
    this.#path = path;
  }

  /** @throws HoldfastError `IO` if another process holds it, by its pid. */
  static acquire(dir: string): DirectoryLock {
    const path = join(dir, 'lock');
    const own = `${path}.${randomBytes(8).toString('hex')}`;
    const { pid } = process;
    const holder: Holder = { pid, started: startOf(pid), bootId: readBootId(), pidNamespace: pidNamespace() };
    try {
      writeFileSync(own, JSON.stringify(holder), { flag: 'wx' });
      // A link appears with its content, or not at all if there is one already.
      if (!tryLink(own, path)) takeOver(dir, path, own);
      return new DirectoryLock(path);
    } catch (error) {
      throw error instanceof HoldfastError ? error : fileError('lock', dir, error);
    } finally {
      rmSync(own, { force: true });
    }
  }

  /** Idempotent. */
  release(): void {
    if (!this.#held) return;
    this.#held = false;
    rmSync(this.#path, { force: true });
  }
}

function tryLink(own: string, path: string): boolean {
  try {
    linkSync(own, path);
    return true;
  } catch (error) {
    if (codeOf(error) === 'EEXIST') return false;
    throw error;
  }
}

/**
 * Replaces the lock of a dead process. A directory, which only one can make, keeps others from doing so at the same
 * time.
 */
function takeOver(dir: string, path: string, own: string): void {
  refuseIfHeld(dir, path);
  const guard = `${path}.takeover`;
  try {
    mkdirSync(guard);
  } catch (error) {
    if (codeOf(error) !== 'EEXIST') throw error;
    const ageMs = statSync(own).mtimeMs - statSync(guard).mtimeMs;
    if (ageMs > limits.lockTakeoverMs) rmdirSync(guard);
    throw new HoldfastError('IO', `${dir} is being opened by another process; try again`);
  }
  try {
    refuseIfHeld(dir, path);
    rmSync(path, { force: true });
    if (!tryLink(own, path)) refuseIfHeld(dir, path);
  } finally {
    rmdirSync(guard);
  }
}

function refuseIfHeld(dir: string, path: string): void {
  const holder = readHolder(path);
  if (holder === undefined || !isAlive(holder)) return;
  throw new HoldfastError('IO', `${dir} is in use by process ${holder.pid}`);
}
