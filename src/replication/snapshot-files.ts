import { mkdirSync, readdirSync, renameSync, rmSync, statSync } from 'node:fs';
import { basename, dirname, join } from 'node:path';
import type { SnapshotMark } from '../raft/types.js';
import { fileError, syncDirectory, syncFile } from './durable-file.js';

/** A snapshot on disk, whole and durable. */
export interface SnapshotFile {
  readonly path: string;
  readonly mark: SnapshotMark;
  readonly sizeBytes: number;
}

const published = /^snapshot-([0-9]{1,16})-([0-9]{1,16})\.rdb$/;
const draftSuffix = '.tmp';
const draft = /^snapshot-[0-9]{1,16}-[0-9]{1,16}\.rdb\.[0-9]+\.tmp$/;

/**
 * The snapshots of one shard (rule S2): written to a draft, published under their name when they are durable, removed
 * when a newer one is. A crash at any point leaves the newest published one whole.
 */
export class SnapshotFiles {
  readonly #dir: string;
  #drafts = 0;

  private constructor(dir: string) {
    this.#dir = dir;
  }

  /** Makes the directory if need be, and removes drafts that a crash left. One process at a time. */
  static open(dir: string): SnapshotFiles {
    try {
      if (mkdirSync(dir, { recursive: true }) !== undefined) syncDirectory(dirname(dir));
      for (const name of readdirSync(dir)) if (draft.test(name)) rmSync(join(dir, name), { force: true });
    } catch (error) {
      throw fileError('open', dir, error);
    }
    return new SnapshotFiles(dir);
  }

  /** The newest first. */
  list(): SnapshotFile[] {
    try {
      return readdirSync(this.#dir)
        .flatMap((name) => this.#describe(name))
        .sort((a, b) => b.mark.index - a.mark.index || b.mark.term - a.mark.term);
    } catch (error) {
      throw fileError('list', this.#dir, error);
    }
  }

  #describe(name: string): SnapshotFile[] {
    const [, term, index] = published.exec(name) ?? [];
    if (term === undefined || index === undefined) return [];
    const path = join(this.#dir, name);
    return [{ path, mark: { index: Number(index), term: Number(term) }, sizeBytes: statSync(path).size }];
  }

  /** Where to write a snapshot of that mark. Several drafts may be written at a time. */
  draftPath(mark: SnapshotMark): string {
    this.#drafts += 1;
    return `${this.path(mark)}.${this.#drafts}${draftSuffix}`;
  }

  /**
   * Makes a finished draft durable and gives it its name. Blocks until the disk has it; any thread may call it.
   *
   * @throws HoldfastError `IO`; the draft is still there.
   */
  static publish(draftPath: string): SnapshotFile {
    if (!draft.test(basename(draftPath))) throw new TypeError(`${draftPath} is no draft of a snapshot`);
    const path = draftPath.replace(/\.[0-9]+\.tmp$/, '');
    const [, term, index] = published.exec(basename(path)) ?? [];
    try {
      syncFile(draftPath);
      renameSync(draftPath, path);
      syncDirectory(dirname(path));
      return { path, mark: { index: Number(index), term: Number(term) }, sizeBytes: statSync(path).size };
    } catch (error) {
      throw fileError('publish', draftPath, error);
    }
  }

  /** Removes a draft that will not be finished. */
  discard(draftPath: string): void {
    if (!draft.test(basename(draftPath))) throw new TypeError(`${draftPath} is no draft of a snapshot`);
    rmSync(draftPath, { force: true });
  }

  /**
   * Removes the snapshots older than the published one at `mark`.
   *
   * @returns how many were removed
   * @throws Error if there is none at `mark`: the last snapshot is never removed.
   */
  removeOlder(mark: SnapshotMark): number {
    const all = this.list();
    if (!all.some((file) => file.mark.index === mark.index && file.mark.term === mark.term)) {
      throw new Error(`no snapshot at ${mark.index} of term ${mark.term} in ${this.#dir}`);
    }
    const older = all.filter((file) => file.mark.index < mark.index);
    try {
      for (const { path } of older) rmSync(path, { force: true });
      if (older.length > 0) syncDirectory(this.#dir);
    } catch (error) {
      throw fileError('remove old snapshots in', this.#dir, error);
    }
    return older.length;
  }

  /** The name under which a snapshot of that mark is published. */
  path({ index, term }: SnapshotMark): string {
    return join(this.#dir, `snapshot-${term}-${index}.rdb`);
  }
}
