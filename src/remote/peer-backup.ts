/** A backup of a running store, from one of its peers. */
import type { FileHandle } from 'node:fs/promises';
import { HoldfastError } from '../errors.js';
import { inspectRdb, type Report } from '../rdb/index.js';
import { writeAll } from '../rdb/new-file.js';
import { connectDataClient, type DataClient } from '../replication/data-client.js';
import { type Output, openForWriting } from './output.js';
import type { PeerAccess } from './peer-target.js';

/** How a backup is taken. */
export interface PeerBackupOptions extends PeerAccess {
  /** Version of the format. Default: the store's. */
  readonly version: number | undefined;
  readonly onSnapshot: (part: number) => void;
  readonly onProgress: (done: number, total: number) => void;
  readonly signal: AbortSignal | undefined;
}

/** Takes the backup of the first of the peers that answers; it is in `output` then. */
export async function backupPeer(
  addresses: readonly string[],
  output: Output,
  options: PeerBackupOptions,
): Promise<Report> {
  const { signal } = options;
  signal?.throwIfAborted();
  const client = await firstOf(addresses, options);
  const aborted = () => void client.close();
  signal?.addEventListener('abort', aborted, { once: true });
  const file = await openForWriting(output.temporary).catch(async (error) => {
    await client.close();
    throw error;
  });
  try {
    const { keys, bytes } = await receive(client, file, options);
    const report = await inspectRdb(output.temporary, signal === undefined ? {} : { signal });
    if (report.keys === keys && report.bytes === bytes) return report;
    const text = `the peer announced ${keys} keys in ${bytes} bytes, ${report.keys} in ${report.bytes} came`;
    throw new HoldfastError('CORRUPT', text);
  } catch (error) {
    signal?.throwIfAborted();
    throw error;
  } finally {
    signal?.removeEventListener('abort', aborted);
    await file.close();
    await client.close();
  }
}

function receive(client: DataClient, file: FileHandle, options: PeerBackupOptions) {
  const { version, onSnapshot, onProgress } = options;
  let done = 0;
  let total = 0;
  return client.backup(version === undefined ? {} : { version }, {
    progress: onSnapshot,
    ready: ({ bytes }) => {
      total = bytes;
    },
    write: async (piece) => {
      await writeAll(file, piece);
      done += piece.length;
      onProgress(done, total);
    },
  });
}

async function firstOf(addresses: readonly string[], access: PeerAccess): Promise<DataClient> {
  let failure: unknown;
  for (const address of addresses) {
    try {
      return await connectDataClient(address, access.secret, access.timeoutMs);
    } catch (error) {
      failure ??= error;
    }
  }
  throw failure;
}
