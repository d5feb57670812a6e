/**
 * Reads the requests of a client as they come in, in pieces of any size: arrays of bulks, or inline commands. Errors are worded as
 * in Redis; behind one there is no telling where the next request begins, so the connection has to end.
 */
import { limits } from '../limits.js';
import { splitInline } from './inline.js';
import { ProtocolError } from './protocol-error.js';

const STAR = 0x2a;
const DOLLAR = 0x24;
const LINE_FEED = 0x0a;
const CARRIAGE_RETURN = 0x0d;
const ZERO = 0x30;
const NINE = 0x39;
const MINUS = 0x2d;
const LINE_END_BYTES = 2;
/** Ten digits hold every length that is allowed. */
const DIGITS_MAX = 10;

/** The parser of one connection. */
export class RequestParser {
  #buffer: Buffer = Buffer.alloc(0);
  /** How much of `#buffer` has been read. */
  #at = 0;
  /** What came in behind `#buffer`: joined when there is enough to go on, so that a large bulk is copied once. */
  #behind: Buffer[] = [];
  #behindBytes = 0;
  /** Unread bytes below which going on would be in vain. */
  #needed = 1;
  /** Words of the request that has begun, and how many it will have; 0 between requests. */
  #words: Buffer[] = [];
  #wordsWanted = 0;
  #requestBytes = 0;
  /** Length of the bulk whose header has been read, or -1. */
  #bulkBytes = -1;

  /** Takes the next piece. It must not change afterwards. */
  push(piece: Buffer): void {
    if (this.#at === this.#buffer.length && this.#behindBytes === 0) {
      this.#buffer = piece;
      this.#at = 0;
      return;
    }
    this.#behind.push(piece);
    this.#behindBytes += piece.length;
  }

  /**
   * The words of the next request, at least one, or undefined if it is not complete.
   *
   * @throws ProtocolError if it is none. There is nothing to be read behind it.
   */
  next(): Buffer[] | undefined {
    for (;;) {
      if (!this.#enough()) return undefined;
      if (this.#wordsWanted > 0) {
        if (!this.#readWord()) return undefined;
        if (this.#words.length === this.#wordsWanted) return this.#take();
      } else if (this.#buffer[this.#at] === STAR) {
        if (!this.#readHeader()) return undefined;
      } else {
        const line = this.#line(LINE_FEED, 'too big inline request');
        if (line === undefined) return undefined;
        const words = splitInline(line);
        if (words.length > 0) return words;
      }
    }
  }

  /** Whether the unread bytes can be enough; joins the pieces if so. */
  #enough(): boolean {
    const unread = this.#buffer.length - this.#at;
    if (unread >= this.#needed) return true;
    if (unread + this.#behindBytes < this.#needed) return false;
    this.#buffer = Buffer.concat([this.#buffer.subarray(this.#at), ...this.#behind]);
    this.#at = 0;
    this.#behind = [];
    this.#behindBytes = 0;
    return true;
  }

  /** Asks for more bytes than there are. */
  #starve(bytes: number): boolean {
    this.#needed = bytes;
    return this.#enough();
  }

  #readHeader(): boolean {
    const line = this.#line(CARRIAGE_RETURN, 'too big mbulk count string');
    if (line === undefined) return false;
    const words = lengthIn(line.subarray(1), limits.respRequestWordsMax);
    if (words === undefined) throw new ProtocolError('invalid multibulk length');
    // As in Redis an empty request, or none at all, is passed over.
    this.#wordsWanted = Math.max(words, 0);
    return true;
  }

  #readWord(): boolean {
    if (this.#bulkBytes < 0 && !this.#readBulkHeader()) return false;
    const end = this.#at + this.#bulkBytes;
    if (this.#buffer.length < end + LINE_END_BYTES) {
      const more = this.#starve(this.#bulkBytes + LINE_END_BYTES);
      return more && this.#readWord();
    }
    if (this.#buffer[end] !== CARRIAGE_RETURN || this.#buffer[end + 1] !== LINE_FEED) {
      throw new ProtocolError('expected CRLF behind a bulk');
    }
    this.#words.push(this.#buffer.subarray(this.#at, end));
    this.#at = end + LINE_END_BYTES;
    this.#bulkBytes = -1;
    this.#needed = 1;
    return true;
  }

  #readBulkHeader(): boolean {
    const kind = this.#buffer[this.#at] ?? 0;
    if (kind !== DOLLAR) throw new ProtocolError(`expected '$', got '${printable(kind)}'`);
    const line = this.#line(CARRIAGE_RETURN, 'too big bulk count string');
    if (line === undefined) return false;
    const length = lengthIn(line.subarray(1), limits.respBulkBytesMax);
    if (length === undefined || length < 0) throw new ProtocolError('invalid bulk length');
    this.#requestBytes += length;
    if (this.#requestBytes > limits.respRequestBytesMax) throw new ProtocolError('too big request');
    this.#bulkBytes = length;
    return true;
  }

  /** The unread bytes before the end of the line, which is read with them. */
  #line(end: number, tooBig: string): Buffer | undefined {
    const start = this.#at;
    const found = this.#buffer.indexOf(end, start);
    const behind = end === LINE_FEED ? found + 1 : found + LINE_END_BYTES;
    if (found < 0 || behind > this.#buffer.length) {
      const unread = this.#buffer.length - start;
      if (unread > limits.respLineBytesMax) throw new ProtocolError(tooBig);
      return this.#starve(unread + 1) ? this.#line(end, tooBig) : undefined;
    }
    if (found - start > limits.respLineBytesMax) throw new ProtocolError(tooBig);
    if (end === CARRIAGE_RETURN && this.#buffer[found + 1] !== LINE_FEED) {
      throw new ProtocolError('expected CRLF at the end of a line');
    }
    this.#at = behind;
    this.#needed = 1;
    return this.#buffer.subarray(start, found);
  }

  #take(): Buffer[] {
    const words = this.#words;
    this.#words = [];
    this.#wordsWanted = 0;
    this.#requestBytes = 0;
    return words;
  }
}

/** A decimal integer as Redis reads one, not above `max`; undefined if it is none. What is below 0 is -1. */
function lengthIn(digits: Buffer, max: number): number | undefined {
  const negative = digits[0] === MINUS;
  const first = negative ? 1 : 0;
  const count = digits.length - first;
  if (count < 1 || count > DIGITS_MAX || (digits[first] === ZERO && (negative || count > 1)))
    return undefined;
  let value = 0;
  for (let i = first; i < digits.length; i++) {
    const digit = digits[i] ?? 0;
    if (digit < ZERO || digit > NINE) return undefined;
    value = value * 10 + digit - ZERO;
  }
  if (negative) return -1;
  return value <= max ? value : undefined;
}

function printable(byte: number): string {
  return byte >= 0x20 && byte < 0x7f ? String.fromCharCode(byte) : ' ';
}
