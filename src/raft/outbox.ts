import { invariant } from './invariant.js';
import type { Log } from './log.js';
import type { HardState, LogIndex, Message, Persist } from './types.js';

interface Held {
  readonly seq: number;
  readonly message: Message;
}

/**
 * What leaves the core, and when: a message waits for the `Persist` that it speaks of (§2.11). Writes are numbered by
 * `seq` and reported in that order.
 */
export class Outbox {
  readonly #log: Log;
  #messages: Message[] = [];
  #held: Held[] = [];
  /** The newest write given out, and the newest reported as done. */
  #seq = 0;
  #persisted = 0;
  #hardState: HardState | undefined;
  /** The write that holds the current term and vote. */
  #hardSeq = 0;

  constructor(log: Log) {
    this.#log = log;
  }

  /** The write that anything changed from now on will be part of. */
  get nextSeq(): number {
    return this.#seq + 1;
  }

  get persistedSeq(): number {
    return this.#persisted;
  }

  /** Term and vote are one record (rule 6), durable before anything is said in that term. */
  setHardState(hardState: HardState): void {
    this.#hardState = hardState;
    this.#hardSeq = this.nextSeq;
  }

  /** Sends as soon as the current term and vote are durable. */
  send(message: Message): void {
    this.sendAfter(this.#hardSeq, message);
  }

  /** Sends when the log up to `index` is durable as well (R7). */
  sendWhenDurable(index: LogIndex, message: Message): void {
    this.sendAfter(Math.max(this.#hardSeq, this.#log.seqOf(index, this.nextSeq)), message);
  }

  /** Sends when the write `seq` is durable. */
  sendAfter(seq: number, message: Message): void {
    if (seq <= this.#persisted) {
      if (!merges(this.#messages, message)) this.#messages.push(message);
      return;
    }
    const before = this.#held[this.#held.length - 1];
    if (before !== undefined && before.seq === seq && supersedes(message, before.message)) this.#held.pop();
    this.#held.push({ seq, message });
  }

  /** Sends at once: only for what speaks of no durable state, as a pre-vote does. */
  sendNow(message: Message): void {
    this.#messages.push(message);
  }

  takeMessages(): Message[] {
    const messages = this.#messages;
    if (messages.length > 0) this.#messages = [];
    return messages;
  }

  takePersist(): Persist | undefined {
    if (this.#hardState === undefined && !this.#log.hasUnhanded) return undefined;
    const seq = ++this.#seq;
    const persist = {
      seq,
      hardState: this.#hardState,
      entries: this.#log.hand(seq),
      messages: this.#held.filter((held) => held.seq === seq).map((held) => held.message),
    };
    this.#held = this.#held.filter((held) => held.seq !== seq);
    this.#hardState = undefined;
    return persist;
  }

  /** Everything up to `seq` is on disk: lets go what waited for it. */
  persisted(seq: number): void {
    invariant(seq <= this.#seq, 'writes are reported after they were given out');
    if (seq <= this.#persisted) return;
    this.#persisted = seq;
    this.#log.persisted(seq);
    const waiting = this.#held;
    if (waiting.length === 0) return;
    this.#held = waiting.filter((held) => held.seq > seq);
    for (const held of waiting) if (held.seq <= seq) this.sendAfter(held.seq, held.message);
  }
}

/** Acks are cumulative: a newer one to the same leader in the same term says all that the older one said. */
function supersedes(newer: Message, older: Message): boolean {
  return (
    newer.type === 'appendReply' &&
    older.type === 'appendReply' &&
    newer.ok &&
    older.ok &&
    newer.to === older.to &&
    newer.term === older.term &&
    newer.index >= older.index &&
    newer.sentAt >= older.sentAt
  );
}

function merges(messages: Message[], message: Message): boolean {
  const last = messages.length - 1;
  const before = messages[last];
  if (before === undefined || !supersedes(message, before)) return false;
  messages[last] = message;
  return true;
}
