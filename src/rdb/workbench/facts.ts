/**
 * What the native part says of a file, and is told to write: facts, one after the other. A fact is a tag of one byte and what the tag
 * asks for; numbers are little endian, bytes stand behind their length of four. The other side is `native/src/rdb/workbench/facts.rs`.
 */

/** Tags. */
export const FACT = {
  header: 1,
  aux: 2,
  function: 3,
  key: 4,
  string: 5,
  element: 6,
  pair: 7,
  expiringPair: 8,
  scored: 9,
  entry: 10,
  endEntry: 11,
  streamHead: 12,
  group: 13,
  pending: 14,
  consumer: 15,
  owned: 16,
  module: 17,
  endKey: 18,
  end: 19,
} as const;

/** Flags of a key. */
export const KEY_FLAG = { expiry: 1, idle: 2, freq: 4 } as const;

/** Reads facts. */
export class FactReader {
  readonly #bytes: Buffer;
  #at = 0;

  constructor(bytes: Buffer) {
    this.#bytes = bytes;
  }

  get isAtEnd(): boolean {
    return this.#at >= this.#bytes.length;
  }

  u8(): number {
    return this.#bytes.readUInt8(this.#moved(1));
  }

  u16(): number {
    return this.#bytes.readUInt16LE(this.#moved(2));
  }

  u32(): number {
    return this.#bytes.readUInt32LE(this.#moved(4));
  }

  i64(): number {
    return Number(this.#bytes.readBigInt64LE(this.#moved(8)));
  }

  /** A number that may be beyond 2^53. */
  count(): number | bigint {
    return safe(this.#bytes.readBigUInt64LE(this.#moved(8)));
  }

  signedCount(): number | bigint {
    return safe(this.#bytes.readBigInt64LE(this.#moved(8)));
  }

  f64(): number {
    return this.#bytes.readDoubleLE(this.#moved(8));
  }

  /** An id of a stream. */
  id(): string {
    const ms = this.#bytes.readBigUInt64LE(this.#moved(8));
    return `${ms}-${this.#bytes.readBigUInt64LE(this.#moved(8))}`;
  }

  /** Bytes, which are those of the facts. */
  bytes(): Buffer {
    const length = this.u32();
    const from = this.#moved(length);
    return this.#bytes.subarray(from, from + length);
  }

  text(): string {
    return this.bytes().toString();
  }

  #moved(count: number): number {
    const from = this.#at;
    this.#at += count;
    return from;
  }
}

function safe(n: bigint): number | bigint {
  const number = Number(n);
  return Number.isSafeInteger(number) ? number : n;
}

const FIRST_BYTES = 64 * 1024;
const U64_MAX = 2n ** 64n - 1n;

/** Writes facts into a buffer that grows. */
export class FactWriter {
  #bytes = Buffer.allocUnsafe(FIRST_BYTES);
  #at = 0;

  /** Bytes written. */
  get length(): number {
    return this.#at;
  }

  /** What has been written, good until the next fact is. */
  take(): Buffer {
    const taken = this.#bytes.subarray(0, this.#at);
    this.#at = 0;
    return taken;
  }

  u8(n: number): void {
    this.#bytes.writeUInt8(n, this.#moved(1));
  }

  f64(n: number): void {
    this.#bytes.writeDoubleLE(n, this.#moved(8));
  }

  /** A whole number. */
  i64(n: number | bigint): void {
    this.#bytes.writeBigInt64LE(BigInt.asIntN(64, BigInt(n)), this.#moved(8));
  }

  /** @throws RangeError for what is no id */
  id(id: string): void {
    const [, ms = '', seq = ''] = /^(\d{1,20})-(\d{1,20})$/.exec(id) ?? [];
    if (ms === '' || BigInt(ms) > U64_MAX || BigInt(seq) > U64_MAX)
      throw new RangeError(`${JSON.stringify(id)} is no id of a stream's entry`);
    this.i64(BigInt(ms));
    this.i64(BigInt(seq));
  }

  bytes(bytes: string | Uint8Array): void {
    const length = typeof bytes === 'string' ? Buffer.byteLength(bytes) : bytes.length;
    const from = this.#moved(4 + length);
    this.#bytes.writeUInt32LE(length, from);
    if (typeof bytes === 'string') this.#bytes.write(bytes, from + 4);
    else this.#bytes.set(bytes, from + 4);
  }

  /** Makes room for so many bytes and goes behind them; gives where they begin. */
  #moved(count: number): number {
    const from = this.#at;
    this.#at += count;
    if (this.#at > this.#bytes.length) {
      const larger = Buffer.allocUnsafe(Math.max(2 * this.#bytes.length, this.#at));
      larger.set(this.#bytes.subarray(0, from));
      this.#bytes = larger;
    }
    return from;
  }
}
