/**
 * The way between the thread that has the sockets and the threads that have other shards. Frames cross as they are on
 * the wire, beats as messages, since the beats of all shards to one peer leave in one frame.
 */
import type { MessagePort } from 'node:worker_threads';
import type { Beat, BeatReply, MemberId, Message } from '../raft/types.js';
import type { FrameKind } from '../replication/frame.js';
import type { PeerConnection } from '../replication/peer-link.js';
import type { HostStatus, ShardId } from './protocol.js';
import type { Network } from './transport.js';

/** From the thread with the sockets. */
export type ToRelay =
  | { readonly type: 'up' | 'down'; readonly peer: MemberId }
  | { readonly type: 'message'; readonly shard: ShardId; readonly message: Message }
  | {
      readonly type: 'frame';
      readonly from: MemberId;
      readonly kind: FrameKind;
      readonly shard: ShardId;
      readonly body: Uint8Array;
    };

/** To the thread with the sockets. */
export type FromRelay =
  | {
      readonly type: 'send';
      readonly to: MemberId;
      readonly connection: PeerConnection;
      readonly frame: Uint8Array;
    }
  | { readonly type: 'beat'; readonly shard: ShardId; readonly message: Beat | BeatReply }
  | { readonly type: 'status'; readonly shards: readonly HostStatus[] };

/** The network of a thread without sockets. */
export class RelayNetwork implements Network {
  readonly #port: MessagePort;
  readonly #up = new Set<MemberId>();

  constructor(port: MessagePort) {
    this.#port = port;
  }

  /** Takes note of connections that came and went. */
  setUp(peer: MemberId, up: boolean): void {
    if (up) this.#up.add(peer);
    else this.#up.delete(peer);
  }

  isUp(peer: MemberId): boolean {
    return this.#up.has(peer);
  }

  send(to: MemberId, connection: PeerConnection, frame: Uint8Array): boolean {
    if (!this.#up.has(to)) return false;
    this.#post({ type: 'send', to, connection, frame });
    return true;
  }

  sendBeat(shard: ShardId, message: Beat | BeatReply): boolean {
    if (!this.#up.has(message.to)) return false;
    this.#post({ type: 'beat', shard, message });
    return true;
  }

  /** What this thread's shards look like, for whoever asks the thread with the sockets. */
  sendStatus(shards: readonly HostStatus[]): void {
    this.#post({ type: 'status', shards });
  }

  #post(message: FromRelay): void {
    this.#port.postMessage(message);
  }
}
