/**
 * Keys on their way into a store, and what became of them. A batch:
 *
 *     u32 number | u8 replace | u32 keys | for each: u32 length, key | u8 length, ttl | u8 usage, u8 length, amount |
 *     u32 length, payload
 *
 * `ttl` and `amount` are decimal, as `RESTORE` takes them; `usage` is 0 for none, 1 for IDLETIME, 2 for FREQ. The payload
 * is a `DUMP` payload. The answer is JSON.
 */
import { limits } from '../limits.js';
import { ByteReader } from './byte-cursor.js';
import { beginFrame, endFrame, FrameKind, frameHeaderBytes, noShard } from './frame.js';
import { decodeJson, encodeJson } from './json-body.js';
import { protocolError } from './protocol-error.js';

/** One key. */
export interface RestoreKey {
  readonly key: Buffer;
  /** Unix milliseconds as decimal digits; `0`: it does not expire. */
  readonly ttl: Buffer;
  /** Which of the two the file tells of the key's use, if any, and how much. */
  readonly usage: { readonly kind: 'IDLETIME' | 'FREQ'; readonly amount: Buffer } | undefined;
  readonly payload: Buffer;
}

/** Keys that travel together. */
export interface RestoreBatch {
  /** Chosen by the client; no two without an answer have the same. */
  readonly number: number;
  /** Whether a key that is there is replaced. Otherwise it stays. */
  readonly replace: boolean;
  readonly keys: readonly RestoreKey[];
}

/** What became of a key. The characters are on the wire. */
export const Outcome = {
  restored: 'r',
  /** A key of this name was there, and stays. */
  there: 't',
  /** It can never be restored; the error says why. */
  refused: 'x',
  /** It was not restored, and may be tried again. */
  undone: 'n',
  /** Nobody can tell whether it was restored, or still will be. It may be tried again. */
  unknown: 'u',
} as const;
export type Outcome = (typeof Outcome)[keyof typeof Outcome];

/** Why a key was not restored. */
export interface Refusal {
  /** Its position in the batch. */
  readonly at: number;
  readonly code: string;
  readonly message: string;
}

/** What became of a batch. */
export interface BatchAnswer {
  readonly number: number;
  /** One for each key, in order. */
  readonly outcomes: readonly Outcome[];
  /** For keys that were neither restored nor there. */
  readonly refusals: readonly Refusal[];
}

const USAGES = [undefined, 'IDLETIME', 'FREQ'] as const;
const HEAD_BYTES = 9;
const KEY_HEAD_BYTES = 11;
const DIGITS = /^\d{1,20}$/;
const outcomes: ReadonlySet<string> = new Set(Object.values(Outcome));

/** Bytes that a key takes in a batch. */
export function restoreKeyBytes({ key, ttl, usage, payload }: RestoreKey): number {
  return KEY_HEAD_BYTES + key.length + ttl.length + (usage?.amount.length ?? 0) + payload.length;
}

/** Bytes of the largest key that fits into a frame. */
export const restoreKeyBytesMax = limits.frameBytesMax - frameHeaderBytes - HEAD_BYTES;

/** The frame of a batch, which the caller has kept within the limit of a frame. */
export function encodeBatch({ number, replace, keys }: RestoreBatch): Buffer {
  const bytes = keys.reduce((sum, key) => sum + restoreKeyBytes(key), HEAD_BYTES);
  const frame = beginFrame(FrameKind.restore, noShard, bytes);
  frame
    .u32(number)
    .u8(replace ? 1 : 0)
    .u32(keys.length);
  for (const { key, ttl, usage, payload } of keys) {
    const amount = usage?.amount ?? Buffer.alloc(0);
    frame.u32(key.length).bytes(key).u8(ttl.length).bytes(ttl);
    frame.u8(USAGES.indexOf(usage?.kind)).u8(amount.length).bytes(amount);
    frame.u32(payload.length).bytes(payload);
  }
  return endFrame(frame);
}

/** The number of a batch, from the body of its frame. */
export function batchOf(body: Uint8Array): number {
  return new ByteReader(body).u32();
}

/** @throws HoldfastError `PROTOCOL` */
export function decodeBatch(body: Uint8Array): RestoreBatch {
  const reader = new ByteReader(body);
  const [number, replace, count] = [reader.u32(), reader.flag(), reader.u32()];
  if (count === 0 || count > limits.dataBatchKeysMax) throw protocolError(`a batch of ${count} keys`);
  const keys: RestoreKey[] = [];
  for (let i = 0; i < count; i++) keys.push(readKey(reader));
  reader.finish();
  return { number, replace, keys };
}

function readKey(reader: ByteReader): RestoreKey {
  const key = reader.bytes(reader.u32());
  const ttl = readDigits(reader);
  const kind = USAGES[reader.u8()];
  const amount = kind === undefined ? reader.bytes(reader.u8()) : readDigits(reader);
  const payload = reader.bytes(reader.u32());
  return { key, ttl, usage: kind && { kind, amount }, payload };
}

/** What becomes a word of a request is looked at: a length that lies could make another request of it. */
function readDigits(reader: ByteReader): Buffer {
  const digits = reader.bytes(reader.u8());
  if (!DIGITS.test(digits.toString('latin1'))) throw protocolError('a number of a key is none');
  return digits;
}

/** The words of the request that restores the key. */
export function wordsOfKey({ key, ttl, usage, payload }: RestoreKey, replace: boolean): (string | Buffer)[] {
  const words: (string | Buffer)[] = ['RESTORE', key, ttl, payload, 'ABSTTL'];
  if (replace) words.push('REPLACE');
  if (usage !== undefined) words.push(usage.kind, usage.amount);
  return words;
}

/** The frame of an answer. */
export function encodeAnswer({ number, outcomes: each, refusals }: BatchAnswer): Buffer {
  return encodeJson(FrameKind.restored, { number, outcomes: each.join(''), refusals });
}

/** @throws HoldfastError `PROTOCOL` */
export function decodeAnswer(body: Uint8Array): BatchAnswer {
  const { number, outcomes: text, refusals } = (decodeJson(body) ?? {}) as Record<string, unknown>;
  const bad = protocolError('an answer to a batch that is none');
  if (typeof number !== 'number' || typeof text !== 'string' || !Array.isArray(refusals)) throw bad;
  const each = [...text].filter((one): one is Outcome => outcomes.has(one));
  if (each.length !== text.length || !refusals.every(isRefusal)) throw bad;
  return { number, outcomes: each, refusals };
}

function isRefusal(value: unknown): value is Refusal {
  const { at, code, message } = (value ?? {}) as Record<string, unknown>;
  return Number.isSafeInteger(at) && typeof code === 'string' && typeof message === 'string';
}
