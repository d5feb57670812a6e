/**
 * The way between the thread that has the sockets and the threads that have other shards. Frames cross as they are on
 * the wire, beats as messages, since the beats of all shards to one peer leave in one frame.
 */
import type { MessagePort } from 'node:worker_threads';
import type { Beat, BeatReply, MemberId } from '../raft/types.js';
import type { FrameKind } from '../replication/frame.js';
import type { PeerConnection } from '../replication/peer-link.js';
import type { HostStatus, ShardId } from './protocol.js';
import type { Network } from './transport.js';

/** From the thread with the sockets. */
export type ToRelay =
  | { readonly type: 'up' | 'down'; readonly peer: MemberId }
  | { readonly type: 'beat'; readonly shard: ShardId; readonly message: Beat | BeatReply }
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
    const own = ownBytes(frame);
    this.#port.postMessage({ type: 'send', to, connection, frame: own } satisfies FromRelay, [own.buffer]);
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

/**
 * The bytes in memory of their own, which may go to another thread: a view would take everything along that it is a part
 * of. Bytes that have their memory for themselves are not copied, and gone for the caller once they are sent.
 */
export function ownBytes(bytes: Uint8Array): Uint8Array<ArrayBuffer> {
  const { buffer, byteOffset, byteLength } = bytes;
  if (buffer instanceof ArrayBuffer && buffer.byteLength === byteLength) {
    return new Uint8Array(buffer, byteOffset, byteLength);
  }
  return new Uint8Array(bytes);
}
