/**
 * The connections of one process to its peers: one listener, and two TCP connections to each peer. Of a pair the one
 * with the smaller member id dials, first `control`, then `bulk`, so that there are never two pairs to choose from.
 */

import { createServer, type Server, type Socket } from 'node:net';
import { HoldfastError } from '../errors.js';
import { limits } from '../limits.js';
import type { Beat, BeatReply, MemberId } from '../raft/types.js';
import { type Address, formatAddress, parseAddress } from './address.js';
import type { Connection } from './connection.js';
import { DataClients, type DataOwner } from './data-clients.js';
import { FrameKind } from './frame.js';
import { greet } from './greet.js';
import type { ConnectionRole, Hello } from './handshake.js';
import { encodeJson } from './json-body.js';
import {
  type LinkLimits,
  type PeerConnection,
  PeerLink,
  type PeerLinkHost,
  type PeerStatistics,
} from './peer-link.js';
import { StatusClients } from './status-server.js';

/** A member of the cluster and where it listens. */
export interface LinkPeer {
  readonly id: MemberId;
  readonly name: string;
  /** As {@link parseAddress} reads it. */
  readonly address: string;
}

/** What a {@link Link} is made of. */
export interface LinkOptions {
  /** This process's own member id. */
  readonly self: MemberId;
  /** All members, this one included. */
  readonly peers: readonly LinkPeer[];
  /** Where to listen if not at the own address in `peers`. Port 0: any free one. */
  readonly listen?: string;
  /** The same on all peers; without one anybody who reaches the port may be a peer. */
  readonly secret?: string;
  /** Uniform in [0, 1): jitter of reconnects. */
  readonly random: () => number;
  /** Who this process is. Asked anew for each handshake. */
  readonly hello: () => Hello;
  /** Whether a peer that knows the secret may take part; otherwise a stable code and a sentence for both logs. */
  readonly judge: (hello: Hello) => { readonly code: string; readonly message: string } | undefined;
  /** A frame of a peer. May throw a `PROTOCOL` error, which drops the connection; must not throw anything else. */
  readonly onFrame: PeerLinkHost['onFrame'];
  /** Both connections are up. */
  readonly onUp: PeerLinkHost['onUp'];
  /** One or both are gone; everything queued is lost. */
  readonly onDown: PeerLinkHost['onDown'];
  /**
   * Somebody was refused or refuses this process, or sent nonsense. Undefined: nobody knows who. Comes again with
   * each (slow) retry.
   */
  readonly onRefused: PeerLinkHost['onRefused'];
  /** A connection that refused a frame because too much was waiting is empty again. */
  readonly onDrain?: PeerLinkHost['onDrain'];
  /** Answers status clients; what it returns becomes JSON. */
  readonly status?: (request: unknown) => unknown;
  /** Serves clients that restore and back up. Default: they are refused. */
  readonly data?: DataOwner;
  /** Other bounds than the defaults. */
  readonly limits?: Partial<LinkLimits>;
}

/** The links of one process. */
export class Link {
  readonly #options: LinkOptions;
  readonly #limits: LinkLimits;
  readonly #address: Address;
  readonly #peers = new Map<MemberId, PeerLink>();
  readonly #clients: StatusClients;
  readonly #data: DataClients | undefined;
  readonly #greetings = new Set<Connection>();
  /** Refused connections, until the refusal has left. */
  readonly #leaving = new Set<Promise<void>>();
  #server: Server | undefined;
  #ticker: NodeJS.Timeout | undefined;
  #tickedAt = 0;
  #closing: Promise<void> | undefined;

  /** @throws TypeError if an address is none, or `self` is not among the peers. */
  constructor(options: LinkOptions) {
    this.#options = options;
    this.#limits = { ...limits, ...options.limits };
    const own = options.peers.find(({ id }) => id === options.self);
    if (own === undefined) throw new TypeError(`member ${options.self} is not in the list of peers`);
    this.#address = parseAddress(options.listen ?? own.address);
    const host: PeerLinkHost = {
      ...options,
      limits: this.#limits,
      secret: options.secret,
      onDrain: options.onDrain ?? (() => {}),
    };
    for (const { id, name, address } of options.peers) {
      if (id === own.id) continue;
      this.#peers.set(id, new PeerLink(id, name, parseAddress(address), own.id < id, host));
    }
    this.#clients = new StatusClients(this.#limits, options.status ?? (() => null));
    this.#data = options.data && new DataClients(this.#limits, options.data);
  }

  /** Clients that restore and back up; none if nobody serves them. */
  get data(): DataClients | undefined {
    return this.#data;
  }

