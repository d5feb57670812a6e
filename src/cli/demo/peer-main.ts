/** One peer of the demo: a process that opens a store, and does what it is told over the IPC channel. */
import { rmSync } from 'node:fs';
import { setTimeout as sleep } from 'node:timers/promises';
import { HoldfastError } from '../../errors.js';
import { native } from '../../keyspace/native.js';
import { open, type Store } from '../../store.js';
import type { FromPeer, PeerCall, PeerCalls, PeerOptions, ShardView, ToPeer } from './messages.js';
import { prepareKeys, readTrace } from './trace.js';
import { Workload } from './workload.js';

const STATUS_EVERY_MS = 50;
const CLOSE_WITHIN_MS = 500;
const SLOT_BITS = 14;

let opened: { store: Store; shards: number } | undefined;
let orphanedDir: string | undefined;
let workload: Workload | undefined;

function send(message: FromPeer): Promise<void> {
  return new Promise((resolve) => {
    // A failure means that the demo is gone, which `disconnect` deals with.
    process.send?.(message, undefined, undefined, () => resolve());
  });
}

function current(): { store: Store; shards: number } {
  if (opened === undefined) throw new HoldfastError('NOT_READY', 'the store is not open yet');
  return opened;
}

async function shardViews(store: Store): Promise<ShardView[]> {
  const { shards } = await store.status();
  return shards.map(({ shard, role, leader, term, commit, applied }) => ({
    ...{ shard, role, leader, term, commit, applied },
  }));
}

async function openStore(options: PeerOptions): Promise<null> {
  const { name, peers, secret, shards, dir } = options;
  orphanedDir = options.orphanedDir;
  const store = await open({ name, peers, secret, shards, dir });
  opened = { store, shards };
  store.on('failover', ({ shard, leader, term, unavailableMs }) => {
    void send({ type: 'failover', shard, leader, term, unavailableMs });
  });
  void reportStatus(store);
  return null;
}

async function reportStatus(store: Store): Promise<void> {
  while (process.connected) {
    await send({ type: 'status', shards: await shardViews(store) });
    await sleep(STATUS_EVERY_MS);
  }
}

const calls: { [C in PeerCall]: (params: PeerCalls[C]['params']) => Promise<PeerCalls[C]['answer']> } = {
  open: openStore,
  load: async ({ path }) => {
    const onProgress = (progress: { keys: number; totalKeys: number }) => {
      void send({ type: 'restored', ...progress });
    };
    const { keys } = await current().store.load(path, { onProgress });
    return { keys };
  },
  prepare: async () => {
    await prepareKeys(current().store);
    return null;
  },
  write: async ({ writer, inFlight }) => {
    const { store, shards } = current();
    const shardOf = (key: string) => (native.slotOf(key) * shards) >> SLOT_BITS;
    workload = new Workload(store, writer, shardOf, send);
    workload.start(inFlight);
    return null;
  },
  stop: async () => {
    if (workload === undefined) throw new HoldfastError('NOT_READY', 'nothing is being written');
    return workload.stop();
  },
  status: async () => shardViews(current().store),
  digest: async () => current().store.digest(),
  trace: async () => readTrace(current().store),
};

async function answer<C extends PeerCall>(call: C, params: PeerCalls[C]['params']): Promise<unknown> {
  return calls[call](params);
}

async function obey({ id, call, params }: ToPeer): Promise<void> {
  try {
    await send({ type: 'answer', id, answer: await answer(call, params) });
  } catch (error) {
    const code = error instanceof HoldfastError ? error.code : 'FAILED';
    const message = error instanceof Error ? error.message : String(error);
    await send({ type: 'failed', id, code, message });
  }
}

/** The demo is gone, however it went: nobody else can clean up any more. */
async function leaveOrphaned(): Promise<void> {
  await Promise.race([opened?.store.close().catch(() => {}), sleep(CLOSE_WITHIN_MS)]);
  // The other peers do the same at the same time, and may still be writing.
  if (orphanedDir !== undefined) rmSync(orphanedDir, { recursive: true, force: true, maxRetries: 10 });
  process.exit(1);
}

// Ctrl-C reaches every process of the terminal's group; whether peers end is for the demo to say.
for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) process.on(signal, () => {});
process.once('disconnect', () => void leaveOrphaned());
process.on('message', (message: ToPeer) => void obey(message));
