/** How a shard's host reaches the other peers, whichever thread has the sockets. */

import type { Beat, BeatReply, MemberId, Message } from '../raft/types.js';
import { encodeFrame, FrameKind } from '../replication/frame.js';
import { encodeMessage } from '../replication/message-codec.js';
import type { PeerConnection } from '../replication/peer-link.js';
import { joinRuns } from './batch.js';
import { encodeReport, type Report } from './comparison.js';
import type { ShardId } from './protocol.js';

/** What a transport stands on: the link itself, or the way to the thread that has it. Nothing is sure to arrive. */
export interface Network {
  isUp(peer: MemberId): boolean;
  /** False: the frame was refused, for want of a connection or of room. */
  send(to: MemberId, connection: PeerConnection, frame: Uint8Array): boolean;
  sendBeat(shard: ShardId, message: Beat | BeatReply): boolean;
}

/** The small and urgent ones; what carries entries, and what answers it, goes over the bulk connection. */
const URGENT: ReadonlySet<Message['type']> = new Set([
  'preVote',
  'preVoteReply',
  'vote',
  'voteReply',
  'timeoutNow',
  'readIndex',
  'readIndexReply',
]);

/** The way to the other peers for one shard. */
export class ShardTransport {
  readonly #shard: ShardId;
  readonly #network: Network;

  constructor(shard: ShardId, network: Network) {
    this.#shard = shard;
    this.#network = network;
  }

  /** Whether there is a way to this peer. */
  isUp(peer: MemberId): boolean {
    return this.#network.isUp(peer);
  }

  /** Sends a message of the protocol to `message.to`. */
  message(message: Message): void {
    if (message.type === 'beat' || message.type === 'beatReply') {
      this.#network.sendBeat(this.#shard, message);
      return;
    }
    const connection = URGENT.has(message.type) ? 'control' : 'bulk';
    this.#network.send(message.to, connection, encodeMessage(this.#shard, message));
  }

  /** Sends runs of requests to the leader. */
  propose(to: MemberId, runs: readonly Uint8Array[]): boolean {
    return this.#network.send(to, 'bulk', encodeFrame(FrameKind.propose, this.#shard, joinRuns(runs)));
  }

  /** Tells a peer that its requests were not taken. */
  refuse(to: MemberId): void {
    this.#network.send(to, 'bulk', encodeFrame(FrameKind.proposeReply, this.#shard, Buffer.alloc(0)));
  }

  /** Sends a digest to the leader, or back to a peer that differs. */
  report(to: MemberId, report: Report): void {
    this.#network.send(to, 'control', encodeFrame(FrameKind.digest, this.#shard, encodeReport(report)));
  }

  /** Sends one frame of a snapshot transfer. */
  snapshot(to: MemberId, frame: Uint8Array): boolean {
    return this.#network.send(to, 'bulk', frame);
  }
}
