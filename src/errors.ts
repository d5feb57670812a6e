/**
 * The three kinds of failure (never mixed): misuse throws `TypeError` or `RangeError` at once; an operating condition is
 * a `HoldfastError` with a stable `code`; a broken invariant faults the store (`FAULTED`) and leaves the process alone.
 */

/**
 * Stable codes. Command errors carry Redis's own first word (`ERR`, `WRONGTYPE`, `CROSSSLOT`, ...).
 */
export type ErrorCode =
  /** The store or keyspace was closed. */
  | 'CLOSED'
  /** This process does not lead the key's shard, or its lease is over (`store.leased`). */
  | 'NOT_LEASED'
  /** This peer has not caught up yet (`store.local`). */
  | 'NOT_READY'
  /** No majority answered in time. See {@link HoldfastError.mayTakeEffect}. */
  | 'NO_QUORUM'
  /** The call's time is over though a majority is there. */
  | 'TIMEOUT'
  /** Too much is waiting already. Nothing was sent. */
  | 'BUSY'
  /** The request's session was gone when it was tried again; it is not known whether it took effect. */
  | 'SESSION_EXPIRED'
  /** A broken invariant: the store refuses every call from now on. */
  | 'FAULTED'
  /** A file is damaged; the message names it and the offset. */
  | 'CORRUPT'
  /** A value of a file is longer than the reader may hold. */
  | 'TOO_LARGE'
  /** A file or address cannot be used; the message says why. */
  | 'IO'
  /** The directory, the peers or the secret belong to another cluster. */
  | 'FOREIGN'
  /** Another process sent what is no frame of this protocol. */
  | 'PROTOCOL'
  /** A restore was given up by its signal. */
  | 'ABORTED'
  /** A package that is not installed is needed; the message names it. */
  | 'NEEDS_PACKAGE'
  /** This peer cannot prove that it still holds what it acknowledged, and may not vote as its old self. */
  | 'AMNESIAC'
  /** The first word of a command's error reply. */
  | (string & {});

/** An operating condition. */
export class HoldfastError extends Error {
  override readonly name = 'HoldfastError';
  /** Stable; meant to be compared. */
  readonly code: ErrorCode;
  /** For writes: whether the write may still take effect although the call failed. */
  readonly mayTakeEffect: boolean;

  constructor(code: ErrorCode, message: string, options: { mayTakeEffect?: boolean; cause?: unknown } = {}) {
    super(message, options.cause === undefined ? undefined : { cause: options.cause });
    this.code = code;
    this.mayTakeEffect = options.mayTakeEffect ?? false;
  }
}
