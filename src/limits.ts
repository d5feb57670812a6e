/**
 * Every queue, buffer and wait that has a limit, in one place. The unit is the last word of the name. Relations that
 * must hold between limits are checked when this file is loaded.
 */

const KiB = 1024;
const MiB = 1024 * KiB;

/** The limits of a process. Read only. */
export const limits = {
  /** One frame on a link, header included: a value of 512 MiB, the largest there is, with room for its request. */
  frameBytesMax: 520 * MiB,
  /** One frame before the sender has proved that it knows the secret: a hello fits, an attack on memory does not. */
  handshakeFrameBytesMax: 4 * KiB,
  /** What may wait in one connection to a peer. Two windows of appends (8 MiB) and some snapshot chunks fit. */
  linkQueueBytesMax: 32 * MiB,
  /**
   * How long a beat waits for those of other shards. 0: for those of its own turn of the loop. A worker of several gives the
   * other threads this time, so that a pair of peers still exchanges one frame a beat.
   */
  linkBeatGatherMs: 0,
  /** As `linkBeatGatherMs`, where shards live on several threads. */
  linkBeatGatherThreadsMs: 2,
  /** Frames that came in before both connections of a pair were up. Only a few beats can be among them. */
  linkEarlyFramesMax: 256,
  /** From the first byte of a connection, or from dialling, to the end of its handshake. */
  linkHandshakeMs: 2_000,
  /** Connections at a time that have not finished their handshake. */
  linkHandshakesMax: 64,
  /** Status clients connected at a time. */
  linkClientsMax: 32,
  /** Clients that restore or back up, connected at a time. */
  dataClientsMax: 4,
  /** Keys in one batch of a client that restores: what a turn of the receiver's event loop has time for. */
  dataBatchKeysMax: 256,
  /** Bytes of a batch, above which it takes no further key. */
  dataBatchBytes: 64 * KiB,
  /** Batches of one client that have no answer yet. */
  dataBatchesMax: 64,
  /** Bytes of those batches; a single one may be longer. */
  dataWindowBytesMax: 4 * MiB,
  /** One piece of a backup. */
  dataChunkBytes: 256 * KiB,
  /** Pieces of a backup that are on their way before the client has written any. */
  dataChunksMax: 16,
  /** A client that restores or backs up, and neither asks nor is told anything for this long, is sent away. */
  dataIdleMs: 60_000,
  /** First wait before dialling again; doubles with each failure up to {@link limits.linkRetryMsMax}, with jitter. */
  linkRetryMsMin: 25,
  /** Longest wait before dialling again: a peer that comes back is found within this. */
  linkRetryMsMax: 500,
  /** Wait before dialling again when the other side, or this one, refused: nothing will change quickly. */
  linkRefusedRetryMs: 3_000,
  /** A connection with nothing to say says so this often. */
  linkPingMs: 1_000,
  /** A connection on which nothing came in for this long is dropped: its other end is gone without a word. */
  linkSilenceMs: 4_000,
  /** How long `close()` waits for what is queued to leave. */
  linkCloseMs: 500,
  /** Runs of a peer that were replaced by a newer one and are remembered, to be refused. */
  linkSupersededRunsMax: 16,
  /** Beats or beat replies in one frame: one per shard. */
  shardsMax: 64,
  /** Entries in one append. */
  appendEntriesMax: 65_536,
  /** A segment file of the log is closed when it has grown to this. */
  logSegmentBytes: 64 * MiB,
  /**
   * One write to a log file, unless a single request is larger: what a slow disk syncs in some tens of milliseconds.
   */
  logBlockBytes: 2 * MiB,
  /** What may wait for the disk thread, per shard, before a leader takes no more requests. */
  logQueueBytesMax: 128 * MiB,
  /** Between two syncs in mode `everysec`. */
  everysecSyncMs: 1_000,
  /** A directory lock in the course of being taken over from a dead process is abandoned after this. */
  lockTakeoverMs: 5_000,
  /** Connections to the Redis endpoint at a time, as in Redis by default. */
  respConnectionsMax: 10_000,
  /** Words of one request, as many as the log takes. */
  respRequestWordsMax: 1024 * 1024,
  /** One word of a request: the largest value there is. */
  respBulkBytesMax: 512 * MiB,
  /** All words of one request. A value of the largest size fits, and the frame that it travels in is larger. */
  respRequestBytesMax: 513 * MiB,
  /** A line of the protocol: a length, or an inline command. */
  respLineBytesMax: 64 * KiB,
  /** Requests of a connection that have no reply yet, above which no more are taken. */
  respUnderWayMax: 2_048,
  /** Bytes of those requests. */
  respUnderWayBytesMax: 32 * MiB,
  /** What a client that is blocked may send ahead, above which nothing is read, and its end is not seen. */
  respBlockedInputBytesMax: 1 * MiB,
  /** Replies that a client has not read, above which no more requests of it are taken. */
  respOutputBytesMax: 1 * MiB,
  /** Commands between MULTI and EXEC, each word with {@link limits.respWordBytes} on top. */
  respTransactionBytesMax: 64 * MiB,
  /** What a queued word is reckoned to take beside its bytes. */
  respWordBytes: 64,
  /** How long `close()` waits for the replies to requests of Redis clients. */
  respCloseMs: 2_000,
  /** How long a client that has been told the end may take to close its side. */
  respLingerMs: 250,
} as const;

function assertRelation(holds: boolean, relation: string): void {
  if (!holds) throw new Error(`limits: ${relation} does not hold`);
}

assertRelation(
  limits.handshakeFrameBytesMax < limits.frameBytesMax,
  'handshakeFrameBytesMax < frameBytesMax',
);
assertRelation(limits.frameBytesMax < 2 ** 32, 'frameBytesMax fits the u32 length of a frame');
assertRelation(limits.linkRetryMsMin < limits.linkRetryMsMax, 'linkRetryMsMin < linkRetryMsMax');
assertRelation(limits.linkRetryMsMax < limits.linkRefusedRetryMs, 'linkRetryMsMax < linkRefusedRetryMs');
assertRelation(
  2 * limits.linkPingMs < limits.linkSilenceMs,
  'two pings may be lost before a link is called silent',
);
assertRelation(limits.logBlockBytes <= limits.logSegmentBytes, 'logBlockBytes <= logSegmentBytes');
assertRelation(limits.logBlockBytes < limits.logQueueBytesMax, 'logBlockBytes < logQueueBytesMax');
assertRelation(
  limits.respBulkBytesMax < limits.respRequestBytesMax && limits.respRequestBytesMax < limits.frameBytesMax,
  'respBulkBytesMax < respRequestBytesMax < frameBytesMax',
);
assertRelation(
  limits.dataBatchBytes < limits.dataWindowBytesMax && limits.dataWindowBytesMax < limits.frameBytesMax,
  'dataBatchBytes < dataWindowBytesMax < frameBytesMax',
);
assertRelation(limits.linkSilenceMs < limits.dataIdleMs, 'linkSilenceMs < dataIdleMs');
assertRelation(limits.shardsMax < 0xffff, 'a shard number fits its u16, 0xffff stands for none');
