/** Entry of a worker thread: puts a {@link ShardWorker} between the application's thread and the other peers. */
import { parentPort, workerData } from 'node:worker_threads';
import type { HoldfastError } from '../errors.js';
import { digestOf } from '../options.js';
import { closePool } from '../rdb/index.js';
import { FrameKind } from '../replication/frame.js';
import { type FoundingLimits, type FoundingRecord, Identity } from '../replication/identity.js';
import { decodeMessage } from '../replication/message-codec.js';
import { foundingOf, newId } from './founding.js';
import { Membership } from './membership.js';
import type {
  FromData,
  FromWorker,
  SocketsSetup,
  ToData,
  ToWorker,
  WorkerSetup,
  WorkerStatus,
} from './protocol.js';
import { RelayNetwork, type ToRelay } from './relay.js';
import { failureOf, ShardWorker } from './shard-worker.js';
import { Sockets } from './sockets.js';

/** How often a thread without sockets tells what its shards look like. */
const STATUS_EVERY_MS = 100;

/** One worker thread's parts. */
interface Parts {
  readonly worker: ShardWorker;
  /** A frame for a client that restores or backs up. */
  data(message: ToData): void;
  status(): WorkerStatus;
  /** Ends what is not the shards'. `clean`: everything that was acknowledged is in the log. */
  end(clean: boolean): Promise<void>;
}

const setup: WorkerSetup = workerData;
const port = parentPort;
if (port === null) throw new Error('this file is the entry of a worker thread');
const post = (message: FromWorker): void => port.postMessage(message);

const parts = setup.sockets === undefined ? relayed() : withSockets(setup.sockets);
port.on('message', (message: ToWorker) => receive(message));

function receive(message: ToWorker): void {
  switch (message.type) {
    case 'status':
      post({ type: 'status', id: message.id, status: parts.status() });
      break;
    case 'founded':
      void parts.worker.begin(message.founding, message.restarted);
      break;
    case 'fault':
      parts.worker.fault(message.failure);
      break;
    case 'data':
      parts.data(message);
      break;
    case 'handOver':
      void parts.worker.handOver().then(() => post({ type: 'handedOver' }));
      break;
    case 'stop':
      void stop(message.clean);
      break;
    default:
      parts.worker.application(message);
  }
}

/** When nothing is left that could do anything, the thread ends by itself. */
async function stop(othersClean: boolean): Promise<void> {
  const clean = (await parts.worker.stop()) && othersClean;
  await parts.end(clean);
  await closePool();
  post({ type: 'stopped', clean });
  port?.close();
}

/** The worker with the sockets holds the directory, and knows first that there is a cluster. */
function withSockets(sockets: SocketsSetup): Parts {
  const { self, members, dir, fsync, shardCount: shards, timers } = setup;
  const limits: FoundingLimits = { ...setup.limits };
  const expected = { peers: members.map(({ name }) => name), shards, limits };
  let identity: Identity | undefined;
  try {
    identity = dir === undefined ? undefined : Identity.open(dir, { name: self.name, fsync, expected });
  } catch (error) {
    post({ type: 'fault', failure: failureOf(error) });
  }
  const restarted = identity?.founding !== undefined;
  const membership = new Membership({
    ...{ self, members, shards, founding: identity?.founding },
    incarnation: identity?.incarnation ?? newId(),
    runId: newId(),
    peersDigest: digestOf(members),
    timersDigest: digestOf(timers),
    limits,
    found: (incarnations) => foundingOf(members, { shards, timers, limits }, incarnations),
    store: (founding) => identity?.found(founding),
    send: (to, founding) => network.sendFounding(to, founding),
    founded: (founding) => started(founding),
  });
  const network: Sockets = new Sockets(setup, sockets, membership, {
    message: (shard, message) => worker.message(shard, message),
    frame: (from, kind, shard, body) => worker.frame(from, kind, shard, body),
    up: (member) => {
      worker.up(member);
      post({ type: 'event', event: { event: 'peer', member, up: true } });
    },
    down: (member) => {
      worker.down(member);
      post({ type: 'event', event: { event: 'peer', member, up: false } });
    },
    refused: (member, error) => refused(worker, membership, member, error),
    status: () => worker.status(),
    data: tellData,
    failed: (error) => worker.fault(failureOf(error)),
  });
  // A faulted store does not keep its connections: the others learn at once that nobody speaks here any more.
  const worker = new ShardWorker(setup, network, post, () => void network.close());
  const started = (founding: FoundingRecord): void => {
    post({ type: 'founded', founding, restarted });
    void worker.begin(founding, restarted);
  };
  if (dir === undefined || identity !== undefined) {
    network
      .start()
      .then(() => (membership.founding === undefined ? membership.start() : started(membership.founding)))
      .catch((error) => worker.fault(failureOf(error)));
  }
  return {
    ...{ worker, data: (message: ToData) => network.sendData(message), status: () => network.status() },
    end: async (clean) => {
      await network.close();
      identity?.close(clean);
    },
  };
}

/** What a client that restores or backs up does. */
function tellData(message: FromData): void {
  port?.postMessage(message, message.event === 'frame' ? [message.body.buffer] : []);
}

/** A peer without a cluster that is told that it lost its memory learns that it may not come back like this. */
function refused(worker: ShardWorker, membership: Membership, member: number, error: HoldfastError): void {
  const { code, message } = error;
  post({ type: 'event', event: { event: 'refused', member, code, message } });
  if (code === 'AMNESIAC' && membership.founding === undefined) worker.fault({ code, message });
}

/** Another worker's shards: the way out is through the worker with the sockets. */
function relayed(): Parts {
  const { relay } = setup;
  if (relay === undefined) throw new Error('a worker has sockets or a relay');
  const network = new RelayNetwork(relay);
  const worker = new ShardWorker(setup, network, post);
  relay.on('message', (message: ToRelay) => receiveRelayed(worker, network, message));
  const teller = setInterval(() => network.sendStatus(worker.status()), STATUS_EVERY_MS);
  return {
    worker,
    data: () => {},
    status: () => ({ shards: worker.status(), up: [] }),
    end: async () => {
      clearInterval(teller);
      relay.close();
    },
  };
}

function receiveRelayed(worker: ShardWorker, network: RelayNetwork, message: ToRelay): void {
  if (message.type === 'beat') worker.message(message.shard, message.message);
  else if (message.type === 'frame') relayedFrame(worker, message);
  else {
    network.setUp(message.peer, message.type === 'up');
    if (message.type === 'up') worker.up(message.peer);
    else worker.down(message.peer);
  }
}

/** What makes no sense here comes from a peer of another version: it is told, and ignored. */
function relayedFrame(worker: ShardWorker, frame: Extract<ToRelay, { type: 'frame' }>): void {
  const { from, kind, shard, body } = frame;
  const bytes = Buffer.from(body.buffer, body.byteOffset, body.byteLength);
  try {
    if (kind === FrameKind.message) worker.message(shard, decodeMessage(bytes));
    else worker.frame(from, kind, shard, bytes);
  } catch (error) {
    const { code, message } = failureOf(error);
    post({ type: 'event', event: { event: 'refused', member: from, code, message } });
  }
}
