/** What restores and backups tell. */
import { HoldfastError } from '../errors.js';

/** A key that could not be restored. */
export interface RefusedKey {
  /** Bytes that are not UTF-8 are replaced. */
  readonly key: string;
  readonly code: string;
  readonly message: string;
}

/** What a restore has done. The counts up to `unsent` add up to `keys`, once the file is known. */
export interface RestoreReport {
  /** Keys of the file. */
  readonly keys: number;
  /** Keys that are acknowledged. */
  readonly restored: number;
  /** Keys that were there already, and stay as they were. */
  readonly skipped: number;
  /**
   * Keys that were there when they were sent again, because the answer to the first attempt was lost: that attempt restored them,
   * or they were there before. None when keys are replaced.
   */
  readonly unsure: number;
  /** Keys that cannot be restored. */
  readonly refused: number;
  /** Keys left out because their life is over. */
  readonly expired: number;
  /** Keys left out because nothing is in them. */
  readonly empty: number;
  /** Keys left out because they are not among those that were asked for. */
  readonly unwanted: number;
  /** Keys that were sent and have no answer: they may be there, or come. Only when a restore ends early. */
  readonly unanswered: number;
  /** Keys that were not sent, or not taken. Only when a restore ends early. */
  readonly unsent: number;
  /** Libraries of functions in the file. They are not restored. */
  readonly functions: number;
  /** Records in the file of what modules keep beside keys, or with them. They are not restored. */
  readonly moduleData: number;
  /** The refused keys, the first hundred of them. */
  readonly refusals: readonly RefusedKey[];
  /** Bytes of the file. */
  readonly bytes: number;
  /** Milliseconds that it took. */
  readonly durationMs: number;
}

/** What a backup is. */
export interface BackupReport {
  /** Keys in the file. */
  readonly keys: number;
  /** Bytes of the file. */
  readonly bytes: number;
  /** Dumps that it was made of: one, or one for each master of a Redis Cluster. */
  readonly sources: number;
  /** Whether the checksum is right, or the server does not write one. */
  readonly checksum: 'right' | 'disabled' | 'none';
  /** Milliseconds that it took. */
  readonly durationMs: number;
}

/** A restore that ended early, or not at all. It says what was done until then. */
export class RestoreError extends HoldfastError {
  readonly report: RestoreReport;

  constructor(code: string, message: string, report: RestoreReport, cause?: unknown) {
    super(code, message, { cause, mayTakeEffect: report.unanswered > 0 });
    this.report = report;
  }
}
