/**
 * The bytes of requests on their way to the log. The layout is described where it is read: `native/src/replica/batch.rs`.
 *
 * A run (the requests of one session, in order) is made once, where the requests come from, and travels unchanged; the
 * leader puts runs behind a header and does not look inside.
 */
import type { Word } from '../keyspace/native.js';

const REQUESTS = 1;
const COMPARISON = 2;
const REQUESTS_WHILE_FULL = 3;
const BATCH_HEADER_BYTES = 21;
const RUN_HEADER_BYTES = 28;
const LENGTH_BYTES = 4;

const DOLLAR = 0x24;
const STAR = 0x2a;
const ZERO = 0x30;
const LINE_END_BYTES = 2;
/** The kind of a RESP value, a length with as many digits as an integer has, and the line's end. */
const HEADER_BYTES_MAX = 20;
/** Texts up to this length are written character by character. */
const SHORT_CHARACTERS = 48;

/** Names a session; 48 random bits, so that it is an exact number here and a u64 there. 0 is the group itself. */
export type SessionId = number;

const writeU64 = (buffer: Buffer, value: number, at: number): void => {
  buffer.writeUInt32LE(value % 0x1_0000_0000, at);
  buffer.writeUInt32LE(Math.floor(value / 0x1_0000_0000), at + 4);
};

const readU64 = (buffer: Buffer, at: number): number =>
  buffer.readUInt32LE(at + 4) * 0x1_0000_0000 + buffer.readUInt32LE(at);

/** The same bytes, with a Buffer's methods. */
export const asBuffer = (bytes: Uint8Array): Buffer =>
  Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength);

/** What a writer begins with, and what it keeps at most from one turn to the next. */
const FIRST_BYTES = 1024;
const KEPT_BYTES_MAX = 4 * 1024 * 1024;

/** Collects the requests of one turn of the event loop, each as `length, RESP array(s)`. */
export class RequestWriter {
  #buffer: Buffer = Buffer.allocUnsafeSlow(FIRST_BYTES);
  #at = 0;
  #count = 0;

  /** Requests collected. */
  get count(): number {
    return this.#count;
  }

  /** Bytes collected. */
  get bytes(): number {
    return this.#at;
  }

  /** Adds one request. */
  write(words: readonly Word[]): void {
    const start = this.#begin();
    this.#array(words);
    this.#end(start);
  }

  /** Adds several commands as one request: nobody sees the state in between. */
  writeTransaction(requests: readonly (readonly Word[])[]): void {
    const start = this.#begin();
    this.#array(['MULTI']);
    for (const words of requests) this.#array(words);
    this.#array(['EXEC']);
    this.#end(start);
  }

  /** Adds one request whose RESP is at hand. */
  writeEncoded(resp: Uint8Array): void {
    const start = this.#begin();
    this.#reserve(resp.byteLength);
    this.#buffer.set(resp, this.#at);
    this.#at += resp.byteLength;
    this.#end(start);
  }

  /** Takes back what was added since there were so many bytes in so many requests, the last one perhaps unfinished. */
  cut(bytes: number, count: number): void {
    this.#at = bytes;
    this.#count = count;
  }

  /** Hands over what was collected, in memory that nobody else refers to, and starts anew. */
  take(): Uint8Array<ArrayBuffer> {
    const taken = new Uint8Array(this.#at);
    taken.set(this.#buffer.subarray(0, this.#at));
    if (this.#buffer.length > KEPT_BYTES_MAX) this.#buffer = Buffer.allocUnsafeSlow(FIRST_BYTES);
    this.#at = 0;
    this.#count = 0;
    return taken;
  }

  #begin(): number {
    this.#reserve(LENGTH_BYTES);
    this.#at += LENGTH_BYTES;
    return this.#at;
  }

  #end(start: number): void {
    this.#buffer.writeUInt32LE(this.#at - start, start - LENGTH_BYTES);
    this.#count++;
  }

  #array(words: readonly Word[]): void {
    this.#header(STAR, words.length);
    for (const word of words) this.#bulk(word);
  }

