import { HoldfastError } from '../errors.js';

/**
 * What another process sent cannot be understood. Code `PROTOCOL`. The connection it came on is dropped; the process
 * goes on.
 */
export function protocolError(reason: string, peer?: string): HoldfastError {
  return new HoldfastError('PROTOCOL', peer === undefined ? reason : `${peer}: ${reason}`);
}

/** Whether `error` says that the other side sent something malformed. */
export function isProtocolError(error: unknown): error is HoldfastError {
  return error instanceof HoldfastError && error.code === 'PROTOCOL';
}
