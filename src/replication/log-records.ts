/**
 * What a log file holds behind its header: blocks. A block is what one write puts down, and is there whole or not at
 * all:
 *
 *     u32 length | u8 version | u8 0 | u16 shard | u32 crc of the block before | u32 crc | records, zeros to the next multiple of 8
 *
 * `length` counts records and zeros. The CRC-32 covers everything else in the block and starts from the salt of the
 * segment, so that bytes of another file, which a value may well hold, never look like a block of this one. Because
 * the next block is written only when the one before is durable, a bad block with a good one behind it was damaged
 * later, while a bad one at the very end was never finished.
 *
 * A record is u8 type | u32 length | payload.
 */

import { crc32 } from 'node:zlib';
import type { Entry, HardState, LogIndex, SnapshotMark, Term } from '../raft/types.js';
import { ByteReader, ByteWriter } from './byte-cursor.js';
import { entryKindCode, entryKindOf } from './message-codec.js';
import { protocolError } from './protocol-error.js';

/** What `LogFile.append` takes. A later entry of the same index replaces that one and all behind it. */
export type LogRecord =
  | { readonly type: 'entry'; readonly entry: Entry }
  | { readonly type: 'hardState'; readonly hardState: HardState };

/** A record that says where a snapshot stands. */
export interface MarkRecord {
  readonly type: 'snapshotMark';
  readonly mark: SnapshotMark;
  /** Whether the entries behind the mark stay; otherwise the log starts anew behind it. */
  readonly keepsLog: boolean;
}

const recordTypes = { end: 0, entry: 1, hardState: 2, snapshotMark: 3 } as const;

const RECORD_HEADER_BYTES = 5;
const ENTRY_BYTES = 17;
const HARD_STATE_BYTES = 10;
const MARK_BYTES = 17;

const BLOCK_VERSION = 1;
/** Bytes of a block before its records. */
export const blockHeaderBytes = 16;
/** Blocks start at multiples of this. */
export const blockAlignBytes = 8;
const BLOCK_PREVIOUS_OFFSET = 8;
const BLOCK_CRC_OFFSET = 12;

function recordBytes(record: LogRecord): number {
  const payload = record.type === 'entry' ? ENTRY_BYTES + record.entry.data.length : HARD_STATE_BYTES;
  return RECORD_HEADER_BYTES + payload;
}

/** Records in a buffer of their own, which may be transferred to another thread. */
export function encodeRecords(records: readonly LogRecord[]): Buffer {
  const writer = new ByteWriter(records.reduce((sum, record) => sum + recordBytes(record), 0));
  for (const record of records) {
    writer.u8(recordTypes[record.type]).u32(recordBytes(record) - RECORD_HEADER_BYTES);
    if (record.type === 'entry') {
      const { index, term, kind, data } = record.entry;
      writer.count(index).count(term).u8(entryKindCode(kind)).bytes(data);
    } else {
      writer.count(record.hardState.term).u16(record.hardState.vote);
    }
  }
  return writer.finish();
}

/** One mark, as {@link encodeRecords}. */
export function encodeMark({ mark, keepsLog }: MarkRecord): Buffer {
  return new ByteWriter(RECORD_HEADER_BYTES + MARK_BYTES)
    .u8(recordTypes.snapshotMark)
    .u32(MARK_BYTES)
    .count(mark.index)
    .count(mark.term)
    .u8(keepsLog ? 1 : 0)
    .finish();
}

/** Who is told of the records in a buffer, in order. */
export interface RecordVisitor {
  entry(index: LogIndex, term: Term, entry: Entry): void;
  hardState(hardState: HardState): void;
  mark(record: MarkRecord): void;
}

