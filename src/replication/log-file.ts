import { closeSync, fdatasyncSync, mkdirSync, openSync, unlinkSync, writevSync } from 'node:fs';
import { dirname } from 'node:path';
import { HoldfastError } from '../errors.js';
import { limits } from '../limits.js';
import type { Entry, HardState, LogIndex, SnapshotMark } from '../raft/types.js';
import { fileError, syncDirectory } from './durable-file.js';
import { encodeMark, encodeRecords, type LogRecord, sealBlock, visitRecords } from './log-records.js';
import { recoverLog, type Segment } from './log-recovery.js';
import {
  createSegment,
  headerCrc,
  newSalt,
  type SegmentHeader,
  segmentHeaderBytes,
  segmentPath,
} from './log-segment.js';
import { LogState } from './log-state.js';

/** The two operations that decide what is durable. Replaced in tests that let them fail. */
export interface Disk {
  writev(fd: number, pieces: readonly Uint8Array[], position: number): number;
  datasync(fd: number): void;
}

const realDisk: Disk = { writev: writevSync, datasync: fdatasyncSync };

/** What a {@link LogFile} is made of. */
export interface LogFileOptions {
  readonly shard: number;
  /** 32 hex digits. */
  readonly clusterId: string;
  /** Default `logSegmentBytes`. */
  readonly segmentBytes?: number;
  readonly disk?: Disk;
}

/** A log that was opened, and what it held. */
export interface OpenedLog {
  readonly log: LogFile;
  readonly hardState: HardState;
  readonly mark: SnapshotMark;
  /** Behind the mark, ascending, without gaps. Their data are views of the files' content. */
  readonly entries: Entry[];
  /** Bytes of an unfinished write at the end that were dropped; nothing in them was ever acknowledged. */
  readonly droppedBytes: number;
}

/**
 * The log of one shard on disk. All calls are synchronous; whoever makes them owns the files. After a failed write or
 * sync every further call throws the same error: what the disk holds is then only known by reading it again, at the
 * next start (never sync again after a failed sync: the pages may have been dropped, and the second sync succeeds).
 */
export class LogFile {
  readonly #dir: string;
  readonly #options: LogFileOptions;
  readonly #disk: Disk;
  readonly #segments: Segment[];
  readonly #state: LogState;
  #fd: number;
  #salt: number;
  #crc: number;
  #unsynced = false;
  #failure: HoldfastError | undefined;
  #closed = false;

  private constructor(
    dir: string,
    options: LogFileOptions,
    fd: number,
    from: { segments: Segment[]; state: LogState; salt: number; crc: number },
  ) {
    this.#dir = dir;
    this.#options = options;
    this.#disk = options.disk ?? realDisk;
    this.#fd = fd;
    this.#segments = from.segments;
    this.#state = from.state;
    this.#salt = from.salt;
    this.#crc = from.crc;
  }

  /**
   * Opens the log in `dir`, or makes one there.
   *
   * @throws HoldfastError `CORRUPT` with file and offset (no file was changed), `FOREIGN` for the log of another
   *   cluster or shard, `IO`.
   */
  static open(dir: string, options: LogFileOptions): OpenedLog {
    try {
      if (mkdirSync(dir, { recursive: true }) !== undefined) syncDirectory(dirname(dir));
    } catch (error) {
      throw fileError('make', dir, error);
    }
    const recovered = recoverLog(dir, options.shard, options.clusterId);
    if (recovered === undefined) return LogFile.#make(dir, options);
    const path = segmentPath(dir, recovered.segments.at(-1)?.sequence ?? 0);
    try {
      const log = new LogFile(dir, options, openSync(path, 'r+'), recovered);
      const { hardState, mark } = recovered.state;
      return { log, hardState, mark, entries: recovered.entries, droppedBytes: recovered.droppedBytes };
    } catch (error) {
      throw fileError('open', path, error);
    }
  }

