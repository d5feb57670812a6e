/**
 * Serves clients that restore and back up, on the application's thread. Keys go the way of every write: through the shards'
 * clients of this peer to whoever leads. A backup is a file of this peer that is sent in pieces and that nobody sees.
 */
import { randomUUID } from 'node:crypto';
import { type FileHandle, open, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { HoldfastError } from '../errors.js';
import { native } from '../keyspace/native.js';
import { limits } from '../limits.js';
import { ByteReader } from '../replication/byte-cursor.js';
import type { DataClientId } from '../replication/data-clients.js';
import { encodeFrame, FrameKind, noShard } from '../replication/frame.js';
import { decodeJson, encodeJson } from '../replication/json-body.js';
import { isProtocolError, protocolError } from '../replication/protocol-error.js';
import {
  decodeBatch,
  encodeAnswer,
  Outcome,
  type Refusal,
  type RestoreKey,
  wordsOfKey,
} from '../replication/restore-codec.js';
import { asBuffer } from './batch.js';
import type { ShardClient } from './client.js';
import type { FromData, ToData } from './protocol.js';
import { shardOfSlot } from './router.js';

/** Writes all shards as one RDB file, each key as it was at one instant. */
export type Snapshot = (
  path: string,
  options: {
    readonly version?: number;
    readonly onProgress: (part: number) => void;
    readonly signal: AbortSignal;
  },
) => Promise<{ readonly keys: number; readonly bytes: number }>;

/** What the service stands on. */
export interface DataParts {
  readonly clients: readonly ShardClient[];
  /** A folder for a backup that is on its way. */
  readonly temporary: string;
  readonly snapshot: Snapshot;
  /** To the thread with the sockets. */
  post(message: ToData): void;
}

/** All such clients of this peer. */
export class DataService {
  readonly #parts: DataParts;
  /** The backups under way by their clients; one at a time is begun. */
  readonly #backups = new Map<DataClientId, Backup>();

  constructor(parts: DataParts) {
    this.#parts = parts;
  }

  /** What a client does. */
  receive(message: FromData): void {
    const { client } = message;
    if (message.event === 'closed') this.#backups.get(client)?.cancel();
    if (message.event !== 'frame') return;
    try {
      this.#frame(client, message.kind, asBuffer(message.body));
    } catch (error) {
      if (!isProtocolError(error)) throw error;
      const frame = encodeJson(FrameKind.bye, { code: error.code, message: error.message });
      this.#parts.post({ type: 'data', client, frame, answers: undefined, last: true });
    }
  }

  /** Gives up every backup; resolves when none has left anything behind. */
  async close(): Promise<void> {
    const backups = [...this.#backups.values()];
    for (const backup of backups) backup.cancel();
    await Promise.all(backups.map(({ over }) => over));
  }

  #frame(client: DataClientId, kind: FrameKind, body: Buffer): void {
    if (kind === FrameKind.restore) void this.#restore(client, body);
    else if (kind === FrameKind.backup) this.#backup(client, body);
    else this.#backups.get(client)?.credit(new ByteReader(body).u32());
  }

  #restore(client: DataClientId, body: Buffer): Promise<void> {
    const { number, replace, keys } = decodeBatch(body);
    const refusals: Refusal[] = [];
    const each = keys.map(async (key, at) => {
      try {
        await this.#request(key, replace);
        return Outcome.restored;
      } catch (error) {
        const { outcome, code, message } = verdictOf(error);
        if (outcome !== Outcome.there) refusals.push({ at, code, message });
        return outcome;
      }
    });
    return Promise.all(each).then((outcomes) => {
      const frame = encodeAnswer({ number, outcomes, refusals });
      this.#parts.post({ type: 'data', client, frame, answers: number, last: false });
    });
  }

  #request(key: RestoreKey, replace: boolean): Promise<unknown> {
    const { clients } = this.#parts;
    const shard = clients[shardOfSlot(native.slotOf(key.key), clients.length)];
    if (shard === undefined) throw new RangeError('there is no such shard');
    return shard.request(wordsOfKey(key, replace), false);
  }

  #backup(client: DataClientId, body: Buffer): void {
    const send = (frame: Buffer): void =>
      this.#parts.post({ type: 'data', client, frame, answers: undefined, last: false });
    if (this.#backups.size > 0) {
      const failed = { code: 'BUSY', message: 'another backup of this peer is under way' };
      send(encodeJson(FrameKind.backupNotice, { failed }));
      return;
    }
    const backup = new Backup(this.#parts, versionOf(body), send);
    this.#backups.set(client, backup);
    void backup.over.then(() => this.#backups.delete(client));
  }
}

