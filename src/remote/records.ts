/** The records that a file is read as, taken apart. */
import { REFUSED_SLOT } from '../rdb/index.js';
import type { SlottedKey } from './target.js';

const RECORD_HEADER_BYTES = 6;
const LINE_END_BYTES = 2;

/** A key to be sent, or one that cannot be. */
export type FileKey =
  | { readonly kind: 'key'; readonly key: SlottedKey }
  | { readonly kind: 'refused'; readonly key: Buffer; readonly reason: string };

/** The keys in a piece of `requests`. */
export function* keysOf(piece: Buffer): Generator<FileKey> {
  for (let at = 0; at < piece.length; ) {
    const slot = piece.readUInt16LE(at);
    const start = at + RECORD_HEADER_BYTES;
    const end = start + piece.readUInt32LE(at + 2);
    const words = wordsOf(piece.subarray(start, end));
    if (slot === REFUSED_SLOT) yield refusedOf(words);
    else yield { kind: 'key', key: keyOf(slot, words) };
    at = end;
  }
}

function refusedOf([key, reason]: readonly Buffer[]): FileKey {
  if (key === undefined || reason === undefined) throw new RangeError('a record lacks words');
  return { kind: 'refused', key, reason: reason.toString() };
}

function keyOf(slot: number, [, key, ttl, payload, , , usage, amount]: readonly Buffer[]): SlottedKey {
  if (key === undefined || ttl === undefined || payload === undefined)
    throw new RangeError('a record lacks words');
  const kind = usage?.toString() === 'FREQ' ? 'FREQ' : 'IDLETIME';
  return { slot, key, ttl, payload, usage: amount && { kind, amount } };
}

function wordsOf(resp: Buffer): Buffer[] {
  const words: Buffer[] = [];
  for (let at = resp.indexOf('\n') + 1; at < resp.length; ) {
    const start = resp.indexOf('\n', at) + 1;
    const end = start + Number(resp.toString('latin1', at + 1, start - LINE_END_BYTES));
    words.push(resp.subarray(start, end));
    at = end + LINE_END_BYTES;
  }
  return words;
}
