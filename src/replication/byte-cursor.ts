import { protocolError } from './protocol-error.js';

const HIGH_WORD = 2 ** 32;

/**
 * Writes little-endian fields into a buffer of exactly the size announced. The buffer is never shared with others (no
 * pool), so that it may be transferred to another thread.
 */
export class ByteWriter {
  readonly #bytes: Buffer;
  #offset = 0;

  constructor(sizeBytes: number) {
    this.#bytes = Buffer.allocUnsafeSlow(sizeBytes);
  }

  u8(value: number): this {
    this.#offset = this.#bytes.writeUInt8(value, this.#offset);
    return this;
  }

  u16(value: number): this {
    this.#offset = this.#bytes.writeUInt16LE(value, this.#offset);
    return this;
  }

  u32(value: number): this {
    this.#offset = this.#bytes.writeUInt32LE(value, this.#offset);
    return this;
  }

  /** A whole number from 0 to 2^53 - 1, in eight bytes. */
  count(value: number): this {
    if (!Number.isSafeInteger(value) || value < 0) throw new RangeError(`not a count: ${value}`);
    return this.u32(value % HIGH_WORD).u32(Math.floor(value / HIGH_WORD));
  }

  f64(value: number): this {
    this.#offset = this.#bytes.writeDoubleLE(value, this.#offset);
    return this;
  }

  bytes(value: Uint8Array): this {
    this.#bytes.set(value, this.#offset);
    this.#offset += value.length;
    return this;
  }

  /** The whole buffer, which must be full. */
  finish(): Buffer {
    if (this.#offset !== this.#bytes.length) {
      throw new Error(`announced ${this.#bytes.length} bytes, wrote ${this.#offset}`);
    }
    return this.#bytes;
  }
}

/** Reads what {@link ByteWriter} wrote. Whatever does not fit is a `PROTOCOL` error, never a crash. */
export class ByteReader {
  readonly #bytes: Buffer;
  #offset = 0;

  constructor(bytes: Uint8Array) {
    this.#bytes = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  }

  get remaining(): number {
    return this.#bytes.length - this.#offset;
  }

  u8(): number {
    return this.#bytes.readUInt8(this.#take(1));
  }

  u16(): number {
    return this.#bytes.readUInt16LE(this.#take(2));
  }

  u32(): number {
    return this.#bytes.readUInt32LE(this.#take(4));
  }

  count(): number {
    const low = this.u32();
    const value = this.u32() * HIGH_WORD + low;
    if (!Number.isSafeInteger(value)) throw protocolError('a number is beyond 2^53');
    return value;
  }

  f64(): number {
    const value = this.#bytes.readDoubleLE(this.#take(8));
    if (!Number.isFinite(value)) throw protocolError('a time is not a finite number');
    return value;
  }

  flag(): boolean {
    const value = this.u8();
    if (value > 1) throw protocolError(`a flag is ${value}`);
    return value === 1;
  }

  /** A view, not a copy. */
  bytes(length: number): Buffer {
    const start = this.#take(length);
    return this.#bytes.subarray(start, start + length);
  }

  /** Everything that is left, as a view. */
  rest(): Buffer {
    return this.bytes(this.remaining);
  }

  /** Fails unless everything was read. */
  finish(): void {
    if (this.remaining !== 0) throw protocolError(`${this.remaining} bytes too many`);
  }

  #take(length: number): number {
    if (length > this.remaining) throw protocolError(`${length - this.remaining} bytes too few`);
    const start = this.#offset;
    this.#offset += length;
    return start;
  }
}