  /**
   * Listens and starts dialling.
   *
   * @throws HoldfastError `IO` if the address cannot be listened on, `CLOSED` after {@link close}.
   */
  async start(): Promise<void> {
    if (this.#closing !== undefined) throw new HoldfastError('CLOSED', 'the link is closed');
    const server = createServer({
      noDelay: true,
      keepAlive: true,
      keepAliveInitialDelay: this.#limits.linkPingMs,
    });
    this.#server = server;
    server.on('connection', (socket) => this.#greet(socket));
    await listen(server, this.#address);
    if (this.#closing !== undefined)
      throw new HoldfastError('CLOSED', 'the link was closed while it started');
    this.#tickedAt = performance.now();
    this.#ticker = setInterval(() => this.#tick(), this.#limits.linkPingMs);
    for (const peer of this.#peers.values()) peer.dial();
  }

  /** Where this process listens; the port is the real one after {@link start}. */
  get address(): Address {
    const bound = this.#server?.address();
    const port = typeof bound === 'object' ? bound?.port : undefined;
    return { host: this.#address.host, port: port ?? this.#address.port };
  }

  /**
   * Queues a frame for a peer.
   *
   * @returns false if it was refused, because the peer is down or `linkQueueBytesMax` is waiting on that connection.
   *   A frame is always
   *   taken when nothing is waiting.
   */
  send(to: MemberId, connection: PeerConnection, frame: Uint8Array): boolean {
    return this.#peers.get(to)?.send(connection, frame) ?? false;
  }

  /** Queues a shard's beat or beat reply for its receiver; replaces one of the same shard that has not left yet. */
  sendBeat(shard: number, message: Beat | BeatReply): boolean {
    return this.#peers.get(message.to)?.sendBeat(shard, message) ?? false;
  }

  isUp(peer: MemberId): boolean {
    return this.#peers.get(peer)?.up ?? false;
  }

  /** Counts per peer since the link was made. */
  statistics(): Map<MemberId, PeerStatistics> {
    return new Map(Array.from(this.#peers, ([id, peer]) => [id, peer.statistics]));
  }

  /** Says goodbye to everybody and ends everything. Once it resolves, no socket and no timer is left. Idempotent. */
  close(): Promise<void> {
    this.#closing ??= this.#close();
    return this.#closing;
  }

  async #close(): Promise<void> {
    clearInterval(this.#ticker);
    const server = this.#server;
    const serverClosed = new Promise<void>((resolve) => {
      if (server?.listening) server.close(() => resolve());
      else resolve();
    });
    for (const greeting of this.#greetings) greeting.destroy();
    const farewell = encodeJson(FrameKind.bye, { code: 'CLOSING', message: 'the process is closing' });
    await Promise.all([
      this.#clients.close(farewell),
      this.#data?.close(farewell),
      ...this.#leaving,
      ...Array.from(this.#peers.values(), (peer) => peer.close(farewell)),
    ]);
    await serverClosed;
  }

  #greet(socket: Socket): void {
    if (this.#closing !== undefined || this.#greetings.size >= this.#limits.linkHandshakesMax) {
      socket.destroy();
      return;
    }
    const label = formatAddress({ host: socket.remoteAddress ?? 'unknown', port: socket.remotePort ?? 0 });
    const greeting: Connection = greet(socket, {
      secret: this.#options.secret,
      hello: this.#options.hello(),
      dial: undefined,
      label,
      timeoutMs: this.#limits.linkHandshakeMs,
      leaveMs: this.#limits.linkCloseMs,
      accept: (role, hello) => this.#accept(role, hello),
      onReady: (connection, role, hello) => {
        this.#greetings.delete(connection);
        if (role === 'client') this.#clients.add(connection);
        else if (role === 'data') this.#data?.add(connection);
        else this.#peers.get(hello.memberId)?.adopt(role, connection, hello);
      },
      onLeaving: (left) => {
        this.#leaving.add(left);
        void left.then(() => this.#leaving.delete(left));
      },
      onFailed: (error, claimed) => {
        this.#greetings.delete(greeting);
        if (error.code === 'IO' || this.#closing !== undefined) return;
        const known = claimed !== undefined && this.#peers.has(claimed.memberId);
        this.#options.onRefused(known ? claimed.memberId : undefined, error);
      },
    });
    this.#greetings.add(greeting);
  }

  #accept(role: ConnectionRole, hello: Hello): HoldfastError | undefined {
    if (role === 'client') {
      return this.#clients.full ? new HoldfastError('BUSY', 'too many status clients') : undefined;
    }
    if (role === 'data') return this.#acceptData();
    const peer = this.#peers.get(hello.memberId);
    if (peer === undefined) {
      const who = `${hello.name} (member ${hello.memberId})`;
      return new HoldfastError('FOREIGN', `${who} is not among the peers of this process`);
    }
    if (hello.memberId > this.#options.self) {
      return new HoldfastError('FOREIGN', `member ${hello.memberId} must wait to be dialled`);
    }
    return peer.accept(hello);
  }

  #acceptData(): HoldfastError | undefined {
    if (this.#data === undefined)
      return new HoldfastError('NOT_READY', 'restores and backups are not served here');
    const text = `${this.#limits.dataClientsMax} clients restore or back up already`;
    return this.#data.full ? new HoldfastError('BUSY', text) : undefined;
  }

  #tick(): void {
    const now = performance.now();
    const late = now - this.#tickedAt > 2 * this.#limits.linkPingMs;
    this.#tickedAt = now;
    for (const peer of this.#peers.values()) peer.tick(late);
    this.#clients.tick(late);
    this.#data?.tick(late);
  }
}

function listen(server: Server, address: Address): Promise<void> {
  return new Promise((resolve, reject) => {
    server.once('error', (error) => {
      const text = `cannot listen on ${formatAddress(address)}: ${error.message}`;
      reject(new HoldfastError('IO', text, { cause: error }));
    });
    // Exclusive: in a process of node:cluster the primary would otherwise share the port between its workers.
    server.listen({ ...address, exclusive: true }, () => {
      server.removeAllListeners('error');
      // Accepting may fail for want of descriptors; the peer dials again.
      server.on('error', () => {});
      resolve();
    });
  });
}
