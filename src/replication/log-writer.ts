import type { MessagePort } from 'node:worker_threads';
import { HoldfastError } from '../errors.js';
import { limits } from '../limits.js';
import type { LogIndex, SnapshotMark } from '../raft/types.js';
import type { DiskReply, DiskRequest, RecoveredShard } from './disk-protocol.js';
import { encodeRecords, type LogRecord } from './log-records.js';

export type { RecoveredShard } from './disk-protocol.js';

/** What a {@link LogWriter} is made of. */
export interface LogWriterOptions {
  /** Of `DiskThread.connect()`. */
  readonly port: MessagePort;
  readonly dir: string;
  readonly shard: number;
  /** 32 hex digits. */
  readonly clusterId: string;
  /** Everything up to `seq` is durable. Cumulative: not every number comes. */
  readonly onDurable: (seq: number) => void;
  /** A write or sync failed, or the disk thread ended: nothing more will become durable. Called once. */
  readonly onError: (error: HoldfastError) => void;
  /** Default `logQueueBytesMax`. */
  readonly queueBytesMax?: number;
}

/** The door from a shard's thread to its log on the disk thread. */
export class LogWriter {
  readonly #options: LogWriterOptions;
  readonly #queueBytesMax: number;
  /** What is on its way: sequence numbers and bytes. */
  #queue: { seq: number; bytes: number }[] = [];
  #queuedBytes = 0;
  #lastSeq = 0;
  #logBytes = 0;
  #failure: HoldfastError | undefined;
  #threadEnded = false;
  #closing: Promise<void> | undefined;
  #closed: (() => void) | undefined;
  #opened:
    | { resolve: (recovered: RecoveredShard) => void; reject: (error: HoldfastError) => void }
    | undefined;

  private constructor(options: LogWriterOptions) {
    this.#options = options;
    this.#queueBytesMax = options.queueBytesMax ?? limits.logQueueBytesMax;
    options.port.on('message', (reply: DiskReply) => this.#receive(reply));
    options.port.on('close', () => {
      this.#threadEnded = true;
      this.#fail(new HoldfastError('FAULTED', 'the disk thread has ended'));
      this.#closed?.();
    });
  }

  /**
   * Opens the shard's log in `dir`, or makes one.
   *
   * Rejects with `CORRUPT`, `FOREIGN` or `IO` as `LogFile.open` does; `onError` is not called then.
   */
  static async open(options: LogWriterOptions): Promise<{ writer: LogWriter; recovered: RecoveredShard }> {
    const writer = new LogWriter(options);
    const { dir, shard, clusterId } = options;
    const recovered = await new Promise<RecoveredShard>((resolve, reject) => {
      writer.#opened = { resolve, reject };
      writer.#send({ type: 'open', dir, shard, clusterId });
    });
    return { writer, recovered };
  }

  /** Bytes that are not durable yet. */
  get queuedBytes(): number {
    return this.#queuedBytes;
  }

  /** Whether `queueBytesMax` is waiting. Ask before taking more work. */
  get full(): boolean {
    return this.#queuedBytes >= this.#queueBytesMax;
  }

  /** Bytes of all files of the log, as of the last `onDurable`. */
  get logBytes(): number {
    return this.#logBytes;
  }

  /**
   * Queues records that become durable together. `seq` ascends from one call to the next. The data are copied.
   *
   * Never refuses for want of room: what the protocol has decided has to be written. Whoever has a choice asks
   * {@link full} first, and what a leader sends to a follower is bounded by its window.
   *
   * @throws HoldfastError `CLOSED`, or the error of `onError`.
   */
  append(seq: number, records: readonly LogRecord[]): void {
    this.#accept(seq);
    const encoded = encodeRecords(records);
    this.#queued(seq, encoded.length);
    this.#send({ type: 'append', seq, records: encoded }, [encoded.buffer as ArrayBuffer]);
  }

  /** Queues where the newest snapshot stands; its file must be durable already. See `LogFile.setMark`. */
  setMark(seq: number, mark: SnapshotMark): void {
    this.#accept(seq);
    this.#queued(seq, 0);
    this.#send({ type: 'mark', seq, mark });
  }

  /** Drops files of the log that hold nothing behind `index` or the mark, once what is queued is durable. */
  compact(index: LogIndex): void {
    if (this.#failure === undefined && this.#closing === undefined) this.#send({ type: 'compact', index });
  }

  /** Resolves when all that was queued is durable and the file closed, or has failed. Idempotent. */
  close(): Promise<void> {
    this.#closing ??= new Promise((resolve) => {
      if (this.#threadEnded) {
        resolve();
        return;
      }
      this.#closed = resolve;
      this.#send({ type: 'close' });
    });
    return this.#closing;
  }

  #accept(seq: number): void {
    if (this.#failure !== undefined) throw this.#failure;
    if (this.#closing !== undefined) throw new HoldfastError('CLOSED', 'the log is closed');
    if (seq <= this.#lastSeq) throw new RangeError(`sequence ${seq} follows ${this.#lastSeq}`);
  }

  #queued(seq: number, bytes: number): void {
    this.#lastSeq = seq;
    this.#queue.push({ seq, bytes });
    this.#queuedBytes += bytes;
  }

  #send(request: DiskRequest, transfer: readonly ArrayBuffer[] = []): void {
    this.#options.port.postMessage(request, transfer);
  }

  #receive(reply: DiskReply): void {
    switch (reply.type) {
      case 'opened':
        this.#opened?.resolve(reply.recovered);
        this.#opened = undefined;
        return;
      case 'durable':
        this.#settle(reply.seq);
        this.#logBytes = reply.logBytes;
        this.#options.onDurable(reply.seq);
        return;
      case 'failed':
        this.#fail(new HoldfastError(reply.code, reply.message));
        return;
      case 'closed':
        this.#threadEnded = true;
        if (this.#closing === undefined)
          this.#fail(new HoldfastError('CLOSED', 'the disk thread was closed'));
        this.#closed?.();
        this.#options.port.close();
    }
  }

  #settle(seq: number): void {
    const first = this.#queue.findIndex((waiting) => waiting.seq > seq);
    const done = this.#queue.splice(0, first < 0 ? this.#queue.length : first);
    for (const { bytes } of done) this.#queuedBytes -= bytes;
  }

  #fail(error: HoldfastError): void {
    if (this.#failure !== undefined) return;
    this.#failure = error;
    const opened = this.#opened;
    this.#opened = undefined;
    if (opened !== undefined) opened.reject(error);
    else if (this.#closing === undefined || this.#queue.length > 0) this.#options.onError(error);
    if (opened !== undefined) void this.close();
  }
}
