/**
 * A log is a sequence of segment files, `0000000000000001.log` and on. The header of a segment carries over what the
 * ones before it came to (term and vote, snapshot mark, last index), so that they can be dropped, and how long the
 * one before it is, all of which was durable when this one was made.
 */

import { randomBytes } from 'node:crypto';
import { closeSync, fstatSync, fsyncSync, openSync, readSync, renameSync, rmSync, writeSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { crc32 } from 'node:zlib';
import { HoldfastError } from '../errors.js';
import type { HardState, LogIndex, SnapshotMark } from '../raft/types.js';
import { ByteReader, ByteWriter } from './byte-cursor.js';
import { fileError, syncDirectory } from './durable-file.js';

/** What the header of a segment says. */
export interface SegmentHeader {
  readonly shard: number;
  /** 32 hex digits. */
  readonly clusterId: string;
  /** 1 for the first segment of a log. */
  readonly sequence: number;
  /** Random; the CRCs of the blocks start from it. */
  readonly salt: number;
  /** Last index of the log when the segment was made. */
  readonly lastIndex: LogIndex;
  readonly hardState: HardState;
  readonly mark: SnapshotMark;
  /** Length of the segment before, and the CRC of its last block. */
  readonly previousBytes: number;
  readonly previousCrc: number;
}

const MAGIC = Buffer.from('HOLDFLOG');
const VERSION = 1;
/** Bytes of a segment before its first block. */
export const segmentHeaderBytes = 112;
const CRC_OFFSET = segmentHeaderBytes - 4;

const fileName = /^([0-9]{16})\.log$/;
/** What a crash while a segment is made leaves behind. */
export const segmentLeftover = /^[0-9]{16}\.log\.tmp$/;

/** The sequence number in the name of a segment file, undefined for any other name. */
export function sequenceOf(name: string): number | undefined {
  const digits = fileName.exec(name)?.[1];
  return digits === undefined ? undefined : Number(digits);
}

/** Path of the segment with that sequence number. */
export function segmentPath(dir: string, sequence: number): string {
  return join(dir, `${String(sequence).padStart(16, '0')}.log`);
}

/** A salt for a new segment. */
export function newSalt(): number {
  return randomBytes(4).readUInt32LE();
}

function encodeHeader(header: SegmentHeader): Buffer {
  const bytes = new ByteWriter(segmentHeaderBytes)
    .bytes(MAGIC)
    .u16(VERSION)
    .u16(header.shard)
    .u32(header.salt)
    .bytes(Buffer.from(header.clusterId, 'hex'))
    .count(header.sequence)
    .count(header.lastIndex)
    .count(header.hardState.term)
    .u32(header.hardState.vote)
    .u32(header.previousCrc)
    .count(header.mark.index)
    .count(header.mark.term)
    .count(header.previousBytes)
    .bytes(Buffer.alloc(CRC_OFFSET - 88))
    .u32(0)
    .finish();
  bytes.writeUInt32LE(crc32(bytes.subarray(0, CRC_OFFSET)), CRC_OFFSET);
  return bytes;
}

/** The CRC that the first block of a segment is chained to. */
export function headerCrc(header: SegmentHeader): number {
  return encodeHeader(header).readUInt32LE(CRC_OFFSET);
}

/** @throws HoldfastError `CORRUPT` */
export function decodeHeader(path: string, file: Buffer): SegmentHeader {
  const corrupt = (reason: string): HoldfastError =>
    new HoldfastError('CORRUPT', `${path}, offset 0: ${reason}`);
  if (file.length < segmentHeaderBytes) throw corrupt('the header of the log file is cut short');
  if (!file.subarray(0, MAGIC.length).equals(MAGIC)) throw corrupt('not a log file');
  const reader = new ByteReader(file.subarray(MAGIC.length, segmentHeaderBytes));
  const version = reader.u16();
  if (file.readUInt32LE(CRC_OFFSET) !== crc32(file.subarray(0, CRC_OFFSET))) {
    throw corrupt('the header of the log file is damaged');
  }
  if (version !== VERSION)
    throw new HoldfastError('IO', `${path}: log version ${version}, this is for ${VERSION}`);
  const shard = reader.u16();
  const salt = reader.u32();
  const clusterId = reader.bytes(16).toString('hex');
  const sequence = reader.count();
  const lastIndex = reader.count();
  const hardState = { term: reader.count(), vote: reader.u32() };
  const previousCrc = reader.u32();
  const mark = { index: reader.count(), term: reader.count() };
  return {
    shard,
    salt,
    clusterId,
    sequence,
    lastIndex,
    hardState,
    previousCrc,
    mark,
    previousBytes: reader.count(),
  };
}

/** Makes a segment, durable with its name, and returns its descriptor, open for writing. */
export function createSegment(path: string, header: SegmentHeader): number {
  const temporary = `${path}.tmp`;
  let fd: number | undefined;
  try {
    fd = openSync(temporary, 'w+');
    writeSync(fd, encodeHeader(header));
    fsyncSync(fd);
    renameSync(temporary, path);
    syncDirectory(dirname(path));
    return fd;
  } catch (error) {
    if (fd !== undefined) closeSync(fd);
    rmSync(temporary, { force: true });
    throw fileError('make', path, error);
  }
}

/** The whole file, in a buffer that nothing else shares. */
export function readSegment(path: string): Buffer {
  let fd: number | undefined;
  try {
    fd = openSync(path, 'r');
    const bytes = Buffer.allocUnsafeSlow(fstatSync(fd).size);
    let filled = 0;
    while (filled < bytes.length) {
      const read = readSync(fd, bytes, filled, bytes.length - filled, filled);
      if (read === 0) break;
      filled += read;
    }
    return bytes.subarray(0, filled);
  } catch (error) {
    throw fileError('read', path, error);
  } finally {
    if (fd !== undefined) closeSync(fd);
  }
}
