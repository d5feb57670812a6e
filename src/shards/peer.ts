/**
 * One process as a peer of a cluster, seen from the application's thread: starts the workers, passes requests and
 * outcomes between them and the shards' clients, and ends everything.
 */
import { cpus, tmpdir } from 'node:os';
import { MessageChannel, type Transferable, Worker } from 'node:worker_threads';
import { HoldfastError } from '../errors.js';
import { type NativeMemoryLimit, native, type Word } from '../keyspace/native.js';
import type { MemberId } from '../raft/types.js';
import { DiskThread } from '../replication/disk-thread.js';
import { ShardClient } from './client.js';
import { DataService, type Snapshot } from './data-service.js';
import type {
  Failure,
  FromWorker,
  HostEvent,
  ShardId,
  SocketsSetup,
  ToShard,
  ToWorker,
  WorkerSetup,
  WorkerStatus,
} from './protocol.js';
import { shardOfSlot } from './router.js';

/** How long a planned stop waits for another leader and for outcomes. */
const HAND_OVER_MS = 3_000;
/** How long a worker that was told to stop may take. */
const STOP_MS = 5_000;

/** What a peer is started with. */
export interface PeerOptions
  extends Pick<
    WorkerSetup,
    | 'self'
    | 'members'
    | 'shardCount'
    | 'timers'
    | 'limits'
    | 'timeoutMs'
    | 'dir'
    | 'fsync'
    | 'snapshotLogBytes'
  > {
  readonly secret: string | undefined;
  readonly memoryLimit: NativeMemoryLimit | undefined;
  /** False: a cluster of one that nobody can reach. */
  readonly reachable: boolean;
  readonly listen: string | undefined;
  /** Writes all shards of this peer as one file. */
  readonly snapshot: Snapshot;
  /** Something that users can be told about. Must not throw. */
  readonly onEvent: (event: HostEvent) => void;
  /** The peer is of no use any more; everything that waits has been told. */
  readonly onFault: (error: HoldfastError) => void;
}

/** A question to a worker, by its id. */
interface Asked<T> {
  resolve(answer: T): void;
  reject(error: HoldfastError): void;
}

/** The threads of one peer. */
export class Peer {
  readonly clients: readonly ShardClient[];
  /** Native ids of the shards' replicas, by shard. */
  readonly replicas: readonly number[];
  readonly #options: PeerOptions;
  readonly #workers: Worker[] = [];
  readonly #freshness: Float64Array;
  readonly #leaders: MemberId[];
  readonly #notReady: Set<ShardId>;
  readonly #statuses = new Map<number, Asked<WorkerStatus>>();
  readonly #transfers = new Map<number, Asked<boolean>>();
  readonly #ready: Asked<void> & { readonly promise: Promise<void> };
  readonly #data: DataService;
  #asked = 0;
  #disk: DiskThread | undefined;
  #handingOver: { left: number; done: () => void } | undefined;
  #failure: HoldfastError | undefined;
  /** Workers that said with their last word that their logs hold everything. */
  readonly #clean = new Set<Worker>();
  /** Set when the threads are told to end: why nothing is answered any more. */
  #ended: HoldfastError | undefined;

