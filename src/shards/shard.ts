/** Puts one shard of this peer together: what its directory holds, the protocol core, the host and the snapshots. */
import { join } from 'node:path';
import { Raft } from '../raft/raft.js';
import type { Entry, HardState, SnapshotMark } from '../raft/types.js';
import type { FoundingRecord } from '../replication/identity.js';
import type { SessionId } from './batch.js';
import { type Clock, ShardHost } from './host.js';
import type { Failure, FromWorker, ShardId, WorkerSetup } from './protocol.js';
import { Session } from './session.js';
import { DiskLog, MemoryLog, type ShardLog } from './shard-log.js';
import { SnapshotStore } from './snapshot-store.js';
import { Snapshots } from './snapshots.js';
import { StateMachine } from './state-machine.js';
import { type Network, ShardTransport } from './transport.js';

/** What a shard is opened with. */
export interface ShardParts {
  readonly setup: WorkerSetup;
  readonly shard: ShardId;
  /** The native replica. */
  readonly replica: number;
  readonly disk: WorkerSetup['shards'][number]['disk'];
  readonly founding: FoundingRecord;
  /** Whether this incarnation may have made promises before (rule E5). */
  readonly restarted: boolean;
  readonly network: Network;
  readonly clock: Clock;
  readonly newSessionId: () => SessionId;
  readonly post: (message: FromWorker) => void;
  readonly fault: (failure: Failure) => void;
  readonly guard: (work: () => void) => void;
}

/** A shard that takes part. */
export interface OpenedShard {
  readonly host: ShardHost;
  readonly snapshots: Snapshots;
  /** Ends transfers and closes the log. The host has been stopped. */
  close(): Promise<void>;
}

/** What a shard's storage held. */
interface Recovered {
  readonly log: ShardLog;
  readonly hardState: HardState;
  readonly mark: SnapshotMark;
  readonly entries: readonly Entry[];
}

/**
 * Opens one shard. Rejects with `CORRUPT`, `FOREIGN` or `IO` if its directory cannot be used; nothing in it has been
 * changed then.
 */
export async function openShard(parts: ShardParts): Promise<OpenedShard> {
  const { setup, shard, founding, clock } = parts;
  const dir = setup.dir === undefined ? undefined : join(setup.dir, `shard-${shard}`);
  const { log, hardState, mark, entries } = await recover(parts, dir);
  const store = new SnapshotStore({ clusterId: founding.clusterId, shard }, dir);
  const machine = new StateMachine(parts.replica);
  if (mark.index > 0) machine.restore(mark, await store.loadAt(mark, machine.id));
  const raft = new Raft({
    id: setup.self.id,
    voters: setup.members.map(({ id }) => id),
    timers: setup.timers,
    random: Math.random,
    now: clock.now(),
    ...{ hardState, snapshot: mark, entries, restarted: parts.restarted },
  });
  const transport = new ShardTransport(shard, parts.network);
  let snapshots: Snapshots | undefined;
  const host = new ShardHost({
    ...{ shard, raft, machine, log, transport, clock },
    voters: setup.members.length,
    session: new Session(parts.newSessionId),
    post: parts.post,
    freshness: setup.freshness,
    timeoutMs: setup.timeoutMs,
    limited: setup.limited,
    sendSnapshot: (to) => snapshots?.send(to),
    guard: parts.guard,
  });
  host.observeRecovered(entries);
  snapshots = new Snapshots({
    ...{ shard, self: setup.self.id, host, machine, log, store, transport, clock },
    logBytesMax: setup.snapshotLogBytes,
    fault: parts.fault,
    guard: parts.guard,
  });
  const opened = snapshots;
  return {
    host,
    snapshots: opened,
    close: async () => {
      await opened.close();
      await log.close();
    },
  };
}

async function recover(parts: ShardParts, dir: string | undefined): Promise<Recovered> {
  const { disk, shard, founding, fault } = parts;
  if (dir === undefined || disk === undefined) {
    const nothing = { index: 0, term: 0 };
    return { log: new MemoryLog(), hardState: { term: 0, vote: 0 }, mark: nothing, entries: [] };
  }
  const options = { port: disk, dir, shard, clusterId: founding.clusterId };
  const { log, recovered } = await DiskLog.open(options, ({ code, message }) => fault({ code, message }));
  return { log, ...recovered };
}
