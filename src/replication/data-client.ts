import { connect } from 'node:net';
import { HoldfastError } from '../errors.js';
import { limits } from '../limits.js';
import { formatAddress, parseAddress } from './address.js';
import { ByteWriter } from './byte-cursor.js';
import type { Connection } from './connection.js';
import { encodeFrame, type Frame, FrameKind, noShard } from './frame.js';
import { type GreetOptions, greet } from './greet.js';
import { clientHello, type Hello } from './handshake.js';
import { decodeFarewell, decodeJson, encodeJson } from './json-body.js';
import { protocolError } from './protocol-error.js';
import { type BatchAnswer, decodeAnswer, encodeBatch, type RestoreKey } from './restore-codec.js';

/** Who takes a backup in. */
export interface BackupSink {
  /** How much of the snapshot the peer has made, from 0 to 1. */
  progress(part: number): void;
  /** The snapshot is complete; its bytes follow. */
  ready(size: BackupSize): void;
  /** The next bytes. The peer is never further ahead than a few pieces. */
  write(piece: Buffer): Promise<void>;
}

/** How large a backup is. */
export interface BackupSize {
  readonly keys: number;
  readonly bytes: number;
}

/** A connection to a peer over which keys can be restored, or a backup be taken. */
export interface DataClient {
  /** Who answered. */
  readonly hello: Hello;
  readonly closed: boolean;
  /**
   * Restores keys; waits for room in the window first. Rejects when the connection ends, with an error that says whether the keys
   * were sent.
   */
  restore(keys: readonly RestoreKey[], replace: boolean): Promise<BatchAnswer>;
  /** Takes a backup, once. Rejects with the peer's error, with `IO` if the connection ends. */
  backup(request: { readonly version?: number }, sink: BackupSink): Promise<BackupSize>;
  /** Ends the connection and whatever waits for it. Idempotent. */
  close(): Promise<void>;
}

/**
 * Connects to a peer as a client that restores or backs up.
 *
 * @throws TypeError if `address` is none. Rejects with `IO` if nobody answers, `FOREIGN` if the secrets differ, `BUSY` if there
 *   are too many such clients.
 */
export function connectDataClient(
  address: string,
  secret?: string,
  timeoutMs: number = limits.linkHandshakeMs,
): Promise<DataClient> {
  const { host, port } = parseAddress(address);
  const label = formatAddress({ host, port });
  const socket = connect({ host, port, noDelay: true });
  return new Promise((resolve, reject) => {
    const hello = clientHello('data client');
    const options: GreetOptions = {
      ...{ secret, hello, dial: 'data', label, timeoutMs },
      leaveMs: limits.linkCloseMs,
      accept: () => undefined,
      onReady: (connection, _role, peer) => resolve(new Client(connection, peer, label)),
      onFailed: reject,
    };
    greet(socket, options);
  });
}

interface Batch {
  readonly frame: Buffer;
  readonly resolve: (answer: BatchAnswer) => void;
  readonly reject: (error: HoldfastError) => void;
}

class Client implements DataClient {
  readonly hello: Hello;
  readonly #connection: Connection;
  readonly #label: string;
  readonly #pinger: NodeJS.Timeout;
  readonly #sent = new Map<number, Batch>();
  readonly #waiting = new Map<number, Batch>();
  #sentBytes = 0;
  #lastNumber = 0;
  #incoming: Incoming | undefined;

