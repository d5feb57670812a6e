import { setTimeout as sleep } from 'node:timers/promises';
import { HoldfastError } from '../../errors.js';
import type { Store } from '../../store.js';
import { AckRecorder, monotonicMs } from './ack-spans.js';
import type { PeerNews } from './messages.js';
import { type PlannedWrite, POINTS, planWrite } from './plan.js';

/** Sequence numbers announced at a time, while as many of the last block are still unused. */
const ANNOUNCE_BLOCK = 32;
const REPORT_EVERY_MS = 10;
const AFTER_FAILURE_MS = 50;

/** Sends a message to the demo; resolves when it has left this process. */
export type Tell = (news: PeerNews) => Promise<void>;

/** Writes without pause, a bounded number at a time, and reports every outcome. */
export class Workload {
  readonly #store: Store;
  readonly #writer: string;
  readonly #shardOf: (key: string) => number;
  readonly #tell: Tell;
  readonly #recorder = new AckRecorder();
  readonly #timer: NodeJS.Timeout;
  #acknowledged: number[] = [];
  #refused: number[] = [];
  #next = 0;
  /** Below this, sequence numbers may be used. */
  #announced = 0;
  #announcing: Promise<void> | undefined;
  #stopping = false;
  #lanes: Promise<void>[] = [];

  constructor(store: Store, writer: string, shardOf: (key: string) => number, tell: Tell) {
    this.#store = store;
    this.#writer = writer;
    this.#shardOf = shardOf;
    this.#tell = tell;
    this.#timer = setInterval(() => void this.#report(), REPORT_EVERY_MS);
  }

  start(inFlight: number): void {
    this.#lanes = Array.from({ length: inFlight }, () => this.#lane());
  }

  /** Resolves when the last write has an outcome and everything is reported. */
  async stop(): Promise<{ writer: string; issued: number }> {
    this.#stopping = true;
    await Promise.all(this.#lanes);
    clearInterval(this.#timer);
    await this.#report();
    return { writer: this.#writer, issued: this.#next };
  }

  async #lane(): Promise<void> {
    while (!this.#stopping) {
      const sequence = this.#next++;
      await this.#announce(sequence);
      await this.#write(sequence);
    }
  }

  /** Nothing is issued that the demo has not heard of: this process may be killed at any instant. */
  async #announce(sequence: number): Promise<void> {
    if (sequence + ANNOUNCE_BLOCK >= this.#announced && this.#announcing === undefined) {
      const below = this.#announced + 2 * ANNOUNCE_BLOCK;
      this.#announcing = this.#tell({ type: 'issuing', writer: this.#writer, below }).then(() => {
        this.#announced = below;
        this.#announcing = undefined;
      });
    }
    while (sequence >= this.#announced) await (this.#announcing ?? this.#announce(sequence));
  }

  async #write(sequence: number): Promise<void> {
    const write = planWrite(this.#writer, sequence);
    try {
      await perform(this.#store, write);
    } catch (error) {
      if (!(error instanceof HoldfastError)) throw error;
      if (!error.mayTakeEffect) this.#refused.push(sequence);
      await sleep(AFTER_FAILURE_MS);
      return;
    }
    this.#recorder.note(this.#shardOf(write.key), monotonicMs());
    this.#acknowledged.push(sequence);
  }

  async #report(): Promise<void> {
    const spans = this.#recorder.take();
    const [acknowledged, refused] = [this.#acknowledged, this.#refused];
    if (acknowledged.length + refused.length === 0) return;
    this.#acknowledged = [];
    this.#refused = [];
    await this.#tell({ type: 'written', writer: this.#writer, acknowledged, refused, spans });
  }
}

function perform(store: Store, write: PlannedWrite): Promise<unknown> {
  switch (write.kind) {
    case 'cart':
      return store.hincrby(write.key, write.id, write.quantity);
    case 'score':
      return store.zincrby(write.key, POINTS, write.member);
    case 'feed':
      return store.lpush(write.key, write.id);
    case 'order':
      return store.multi().decr(write.stockKey).rpush(write.key, write.id).exec();
  }
}