function versionOf(body: Buffer): number | undefined {
  const { version } = (decodeJson(body) ?? {}) as Record<string, unknown>;
  if (version === undefined) return undefined;
  if (typeof version === 'number' && version >= 9 && version <= 12 && Number.isInteger(version))
    return version;
  throw protocolError('a backup of a version that cannot be written');
}

/** Failures after which the same request may be made again. */
const PASSING: ReadonlySet<string> = new Set([
  'NO_QUORUM',
  'TIMEOUT',
  'SESSION_EXPIRED',
  'BUSY',
  'CLOSED',
  'FAULTED',
]);

function verdictOf(error: unknown): { outcome: Outcome; code: string; message: string } {
  if (!(error instanceof HoldfastError))
    return { outcome: Outcome.refused, code: 'FAULTED', message: String(error) };
  const { code, message, mayTakeEffect } = error;
  if (code === 'BUSYKEY') return { outcome: Outcome.there, code, message };
  if (mayTakeEffect) return { outcome: Outcome.unknown, code, message };
  return { outcome: PASSING.has(code) ? Outcome.undone : Outcome.refused, code, message };
}

/** One backup, from its snapshot to its last piece. */
class Backup {
  /** Never rejects; nothing is left behind then. */
  readonly over: Promise<void>;
  readonly #send: (frame: Buffer) => void;
  readonly #ending = new AbortController();
  #credit: number = limits.dataChunksMax;
  #wake: () => void = () => {};

  constructor(parts: DataParts, version: number | undefined, send: (frame: Buffer) => void) {
    this.#send = send;
    const path = join(parts.temporary, `holdfast-backup-${randomUUID()}.rdb`);
    this.over = this.#run(parts, path, version)
      .catch((error) => this.#failed(error))
      .then(() => rm(path, { force: true }))
      .catch(() => {});
  }

  /** The client has room for more pieces. */
  credit(pieces: number): void {
    this.#credit = Math.min(this.#credit + pieces, limits.dataChunksMax);
    this.#wake();
  }

  /** Nobody wants it any more. */
  cancel(): void {
    this.#ending.abort(new HoldfastError('CLOSED', 'the backup was given up'));
    this.#wake();
  }

  async #run({ clients, snapshot }: DataParts, path: string, version: number | undefined): Promise<void> {
    // What was acknowledged anywhere before the backup was asked for is in it.
    await Promise.all(clients.map((client) => client.barrier()));
    let percent = 0;
    const onProgress = (part: number): void => {
      if (Math.floor(part * 100) > percent) this.#notice({ progress: part });
      percent = Math.max(percent, Math.floor(part * 100));
    };
    const { signal } = this.#ending;
    const { keys, bytes } = await snapshot(path, { ...(version && { version }), onProgress, signal });
    const file = await open(path, 'r');
    try {
      // Where a file that is open can be removed, not even the end of this process leaves it behind.
      await rm(path).catch(() => {});
      this.#notice({ ready: { keys, bytes } });
      await this.#stream(file, bytes);
    } finally {
      await file.close();
    }
  }

  async #stream(file: FileHandle, bytes: number): Promise<void> {
    for (let at = 0; at < bytes; ) {
      await this.#room();
      const piece = Buffer.allocUnsafe(Math.min(limits.dataChunkBytes, bytes - at));
      const { bytesRead } = await file.read(piece, 0, piece.length, at);
      if (bytesRead === 0) throw new HoldfastError('IO', 'the snapshot has become shorter');
      this.#credit--;
      at += bytesRead;
      this.#send(encodeFrame(FrameKind.backupChunk, noShard, piece.subarray(0, bytesRead)));
    }
  }

  async #room(): Promise<void> {
    for (;;) {
      this.#ending.signal.throwIfAborted();
      if (this.#credit > 0) return;
      await new Promise<void>((resolve) => {
        this.#wake = resolve;
      });
    }
  }

  #notice(notice: object): void {
    this.#send(encodeJson(FrameKind.backupNotice, notice));
  }

  #failed(error: unknown): void {
    if (this.#ending.signal.aborted) return;
    const code = error instanceof HoldfastError ? error.code : 'IO';
    this.#notice({ failed: { code, message: error instanceof Error ? error.message : String(error) } });
  }
}
