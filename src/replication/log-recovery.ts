import { closeSync, fdatasyncSync, ftruncateSync, openSync, readdirSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { HoldfastError } from '../errors.js';
import type { Entry, LogIndex } from '../raft/types.js';
import { fileError } from './durable-file.js';
import { hasBlockBehind, openBlock, type RecordVisitor, visitRecords } from './log-records.js';
import {
  decodeHeader,
  headerCrc,
  readSegment,
  type SegmentHeader,
  segmentHeaderBytes,
  segmentLeftover,
  segmentPath,
  sequenceOf,
} from './log-segment.js';
import { LogState } from './log-state.js';

/** A segment file, as `LogFile` keeps it in mind. */
export interface Segment {
  readonly sequence: number;
  readonly path: string;
  bytes: number;
  /** The largest index of an entry in it, 0 for none. */
  maxIndex: LogIndex;
}

/** What the files of a log came to. */
export interface RecoveredLog {
  readonly state: LogState;
  /** Behind the mark, ascending, without gaps. */
  readonly entries: Entry[];
  readonly segments: Segment[];
  /** Of the last segment: what the next block is chained to. */
  readonly salt: number;
  readonly crc: number;
  /** Bytes of a write at the end that was never finished, and were dropped. */
  readonly droppedBytes: number;
}

/**
 * Reads all segments of a log. Only what provably was never durable is dropped: a bad end of the last segment with
 * nothing valid behind it. With anything else that is not as it was written, every file stays as it is (§2.12).
 *
 * @returns undefined if there is no log.
 * @throws HoldfastError `CORRUPT` with file and offset, `FOREIGN`, `IO`.
 */
export function recoverLog(dir: string, shard: number, clusterId: string): RecoveredLog | undefined {
  const sequences = listSegments(dir);
  if (sequences.length === 0) return undefined;
  const from = sequences.findLastIndex((sequence, i) => i === 0 || sequence !== (sequences[i - 1] ?? 0) + 1);
  const needed = sequences.slice(from);
  const recovery = new Recovery(shard, clusterId);
  for (const sequence of needed) {
    recovery.read(segmentPath(dir, sequence), sequence, sequence === needed.at(-1));
  }
  const recovered = recovery.finish(segmentPath(dir, (needed[0] ?? 0) - 1));
  // A crash while old segments were dropped may leave one without its successor. What follows holds all that counts.
  for (const sequence of sequences.slice(0, from)) rmSync(segmentPath(dir, sequence), { force: true });
  return recovered;
}

function listSegments(dir: string): number[] {
  try {
    const names = readdirSync(dir);
    for (const name of names) if (segmentLeftover.test(name)) rmSync(join(dir, name), { force: true });
    return names
      .map(sequenceOf)
      .filter((sequence) => sequence !== undefined)
      .sort((a, b) => a - b);
  } catch (error) {
    throw fileError('list', dir, error);
  }
}

function corrupt(path: string, offset: number, reason: string): HoldfastError {
  return new HoldfastError('CORRUPT', `${path}, offset ${offset}: ${reason}`);
}

class Recovery {
  readonly #shard: number;
  readonly #clusterId: string;
  readonly #segments: Segment[] = [];
  #state: LogState | undefined;
  #entries: Entry[] = [];
  #salt = 0;
  #crc = 0;
  #droppedBytes = 0;

  constructor(shard: number, clusterId: string) {
    this.#shard = shard;
    this.#clusterId = clusterId;
  }

  read(path: string, sequence: number, last: boolean): void {
    const file = readSegment(path);
    const header = decodeHeader(path, file);
    this.#check(path, sequence, header);
    const state = this.#state ?? new LogState(header.hardState, header.mark, header.lastIndex);
    this.#state = state;
    this.#salt = header.salt;
    this.#crc = headerCrc(header);
    const segment: Segment = { sequence, path, bytes: segmentHeaderBytes, maxIndex: 0 };
    this.#segments.push(segment);
    while (segment.bytes < file.length) {
      const block = openBlock(file, segment.bytes, this.#shard, header.salt);
      if (block === undefined) {
        this.#cutTail(segment, file, last);
        return;
      }
      if (block.previous !== this.#crc)
        throw corrupt(path, segment.bytes, 'a block that follows another one');
      this.#replay(segment, block.records, state);
      segment.bytes = block.end;
      this.#crc = block.crc;
    }
  }

  /** The header against what was read before it and what is expected. */
  #check(path: string, sequence: number, header: SegmentHeader): void {
    if (header.clusterId !== this.#clusterId || header.shard !== this.#shard) {
      const found = `shard ${header.shard} of cluster ${header.clusterId}`;
      throw new HoldfastError(
        'FOREIGN',
        `${path} is of ${found}, not of shard ${this.#shard} of cluster ${this.#clusterId}`,
      );
    }
    if (header.sequence !== sequence) throw corrupt(path, 0, `a log file that was number ${header.sequence}`);
    const before = this.#segments.at(-1);
    if (before === undefined || this.#state === undefined) return;
    const { hardState, mark, lastIndex } = this.#state;
    const carried =
      header.hardState.term === hardState.term &&
      header.hardState.vote === hardState.vote &&
      header.mark.index === mark.index &&
      header.mark.term === mark.term &&
      header.lastIndex === lastIndex;
    if (before.bytes < header.previousBytes)
      throw corrupt(before.path, before.bytes, 'the log file is cut short');
    if (before.bytes !== header.previousBytes || this.#crc !== header.previousCrc || !carried) {
      throw corrupt(before.path, before.bytes, 'the log file does not end where the next one starts');
    }
  }

  #replay(segment: Segment, records: Buffer, state: LogState): void {
    const visitor: RecordVisitor = {
      entry: (index, term, entry) => {
        state.append(index, term);
        const first = this.#entries[0]?.index ?? index;
        this.#entries.length = Math.max(0, index - first);
        this.#entries.push(entry);
        segment.maxIndex = Math.max(segment.maxIndex, index);
      },
      hardState: (hardState) => state.setHardState(hardState),
      mark: ({ mark, keepsLog }) => {
        state.setMark(mark, keepsLog);
        this.#entries = keepsLog ? this.#entries.filter(({ index }) => index > mark.index) : [];
      },
    };
    try {
      visitRecords(records, visitor);
    } catch (error) {
      throw corrupt(segment.path, segment.bytes, error instanceof Error ? error.message : String(error));
    }
  }

  /** Drops what a crash left of the last write. */
  #cutTail(segment: Segment, file: Buffer, last: boolean): void {
    const { path, bytes } = segment;
    if (!last || hasBlockBehind(file, bytes, this.#shard, this.#salt)) {
      throw corrupt(path, bytes, 'the log file is damaged (what follows is intact); nothing was changed');
    }
    this.#droppedBytes = file.length - bytes;
    try {
      const fd = openSync(path, 'r+');
      try {
        ftruncateSync(fd, bytes);
        fdatasyncSync(fd);
      } finally {
        closeSync(fd);
      }
    } catch (error) {
      throw fileError('cut the unfinished end of', path, error);
    }
  }

  /** `before` is the file that would hold what is missing. */
  finish(before: string): RecoveredLog {
    const state = this.#state;
    const segments = this.#segments;
    if (state === undefined) throw new Error('no segment was read');
    const behindMark = state.lastIndex - state.mark.index;
    if (this.#entries.length !== behindMark) {
      throw corrupt(before, 0, `the log file is missing, with the entries from ${state.mark.index + 1}`);
    }
    return {
      state,
      entries: this.#entries,
      segments,
      salt: this.#salt,
      crc: this.#crc,
      droppedBytes: this.#droppedBytes,
    };
  }
}
