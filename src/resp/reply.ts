/**
 * Reads a reply as the native side writes it for a request that went through the log (RESP3, with pairs as a push and the
 * null array of RESP2) into the value that a direct call would have given.
 */
import { HoldfastError } from '../errors.js';
import type { ReplyValue } from '../keyspace/native.js';

const LINE_END_BYTES = 2;

/** The value of one complete reply. `bytes`: bulks are Buffers (copies) instead of strings. */
export function decodeReply(resp: Buffer, bytes: boolean): ReplyValue {
  return new ReplyReader(resp, bytes).read();
}

/** The error of an error line: its first word is the code. */
export function errorOfLine(line: string): HoldfastError {
  const space = line.indexOf(' ');
  return new HoldfastError(space < 0 ? line : line.slice(0, space), line);
}

class ReplyReader {
  readonly #resp: Buffer;
  readonly #bytes: boolean;
  #at = 0;

  constructor(resp: Buffer, bytes: boolean) {
    this.#resp = resp;
    this.#bytes = bytes;
  }

  read(): ReplyValue {
    const kind = this.#resp[this.#at++];
    const line = this.#line();
    switch (kind) {
      case 0x2b: // +
        return line;
      case 0x2d: // -
        return errorOfLine(line);
      case 0x3a: // :
        return integer(line);
      case 0x24: // $
        return this.#bulk(Number(line));
      case 0x5f: // _
        return null;
      case 0x2c: // ,
        return double(line);
      case 0x23: // #
        return line === 't' ? 1 : 0;
      case 0x2a: // *
        return line === '-1' ? null : this.#array(Number(line));
      case 0x3e: // >
        return this.#array(Number(line));
      case 0x7e: // ~
        return new Set(this.#array(Number(line)));
      case 0x25: // %
        return this.#map(Number(line));
      default:
        throw new RangeError(`byte ${kind} does not begin a reply`);
    }
  }

  #line(): string {
    const end = this.#resp.indexOf('\r\n', this.#at, 'latin1');
    if (end < 0) throw new RangeError('a reply that ends in the middle of a line');
    const line = this.#resp.toString('utf8', this.#at, end);
    this.#at = end + LINE_END_BYTES;
    return line;
  }

  #bulk(length: number): string | Buffer | null {
    if (length < 0) return null;
    const start = this.#at;
    this.#at = start + length + LINE_END_BYTES;
    if (this.#at > this.#resp.length) throw new RangeError('a reply that ends in the middle of a bulk');
    if (this.#bytes) return Buffer.from(this.#resp.subarray(start, start + length));
    return this.#resp.toString('utf8', start, start + length);
  }

  #array(length: number): ReplyValue[] {
    const values: ReplyValue[] = [];
    for (let i = 0; i < length; i++) values.push(this.read());
    return values;
  }

  #map(length: number): Map<ReplyValue, ReplyValue> {
    const map = new Map<ReplyValue, ReplyValue>();
    for (let i = 0; i < length; i++) {
      const key = this.read();
      map.set(key, this.read());
    }
    return map;
  }
}

function integer(line: string): number | bigint {
  const value = Number(line);
  return Number.isSafeInteger(value) ? value : BigInt(line);
}

function double(line: string): number {
  if (line === 'inf') return Number.POSITIVE_INFINITY;
  if (line === '-inf') return Number.NEGATIVE_INFINITY;
  return Number(line);
}