/** Reads records; the data of entries are views of `bytes`. Throws if they are malformed. */
export function visitRecords(bytes: Uint8Array, visitor: RecordVisitor): void {
  const reader = new ByteReader(bytes);
  while (reader.remaining > 0) {
    const type = reader.u8();
    if (type === recordTypes.end) return;
    const payload = new ByteReader(reader.bytes(reader.u32()));
    visitRecord(type, payload, visitor);
    payload.finish();
  }
}

function visitRecord(type: number, payload: ByteReader, visitor: RecordVisitor): void {
  if (type === recordTypes.entry) {
    const index = payload.count();
    const term = payload.count();
    const kind = entryKindOf(payload.u8());
    if (kind === undefined) throw protocolError(`entry ${index} is of an unknown kind`);
    visitor.entry(index, term, { index, term, kind, data: payload.rest() });
  } else if (type === recordTypes.hardState) {
    visitor.hardState({ term: payload.count(), vote: payload.u16() });
  } else if (type === recordTypes.snapshotMark) {
    const mark = { index: payload.count(), term: payload.count() };
    visitor.mark({ type: 'snapshotMark', mark, keepsLog: payload.flag() });
  } else {
    throw protocolError(`record type ${type} is unknown`);
  }
}

/** What chains a block to its place. */
export interface BlockPlace {
  readonly shard: number;
  /** Of the segment. */
  readonly salt: number;
  /** CRC of the block before, or of the segment's header. */
  readonly previous: number;
}

/** The pieces of a block around encoded records, to be written together, and its CRC. */
export function sealBlock(
  place: BlockPlace,
  records: readonly Uint8Array[],
): { readonly pieces: readonly Uint8Array[]; readonly bytes: number; readonly crc: number } {
  const length = records.reduce((sum, piece) => sum + piece.length, 0);
  const padding = Buffer.alloc(-length & (blockAlignBytes - 1));
  const header = new ByteWriter(blockHeaderBytes)
    .u32(length + padding.length)
    .u8(BLOCK_VERSION)
    .u8(0)
    .u16(place.shard)
    .u32(place.previous)
    .u32(0)
    .finish();
  let crc = crc32(header.subarray(0, BLOCK_CRC_OFFSET), place.salt);
  for (const piece of records) crc = crc32(piece, crc);
  crc = crc32(padding, crc);
  header.writeUInt32LE(crc, BLOCK_CRC_OFFSET);
  const bytes = blockHeaderBytes + length + padding.length;
  return { pieces: [header, ...records, padding], bytes, crc };
}

/** A block found in a file. */
export interface Block {
  readonly records: Buffer;
  readonly crc: number;
  readonly previous: number;
  /** Where the next block starts. */
  readonly end: number;
}

/** The block that starts at `offset`, or undefined if there is none. Where it claims to belong is not checked. */
export function openBlock(file: Buffer, offset: number, shard: number, salt: number): Block | undefined {
  const start = offset + blockHeaderBytes;
  if (start > file.length) return undefined;
  const length = file.readUInt32LE(offset);
  if (length === 0 || length % blockAlignBytes !== 0 || start + length > file.length) return undefined;
  if (file.readUInt8(offset + 4) !== BLOCK_VERSION || file.readUInt8(offset + 5) !== 0) return undefined;
  if (file.readUInt16LE(offset + 6) !== shard) return undefined;
  const crc = file.readUInt32LE(offset + BLOCK_CRC_OFFSET);
  const records = file.subarray(start, start + length);
  if (crc32(records, crc32(file.subarray(offset, offset + BLOCK_CRC_OFFSET), salt)) !== crc) return undefined;
  return { records, crc, previous: file.readUInt32LE(offset + BLOCK_PREVIOUS_OFFSET), end: start + length };
}

/** Whether a whole block starts anywhere at or behind `offset`. */
export function hasBlockBehind(file: Buffer, offset: number, shard: number, salt: number): boolean {
  for (let at = offset; at + blockHeaderBytes <= file.length; at += blockAlignBytes) {
    if (openBlock(file, at, shard, salt) !== undefined) return true;
  }
  return false;
}
