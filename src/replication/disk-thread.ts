import { once } from 'node:events';
import { MessageChannel, type MessagePort, Worker } from 'node:worker_threads';
import { HoldfastError } from '../errors.js';
import { limits } from '../limits.js';
import type { DiskControl, DiskThreadData, FsyncMode } from './disk-protocol.js';

export type { FsyncMode } from './disk-protocol.js';

/** What a {@link DiskThread} is made of. */
export interface DiskThreadOptions {
  readonly fsync: FsyncMode;
  /** Default `everysecSyncMs`. */
  readonly syncMs?: number;
  /** Default `logSegmentBytes`. */
  readonly segmentBytes?: number;
  /** The thread ended without being asked to. Its writers hear of it, too. */
  readonly onError?: (error: HoldfastError) => void;
}

/**
 * The thread that writes the logs of all shards of a process. It is not of libuv's pool, which the host program
 * shares; a disk that stalls stalls nothing but acknowledgements.
 */
export class DiskThread {
  readonly #worker: Worker;
  readonly #ended: Promise<void>;
  #closing = false;

  constructor({ fsync, syncMs, segmentBytes, onError }: DiskThreadOptions) {
    const workerData: DiskThreadData = {
      fsync,
      syncMs: syncMs ?? limits.everysecSyncMs,
      blockBytes: limits.logBlockBytes,
      segmentBytes: segmentBytes ?? limits.logSegmentBytes,
    };
    // The host's own flags (loaders, --eval) are not meant for this thread.
    this.#worker = new Worker(new URL('./disk-worker.js', import.meta.url), {
      workerData,
      execArgv: [],
      name: 'holdfast-disk',
    });
    this.#ended = once(this.#worker, 'exit').then(
      () => {},
      () => {},
    );
    this.#worker.on('error', (error) => {
      onError?.(new HoldfastError('FAULTED', `the disk thread failed: ${error}`, { cause: error }));
    });
  }

  /** A port for one shard's `LogWriter`, to be transferred to the thread of the shard. */
  connect(): MessagePort {
    if (this.#closing) throw new HoldfastError('CLOSED', 'the disk thread is closed');
    const { port1, port2 } = new MessageChannel();
    const serve: DiskControl = { type: 'serve', port: port2 };
    this.#worker.postMessage(serve, [port2]);
    return port1;
  }

  /** Writes and syncs what is queued, closes all logs and ends the thread. Idempotent. */
  close(): Promise<void> {
    if (!this.#closing) {
      this.#closing = true;
      const end: DiskControl = { type: 'end' };
      this.#worker.postMessage(end);
    }
    return this.#ended;
  }
}
