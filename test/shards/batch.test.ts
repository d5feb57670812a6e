import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { decodeOutcomes, encodeBatch, encodeRun, RequestWriter, stampOf } from '../../src/shards/batch.js';

const resp = (words: (string | Buffer)[]): string =>
  `*${words.length}\r\n${words.map((w) => `$${Buffer.byteLength(w)}\r\n${w.toString()}\r\n`).join('')}`;

describe('requests on their way to the log', () => {
  it('are RESP arrays behind their length', () => {
    const writer = new RequestWriter();
    writer.write(['SET', 'ключ', 'v', 12, 34n, Buffer.from([1, 2])]);
    const taken = Buffer.from(writer.take());
    expect(taken.readUInt32LE(0)).toBe(taken.length - 4);
    expect(taken.subarray(4).toString()).toBe(resp(['SET', 'ключ', 'v', '12', '34', Buffer.from([1, 2])]));
  });

  it('keep any words apart', () => {
    fc.assert(
      fc.property(fc.array(fc.array(fc.string({ unit: 'grapheme' }), { minLength: 1 })), (requests) => {
        const writer = new RequestWriter();
        for (const words of requests) writer.write(words);
        expect(writer.count).toBe(requests.length);
        const taken = Buffer.from(writer.take());
        let at = 0;
        for (const words of requests) {
          const length = taken.readUInt32LE(at);
          expect(taken.subarray(at + 4, at + 4 + length).toString()).toBe(resp(words));
          at += 4 + length;
        }
        expect(at).toBe(taken.length);
      }),
    );
  });

  it('stand between MULTI and EXEC where they are one', () => {
    const writer = new RequestWriter();
    writer.writeTransaction([
      ['INCR', 'a'],
      ['INCR', 'b'],
    ]);
    expect(writer.count).toBe(1);
    const expected = resp(['MULTI']) + resp(['INCR', 'a']) + resp(['INCR', 'b']) + resp(['EXEC']);
    expect(Buffer.from(writer.take()).subarray(4).toString()).toBe(expected);
  });

  it('carry stamps and numbers beyond 32 bits', () => {
    const session = 0xabcd_1234_5678;
    const run = encodeRun({ session, firstSeq: 5_000_000_000, lowestUnacked: 4_999_999_999, count: 0 }, []);
    expect(run.readBigUInt64LE(0)).toBe(BigInt(session));
    expect(run.readBigUInt64LE(8)).toBe(5_000_000_000n);
    expect(run.readBigUInt64LE(16)).toBe(4_999_999_999n);
    expect(stampOf(encodeBatch(1_700_000_000_123, [1, 2], [run]))).toBe(1_700_000_000_123);
  });
});

describe('outcomes', () => {
  it('are read one after the other', () => {
    const bytes = Buffer.alloc(13 + 3 + 13);
    bytes.writeBigUInt64LE(7n, 1);
    bytes.writeUInt32LE(3, 9);
    bytes.write(':1\n', 13);
    bytes[16] = 2;
    bytes.writeBigUInt64LE(6_000_000_000n, 17);
    const outcomes = [...decodeOutcomes(bytes)];
    expect(outcomes).toEqual([
      { kind: 'reply', seq: 7, replyAt: 13, replyEnd: 16 },
      { kind: 'gap', seq: 6_000_000_000, replyAt: 29, replyEnd: 29 },
    ]);
  });
});
