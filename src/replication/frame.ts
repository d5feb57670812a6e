/**
 * What travels on a connection between two processes:
 *
 *     u32 length of everything behind it | u8 version | u8 kind | u16 shard | u32 crc | body
 *
 * Little-endian. The CRC-32 covers kind, shard and body.
 */

import { crc32 } from 'node:zlib';
import { limits } from '../limits.js';
import { ByteWriter } from './byte-cursor.js';
import { protocolError } from './protocol-error.js';

/** Version of the frame format. A frame of another version ends the connection. */
export const frameVersion = 1;

/** What a frame is for. The numbers are on the wire: never reuse one. */
export const FrameKind = {
  /** First frame of each side: who it is, and its nonce. */
  hello: 1,
  /** Proof that the sender knows the secret. */
  auth: 2,
  /** Nothing to say, still here. */
  ping: 3,
  /** The sender is about to close, or refuses the receiver: a code and a sentence. */
  bye: 4,
  /** The beats of all shards that the sender leads. */
  beats: 5,
  /** Answers to beats. */
  beatReplies: 6,
  /** Any other message of one shard's group. */
  message: 7,
  /** Requests for the leader of a shard. */
  propose: 8,
  /** What became of them. */
  proposeReply: 9,
  snapshotOffer: 10,
  snapshotChunk: 11,
  snapshotAck: 12,
  statusRequest: 13,
  statusReply: 14,
  /** The record of how the cluster was founded, for a peer that does not have it. */
  founding: 15,
  /** A digest of a part of a shard's keys at an entry: to the leader, or back to a peer that differs. */
  digest: 16,
  /** Keys of a client that restores. */
  restore: 17,
  /** What became of them. */
  restored: 18,
  /** A client asks for a backup. */
  backup: 19,
  /** How far the backup is, how large it is, or why there is none. */
  backupNotice: 20,
  /** A piece of it. */
  backupChunk: 21,
  /** The client has written pieces and has room for as many more. */
  backupCredit: 22,
} as const;
export type FrameKind = (typeof FrameKind)[keyof typeof FrameKind];

const kinds: ReadonlySet<number> = new Set(Object.values(FrameKind));

/** The shard field of a frame that concerns no shard, or all of them. */
export const noShard = 0xffff;

/** A frame that came in. `body` is a view of the bytes read from the socket. */
export interface Frame {
  readonly kind: FrameKind;
  /** {@link noShard} if it concerns none. */
  readonly shard: number;
  readonly body: Buffer;
}

const LENGTH_BYTES = 4;
/** Bytes of a frame before its body. */
export const frameHeaderBytes = 12;
const CRC_OFFSET = 8;
const SEALED_OFFSET = 5;

/** Starts a frame with a body of exactly `bodyBytes`. Write the body, then call {@link endFrame}. */
export function beginFrame(kind: FrameKind, shard: number, bodyBytes: number): ByteWriter {
  const frameBytes = frameHeaderBytes + bodyBytes;
  if (frameBytes > limits.frameBytesMax) {
    throw new RangeError(`a frame of ${frameBytes} bytes is over the limit of ${limits.frameBytesMax}`);
  }
  return new ByteWriter(frameBytes)
    .u32(frameBytes - LENGTH_BYTES)
    .u8(frameVersion)
    .u8(kind)
    .u16(shard)
    .u32(0);
}

/** Puts in the checksum. The result goes to a socket as it is. */
export function endFrame(writer: ByteWriter): Buffer {
  const frame = writer.finish();
  frame.writeUInt32LE(checksum(frame), CRC_OFFSET);
  return frame;
}

/** A frame around a body that is there already. */
export function encodeFrame(kind: FrameKind, shard: number, body: Uint8Array): Buffer {
  return endFrame(beginFrame(kind, shard, body.length).bytes(body));
}

function checksum(frame: Buffer): number {
  const head = crc32(frame.subarray(SEALED_OFFSET, CRC_OFFSET));
  return crc32(frame.subarray(frameHeaderBytes), head);
}

