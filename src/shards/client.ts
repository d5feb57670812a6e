/**
 * One shard as the application's thread sees it: hands requests to the shard's worker, a turn of the event loop at a
 * time, and settles their promises when the outcomes come back.
 */
import type { Attempt } from '../commands/executor.js';
import { HoldfastError } from '../errors.js';
import type { ReplyValue, Word } from '../keyspace/native.js';
import { decodeReply } from '../resp/reply.js';
import { asBuffer, decodeOutcomes, RequestWriter } from './batch.js';
import type { ShardId, ToShard } from './protocol.js';
import type { Abandoned } from './session.js';

/** Requests without an outcome, above which a shard answers `BUSY`. */
export const PENDING_REQUESTS_MAX = 200_000;
/** Bytes of requests without an outcome, above which it does as well; a single request may be longer. */
export const PENDING_BYTES_MAX = 256 * 1024 * 1024;
/** Bytes of one request: the largest value that Redis takes, and what is around it. It has to fit into a frame. */
export const REQUEST_BYTES_MAX = 516 * 1024 * 1024;
/** Bytes of requests that one turn may hand over, above which they are handed over at once. */
const TURN_BYTES_MAX = 256 * 1024;

/** Makes a value of the reply that stands from `start` to `end`. */
type Decode<T> = (replies: Buffer, start: number, end: number) => T;

interface Pending {
  settle(replies: Buffer, start: number, end: number): void;
  reject(error: HoldfastError): void;
  readonly sizeBytes: number;
}

/** A request and its promise. */
class PendingRequest<T> implements Pending {
  readonly sizeBytes: number;
  readonly #decode: Decode<T>;
  readonly #resolve: (value: T) => void;
  readonly reject: (error: HoldfastError) => void;

  constructor(
    sizeBytes: number,
    decode: Decode<T>,
    resolve: (value: T) => void,
    reject: (error: HoldfastError) => void,
  ) {
    this.sizeBytes = sizeBytes;
    this.#decode = decode;
    this.#resolve = resolve;
    this.reject = reject;
  }

  settle(replies: Buffer, start: number, end: number): void {
    const value = this.#decode(replies, start, end);
    if (value instanceof HoldfastError) this.reject(value);
    else this.#resolve(value);
  }
}

/** A promise that several callers wait for. */
interface Barrier {
  readonly promise: Promise<void>;
  resolve(): void;
  reject(error: HoldfastError): void;
}

/** Sends to the worker that has the shard. */
export type Post = (message: ToShard, transfer: ArrayBuffer[]) => void;

/** The application's end of one shard. */
export class ShardClient {
  readonly shard: ShardId;
  readonly #post: Post;
  readonly #writer = new RequestWriter();
  /** By ticket, which ascend: a Map keeps them in that order. */
  readonly #pending = new Map<number, Pending>();
  #pendingBytes = 0;
  #tickets = 0;
  #flushing = false;
  /** Tickets of requests that their callers give up. */
  #withdrawn: number[] = [];
  /** The read barrier under way, and the one for readers that came after it left. */
  #barrier: Barrier | undefined;
  #nextBarrier: Barrier | undefined;
  #refusal: HoldfastError | undefined;

  constructor(shard: ShardId, post: Post) {
    this.shard = shard;
    this.#post = post;
  }

  /** Requests without an outcome. */
  get pending(): number {
    return this.#pending.size;
  }

  /** Runs one command through the log. */
  request(words: readonly Word[], bytes: boolean, attempt?: Attempt): Promise<ReplyValue> {
    return this.#enqueue(decoder(bytes), () => this.#writer.write(words), attempt);
  }

  /** Runs several commands as one through the log; the reply is the array of theirs. */
  transaction(requests: readonly (readonly Word[])[], bytes: boolean): Promise<ReplyValue> {
    return this.#enqueue(decoder(bytes), () => this.#writer.writeTransaction(requests));
  }

