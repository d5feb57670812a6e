import type { Beat, BeatReply } from '../raft/types.js';
import type { Connection } from './connection.js';
import { encodeBeatReplies, encodeBeats, type ShardMessage } from './message-codec.js';

/**
 * Gathers the beats and beat replies for one peer (rule G2). All that are queued in the same turn of the loop, or within
 * `gatherMs` where they come from several threads, leave in one frame, and at most one frame of each kind waits for the socket: whatever is queued behind it is replaced by
 * newer ones of the same shard, so that a peer that reads again after a while finds no old beats.
 */
export class BeatCollector {
  /** Beats and replies that were replaced before they left. */
  replaced = 0;
  readonly #beats = new Map<number, Beat>();
  readonly #replies = new Map<number, BeatReply>();
  #connection: Connection | undefined;
  readonly #gatherMs: number;
  #turn: { clear(): void } | undefined;
  #beatsLeaving = false;
  #repliesLeaving = false;

  constructor(gatherMs: number) {
    this.#gatherMs = gatherMs;
  }

  /** Where beats go from now on; undefined: nowhere, what waits is dropped. */
  attach(connection: Connection | undefined): void {
    this.#connection = connection;
    this.#beats.clear();
    this.#replies.clear();
    this.#beatsLeaving = false;
    this.#repliesLeaving = false;
    this.#turn?.clear();
    this.#turn = undefined;
  }

  add(shard: number, message: Beat | BeatReply): void {
    const waiting = message.type === 'beat' ? this.#beats : this.#replies;
    if (waiting.has(shard)) this.replaced += 1;
    if (message.type === 'beat') this.#beats.set(shard, message);
    else this.#replies.set(shard, message);
    this.#turn ??= this.#schedule();
  }

  #schedule(): { clear(): void } {
    if (this.#gatherMs > 0) {
      const timer = setTimeout(() => this.#leave(), this.#gatherMs);
      return { clear: () => clearTimeout(timer) };
    }
    const turn = setImmediate(() => this.#leave());
    return { clear: () => clearImmediate(turn) };
  }

  #leave(): void {
    this.#turn = undefined;
    const connection = this.#connection;
    if (connection === undefined) return;
    if (this.#beats.size > 0 && !this.#beatsLeaving) {
      this.#beatsLeaving = true;
      connection.send(encodeBeats(taken(this.#beats)), () => {
        if (connection !== this.#connection) return;
        this.#beatsLeaving = false;
        this.#leaveAgain();
      });
    }
    if (this.#replies.size > 0 && !this.#repliesLeaving) {
      this.#repliesLeaving = true;
      connection.send(encodeBeatReplies(taken(this.#replies)), () => {
        if (connection !== this.#connection) return;
        this.#repliesLeaving = false;
        this.#leaveAgain();
      });
    }
  }

  #leaveAgain(): void {
    if (this.#beats.size > 0 || this.#replies.size > 0) this.#turn ??= this.#schedule();
  }
}

function taken<M extends Beat | BeatReply>(waiting: Map<number, M>): ShardMessage<M>[] {
  const list = Array.from(waiting, ([shard, message]) => ({ shard, message }));
  waiting.clear();
  return list;
}
