/**
 * The thread that owns the log files of all shards of a process, and does nothing else: it may stall in a sync for as
 * long as the disk likes. Everything that is queued when it looks is written and synced together (group commit).
 */

import {
  type MessagePort,
  parentPort,
  receiveMessageOnPort,
  type TransferListItem,
  workerData,
} from 'node:worker_threads';
import { HoldfastError } from '../errors.js';
import type { DiskControl, DiskReply, DiskRequest, DiskThreadData } from './disk-protocol.js';
import { LogFile } from './log-file.js';

const { fsync, syncMs, blockBytes, segmentBytes } = workerData as DiskThreadData;
const servants = new Set<ShardServant>();

/** Serves one shard's port. */
class ShardServant {
  readonly #port: MessagePort;
  #log: LogFile | undefined;
  #failed = false;
  #closed = false;
  #records: Uint8Array[] = [];
  #recordBytes = 0;
  #written = 0;
  #reported = 0;
  #dirty = false;

  constructor(port: MessagePort) {
    this.#port = port;
    port.on('message', (request: DiskRequest) => {
      this.#take(request);
      serveAll();
    });
    port.on('close', () => this.close());
  }

  /**
   * Writes what waits in the port, at most one block: whoever writes without end gets acknowledgements all the same.
   */
  write(): void {
    while (!this.#closed && this.#recordBytes < blockBytes) {
      const received = receiveMessageOnPort(this.#port);
      if (received === undefined) break;
      this.#take(received.message as DiskRequest);
    }
    this.#try(() => this.#flush());
  }

  /** Makes it durable, and says so. */
  settle(): void {
    if (fsync === 'always') this.sync();
    if (this.#failed || this.#written === this.#reported) return;
    this.#reported = this.#written;
    this.#say({ type: 'durable', seq: this.#written, logBytes: this.#log?.bytes ?? 0 });
  }

  sync(): void {
    if (!this.#dirty) return;
    this.#dirty = false;
    this.#try(() => this.#log?.sync());
  }

  close(): void {
    if (this.#closed) return;
    this.#closed = true;
    servants.delete(this);
    this.#try(() => this.#flush());
    this.settle();
    this.#try(() => this.#log?.close());
    this.#say({ type: 'closed' });
    this.#port.close();
  }

  #take(request: DiskRequest): void {
    if (request.type === 'close') this.close();
    else this.#try(() => this.#handle(request));
  }

  #handle(request: Exclude<DiskRequest, { type: 'close' }>): void {
    if (request.type === 'open') {
      this.#open(request);
      return;
    }
    if (request.type === 'append') {
      this.#records.push(request.records);
      this.#recordBytes += request.records.length;
      this.#written = request.seq;
      return;
    }
    this.#flush();
    // A block is written only when the one before is durable: that tells a torn end from damage.
    if (fsync === 'always') this.sync();
    if (request.type === 'compact') {
      this.#log?.compact(request.index);
      return;
    }
    this.#log?.setMark(request.mark);
    this.#dirty = true;
    this.#written = request.seq;
  }

  #open({ dir, shard, clusterId }: Extract<DiskRequest, { type: 'open' }>): void {
    const { log, hardState, mark, entries, droppedBytes } = LogFile.open(dir, {
      shard,
      clusterId,
      segmentBytes,
    });
    this.#log = log;
    const files = new Set<TransferListItem>(entries.map(({ data }) => data.buffer as ArrayBuffer));
    this.#say({ type: 'opened', recovered: { hardState, mark, entries, droppedBytes } }, [...files]);
  }

  #flush(): void {
    if (this.#records.length === 0) return;
    const records = this.#records;
    this.#records = [];
    this.#recordBytes = 0;
    if (fsync === 'always') this.sync();
    this.#log?.appendEncoded(records);
    this.#dirty = true;
  }

  /** A failure is said once; nothing is acknowledged afterwards. */
  #try(run: () => void): void {
    if (this.#failed) return;
    try {
      run();
    } catch (error) {
      this.#failed = true;
      const code = error instanceof HoldfastError ? error.code : 'FAULTED';
      this.#say({ type: 'failed', code, message: error instanceof Error ? error.message : String(error) });
    }
  }

  #say(reply: DiskReply, transfer: readonly TransferListItem[] = []): void {
    this.#port.postMessage(reply, transfer);
  }
}

function serveAll(): void {
  for (const servant of servants) servant.write();
  for (const servant of servants) servant.settle();
}

const syncing = setInterval(() => {
  if (fsync === 'everysec') for (const servant of servants) servant.sync();
}, syncMs);

parentPort?.on('message', (control: DiskControl) => {
  if (control.type === 'serve') {
    servants.add(new ShardServant(control.port));
    return;
  }
  serveAll();
  for (const servant of [...servants]) servant.close();
  clearInterval(syncing);
  parentPort?.close();
});
