/** A store with a log. */
import type { EventEmitter } from 'node:events';
import type { EncodedExecutor, Executor } from '../commands/executor.js';
import type { Bulk } from '../commands/form.js';
import { WaitingRoom } from '../commands/waiting-room.js';
import { HoldfastError } from '../errors.js';
import type { StoreEvents } from '../events.js';
import { type NativeHandle, native } from '../keyspace/native.js';
import type { CheckedOptions } from '../options.js';
import { saveFile } from '../rdb/index.js';
import { ReplicatedEncodedExecutor } from '../shards/encoded-executor.js';
import { ReplicatedExecutor } from '../shards/executor.js';
import { loadKeys, type StoreLoadOptions, type StoreLoadResult } from '../shards/load.js';
import { Peer } from '../shards/peer.js';
import type { HostEvent } from '../shards/protocol.js';
import { type Engine, StoreReads, type StoreStatus } from './engine.js';

/** A store with a log: this process is a peer. */
export class PeerEngine implements Engine {
  readonly local: StoreReads;
  readonly leased: StoreReads;
  readonly #options: CheckedOptions;
  readonly #events: EventEmitter<StoreEvents>;
  readonly #peer: Peer;
  readonly #room = new WaitingRoom();
  readonly #handles: readonly NativeHandle<Bulk>[];
  #refused = '';

  constructor(options: CheckedOptions, events: EventEmitter<StoreEvents>) {
    this.#options = options;
    this.#events = events;
    this.#peer = new Peer({
      ...options,
      shardCount: options.shards,
      reachable: options.members.length > 1 || options.members[0]?.address !== 'localhost:0',
      snapshot: (path, form) => saveFile(this.keyspaces, path, form),
      onEvent: (event) => this.#emit(event),
      onFault: (error) => {
        this.#room.refuse(error);
        this.#deliver('fault', error);
      },
    });
    const ids = this.#peer.replicas;
    const local = native.attach(ids, 'local', false);
    const localBytes = native.attach(ids, 'local', true);
    const leased = native.attach(ids, 'leased', false);
    const leasedBytes = native.attach(ids, 'leased', true);
    this.#handles = [local, localBytes, leased, leasedBytes];
    const staleness = () => this.#peer.staleness();
    this.local = new StoreReads(local, localBytes, () => this.#peer.notReady(), staleness);
    this.leased = new StoreReads(
      leased,
      leasedBytes,
      (key) => this.#peer.notLeased(key),
      () => 0,
    );
  }

  get keyspaces(): readonly number[] {
    return this.#peer.replicas;
  }

  load(path: string, options: StoreLoadOptions): Promise<StoreLoadResult> {
    const send = (shard: number, resp: Buffer) => this.#peer.client(shard).encoded(resp);
    return loadKeys(path, this.#peer.clients.length, send, options);
  }

  executor(bytes: boolean): Executor {
    const [local, localBytes, leased, leasedBytes] = this.#handles;
    const handles = bytes ? { local: localBytes, leased: leasedBytes } : { local, leased };
    if (handles.local === undefined || handles.leased === undefined) throw new RangeError('no handles');
    return new ReplicatedExecutor({
      clients: this.#peer.clients,
      local: handles.local,
      leased: handles.leased,
      bytes,
      room: this.#room,
    });
  }

  encodedExecutor(): EncodedExecutor {
    const [local, , leased] = this.#handles;
    if (local === undefined || leased === undefined) throw new RangeError('no handles');
    return new ReplicatedEncodedExecutor({
      clients: this.#peer.clients,
      local,
      leased,
      room: this.#room,
    });
  }

  /** Resolves when this peer has caught up. */
  async start(): Promise<void> {
    const { openTimeoutMs, signal } = this.#options;
    await new Promise<void>((resolve, reject) => {
      const timer = setTimeout(() => reject(this.#notJoined()), openTimeoutMs);
      const aborted = () => reject(signal?.reason);
      signal?.addEventListener('abort', aborted);
      // The signal may live much longer than it takes to open.
      const settled = () => {
        clearTimeout(timer);
        signal?.removeEventListener('abort', aborted);
      };
      this.#peer.start().then(resolve, reject).finally(settled);
    });
  }

  async status(): Promise<StoreStatus> {
    const { members, self } = this.#options;
    const { shards, up } = await this.#peer.status();
    return {
      name: self.name,
      shards: shards.map(({ id: _, barrierUntil: __, ...shard }) => ({
        ...shard,
        leader: this.#nameOf(shard.leader),
      })),
      peers: members.map(({ id, name, address }) => ({
        name,
        address,
        up: id === self.id || up.includes(id),
      })),
    };
  }

  transfer(shard: number, to: string | undefined): Promise<boolean> {
    const member = this.#options.members.find(({ name }) => name === to);
    if (to !== undefined && member === undefined) throw new TypeError(`${JSON.stringify(to)} is no peer`);
    return this.#peer.transfer(shard, member?.id);
  }

  async close(): Promise<void> {
    const closed = new HoldfastError('CLOSED', 'the store is closed');
    // Those whose attempt is under way are told what it took.
    this.#room.refuse(closed);
    await this.#peer.close(closed);
    for (const handle of this.#handles) handle.release();
  }

  #nameOf(id: number): string | undefined {
    return this.#options.members.find((member) => member.id === id)?.name;
  }

  #notJoined(): HoldfastError {
    const text = `no majority of the peers within ${this.#options.openTimeoutMs} ms`;
    return new HoldfastError('NO_QUORUM', this.#refused === '' ? text : `${text}; ${this.#refused}`);
  }

  #emit(event: HostEvent): void {
    switch (event.event) {
      case 'leader':
        this.#deliver('leader', { ...withoutTag(event), leader: this.#nameOf(event.leader) });
        break;
      case 'failover':
        this.#deliver('failover', { ...withoutTag(event), leader: this.#nameOf(event.leader) ?? '' });
        break;
      case 'role':
        this.#deliver('role', withoutTag(event));
        break;
      case 'peer':
        this.#deliver('peer', { name: this.#nameOf(event.member) ?? '', up: event.up });
        break;
      case 'refused':
        this.#refused = `${event.code}: ${event.message}`;
        this.#deliver('refused', { ...withoutTag(event), name: this.#nameOf(event.member) });
    }
  }

  /** A listener that throws is the host's error, reported as one: it does not keep the store from its work. */
  #deliver<E extends keyof StoreEvents>(event: E, ...args: StoreEvents[E]): void {
    try {
      (this.#events as EventEmitter).emit(event, ...args);
    } catch (error) {
      queueMicrotask(() => {
        throw error;
      });
    }
  }
}

function withoutTag<T extends { event: string }>({ event: _, ...rest }: T): Omit<T, 'event'> {
  return rest;
}
