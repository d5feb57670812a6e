/** The worker with the sockets: connections to the other peers, and frames to the threads that have the shards. */
import type { MessagePort } from 'node:worker_threads';
import { HoldfastError } from '../errors.js';
import { limits } from '../limits.js';
import type { Beat, BeatReply, MemberId, Message } from '../raft/types.js';
import { type Frame, FrameKind } from '../replication/frame.js';
import type { FoundingRecord } from '../replication/identity.js';
import { decodeJson, encodeJson } from '../replication/json-body.js';
import { Link } from '../replication/link.js';
import { decodeBeatReplies, decodeBeats, decodeMessage } from '../replication/message-codec.js';
import type { PeerConnection } from '../replication/peer-link.js';
import { readFounding } from './founding.js';
import type { Membership } from './membership.js';
import type {
  FromData,
  HostStatus,
  ShardId,
  SocketsSetup,
  ToData,
  WorkerSetup,
  WorkerStatus,
} from './protocol.js';
import { type FromRelay, ownBytes, type ToRelay } from './relay.js';
import type { Network } from './transport.js';

/** Who gets what comes in, on the thread with the sockets. */
export interface SocketsOwner {
  message(shard: ShardId, message: Message): void;
  /** Any other frame of a shard. */
  frame(from: MemberId, kind: FrameKind, shard: ShardId, body: Buffer): void;
  up(peer: MemberId): void;
  down(peer: MemberId): void;
  refused(peer: MemberId, error: HoldfastError): void;
  /** What this thread's own shards look like. */
  status(): readonly HostStatus[];
  /** What a client that restores or backs up does. */
  data(message: FromData): void;
  /** What was to be durable before anything else is not. */
  failed(error: unknown): void;
}

/** Connections, and the ways to the other threads. */
export class Sockets implements Network {
  readonly #membership: Membership;
  readonly #owner: SocketsOwner;
  readonly #link: Link | undefined;
  readonly #relays: SocketsSetup['relays'];
  readonly #relayOf = new Map<ShardId, MessagePort>();
  readonly #relayed = new Map<MessagePort, readonly HostStatus[]>();
  readonly #up = new Set<MemberId>();

