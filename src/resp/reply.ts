/**
 * Reads a reply as the native side writes it for a request that went through the log (RESP3, with pairs as a push, replies
 * by key as an attribute, and the null array of RESP2) into the value that a direct call would have given.
 */
import { HoldfastError } from '../errors.js';
import type { ReplyValue } from '../keyspace/native.js';

const LINE_END_BYTES = 2;
const CARRIAGE_RETURN = 0x0d;
const LINE_FEED = 0x0a;
const SMALL_DIGITS_MAX = 15;

/** The value of one complete reply, which begins at `start`. `bytes`: bulks are Buffers (copies) instead of strings. */
export function decodeReply(resp: Buffer, bytes: boolean, start = 0): ReplyValue {
  if (isOk(resp, start)) return 'OK';
  return smallInteger(resp, start) ?? new ReplyReader(resp, bytes, start).read();
}

/** The reply of most writes. */
function isOk(resp: Buffer, at: number): boolean {
  return (
    resp[at] === 0x2b && resp[at + 1] === 0x4f && resp[at + 2] === 0x4b && resp[at + 3] === CARRIAGE_RETURN
  );
}

/** A count, the reply of most others: read without a string in between. undefined: something else. */
function smallInteger(resp: Buffer, start: number): number | undefined {
  if (resp[start] !== 0x3a) return undefined;
  let value = 0;
  for (let at = start + 1; at <= start + SMALL_DIGITS_MAX + 1; at++) {
    const digit = (resp[at] ?? 0) - 0x30;
    if (digit >= 0 && digit <= 9) value = value * 10 + digit;
    else return resp[at] === CARRIAGE_RETURN && at > start + 1 ? value : undefined;
  }
  return undefined;
}

/** The error of an error line: its first word is the code. */
export function errorOfLine(line: string): HoldfastError {
  const space = line.indexOf(' ');
  return new HoldfastError(space < 0 ? line : line.slice(0, space), line);
}

class ReplyReader {
  readonly #resp: Buffer;
  readonly #bytes: boolean;
  #at: number;

  constructor(resp: Buffer, bytes: boolean, start: number) {
    this.#resp = resp;
    this.#bytes = bytes;
    this.#at = start;
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
      case 0x7c: // |
        return this.#pairs(Number(line));
      case 0x25: // %
        return this.#map(Number(line));
      default:
        throw new RangeError(`byte ${kind} does not begin a reply`);
    }
  }

  #line(): string {
    let end = this.#at;
    while (this.#resp[end] !== CARRIAGE_RETURN || this.#resp[end + 1] !== LINE_FEED) {
      if (++end >= this.#resp.length) throw new RangeError('a reply that ends in the middle of a line');
    }
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

  #pairs(length: number): ReplyValue[] {
    const pairs: ReplyValue[] = [];
    for (let i = 0; i < length; i++) pairs.push(this.#array(2));
    return pairs;
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