  #bulk(word: Word): void {
    if (typeof word === 'object') {
      this.#header(DOLLAR, word.byteLength);
      this.#reserve(word.byteLength + LINE_END_BYTES);
      this.#buffer.set(word, this.#at);
      this.#at += word.byteLength;
    } else {
      const text = typeof word === 'string' ? word : String(word);
      if (text.length > SHORT_CHARACTERS || !this.#short(text)) this.#long(text);
    }
    this.#lineEnd();
  }

  /** Writes a short text if it is ASCII: by hand, since a call into native code costs more than its characters. */
  #short(text: string): boolean {
    const start = this.#at;
    this.#header(DOLLAR, text.length);
    this.#reserve(SHORT_CHARACTERS + LINE_END_BYTES);
    const buffer = this.#buffer;
    let at = this.#at;
    for (let i = 0; i < text.length; i++) {
      const code = text.charCodeAt(i);
      if (code > 0x7f) {
        this.#at = start;
        return false;
      }
      buffer[at++] = code;
    }
    this.#at = at;
    return true;
  }

  #long(text: string): void {
    const length = Buffer.byteLength(text);
    this.#header(DOLLAR, length);
    this.#reserve(length + LINE_END_BYTES);
    this.#at += this.#buffer.write(text, this.#at, length, length === text.length ? 'latin1' : 'utf8');
  }

  #header(kind: number, length: number): void {
    this.#reserve(HEADER_BYTES_MAX);
    this.#buffer[this.#at++] = kind;
    let digits = 1;
    for (let rest = length; rest >= 10; rest = Math.floor(rest / 10)) digits++;
    let rest = length;
    for (let at = this.#at + digits - 1; at >= this.#at; at--) {
      this.#buffer[at] = ZERO + (rest % 10);
      rest = Math.floor(rest / 10);
    }
    this.#at += digits;
    this.#lineEnd();
  }

  #lineEnd(): void {
    this.#buffer[this.#at++] = 13;
    this.#buffer[this.#at++] = 10;
  }

  #reserve(bytes: number): void {
    if (this.#at + bytes <= this.#buffer.length) return;
    const grown = Buffer.allocUnsafeSlow(Math.max(this.#buffer.length * 2, this.#at + bytes));
    this.#buffer.copy(grown, 0, 0, this.#at);
    this.#buffer = grown;
  }
}

/** What a run says of itself. */
export interface RunHeader {
  readonly session: SessionId;
  readonly firstSeq: number;
  /** Everything below has been acknowledged. */
  readonly lowestUnacked: number;
  readonly count: number;
}

/** A run of requests that were collected by one or more {@link RequestWriter}s. */
export function encodeRun(header: RunHeader, requests: readonly Uint8Array[]): Buffer {
  const bytes = requests.reduce((sum, part) => sum + part.byteLength, RUN_HEADER_BYTES);
  const run = Buffer.allocUnsafeSlow(bytes);
  writeU64(run, header.session, 0);
  writeU64(run, header.firstSeq, 8);
  writeU64(run, header.lowestUnacked, 16);
  run.writeUInt32LE(header.count, 24);
  let at = RUN_HEADER_BYTES;
  for (const part of requests) {
    run.set(part, at);
    at += part.byteLength;
  }
  return run;
}

/** The requests that a {@link RequestWriter} collected, with another one in the places of some. */
export function replaceRequests(
  requests: Uint8Array,
  places: ReadonlySet<number>,
  words: readonly Word[],
): Uint8Array {
  const bytes = asBuffer(requests);
  const writer = new RequestWriter();
  for (let at = 0, place = 0; at < bytes.length; place++) {
    const start = at + LENGTH_BYTES;
    at = start + bytes.readUInt32LE(at);
    if (places.has(place)) writer.write(words);
    else writer.writeEncoded(bytes.subarray(start, at));
  }
  return writer.take();
}

/** A run of one request to the group itself. */
export function encodeControl(...words: readonly Word[]): Buffer {
  const writer = new RequestWriter();
  writer.write(words);
  return encodeRun({ session: 0, firstSeq: 0, lowestUnacked: 0, count: 1 }, [writer.take()]);
}

/** A run of one request to the group itself, which is at hand as RESP. */
export function encodeControlResp(resp: Uint8Array): Buffer {
  const writer = new RequestWriter();
  writer.writeEncoded(resp);
  return encodeRun({ session: 0, firstSeq: 0, lowestUnacked: 0, count: 1 }, [writer.take()]);
}

/** Several runs in one piece, to travel together. */
export function joinRuns(runs: readonly Uint8Array[]): Buffer {
  const joined = Buffer.allocUnsafeSlow(runs.reduce((sum, run) => sum + LENGTH_BYTES + run.byteLength, 0));
  let at = 0;
  for (const run of runs) {
    joined.writeUInt32LE(run.byteLength, at);
    joined.set(run, at + LENGTH_BYTES);
    at += LENGTH_BYTES + run.byteLength;
  }
  return joined;
}

/** The runs of {@link joinRuns}; undefined if the bytes are none. The runs are copies: the bytes may be reused. */
export function splitRuns(joined: Uint8Array): Uint8Array[] | undefined {
  const buffer = asBuffer(joined);
  const runs: Uint8Array[] = [];
  let at = 0;
  while (at < buffer.length) {
    if (at + LENGTH_BYTES > buffer.length) return undefined;
    const start = at + LENGTH_BYTES;
    at = start + buffer.readUInt32LE(at);
    if (at > buffer.length) return undefined;
    runs.push(Uint8Array.prototype.slice.call(buffer, start, at));
  }
  return runs;
}

/** One entry of the log: the leader's stamp and seed, and runs. `full`: of the requests those that need memory are refused. */
export function encodeBatch(
  stampMs: number,
  seed: readonly [number, number],
  runs: readonly Uint8Array[],
  full = false,
): Buffer {
  const bytes = runs.reduce((sum, run) => sum + run.byteLength, BATCH_HEADER_BYTES);
  const batch = Buffer.allocUnsafeSlow(bytes);
  batch[0] = full ? REQUESTS_WHILE_FULL : REQUESTS;
  writeU64(batch, stampMs, 1);
  batch.writeUInt32LE(seed[0], 9);
  batch.writeUInt32LE(seed[1], 13);
  batch.writeUInt32LE(runs.length, 17);
  let at = BATCH_HEADER_BYTES;
  for (const run of runs) {
    batch.set(run, at);
    at += run.byteLength;
  }
  return batch;
}

/** An entry without requests, at which the peers compare digests. */
export function encodeComparison(stampMs: number): Buffer {
  const batch = encodeBatch(stampMs, [0, 0], []);
  batch[0] = COMPARISON;
  return batch;
}

/** Whether an entry is one at which the peers compare digests. */
export function isComparison(batch: Uint8Array): boolean {
  return batch[0] === COMPARISON;
}

/** The stamp of a batch, Unix milliseconds. */
export function stampOf(batch: Uint8Array): number {
  return readU64(asBuffer(batch), 1);
}

/** What became of a request of the own session; the layout is described in `native/src/replica/outcome.rs`. */
export interface Outcome {
  readonly kind: 'reply' | 'gone' | 'gap' | 'expired';
  readonly seq: number;
  /** Where its reply stands, if it is one. */
  readonly replyAt: number;
  readonly replyEnd: number;
}

const OUTCOME_KINDS = ['reply', 'gone', 'gap', 'expired'] as const;
const OUTCOME_HEADER_BYTES = 13;

/** Reads outcomes one after the other. */
export function* decodeOutcomes(bytes: Uint8Array): Generator<Outcome> {
  const buffer = asBuffer(bytes);
  let at = 0;
  while (at < buffer.length) {
    const kind = OUTCOME_KINDS[buffer[at] ?? 0] ?? 'gone';
    const seq = readU64(buffer, at + 1);
    const start = at + OUTCOME_HEADER_BYTES;
    at = start + buffer.readUInt32LE(start - LENGTH_BYTES);
    yield { kind, seq, replyAt: start, replyEnd: at };
  }
}
