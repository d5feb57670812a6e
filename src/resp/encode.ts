/**
 * Replies that the endpoint makes itself, as bytes: strings of one character to a byte. Those of the store's commands come
 * encoded from below.
 */
import { HoldfastError } from '../errors.js';
import type { RespProtocol } from '../keyspace/native.js';

export const OK = '+OK\r\n';

/** The bytes of a text's UTF-8, one character to each. */
function byteCharacters(text: string): string {
  return Buffer.from(text, 'utf8').toString('latin1');
}

export function status(text: string): string {
  return `+${text}\r\n`;
}

/** An error line: its code, a space, a sentence. Line ends in it become spaces. */
export function error(line: string): string {
  return `-${byteCharacters(line).replace(/[\r\n]/g, ' ')}\r\n`;
}

export function integer(value: number): string {
  return `:${value}\r\n`;
}

/** A string, or bytes. */
export function bulk(value: string | Buffer): string {
  const characters = typeof value === 'string' ? byteCharacters(value) : value.toString('latin1');
  return `$${characters.length}\r\n${characters}\r\n`;
}

export function nil(protocol: RespProtocol): string {
  return protocol === 2 ? '$-1\r\n' : '_\r\n';
}

/** An array of encoded replies. */
export function array(replies: readonly string[]): string {
  return `*${replies.length}\r\n${replies.join('')}`;
}

/** A set of encoded replies: an array in RESP2. */
export function set(replies: readonly string[], protocol: RespProtocol): string {
  return `${protocol === 2 ? '*' : '~'}${replies.length}\r\n${replies.join('')}`;
}

/** Pairs of encoded replies: a flat array in RESP2. */
export function map(pairs: readonly (readonly [string, string])[], protocol: RespProtocol): string {
  const head = protocol === 2 ? `*${pairs.length * 2}` : `%${pairs.length}`;
  return `${head}\r\n${pairs.map(([key, value]) => key + value).join('')}`;
}

/** A text for people: in RESP3 marked as one. */
export function verbatim(text: string, protocol: RespProtocol): string {
  if (protocol === 2) return bulk(text);
  const characters = byteCharacters(text);
  return `=${characters.length + 4}\r\ntxt:${characters}\r\n`;
}

/**
 * What a client is told in Redis's words, so that it does what is right: those codes are retried by clients, which is good
 * where nothing was done. Where a write may still take effect the store's own code is given, which no client retries by itself.
 */
const CODES: Readonly<Record<string, string>> = {
  NOT_READY: 'LOADING',
  NO_QUORUM: 'CLUSTERDOWN',
  CLOSED: 'CLUSTERDOWN',
  SESSION_EXPIRED: 'TRYAGAIN',
  TIMEOUT: 'TRYAGAIN',
  BUSY: 'TRYAGAIN',
};

/** The error line of whatever a call failed with. */
export function failure(thrown: unknown): string {
  if (!(thrown instanceof HoldfastError)) {
    return error(`ERR ${thrown instanceof Error ? thrown.message : String(thrown)}`);
  }
  const { code, message, mayTakeEffect } = thrown;
  if (message.startsWith(`${code} `)) return error(message);
  const known = mayTakeEffect ? undefined : CODES[code];
  return error(known === undefined ? `${code} ${message}` : `${known} ${code}: ${message}`);
}
