import { encodeFrame, type FrameKind, noShard } from './frame.js';
import { protocolError } from './protocol-error.js';

/** A frame whose body is JSON: status requests and replies, farewells. */
export function encodeJson(kind: FrameKind, value: unknown): Buffer {
  return encodeFrame(kind, noShard, Buffer.from(JSON.stringify(value ?? null)));
}

/**
 * The value in the body of such a frame.
 *
 * @throws HoldfastError `PROTOCOL`
 */
export function decodeJson(body: Uint8Array): unknown {
  try {
    return JSON.parse(new TextDecoder('utf-8', { fatal: true }).decode(body));
  } catch {
    throw protocolError('a body is not JSON');
  }
}

/** Why a connection ends, in the body of a `bye`. */
export interface Farewell {
  /** `CLOSING`, or the code of the error for which the receiver is refused. */
  readonly code: string;
  readonly message: string;
}

/** @throws HoldfastError `PROTOCOL` */
export function decodeFarewell(body: Uint8Array): Farewell {
  const value = decodeJson(body);
  if (typeof value === 'object' && value !== null && 'code' in value && 'message' in value) {
    const { code, message } = value;
    if (typeof code === 'string' && typeof message === 'string') return { code, message };
  }
  throw protocolError('a farewell without code and message');
}
