import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { limits } from '../../src/limits.js';
import {
  encodeFrame,
  type Frame,
  FrameDecoder,
  FrameKind,
  frameHeaderBytes,
} from '../../src/replication/frame.js';

function decode(chunks: readonly Uint8Array[], frameBytesMax: number = limits.frameBytesMax): Frame[] {
  const frames: Frame[] = [];
  const decoder = new FrameDecoder('peer b', frameBytesMax);
  for (const chunk of chunks) decoder.push(Buffer.from(chunk), (frame) => frames.push(frame));
  return frames;
}

const oneByOne = (bytes: Uint8Array): Uint8Array[] => Array.from(bytes, (byte) => Uint8Array.of(byte));
const sample = encodeFrame(FrameKind.propose, 3, Buffer.from('requests'));

describe('frames', () => {
  it('come out as they went in, whatever the chunks', () => {
    const frame = fc.record({
      kind: fc.constantFrom(...Object.values(FrameKind)),
      shard: fc.nat({ max: 0xffff }),
      body: fc.uint8Array({ maxLength: 300 }),
    });
    fc.assert(
      fc.property(fc.array(frame, { maxLength: 6 }), fc.array(fc.nat({ max: 2_000 })), (frames, cuts) => {
        const stream = Buffer.concat(frames.map(({ kind, shard, body }) => encodeFrame(kind, shard, body)));
        const places = [...new Set([0, ...cuts.map((cut) => cut % (stream.length + 1)), stream.length])];
        places.sort((a, b) => a - b);
        const chunks = places.slice(1).map((end, i) => stream.subarray(places[i], end));
        const expected = frames.map(({ kind, shard, body }) => ({ kind, shard, body: Buffer.from(body) }));
        expect(decode(chunks)).toEqual(expected);
        expect(decode(oneByOne(stream))).toEqual(expected);
      }),
    );
  });

  it('are views of the chunk they lie in', () => {
    const [frame] = [encodeFrame(FrameKind.ping, 0, Buffer.from('abc'))];
    const decoder = new FrameDecoder('peer b', limits.frameBytesMax);
    const chunk = Buffer.concat([frame, frame]);
    const seen: Frame[] = [];
    decoder.push(chunk, (f) => seen.push(f));
    expect(seen.map(({ body }) => body.buffer)).toEqual([chunk.buffer, chunk.buffer]);
  });

  it('refuse every flipped bit behind the length', () => {
    for (let bit = 32; bit < sample.length * 8; bit += 1) {
      const damaged = Buffer.from(sample);
      damaged[bit >> 3] = (damaged[bit >> 3] ?? 0) ^ (1 << (bit & 7));
      expect(() => decode([damaged]), `bit ${bit}`).toThrow(/^peer b: /);
    }
  });

  it.each([
    ['too long', Buffer.from([0xff, 0xff, 0xff, 0x7f]), /the limit is/],
    ['too short', Buffer.from([3, 0, 0, 0]), /a frame of 7 bytes/],
    [
      'of another version',
      Buffer.concat([sample.subarray(0, 4), Buffer.of(9), sample.subarray(5)]),
      /version 9/,
    ],
    ['HTTP', Buffer.from('GET / HTTP/1.1\r\n\r\n'), /the limit is/],
  ])('that are %s name peer and reason', (_name, bytes, reason) => {
    for (const chunks of [[bytes], oneByOne(bytes)]) {
      expect(() => decode(chunks, limits.handshakeFrameBytesMax)).toThrow(
        expect.objectContaining({ code: 'PROTOCOL', message: expect.stringMatching(reason) }),
      );
    }
  });

  it('have a limit that counts the whole frame, and can be raised', () => {
    expect(decode([sample], sample.length)).toHaveLength(1);
    expect(() => decode([sample], sample.length - 1)).toThrow(/the limit is/);
    const decoder = new FrameDecoder('peer b', frameHeaderBytes);
    decoder.allow(sample.length);
    let frames = 0;
    decoder.push(sample, () => {
      frames += 1;
    });
    expect(frames).toBe(1);
  });

  it('allocate nothing for a length that is only claimed', () => {
    const claim = Buffer.alloc(4);
    claim.writeUInt32LE(limits.frameBytesMax - 4);
    const before = process.memoryUsage().arrayBuffers;
    expect(decode([claim, Buffer.alloc(100)])).toEqual([]);
    expect(process.memoryUsage().arrayBuffers - before).toBeLessThan(1024 * 1024);
  });
});
