/** Inline commands: a line of words, as a person types them, with quotes and escapes as in Redis. */
import { ProtocolError } from './protocol-error.js';

const SPACE = new Set([0x20, 0x09, 0x0a, 0x0b, 0x0c, 0x0d, 0x00]);
const DOUBLE_QUOTE = 0x22;
const SINGLE_QUOTE = 0x27;
const BACKSLASH = 0x5c;
const ESCAPES = new Map([
  [0x6e, 0x0a],
  [0x72, 0x0d],
  [0x74, 0x09],
  [0x62, 0x08],
  [0x61, 0x07],
]);
const HEX_ESCAPE = /^\\x([0-9a-fA-F]{2})/;

/**
 * The words of a line without its line feed; none for a line of spaces.
 *
 * @throws ProtocolError for a quote that is not closed, or closed in mid-word.
 */
export function splitInline(line: Buffer): Buffer[] {
  const words: Buffer[] = [];
  let at = 0;
  for (;;) {
    while (at < line.length && isSpace(line[at])) at++;
    if (at >= line.length) return words;
    const word: number[] = [];
    at = readWord(line, at, word);
    words.push(Buffer.from(word));
  }
}

function isSpace(byte: number | undefined): boolean {
  return byte === undefined || SPACE.has(byte);
}

function readWord(line: Buffer, start: number, word: number[]): number {
  let at = start;
  while (at < line.length && !isSpace(line[at])) {
    const byte = line[at] ?? 0;
    if (byte === DOUBLE_QUOTE || byte === SINGLE_QUOTE) return readQuoted(line, at, word);
    word.push(byte);
    at++;
  }
  return at;
}

/** Reads from the opening quote to behind the closing one, which must end the word. */
function readQuoted(line: Buffer, start: number, word: number[]): number {
  const quote = line[start];
  let at = start + 1;
  while (at < line.length) {
    const byte = line[at] ?? 0;
    if (byte === quote) {
      if (!isSpace(line[at + 1])) break;
      return at + 1;
    }
    if (byte === BACKSLASH && at + 1 < line.length) {
      at += quote === DOUBLE_QUOTE ? readEscape(line, at, word) : readSingleEscape(line, at, word);
    } else {
      word.push(byte);
      at++;
    }
  }
  throw new ProtocolError('unbalanced quotes in request');
}

/** Reads an escape of a double-quoted word; gives its length. */
function readEscape(line: Buffer, at: number, word: number[]): number {
  const hex = HEX_ESCAPE.exec(line.toString('latin1', at, at + 4))?.[1];
  if (hex !== undefined) {
    word.push(Number.parseInt(hex, 16));
    return 4;
  }
  const byte = line[at + 1] ?? 0;
  word.push(ESCAPES.get(byte) ?? byte);
  return 2;
}

/** In single quotes only the quote itself can be escaped. */
function readSingleEscape(line: Buffer, at: number, word: number[]): number {
  const quoted = line[at + 1] === SINGLE_QUOTE;
  word.push(quoted ? SINGLE_QUOTE : BACKSLASH);
  return quoted ? 2 : 1;
}