/**
 * Cuts a stream of bytes into frames. A frame that lies in one chunk is handed out as a view of it; one that is
 * spread over several is copied together once, when its last byte is there. Memory is bounded by what has arrived and
 * by the limit, never by what a length claims.
 */
export class FrameDecoder {
  readonly #peer: () => string;
  #frameBytesMax: number;
  #chunks: Buffer[] = [];
  #pendingBytes = 0;
  /** Bytes that the frame at hand needs, or, while its length is not known, those of the length. */
  #neededBytes = LENGTH_BYTES;

  /** `peer` is named in errors. */
  constructor(peer: string | (() => string), frameBytesMax: number) {
    this.#peer = typeof peer === 'string' ? () => peer : peer;
    this.#frameBytesMax = frameBytesMax;
  }

  /** Raises the limit, when the sender has proved who it is. */
  allow(frameBytesMax: number): void {
    this.#frameBytesMax = frameBytesMax;
  }

  /**
   * Takes the next bytes and hands out each frame that they complete.
   *
   * @throws HoldfastError `PROTOCOL`: the stream is malformed from here on, and the decoder must not be used again.
   */
  push(chunk: Buffer, onFrame: (frame: Frame) => void): void {
    let rest = chunk;
    while (rest.length > 0) {
      const frame = this.#take(rest);
      if (frame === undefined) return;
      rest = frame.rest;
      onFrame(this.#open(frame.bytes));
    }
  }

  /** One whole frame from what was kept and `chunk`, or undefined when all of `chunk` had to be kept. */
  #take(chunk: Buffer): { bytes: Buffer; rest: Buffer } | undefined {
    for (;;) {
      const missing = this.#neededBytes - this.#pendingBytes;
      if (chunk.length < missing) {
        this.#chunks.push(chunk);
        this.#pendingBytes += chunk.length;
        return undefined;
      }
      if (this.#neededBytes > LENGTH_BYTES) {
        return { bytes: this.#joined(chunk.subarray(0, missing)), rest: chunk.subarray(missing) };
      }
      this.#neededBytes = this.#frameBytes(chunk.subarray(0, missing));
    }
  }

  #joined(last: Buffer): Buffer {
    const bytes = this.#chunks.length === 0 ? last : Buffer.concat([...this.#chunks, last]);
    this.#chunks = [];
    this.#pendingBytes = 0;
    this.#neededBytes = LENGTH_BYTES;
    return bytes;
  }

  #frameBytes(last: Buffer): number {
    const length = this.#chunks.length === 0 ? last : Buffer.concat([...this.#chunks, last]);
    const frameBytes = length.readUInt32LE(0) + LENGTH_BYTES;
    if (frameBytes < frameHeaderBytes) throw protocolError(`a frame of ${frameBytes} bytes`, this.#peer());
    if (frameBytes > this.#frameBytesMax) {
      throw protocolError(
        `a frame of ${frameBytes} bytes, the limit is ${this.#frameBytesMax}`,
        this.#peer(),
      );
    }
    return frameBytes;
  }

  #open(bytes: Buffer): Frame {
    const version = bytes.readUInt8(LENGTH_BYTES);
    if (version !== frameVersion) {
      throw protocolError(`frame version ${version}, this process speaks ${frameVersion}`, this.#peer());
    }
    if (bytes.readUInt32LE(CRC_OFFSET) !== checksum(bytes)) {
      throw protocolError('the checksum of a frame differs', this.#peer());
    }
    const kind = bytes.readUInt8(SEALED_OFFSET);
    if (!isKind(kind)) throw protocolError(`frame kind ${kind} is unknown`, this.#peer());
    return { kind, shard: bytes.readUInt16LE(SEALED_OFFSET + 1), body: bytes.subarray(frameHeaderBytes) };
  }
}

function isKind(kind: number): kind is FrameKind {
  return kinds.has(kind);
}
