/** Where the snapshots of one shard lie: in the peer's directory, or, for a peer without one, in a temporary one while needed. */
import { mkdtempSync, rmSync } from 'node:fs';
import { open, rename, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { HoldfastError } from '../errors.js';
import type { SnapshotMark } from '../raft/types.js';
import { loadFile, saveCut, takeSnapshot } from '../rdb/index.js';
import { SnapshotFiles } from '../replication/snapshot-files.js';
import type { MachineState } from './state-machine.js';

/** What the AUX fields of a snapshot must say, so that no other cluster's or shard's is loaded. */
export interface SnapshotOwner {
  readonly clusterId: string;
  readonly shard: number;
}

/** The snapshot files of one shard. */
export class SnapshotStore {
  readonly #owner: SnapshotOwner;
  readonly #dir: string | undefined;
  #files: SnapshotFiles | undefined;
  #temporary: string | undefined;
  readonly #clean = () => rmSync(this.#temporary ?? '', { recursive: true, force: true });

  /** @param dir - The shard's directory; undefined: there is none, and a snapshot lives only until it is sent. */
  constructor(owner: SnapshotOwner, dir: string | undefined) {
    this.#owner = owner;
    this.#dir = dir;
    if (dir !== undefined) this.#files = SnapshotFiles.open(dir);
  }

  /** The file of the snapshot at `mark`, if it is there. */
  pathOf(mark: SnapshotMark): string | undefined {
    const files = this.#files?.list() ?? [];
    return files.find((file) => file.mark.index === mark.index && file.mark.term === mark.term)?.path;
  }

  /** Where to write a snapshot that arrives. */
  draftPath(mark: SnapshotMark): string {
    return this.#open().draftPath(mark);
  }

  /**
   * Writes a snapshot, durable under its name. Answers what it is of and its path.
   *
   * @param describe - Tells what the keyspace holds, at the instant at which the snapshot is taken.
   */
  async save(
    keyspace: number,
    describe: () => { mark: SnapshotMark; state: MachineState },
    signal: AbortSignal,
  ): Promise<{ mark: SnapshotMark; path: string }> {
    let saved: { mark: SnapshotMark; draft: string } | undefined;
    const take = () => {
      const { mark, state } = describe();
      const draft = this.draftPath(mark);
      const snapshot = takeSnapshot([keyspace], { aux: this.#aux(mark, state), exact: true });
      if (snapshot === undefined) return undefined;
      saved = { mark, draft };
      return { snapshot, path: draft };
    };
    await saveCut([keyspace], take, { signal });
    if (saved === undefined) throw new TypeError('a snapshot was saved that was never taken');
    const { mark, draft } = saved;
    return { mark, path: await this.publish(draft, mark) };
  }

  #aux(mark: SnapshotMark, state: MachineState): [string, string][] {
    const { clusterId, shard } = this.#owner;
    return [
      ['holdfast-cluster', clusterId],
      ['holdfast-shard', String(shard)],
      ['holdfast-index', String(mark.index)],
      ['holdfast-term', String(mark.term)],
      ['holdfast-clock', String(state.stampMs)],
      ['holdfast-sessions', state.sessions.toString('base64')],
    ];
  }

  /** Loads the snapshot that a log goes by. */
  async loadAt(mark: SnapshotMark, keyspace: number): Promise<MachineState> {
    const path = this.pathOf(mark);
    if (path !== undefined) return this.load(path, keyspace, mark);
    const text = `${this.#dir}: the snapshot at entry ${mark.index} of term ${mark.term} is missing`;
    throw new HoldfastError('CORRUPT', `${text}, and the log begins behind it`);
  }

  /** Loads a snapshot in place of what the keyspace holds. A damaged file leaves it as it is. */
  async load(path: string, keyspace: number, mark: SnapshotMark): Promise<MachineState> {
    const { aux } = await loadFile(path, keyspace);
    const fields = new Map<string, string>(aux);
    const { clusterId, shard } = this.#owner;
    const owner = {
      'holdfast-cluster': clusterId,
      'holdfast-shard': `${shard}`,
      'holdfast-index': `${mark.index}`,
    };
    for (const [name, value] of Object.entries(owner)) {
      if (fields.get(name) === value) continue;
      throw new HoldfastError(
        'CORRUPT',
        `${path}: ${name} is ${fields.get(name) ?? 'missing'}, not ${value}`,
      );
    }
    const stampMs = Number(fields.get('holdfast-clock'));
    return { stampMs, sessions: Buffer.from(fields.get('holdfast-sessions') ?? '', 'base64') };
  }

  /** Gives a durable draft its name. */
  async publish(draft: string, mark: SnapshotMark): Promise<string> {
    const path = this.#open().path(mark);
    await rename(draft, path);
    const dir = await open(dirname(path), 'r');
    try {
      await dir.sync();
    } finally {
      await dir.close();
    }
    return path;
  }

  /** Removes every snapshot but that at `mark`. */
  async keepOnly(mark: SnapshotMark): Promise<void> {
    const kept = this.pathOf(mark);
    for (const { path } of this.#files?.list() ?? []) if (path !== kept) await rm(path, { force: true });
  }

  /** Removes what is only needed while the process runs. */
  async close(): Promise<void> {
    process.off('exit', this.#clean);
    if (this.#temporary !== undefined) await rm(this.#temporary, { recursive: true, force: true });
  }

  #open(): SnapshotFiles {
    if (this.#files !== undefined) return this.#files;
    this.#temporary = mkdtempSync(join(tmpdir(), 'holdfast-'));
    process.once('exit', this.#clean);
    this.#files = SnapshotFiles.open(this.#temporary);
    return this.#files;
  }
}
