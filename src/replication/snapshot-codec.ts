/**
 * Snapshots on their way from a leader to a follower: offered, sent in chunks with credit, acknowledged (rule S4).
 */

import type { MemberId, SnapshotMark, Term } from '../raft/types.js';
import { ByteReader } from './byte-cursor.js';
import { beginFrame, endFrame, FrameKind } from './frame.js';

/** Announces a snapshot. A newer offer of the same leader ends the transfer before it. */
export interface SnapshotOffer {
  /** Names the transfer in chunks and acknowledgements. Never reused by a run of a process. */
  readonly transfer: number;
  /** The leader and its term. */
  readonly from: MemberId;
  readonly term: Term;
  readonly mark: SnapshotMark;
  /** Bytes of the snapshot, 0 if not known beforehand. */
  readonly sizeBytes: number;
  /** Whatever else the owner wants the follower to know. */
  readonly header: Uint8Array;
}

/** A piece of a snapshot. */
export interface SnapshotChunk {
  readonly transfer: number;
  /** Place of `data` in the snapshot. Chunks come in order and without gaps. */
  readonly offset: number;
  /** Nothing follows. */
  readonly last: boolean;
  readonly data: Uint8Array;
}

/** The follower's word on a transfer. */
export interface SnapshotAck {
  readonly transfer: number;
  /** Bytes received so far, without gaps. */
  readonly offset: number;
  /** How many bytes behind `offset` may be sent. */
  readonly creditBytes: number;
  /** `going`: send on. `done`: all is there and durable. `refused`: stop; the reason says why. */
  readonly state: SnapshotAckState;
  readonly reason: string;
}
export type SnapshotAckState = 'going' | 'done' | 'refused';

const ackStates = ['going', 'done', 'refused'] as const;

/** A frame with an offer. */
export function encodeSnapshotOffer(shard: number, offer: SnapshotOffer): Buffer {
  const writer = beginFrame(FrameKind.snapshotOffer, shard, 8 + 2 + 8 + 16 + 8 + offer.header.length)
    .count(offer.transfer)
    .u16(offer.from)
    .count(offer.term)
    .count(offer.mark.index)
    .count(offer.mark.term)
    .count(offer.sizeBytes)
    .bytes(offer.header);
  return endFrame(writer);
}

/** @throws HoldfastError `PROTOCOL` */
export function decodeSnapshotOffer(body: Uint8Array): SnapshotOffer {
  const reader = new ByteReader(body);
  return {
    transfer: reader.count(),
    from: reader.u16(),
    term: reader.count(),
    mark: { index: reader.count(), term: reader.count() },
    sizeBytes: reader.count(),
    header: reader.rest(),
  };
}

/** A frame with a chunk, whose data is copied into it. */
export function encodeSnapshotChunk(shard: number, chunk: SnapshotChunk): Buffer {
  const writer = beginFrame(FrameKind.snapshotChunk, shard, 8 + 8 + 1 + chunk.data.length)
    .count(chunk.transfer)
    .count(chunk.offset)
    .u8(chunk.last ? 1 : 0)
    .bytes(chunk.data);
  return endFrame(writer);
}

/** @throws HoldfastError `PROTOCOL` */
export function decodeSnapshotChunk(body: Uint8Array): SnapshotChunk {
  const reader = new ByteReader(body);
  return { transfer: reader.count(), offset: reader.count(), last: reader.flag(), data: reader.rest() };
}

/** A frame with an acknowledgement. */
export function encodeSnapshotAck(shard: number, ack: SnapshotAck): Buffer {
  const reason = Buffer.from(ack.reason);
  const writer = beginFrame(FrameKind.snapshotAck, shard, 8 + 8 + 8 + 1 + reason.length)
    .count(ack.transfer)
    .count(ack.offset)
    .count(ack.creditBytes)
    .u8(ackStates.indexOf(ack.state))
    .bytes(reason);
  return endFrame(writer);
}

/** @throws HoldfastError `PROTOCOL` */
export function decodeSnapshotAck(body: Uint8Array): SnapshotAck {
  const reader = new ByteReader(body);
  const transfer = reader.count();
  const offset = reader.count();
  const creditBytes = reader.count();
  // A state of a later version stops the transfer, which is safe whatever it means.
  const state = ackStates[reader.u8()] ?? 'refused';
  return { transfer, offset, creditBytes, state, reason: reader.rest().toString() };
}
