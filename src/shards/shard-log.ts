/** Where a shard's host makes durable what the protocol wants durable: a directory, or nowhere. */
import type { HoldfastError } from '../errors.js';
import { ENTRY_BYTES } from '../raft/log.js';
import type { Entry, LogIndex, Persist, SnapshotMark } from '../raft/types.js';
import type { LogRecord } from '../replication/log-records.js';
import { LogWriter, type LogWriterOptions, type RecoveredShard } from '../replication/log-writer.js';

/** The log of one shard. */
export interface ShardLog {
  /** Called for every {@link append}, in order, when it is durable. Set by the host. */
  onDurable: (persist: Persist) => void;
  /** Bytes of the log since the last snapshot. */
  readonly bytes: number;
  /** Whether so much waits for the disk that nothing more should be begun. */
  readonly full: boolean;
  /** The newest snapshot that the log goes by, index 0 for none. */
  readonly mark: SnapshotMark;
  /** Makes this durable, behind everything before it. */
  append(persist: Persist): void;
  /** Resolves when everything so far is durable. */
  drained(): Promise<void>;
  /**
   * A snapshot stands at `mark`, durable itself: the log goes by it when this resolves. Entries that do not continue it are
   * dropped in the same step (rule S3).
   */
  setMark(mark: SnapshotMark): Promise<void>;
  /** What lies at or before `index` is not needed any more. */
  compact(index: LogIndex): void;
  close(): Promise<void>;
}

/** The log of a peer without a directory: nothing is durable, and what has to be remembered is in memory already. */
export class MemoryLog implements ShardLog {
  onDurable: (persist: Persist) => void = () => {};
  readonly full: boolean = false;
  bytes = 0;
  mark: SnapshotMark = { index: 0, term: 0 };

  append(persist: Persist): void {
    this.bytes += bytesOf(persist.entries);
    this.onDurable(persist);
  }

  async drained(): Promise<void> {}

  async setMark(mark: SnapshotMark): Promise<void> {
    this.mark = mark;
  }

  compact(): void {
    this.bytes = 0;
  }

  async close(): Promise<void> {}
}

/** Something that waits until everything up to `seq` is durable. */
interface Waiting {
  readonly seq: number;
  readonly done: () => void;
  readonly failed: ((error: HoldfastError) => void) | undefined;
}

const bytesOf = (entries: readonly Entry[]): number =>
  entries.reduce((sum, { data }) => sum + ENTRY_BYTES + data.length, 0);

/** A log in a directory, written by the disk thread. */
export class DiskLog implements ShardLog {
  onDurable: (persist: Persist) => void = () => {};
  bytes = 0;
  mark: SnapshotMark;
  readonly #writer: LogWriter;
  #seq = 0;
  #durableSeq = 0;
  #waiting: Waiting[] = [];
  #failure: HoldfastError | undefined;

  private constructor(writer: LogWriter, mark: SnapshotMark) {
    this.#writer = writer;
    this.mark = mark;
  }

  /** Opens the log and reads what it holds. */
  static async open(
    options: Omit<LogWriterOptions, 'onDurable' | 'onError'>,
    onError: (error: HoldfastError) => void,
  ): Promise<{ log: DiskLog; recovered: RecoveredShard }> {
    let log: DiskLog | undefined;
    const onDurable = (seq: number) => log?.durable(seq);
    const failed = (error: HoldfastError) => {
      log?.failed(error);
      onError(error);
    };
    const { writer, recovered } = await LogWriter.open({ ...options, onDurable, onError: failed });
    log = new DiskLog(writer, recovered.mark);
    log.bytes = bytesOf(recovered.entries);
    return { log, recovered };
  }

  get full(): boolean {
    return this.#writer.full;
  }

  append(persist: Persist): void {
    const { hardState, entries } = persist;
    const records: LogRecord[] = entries.map((entry) => ({ type: 'entry', entry }));
    if (hardState !== undefined) records.unshift({ type: 'hardState', hardState });
    this.bytes += bytesOf(entries);
    if (records.length > 0) this.#writer.append(++this.#seq, records);
    this.#wait(() => this.onDurable(persist));
  }

  drained(): Promise<void> {
    return new Promise((resolve, reject) => this.#wait(resolve, reject));
  }

  setMark(mark: SnapshotMark): Promise<void> {
    this.#writer.setMark(++this.#seq, mark);
    return new Promise((resolve, reject) =>
      this.#wait(() => {
        this.mark = mark;
        resolve();
      }, reject),
    );
  }

  compact(index: LogIndex): void {
    this.bytes = 0;
    this.#writer.compact(index);
  }

  close(): Promise<void> {
    return this.#writer.close();
  }

  /** What was written up to `seq` is durable. */
  durable(seq: number): void {
    this.#durableSeq = seq;
    const first = this.#waiting.findIndex((waiting) => waiting.seq > seq);
    const done = this.#waiting.splice(0, first < 0 ? this.#waiting.length : first);
    for (const waiting of done) waiting.done();
  }

  /** Nothing more will be durable: whoever waits for it is told. */
  failed(error: HoldfastError): void {
    this.#failure = error;
    for (const waiting of this.#waiting.splice(0)) waiting.failed?.(error);
  }

  #wait(done: () => void, failed?: (error: HoldfastError) => void): void {
    if (this.#durableSeq === this.#seq) done();
    else if (this.#failure === undefined) this.#waiting.push({ seq: this.#seq, done, failed });
    else failed?.(this.#failure);
  }
}