  constructor(options: PeerOptions) {
    const { shardCount } = options;
    const shards = Array.from({ length: shardCount }, (_, shard) => shard);
    this.#options = options;
    this.#freshness = new Float64Array(new SharedArrayBuffer(8 * shardCount));
    this.#leaders = shards.map(() => 0);
    this.#notReady = new Set(shards);
    this.#ready = newAsked();
    const { memoryLimit, limits } = options;
    const [first, ...others] = shards;
    const replica = first === undefined ? [] : [native.replicaCreate(memoryLimit, undefined, limits)];
    this.replicas = [...replica, ...others.map(() => native.replicaCreate(memoryLimit, replica[0], limits))];
    this.clients = shards.map(
      (shard) => new ShardClient(shard, (message, transfer) => this.#post(message, transfer)),
    );
    this.#data = new DataService({
      clients: this.clients,
      temporary: options.dir ?? tmpdir(),
      snapshot: options.snapshot,
      post: (message) => this.#workers[0]?.postMessage(message satisfies ToWorker),
    });
  }

  /** Starts the threads. Resolves when this peer has caught up in all shards, whenever that is. */
  async start(): Promise<void> {
    const workers = Math.min(this.#options.shardCount, cpus().length);
    if (this.#options.dir !== undefined) {
      const onError = ({ code, message }: HoldfastError) => this.#fault({ code, message });
      this.#disk = new DiskThread({ fsync: this.#options.fsync, onError });
    }
    const relays = Array.from({ length: workers - 1 }, () => new MessageChannel());
    for (let i = 0; i < workers; i++) {
      const sockets: SocketsSetup | undefined =
        i > 0
          ? undefined
          : {
              secret: this.#options.secret,
              reachable: this.#options.reachable,
              listen: this.#options.listen,
              relays: relays.map(({ port1 }, n) => ({ port: port1, shards: this.#shardsOf(n + 1, workers) })),
            };
      this.#startWorker(i, workers, sockets, relays[i - 1]?.port2);
    }
    await this.#ready.promise;
  }

  /** The application's end of a shard. */
  client(shard: ShardId): ShardClient {
    const client = this.clients[shard];
    if (client === undefined) throw new RangeError(`there is no shard ${shard}`);
    return client;
  }

  /** Why local reads are not answered just now. */
  notReady(): HoldfastError {
    return this.#failure ?? new HoldfastError('NOT_READY', 'this peer has not caught up with the others yet');
  }

  /** Why leased reads of this key are not answered just now. */
  notLeased(key: Word | undefined): HoldfastError {
    if (this.#failure !== undefined) return this.#failure;
    const { shardCount, members } = this.#options;
    const slot = key === undefined ? 0 : native.slotOf(typeof key === 'object' ? key : String(key));
    const leader = members.find(({ id }) => id === this.#leaders[shardOfSlot(slot, shardCount)]);
    const where = leader === undefined ? 'nobody leads its shard' : `${leader.name} leads its shard`;
    return new HoldfastError('NOT_LEASED', `this peer holds no lease for the key: ${where}`);
  }

  /** Milliseconds, at the most, by which this process's memory is behind; Infinity if nobody can say. */
  staleness(): number {
    const freshMs = Math.min(...this.#freshness);
    return freshMs === 0 ? Number.POSITIVE_INFINITY : Math.max(0, native.boottimeMs() - freshMs);
  }

  /** What all workers tell about themselves. */
  async status(): Promise<WorkerStatus> {
    const all = await Promise.all(
      this.#workers.map((worker) =>
        this.#ask(this.#statuses, (id) => worker.postMessage({ type: 'status', id } satisfies ToWorker)),
      ),
    );
    const shards = all.flatMap((status) => status.shards).sort((a, b) => a.shard - b.shard);
    return { shards, up: all.flatMap(({ up }) => up) };
  }

  /** Hands a shard's leadership on. False if this peer does not lead it, or nobody can take over now. */
  transfer(shard: ShardId, to: MemberId | undefined): Promise<boolean> {
    return this.#ask(this.#transfers, (id) => this.#post({ type: 'transfer', id, shard, to }));
  }

  /** Hands leadership over, waits for what is under way, and ends every thread. Never rejects. */
  async close(error: HoldfastError): Promise<void> {
    if (this.#ended !== undefined) return;
    for (const client of this.clients) client.close(error);
    await this.#data.close();
    if (this.#failure === undefined) await this.#handOver();
    this.#ended = error;
    this.#refuse(error);
    // The first one holds the directory: it lets go of it when nobody writes there any more.
    const [first, ...others] = this.#workers;
    await Promise.all(others.map((worker) => this.#stopWorker(worker, true)));
    const clean = this.#failure === undefined && others.every((worker) => this.#clean.has(worker));
    if (first !== undefined) await this.#stopWorker(first, clean);
    await this.#disk?.close();
    for (const replica of this.replicas) native.replicaClose(replica);
  }

  #startWorker(
    i: number,
    workers: number,
    sockets: SocketsSetup | undefined,
    relay: WorkerSetup['relay'],
  ): void {
    const {
      self,
      members,
      shardCount,
      timers,
      limits,
      timeoutMs,
      dir,
      fsync,
      snapshotLogBytes,
      memoryLimit,
    } = this.#options;
    const shards = this.#shardsOf(i, workers).map((shard) => {
      return { shard, replica: this.replicas[shard] ?? 0, disk: this.#disk?.connect() };
    });
    const freshness = this.#freshness;
    const setup: WorkerSetup = {
      ...{ self, members, shardCount, timers, limits, timeoutMs, dir, fsync, snapshotLogBytes },
      ...{ shards, freshness, sockets, relay },
      limited: (memoryLimit?.bytes ?? 0) > 0,
    };
    const ports = [
      relay,
      ...(sockets?.relays ?? []).map(({ port }) => port),
      ...shards.map(({ disk }) => disk),
    ];
    const transferList: Transferable[] = ports.filter((port) => port !== undefined);
    const worker = new Worker(new URL('./worker.js', import.meta.url), {
      name: `holdfast-${self.name}-${i}`,
      workerData: setup,
      transferList,
      // The host's own preloads and flags are not for this thread: no foreign code runs here.
      execArgv: [],
    });
    worker.on('message', (message: FromWorker) => this.#receive(worker, message));
    worker.on('error', (cause: Error) =>
      this.#fault({ code: 'FAULTED', message: `a worker failed: ${cause.message}` }),
    );
    worker.on('exit', () => {
      if (this.#ended === undefined) this.#fault({ code: 'FAULTED', message: 'a worker ended' });
    });
    this.#workers.push(worker);
  }

  /** The shards of worker `i`. */
  #shardsOf(i: number, workers: number): ShardId[] {
    return this.#leaders.map((_, shard) => shard).filter((shard) => shard % workers === i);
  }

  #workerOf(shard: ShardId): Worker | undefined {
    return this.#workers[shard % this.#workers.length];
  }

  #post(message: ToShard, transfer: ArrayBuffer[] = []): void {
    this.#workerOf(message.shard)?.postMessage(message, transfer);
  }

  #receive(worker: Worker, message: FromWorker): void {
    switch (message.type) {
      case 'outcomes':
        this.clients[message.shard]?.outcomes(message.outcomes, message.base);
        break;
      case 'abandoned':
        this.clients[message.shard]?.abandoned(message.abandoned);
        break;
      case 'barrier':
        this.clients[message.shard]?.barrierDone(message.failure && errorOf(message.failure));
        break;
      case 'status':
        answer(this.#statuses, message.id, message.status);
        break;
      case 'transferred':
        answer(this.#transfers, message.id, message.begun);
        break;
      case 'data':
        this.#data.receive(message);
        break;
      case 'founded':
        this.#founded(message);
        break;
      case 'ready':
        this.#notReady.delete(message.shard);
        if (this.#notReady.size === 0) this.#ready.resolve();
        break;
      case 'event':
        this.#event(message.event);
        break;
      case 'fault':
        this.#fault(message.failure);
        break;
      case 'handedOver':
        if (this.#handingOver !== undefined && --this.#handingOver.left === 0) this.#handingOver.done();
        break;
      case 'stopped':
        if (message.clean) this.#clean.add(worker);
    }
  }

  /** How the end looks from inside is no news. */
  #event(event: HostEvent): void {
    if (event.event === 'leader') this.#leaders[event.shard] = event.leader;
    if (this.#ended === undefined) this.#options.onEvent(event);
  }

  /** The worker with the sockets knows first; the others begin when they are told. */
  #founded({ founding, restarted }: Extract<FromWorker, { type: 'founded' }>): void {
    for (const worker of this.#workers.slice(1)) {
      worker.postMessage({ type: 'founded', founding, restarted } satisfies ToWorker);
    }
  }

  #fault(failure: Failure): void {
    if (this.#failure !== undefined || this.#ended !== undefined) return;
    this.#failure = errorOf(failure);
    // The worker that failed has done this if it could, one that died has not, and the others go on if they are not told.
    for (const replica of this.replicas) {
      native.replicaSetLease(replica, 0);
      native.replicaSetReady(replica, false);
    }
    for (const worker of this.#workers) worker.postMessage({ type: 'fault', failure } satisfies ToWorker);
    this.#refuse(this.#failure);
    this.#options.onFault(this.#failure);
  }

  #refuse(error: HoldfastError): void {
    for (const client of this.clients) client.refuse(error);
    for (const questions of [this.#statuses, this.#transfers]) {
      for (const asked of questions.values()) asked.reject(error);
      questions.clear();
    }
    this.#ready.reject(error);
    this.#handingOver?.done();
  }

  #handOver(): Promise<void> {
    return new Promise((resolve) => {
      const timer = setTimeout(resolve, HAND_OVER_MS);
      const done = () => {
        clearTimeout(timer);
        resolve();
      };
      this.#handingOver = { left: this.#workers.length, done };
      for (const worker of this.#workers) worker.postMessage({ type: 'handOver' } satisfies ToWorker);
    });
  }

  #stopWorker(worker: Worker, clean: boolean): Promise<void> {
    return new Promise((resolve) => {
      const timer = setTimeout(() => void worker.terminate(), STOP_MS);
      worker.once('exit', () => {
        clearTimeout(timer);
        resolve();
      });
      worker.postMessage({ type: 'stop', clean } satisfies ToWorker);
      if (worker.threadId === -1) {
        clearTimeout(timer);
        resolve();
      }
    });
  }

  #ask<T>(questions: Map<number, Asked<T>>, post: (id: number) => void): Promise<T> {
    const refusal = this.#failure ?? this.#ended;
    if (refusal !== undefined) return Promise.reject(refusal);
    const id = ++this.#asked;
    return new Promise<T>((resolve, reject) => {
      questions.set(id, { resolve, reject });
      post(id);
    });
  }
}

function answer<T>(questions: Map<number, Asked<T>>, id: number, value: T): void {
  questions.get(id)?.resolve(value);
  questions.delete(id);
}

function errorOf({ code, message }: Failure): HoldfastError {
  return new HoldfastError(code, message);
}

function newAsked(): Asked<void> & { readonly promise: Promise<void> } {
  let resolve: () => void = () => {};
  let reject: (error: HoldfastError) => void = () => {};
  const promise = new Promise<void>((yes, no) => {
    resolve = yes;
    reject = no;
  });
  promise.catch(() => {});
  return { promise, resolve: () => resolve(), reject: (error) => reject(error) };
}