  constructor(setup: WorkerSetup, sockets: SocketsSetup, membership: Membership, owner: SocketsOwner) {
    this.#membership = membership;
    this.#owner = owner;
    this.#relays = sockets.relays;
    for (const { port, shards } of sockets.relays) {
      for (const shard of shards) this.#relayOf.set(shard, port);
      port.on('message', (message: FromRelay) => this.#fromRelay(port, message));
    }
    this.#link = sockets.reachable ? this.#newLink(setup, sockets) : undefined;
  }

  /** Listens and dials. Rejects with `IO` if the address cannot be listened on. */
  async start(): Promise<void> {
    await this.#link?.start();
  }

  /** Ends every connection. */
  async close(): Promise<void> {
    for (const { port } of this.#relays) port.close();
    await this.#link?.close();
  }

  isUp(peer: MemberId): boolean {
    return this.#up.has(peer);
  }

  send(to: MemberId, connection: PeerConnection, frame: Uint8Array): boolean {
    return this.#link?.send(to, connection, frame) ?? false;
  }

  sendBeat(shard: ShardId, message: Beat | BeatReply): boolean {
    return this.#link?.sendBeat(shard, message) ?? false;
  }

  /** Sends the founding record. */
  sendFounding(to: MemberId, founding: FoundingRecord): void {
    this.#link?.send(to, 'control', encodeJson(FrameKind.founding, founding));
  }

  /** Sends a frame to a client that restores or backs up, if it is still there. */
  sendData({ client, frame, answers, last }: ToData): void {
    this.#link?.data?.send(client, frame, answers);
    if (last) this.#link?.data?.dismiss(client);
  }

  /** This process as its sockets' thread sees it. */
  status(): WorkerStatus {
    return { shards: this.#owner.status(), up: [...this.#up] };
  }

  #newLink(setup: WorkerSetup, sockets: SocketsSetup): Link {
    return new Link({
      self: setup.self.id,
      peers: setup.members,
      ...(sockets.listen === undefined ? {} : { listen: sockets.listen }),
      ...(sockets.secret === undefined ? {} : { secret: sockets.secret }),
      ...(sockets.relays.length === 0
        ? {}
        : { limits: { linkBeatGatherMs: limits.linkBeatGatherThreadsMs } }),
      random: Math.random,
      hello: () => this.#membership.hello(),
      judge: (hello) => this.#membership.judge(hello),
      onFrame: (from, frame) => this.#receive(from, frame),
      onUp: (peer, hello) => {
        this.#up.add(peer);
        this.#toRelays({ type: 'up', peer });
        this.#owner.up(peer);
        this.#founds(() => this.#membership.up(hello));
      },
      onDown: (peer) => {
        this.#up.delete(peer);
        this.#membership.down(peer);
        this.#toRelays({ type: 'down', peer });
        this.#owner.down(peer);
      },
      onRefused: (peer, error) => this.#owner.refused(peer ?? 0, error),
      status: () => this.#clusterStatus(setup),
      data: {
        opened: (client) => this.#owner.data({ type: 'data', client, event: 'opened' }),
        frame: (client, { kind, body }) =>
          this.#owner.data({ type: 'data', client, event: 'frame', kind, body: ownBytes(body) }),
        closed: (client) => this.#owner.data({ type: 'data', client, event: 'closed' }),
      },
    });
  }

  /** What `holdfast status` is told. */
  #clusterStatus({ self, members, shardCount }: WorkerSetup): unknown {
    const shards = [...this.#owner.status(), ...[...this.#relayed.values()].flat()];
    shards.sort((a, b) => a.shard - b.shard);
    const up = [self.id, ...this.#up];
    return { name: self.name, members, shardCount, up, shards, missing: this.#membership.missing };
  }

  #receive(from: MemberId, frame: Frame): void {
    switch (frame.kind) {
      case FrameKind.beats:
        for (const { shard, message } of decodeBeats(frame.body)) this.#beat(shard, message);
        break;
      case FrameKind.beatReplies:
        for (const { shard, message } of decodeBeatReplies(frame.body)) this.#beat(shard, message);
        break;
      case FrameKind.founding:
        this.#founding(from, decodeJson(frame.body));
        break;
      default:
        this.#frame(from, frame);
    }
  }

  #beat(shard: ShardId, message: Beat | BeatReply): void {
    const relay = this.#relayOf.get(shard);
    if (relay === undefined) this.#owner.message(shard, message);
    else relay.postMessage({ type: 'beat', shard, message } satisfies ToRelay);
  }

  #frame(from: MemberId, { kind, shard, body }: Frame): void {
    const relay = this.#relayOf.get(shard);
    if (relay !== undefined) {
      const own = ownBytes(body);
      relay.postMessage({ type: 'frame', from, kind, shard, body: own } satisfies ToRelay, [own.buffer]);
    } else if (kind === FrameKind.message) this.#owner.message(shard, decodeMessage(body));
    else this.#owner.frame(from, kind, shard, body);
  }

  #founding(from: MemberId, body: unknown): void {
    const founding = readFounding(body);
    this.#founds(() => {
      const refusal = this.#membership.received(founding);
      if (refusal !== undefined) this.#owner.refused(from, new HoldfastError(refusal.code, refusal.message));
    });
  }

  /** What may store a founding record, and fail. */
  #founds(work: () => void): void {
    try {
      work();
    } catch (error) {
      this.#owner.failed(error);
    }
  }

  #fromRelay(port: MessagePort, message: FromRelay): void {
    if (message.type === 'send') this.send(message.to, message.connection, message.frame);
    else if (message.type === 'beat') this.sendBeat(message.shard, message.message);
    else this.#relayed.set(port, message.shards);
  }

  #toRelays(message: ToRelay): void {
    for (const { port } of this.#relays) port.postMessage(message);
  }
}
