import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { type Frame, FrameDecoder, FrameKind, noShard } from '../../src/replication/frame.js';
import {
  decodeBeatReplies,
  decodeBeats,
  decodeMessage,
  encodeBeatReplies,
  encodeBeats,
  encodeMessage,
} from '../../src/replication/message-codec.js';
import { isProtocolError } from '../../src/replication/protocol-error.js';
import {
  decodeSnapshotAck,
  decodeSnapshotChunk,
  decodeSnapshotOffer,
  encodeSnapshotAck,
  encodeSnapshotChunk,
  encodeSnapshotOffer,
} from '../../src/replication/snapshot-codec.js';
import { beat, beatReply, message } from './messages.js';

function only(bytes: Buffer): Frame {
  const frames: Frame[] = [];
  new FrameDecoder('peer', bytes.length).push(bytes, (frame) => frames.push(frame));
  expect(frames).toHaveLength(1);
  return frames[0] as Frame;
}

const shard = fc.nat({ max: 63 });

describe('messages', () => {
  it('come out as they went in', () => {
    fc.assert(
      fc.property(shard, message, (group, sent) => {
        const frame = only(encodeMessage(group, sent));
        expect(frame.kind).toBe(FrameKind.message);
        expect(frame.shard).toBe(group);
        expect(decodeMessage(frame.body)).toEqual(sent);
      }),
      { numRuns: 500 },
    );
  });

  it('cut short at any byte, or with one too many, are refused', () => {
    fc.assert(
      fc.property(message, (sent) => {
        const { body } = only(encodeMessage(0, sent));
        for (let length = 0; length < body.length; length += 1) {
          expect(() => decodeMessage(body.subarray(0, length))).toThrow(/bytes too few/);
        }
        expect(() => decodeMessage(Buffer.concat([body, Buffer.of(0)]))).toThrow(/too many/);
      }),
      { numRuns: 50 },
    );
  });

  it('made of noise end in an error of the protocol and in nothing else', () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 300 }), fc.integer({ min: 1, max: 13 }), (noise, type) => {
        for (const read of [decodeMessage, decodeBeats, decodeBeatReplies]) {
          try {
            read(Buffer.concat([Buffer.of(type), noise]));
          } catch (error) {
            expect(isProtocolError(error), String(error)).toBe(true);
          }
        }
      }),
      { numRuns: 1_000 },
    );
  });

  it('that are beats share one frame', () => {
    fc.assert(
      fc.property(
        fc.array(fc.record({ shard, message: beat }), { maxLength: 64 }),
        fc.array(fc.record({ shard, message: beatReply }), { maxLength: 64 }),
        (beats, replies) => {
          const frame = only(encodeBeats(beats));
          expect([frame.kind, frame.shard]).toEqual([FrameKind.beats, noShard]);
          expect(decodeBeats(frame.body)).toEqual(beats);
          expect(decodeBeatReplies(only(encodeBeatReplies(replies)).body)).toEqual(replies);
        },
      ),
    );
  });

  it('of another type are not let in among beats', () => {
    const reply = {
      type: 'beatReply',
      from: 1,
      to: 2,
      term: 3,
      sentAt: 1,
      readRound: 1,
      repliedAt: 1,
    } as const;
    const { body } = only(encodeBeatReplies([{ shard: 0, message: reply }]));
    expect(() => decodeBeats(body)).toThrow(/beatReply among beats/);
  });

  it('with a gap between entries are refused', () => {
    const entry = { term: 1, kind: 'batch', data: Buffer.from('x') } as const;
    const append = {
      type: 'append',
      from: 1,
      to: 2,
      term: 1,
      prevIndex: 0,
      prevTerm: 0,
      commit: 0,
      sentAt: 0,
    } as const;
    const { body } = only(
      encodeMessage(0, { ...append, entries: [1, 3].map((index) => ({ index, ...entry })) }),
    );
    expect(() => decodeMessage(body)).toThrow(/entry 3 follows entry 1/);
  });

  it('cannot carry what is not a number of the protocol', () => {
    const timeoutNow = { type: 'timeoutNow', from: 1, to: 2 } as const;
    for (const term of [-1, 0.5, Number.NaN, 2 ** 53]) {
      expect(() => encodeMessage(0, { ...timeoutNow, term })).toThrow(RangeError);
    }
  });
});

describe('snapshot frames', () => {
  it('come out as they went in', () => {
    const data = Buffer.from('rdb bytes');
    const offer = {
      transfer: 7,
      from: 2,
      term: 3,
      mark: { index: 100, term: 2 },
      sizeBytes: 2 ** 40,
      header: data,
    };
    expect(decodeSnapshotOffer(only(encodeSnapshotOffer(1, offer)).body)).toEqual(offer);
    const chunk = { transfer: 7, offset: 2 ** 33, last: true, data };
    expect(decodeSnapshotChunk(only(encodeSnapshotChunk(1, chunk)).body)).toEqual(chunk);
    for (const state of ['going', 'done', 'refused'] as const) {
      const ack = {
        transfer: 7,
        offset: 9,
        creditBytes: 1024,
        state,
        reason: state === 'refused' ? 'older' : '',
      };
      expect(decodeSnapshotAck(only(encodeSnapshotAck(1, ack)).body)).toEqual(ack);
    }
  });
});