  static #make(dir: string, options: LogFileOptions): OpenedLog {
    const hardState = { term: 0, vote: 0 };
    const mark = { index: 0, term: 0 };
    const state = new LogState(hardState, mark, 0);
    const { header, segment, fd } = makeSegment(dir, options, state, undefined, 0);
    const from = { segments: [segment], state, salt: header.salt, crc: headerCrc(header) };
    return { log: new LogFile(dir, options, fd, from), hardState, mark, entries: [], droppedBytes: 0 };
  }

  /** Bytes in all its files. */
  get bytes(): number {
    return this.#segments.reduce((sum, segment) => sum + segment.bytes, 0);
  }

  get lastIndex(): LogIndex {
    return this.#state.lastIndex;
  }

  /** Writes records together: after a crash all are there or none. Durable after {@link sync}. */
  append(records: readonly LogRecord[]): void {
    this.appendEncoded([encodeRecords(records)]);
  }

  /** The same with what `encodeRecords` made. The buffers must not change meanwhile. */
  appendEncoded(records: readonly Uint8Array[]): void {
    this.#ready();
    if (records.every(({ length }) => length === 0)) return;
    this.#roll();
    const segment = this.#active();
    try {
      for (const bytes of records) this.#account(segment, bytes);
    } catch (error) {
      throw this.#fail('write', new HoldfastError('FAULTED', `${segment.path}: ${error}`, { cause: error }));
    }
    this.#write(segment, records);
  }

  #account(segment: Segment, records: Uint8Array): void {
    visitRecords(records, {
      entry: (index, term) => {
        this.#state.append(index, term);
        segment.maxIndex = Math.max(segment.maxIndex, index);
      },
      hardState: (hardState) => this.#state.setHardState(hardState),
      mark: () => {
        throw new Error('marks are written with setMark');
      },
    });
  }

  /**
   * Writes where the newest snapshot stands; it must be durable already (rule S2). If the log does not hold the entry
   * at the mark, it is dropped as a whole in the same step and starts anew behind the mark (rule S3). Durable after
   * {@link sync}.
   */
  setMark(mark: SnapshotMark): void {
    this.#ready();
    this.#roll();
    const keepsLog = this.#state.agreesWith(mark);
    this.#state.setMark(mark, keepsLog);
    this.#write(this.#active(), [encodeMark({ type: 'snapshotMark', mark, keepsLog })]);
  }

  /** Makes everything written so far durable. */
  sync(): void {
    this.#ready();
    if (!this.#unsynced) return;
    try {
      this.#disk.datasync(this.#fd);
      this.#unsynced = false;
    } catch (error) {
      throw this.#fail('sync', error);
    }
  }

  /**
   * Drops the files that hold nothing behind `index` or behind the mark. Term and vote stay (they are in each
   * header).
   */
  compact(index: LogIndex): void {
    this.#ready();
    // What is dropped must not be needed for want of a mark that is still in the page cache.
    this.sync();
    const upTo = Math.min(index, this.#state.mark.index);
    let dropped = false;
    for (let first = this.#segments[0]; first !== undefined; first = this.#segments[0]) {
      if (this.#segments.length === 1 || first.maxIndex > upTo) break;
      try {
        unlinkSync(first.path);
      } catch (error) {
        throw this.#fail('remove', error, first.path);
      }
      this.#segments.shift();
      dropped = true;
    }
    if (dropped) syncDirectory(this.#dir);
  }

  /** Syncs, unless something failed, and closes. Idempotent. */
  close(): void {
    if (this.#closed) return;
    try {
      if (this.#failure === undefined) this.sync();
    } finally {
      this.#closed = true;
      closeSync(this.#fd);
    }
  }

  #ready(): void {
    if (this.#failure !== undefined) throw this.#failure;
    if (this.#closed) throw new HoldfastError('CLOSED', `the log in ${this.#dir} is closed`);
  }

  #active(): Segment {
    const segment = this.#segments.at(-1);
    if (segment === undefined) throw new Error('a log without a segment');
    return segment;
  }

  /** Starts a new segment when the last one is full. */
  #roll(): void {
    const full = this.#active();
    if (full.bytes < (this.#options.segmentBytes ?? limits.logSegmentBytes)) return;
    this.sync();
    try {
      const { header, segment, fd } = makeSegment(this.#dir, this.#options, this.#state, full, this.#crc);
      closeSync(this.#fd);
      this.#fd = fd;
      this.#salt = header.salt;
      this.#crc = headerCrc(header);
      this.#segments.push(segment);
    } catch (error) {
      throw this.#fail('make a log file in', error, this.#dir);
    }
  }

  #write(segment: Segment, records: readonly Uint8Array[]): void {
    const place = { shard: this.#options.shard, salt: this.#salt, previous: this.#crc };
    const { pieces, bytes, crc } = sealBlock(place, records);
    this.#unsynced = true;
    try {
      let rest = pieces;
      let written = 0;
      while (written < bytes) {
        const count = this.#disk.writev(this.#fd, rest, segment.bytes + written);
        written += count;
        rest = behind(rest, count);
      }
    } catch (error) {
      throw this.#fail('write', error);
    }
    segment.bytes += bytes;
    this.#crc = crc;
  }

  #fail(doing: string, cause: unknown, path: string = this.#active().path): HoldfastError {
    this.#failure = cause instanceof HoldfastError ? cause : fileError(doing, path, cause);
    return this.#failure;
  }
}

function makeSegment(
  dir: string,
  { shard, clusterId }: LogFileOptions,
  state: LogState,
  before: Segment | undefined,
  previousCrc: number,
): { header: SegmentHeader; segment: Segment; fd: number } {
  const sequence = (before?.sequence ?? 0) + 1;
  const path = segmentPath(dir, sequence);
  const { hardState, mark, lastIndex } = state;
  const previousBytes = before?.bytes ?? 0;
  const header = {
    shard,
    clusterId,
    sequence,
    salt: newSalt(),
    lastIndex,
    hardState,
    mark,
    previousBytes,
    previousCrc,
  };
  const fd = createSegment(path, header);
  return { header, segment: { sequence, path, bytes: segmentHeaderBytes, maxIndex: 0 }, fd };
}

/** What is left of `pieces` when the first `count` bytes are written. */
function behind(pieces: readonly Uint8Array[], count: number): Uint8Array[] {
  let skip = count;
  const rest: Uint8Array[] = [];
  for (const piece of pieces) {
    if (skip < piece.length) rest.push(piece.subarray(skip));
    skip = Math.max(0, skip - piece.length);
  }
  return rest;
}