  constructor(connection: Connection, hello: Hello, label: string) {
    this.hello = hello;
    this.#connection = connection;
    this.#label = `peer ${hello.name} at ${label}`;
    this.#pinger = setInterval(() => this.#tick(), limits.linkPingMs);
    const owner = {
      frame: (frame: Frame) => this.#receive(frame),
      closed: (error: HoldfastError | undefined) => this.#ended(error),
      drained: () => {},
    };
    connection.handOver(owner, this.#label, limits.frameBytesMax);
  }

  get closed(): boolean {
    return this.#connection.closed;
  }

  restore(keys: readonly RestoreKey[], replace: boolean): Promise<BatchAnswer> {
    if (this.closed) return Promise.reject(this.#gone());
    this.#lastNumber = (this.#lastNumber + 1) % 2 ** 32;
    const number = this.#lastNumber;
    const frame = encodeBatch({ number, replace, keys });
    return new Promise((resolve, reject) => {
      this.#waiting.set(number, { frame, resolve, reject });
      this.#sendMore();
    });
  }

  backup(request: { readonly version?: number }, sink: BackupSink): Promise<BackupSize> {
    if (this.closed) return Promise.reject(this.#gone());
    const incoming = new Incoming(sink, (pieces) => {
      const credit = new ByteWriter(4).u32(pieces).finish();
      this.#connection.send(encodeFrame(FrameKind.backupCredit, noShard, credit));
    });
    this.#incoming = incoming;
    this.#connection.send(encodeJson(FrameKind.backup, request));
    return incoming.whole;
  }

  async close(): Promise<void> {
    const farewell = encodeJson(FrameKind.bye, { code: 'CLOSING', message: 'done' });
    const leaving = this.#connection.leave(farewell, limits.linkCloseMs);
    this.#ended(undefined);
    await leaving;
  }

  #sendMore(): void {
    for (const [number, batch] of this.#waiting) {
      const beyond = this.#sentBytes > 0 && this.#sentBytes + batch.frame.length > limits.dataWindowBytesMax;
      if (beyond || this.#sent.size >= limits.dataBatchesMax) return;
      this.#waiting.delete(number);
      this.#sent.set(number, batch);
      this.#sentBytes += batch.frame.length;
      this.#connection.send(batch.frame);
    }
  }

  #receive(frame: Frame): void {
    switch (frame.kind) {
      case FrameKind.restored:
        this.#answered(decodeAnswer(frame.body));
        break;
      case FrameKind.backupNotice:
        this.#incoming?.notice(decodeJson(frame.body));
        break;
      case FrameKind.backupChunk:
        this.#incoming?.piece(frame.body);
        break;
      case FrameKind.bye: {
        const { code, message } = decodeFarewell(frame.body);
        this.#connection.destroy(new HoldfastError('IO', `${this.#label} closes: ${code}: ${message}`));
      }
    }
  }

  #answered(answer: BatchAnswer): void {
    const batch = this.#sent.get(answer.number);
    if (batch === undefined) throw protocolError(`an answer to batch ${answer.number}, which was not sent`);
    this.#sent.delete(answer.number);
    this.#sentBytes -= batch.frame.length;
    batch.resolve(answer);
    this.#sendMore();
  }

  #tick(): void {
    this.#connection.pingIfIdle(limits.linkPingMs / 2);
    if (this.#connection.silentMs < limits.linkSilenceMs) return;
    const text = `${this.#label}: silent for ${limits.linkSilenceMs} ms`;
    this.#connection.destroy(new HoldfastError('IO', text));
  }

  #gone(error?: HoldfastError, mayTakeEffect = false): HoldfastError {
    const { code, message } = error ?? { code: 'IO', message: `${this.#label}: the connection is closed` };
    return new HoldfastError(code, message, { mayTakeEffect });
  }

  #ended(error: HoldfastError | undefined): void {
    clearInterval(this.#pinger);
    for (const batch of this.#sent.values()) batch.reject(this.#gone(error, true));
    for (const batch of this.#waiting.values()) batch.reject(this.#gone(error));
    this.#sent.clear();
    this.#waiting.clear();
    this.#incoming?.fail(this.#gone(error));
  }
}

/** A backup that comes in. */
class Incoming {
  readonly whole: Promise<BackupSize>;
  readonly #sink: BackupSink;
  readonly #credit: (pieces: number) => void;
  #resolve: (size: BackupSize) => void = () => {};
  #reject: (error: unknown) => void = () => {};
  #size: BackupSize | undefined;
  #received = 0;
  /** Pieces are written in their order, each when the one before it is. */
  #written: Promise<void> = Promise.resolve();
  #over = false;

  constructor(sink: BackupSink, credit: (pieces: number) => void) {
    this.#sink = sink;
    this.#credit = credit;
    this.whole = new Promise((resolve, reject) => {
      this.#resolve = resolve;
      this.#reject = reject;
    });
  }

  notice(value: unknown): void {
    const { progress, ready, failed } = (value ?? {}) as Record<string, unknown>;
    if (typeof progress === 'number') this.#sink.progress(progress);
    else if (ready !== undefined) this.#begin(ready);
    else if (failed !== undefined) this.fail(failureOf(failed));
  }

  piece(bytes: Buffer): void {
    const size = this.#size;
    if (size === undefined) throw protocolError('a piece of a backup before its size');
    this.#received += bytes.length;
    if (this.#received > size.bytes) throw protocolError('a backup is larger than announced');
    this.#written = this.#written.then(async () => {
      if (this.#over) return;
      await this.#sink.write(bytes);
      this.#credit(1);
    });
    this.#written.catch((error) => this.fail(error));
    this.#endOf(size);
  }

  fail(error: unknown): void {
    this.#over = true;
    this.#reject(error);
  }

  #begin(ready: unknown): void {
    const { keys, bytes } = ready as Record<string, unknown>;
    if (typeof keys !== 'number' || typeof bytes !== 'number') throw protocolError('a backup without a size');
    this.#size = { keys, bytes };
    this.#sink.ready(this.#size);
    this.#endOf(this.#size);
  }

  #endOf(size: BackupSize): void {
    if (this.#received < size.bytes) return;
    this.#written.then(
      () => this.#resolve(size),
      () => {},
    );
  }
}

function failureOf(failed: unknown): HoldfastError {
  const { code, message } = (failed ?? {}) as Record<string, unknown>;
  return new HoldfastError(String(code), String(message));
}
