import { connect } from 'node:net';
import { HoldfastError } from '../errors.js';
import { limits } from '../limits.js';
import { formatAddress, parseAddress } from './address.js';
import type { Connection } from './connection.js';
import { type Frame, FrameKind } from './frame.js';
import { greet } from './greet.js';
import { clientHello, type Hello } from './handshake.js';
import { decodeJson, encodeJson } from './json-body.js';

/** A connection to a peer over which its status can be asked for. */
export interface StatusClient {
  /** Who answered. */
  readonly hello: Hello;
  /**
   * One at a time. Rejects with the peer's `HoldfastError`, with `IO` if the connection ends, `TIMEOUT` if nothing
   * comes.
   */
  status(request?: unknown): Promise<unknown>;
  /** Idempotent. */
  close(): Promise<void>;
}

/**
 * Connects to a peer as a client that may only ask for its status.
 *
 * @throws TypeError if `address` is none. Rejects with `IO` if nobody answers, `FOREIGN` if the secrets differ.
 */
export async function connectClient(
  address: string,
  secret?: string,
  timeoutMs: number = limits.linkHandshakeMs,
): Promise<StatusClient> {
  const { host, port } = parseAddress(address);
  const label = formatAddress({ host, port });
  return new Promise((resolve, reject) => {
    greet(connect({ host, port, noDelay: true }), {
      secret,
      hello: clientHello('status client'),
      dial: 'client',
      label,
      timeoutMs,
      leaveMs: limits.linkCloseMs,
      accept: () => undefined,
      onReady: (connection, _role, peer) => resolve(new Client(connection, peer, label, timeoutMs)),
      onFailed: reject,
    });
  });
}

interface Waiter {
  readonly resolve: (value: unknown) => void;
  readonly reject: (error: HoldfastError) => void;
  readonly timer: NodeJS.Timeout;
}

class Client implements StatusClient {
  readonly hello: Hello;
  readonly #connection: Connection;
  readonly #label: string;
  readonly #timeoutMs: number;
  readonly #pinger: NodeJS.Timeout;
  #waiter: Waiter | undefined;

  constructor(connection: Connection, hello: Hello, label: string, timeoutMs: number) {
    this.hello = hello;
    this.#connection = connection;
    this.#label = `peer ${hello.name} at ${label}`;
    this.#timeoutMs = timeoutMs;
    this.#pinger = setInterval(() => connection.pingIfIdle(limits.linkPingMs / 2), limits.linkPingMs);
    const owner = {
      frame: (frame: Frame) => this.#receive(frame),
      closed: (error: HoldfastError | undefined) => this.#ended(error),
      drained: () => {},
    };
    connection.handOver(owner, this.#label, limits.frameBytesMax);
  }

  status(request: unknown = null): Promise<unknown> {
    if (this.#connection.closed) return Promise.reject(new HoldfastError('CLOSED', `${this.#label}: closed`));
    if (this.#waiter !== undefined) {
      return Promise.reject(
        new HoldfastError('BUSY', `${this.#label}: a request is waiting for its answer already`),
      );
    }
    return new Promise((resolve, reject) => {
      const tooLate = new HoldfastError('TIMEOUT', `${this.#label}: no status within ${this.#timeoutMs} ms`);
      const timer = setTimeout(() => this.#connection.destroy(tooLate), this.#timeoutMs);
      this.#waiter = { resolve, reject, timer };
      this.#connection.send(encodeJson(FrameKind.statusRequest, request));
    });
  }

  async close(): Promise<void> {
    const farewell = encodeJson(FrameKind.bye, { code: 'CLOSING', message: 'done' });
    const leaving = this.#connection.leave(farewell, limits.linkCloseMs);
    this.#ended(undefined);
    await leaving;
  }

  #receive(frame: Frame): void {
    if (frame.kind === FrameKind.bye) {
      this.#connection.destroy();
      return;
    }
    if (frame.kind !== FrameKind.statusReply || this.#waiter === undefined) return;
    const { resolve, reject, timer } = this.#waiter;
    clearTimeout(timer);
    this.#waiter = undefined;
    const reply = decodeJson(frame.body) as {
      ok?: unknown;
      value?: unknown;
      code?: unknown;
      message?: unknown;
    } | null;
    if (reply?.ok === true) resolve(reply.value);
    else reject(new HoldfastError(String(reply?.code), `${this.#label}: ${String(reply?.message)}`));
  }

  #ended(error: HoldfastError | undefined): void {
    clearInterval(this.#pinger);
    const waiter = this.#waiter;
    this.#waiter = undefined;
    if (waiter === undefined) return;
    clearTimeout(waiter.timer);
    waiter.reject(error ?? new HoldfastError('IO', `${this.#label}: the connection ended before the answer`));
  }
}