  /** Runs one command through the log, and gives the bytes of its reply, even of a refusal. */
  requestForBytes(words: readonly Word[], attempt?: Attempt): Promise<Buffer> {
    return this.#enqueue(copyOf, () => this.#writer.write(words), attempt);
  }

  /** Runs several commands as one through the log, and gives the bytes of the reply. */
  transactionForBytes(requests: readonly (readonly Word[])[]): Promise<Buffer> {
    return this.#enqueue(copyOf, () => this.#writer.writeTransaction(requests));
  }

  /** Runs a request whose RESP is at hand. */
  encoded(resp: Uint8Array): Promise<ReplyValue> {
    return this.#enqueue(decodeText, () => this.#writer.writeEncoded(resp));
  }

  /**
   * Resolves when this process has applied everything that was acknowledged anywhere before the call. Callers of one turn,
   * and those that wait while another round is under way, share a round; nobody joins one that has left already.
   */
  barrier(): Promise<void> {
    if (this.#refusal !== undefined) return Promise.reject(this.#refusal);
    if (this.#barrier === undefined) {
      this.#barrier = newBarrier();
      this.#post({ type: 'barrier', shard: this.shard }, []);
      return this.#barrier.promise;
    }
    this.#nextBarrier ??= newBarrier();
    return this.#nextBarrier.promise;
  }

  /** The worker's answer to a barrier: `undefined`, or why there is none. */
  barrierDone(error: HoldfastError | undefined): void {
    const done = this.#barrier;
    this.#barrier = this.#nextBarrier;
    this.#nextBarrier = undefined;
    if (this.#barrier !== undefined) this.#post({ type: 'barrier', shard: this.shard }, []);
    if (error === undefined) done?.resolve();
    else done?.reject(error);
  }

  /** Outcomes of applied requests. `base`: what makes a ticket of a sequence number. */
  outcomes(encoded: Uint8Array, base: number): void {
    const replies = asBuffer(encoded);
    for (const outcome of decodeOutcomes(replies)) {
      const ticket = outcome.seq + base;
      if (outcome.kind === 'reply') this.#take(ticket)?.settle(replies, outcome.replyAt, outcome.replyEnd);
      else if (outcome.kind === 'gone') this.#take(ticket)?.reject(replyGone());
    }
  }

  /** Requests that get no reply. */
  abandoned(list: readonly Abandoned[]): void {
    for (const { firstTicket, count, code, mayTakeEffect } of list) {
      for (let ticket = firstTicket; ticket < firstTicket + count; ticket++) {
        const error = new HoldfastError(code, abandonText(code, mayTakeEffect), { mayTakeEffect });
        this.#take(ticket)?.reject(error);
      }
    }
  }

  /** Whatever comes from now on is rejected with this; what is pending goes on. */
  close(error: HoldfastError): void {
    this.#refusal ??= error;
  }

  /** Nothing will be answered any more: everything pending is rejected, and everything that comes. */
  refuse(error: HoldfastError): void {
    this.#refusal = error;
    const left = [...this.#pending.values()];
    this.#pending.clear();
    this.#pendingBytes = 0;
    for (const pending of left) {
      pending.reject(
        new HoldfastError(error.code, error.message, { mayTakeEffect: true, cause: error.cause }),
      );
    }
    this.#barrier?.reject(error);
    this.#nextBarrier?.reject(error);
    this.#barrier = undefined;
    this.#nextBarrier = undefined;
  }

  #enqueue<T>(decode: Decode<T>, write: () => void, attempt?: Attempt): Promise<T> {
    if (this.#refusal !== undefined) return Promise.reject(this.#refusal);
    if (this.#pending.size >= PENDING_REQUESTS_MAX) {
      const text = `${PENDING_REQUESTS_MAX} requests are waiting already; nothing was sent`;
      return Promise.reject(new HoldfastError('BUSY', text));
    }
    if (this.#pendingBytes >= PENDING_BYTES_MAX) {
      const text = `${this.#pendingBytes} bytes of requests are waiting already; nothing was sent`;
      return Promise.reject(new HoldfastError('BUSY', text));
    }
    const { bytes, count } = this.#writer;
    const error = this.#attempt(write);
    const sizeBytes = this.#writer.bytes - bytes;
    if (error !== undefined || sizeBytes > REQUEST_BYTES_MAX) {
      this.#writer.cut(bytes, count);
      return Promise.reject(error ?? tooLarge(sizeBytes));
    }
    const ticket = ++this.#tickets;
    if (attempt !== undefined) attempt.withdraw = () => this.#withdraw(ticket);
    this.#pendingBytes += sizeBytes;
    const promise = new Promise<T>((resolve, reject) => {
      this.#pending.set(ticket, new PendingRequest(sizeBytes, decode, resolve, reject));
    });
    if (this.#writer.bytes >= TURN_BYTES_MAX) this.#flush();
    else this.#flushSoon();
    return promise;
  }

  #flushSoon(): void {
    if (this.#flushing) return;
    this.#flushing = true;
    queueMicrotask(() => this.#flush());
  }

  #withdraw(ticket: number): void {
    if (!this.#pending.has(ticket)) return;
    this.#withdrawn.push(ticket);
    this.#flushSoon();
  }

  /** What cannot be written must not leave half of itself behind. */
  #attempt(write: () => void): unknown {
    try {
      write();
      return undefined;
    } catch (error) {
      return error;
    }
  }

  #take(ticket: number): Pending | undefined {
    const pending = this.#pending.get(ticket);
    if (pending === undefined) return undefined;
    this.#pending.delete(ticket);
    this.#pendingBytes -= pending.sizeBytes;
    return pending;
  }

  #flush(): void {
    this.#flushing = false;
    const { shard } = this;
    const count = this.#writer.count;
    if (count > 0) {
      const requests = this.#writer.take();
      this.#post({ type: 'requests', shard, count, requests }, [requests.buffer]);
    }
    if (this.#withdrawn.length === 0) return;
    this.#post({ type: 'withdraw', shard, tickets: this.#withdrawn }, []);
    this.#withdrawn = [];
  }
}

const decodeText: Decode<ReplyValue> = (replies, start) => decodeReply(replies, false, start);
const decodeBytes: Decode<ReplyValue> = (replies, start) => decodeReply(replies, true, start);
const decoder = (bytes: boolean) => (bytes ? decodeBytes : decodeText);
const copyOf: Decode<Buffer> = (replies, start, end) => Buffer.from(replies.subarray(start, end));

function newBarrier(): Barrier {
  const { promise, resolve, reject } = promiseWithResolvers();
  promise.catch(() => {});
  return { promise, resolve, reject };
}

function promiseWithResolvers() {
  let resolve: () => void = () => {};
  let reject: (error: HoldfastError) => void = () => {};
  const promise = new Promise<void>((yes, no) => {
    resolve = yes;
    reject = no;
  });
  return { promise, resolve, reject };
}

function tooLarge(bytes: number): HoldfastError {
  return new HoldfastError(
    'ERR',
    `ERR a request of ${bytes} bytes is over the limit of ${REQUEST_BYTES_MAX}`,
  );
}

function replyGone(): HoldfastError {
  const text = 'the request took effect, but its reply was lost with the connection to the leader';
  return new HoldfastError('TIMEOUT', text, { mayTakeEffect: true });
}

function abandonText(code: Abandoned['code'], mayTakeEffect: boolean): string {
  const reason = {
    NO_QUORUM: 'no majority of the peers can be reached',
    TIMEOUT: 'the call took longer than timeoutMs',
    SESSION_EXPIRED: 'the peers forgot this process while it was cut off',
    CLOSED: 'the store was closed',
    WITHDRAWN: 'the caller gave the request up',
  }[code];
  return `${reason}; the request ${mayTakeEffect ? 'may still take effect' : 'takes no effect'}`;
}
