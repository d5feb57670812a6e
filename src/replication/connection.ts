import type { Socket } from 'node:net';
import { HoldfastError } from '../errors.js';
import { encodeFrame, type Frame, FrameDecoder, FrameKind, noShard } from './frame.js';
import { isProtocolError, protocolError } from './protocol-error.js';

/** Who gets what comes in on a connection. */
export interface ConnectionOwner {
  /** May throw a `PROTOCOL` error to end the connection. */
  frame(frame: Frame): void;
  /** Called once. `error` says why, undefined when the other side closed in order. */
  closed(error: HoldfastError | undefined): void;
  /** Everything that was queued has left. */
  drained(): void;
}

/** Counts of one connection since it was made. */
export interface Traffic {
  bytesSent: number;
  bytesReceived: number;
  framesSent: number;
  framesReceived: number;
}

const pingFrame = encodeFrame(FrameKind.ping, noShard, Buffer.alloc(0));

/** A TCP connection that carries frames. Ends with the first sign that the other side is gone or talks nonsense. */
export class Connection {
  /** Named in errors. */
  label: string;
  readonly traffic: Traffic = { bytesSent: 0, bytesReceived: 0, framesSent: 0, framesReceived: 0 };
  readonly #socket: Socket;
  readonly #decoder: FrameDecoder;
  #owner: ConnectionOwner;
  #closed = false;
  #corked = false;
  #receivedAt = performance.now();
  #sentAt = 0;

  constructor(socket: Socket, label: string, frameBytesMax: number, owner: ConnectionOwner) {
    this.label = label;
    this.#socket = socket;
    this.#owner = owner;
    this.#decoder = new FrameDecoder(() => this.label, frameBytesMax);
    socket.on('data', (chunk: Buffer) => this.#receive(chunk));
    // The kernel of a dead process says so at once; waiting for 'close' would wait for what is queued, too.
    socket.on('end', () => this.#end(undefined));
    socket.on('close', () => this.#end(undefined));
    socket.on('error', (error) => this.#end(new HoldfastError('IO', `${this.label}: ${error.message}`)));
  }

  /** Bytes that are waiting in this process. */
  get queuedBytes(): number {
    return this.#socket.writableLength;
  }

  get closed(): boolean {
    return this.#closed;
  }

  /** Gives the connection to another owner, who trusts it with larger frames. */
  handOver(owner: ConnectionOwner, label: string, frameBytesMax: number): void {
    this.#owner = owner;
    this.label = label;
    this.#decoder.allow(frameBytesMax);
  }

  /** Queues a frame, whose bytes must not be changed afterwards. All frames of a turn leave together. */
  send(frame: Uint8Array, written?: () => void): void {
    if (this.#closed) return;
    if (!this.#corked) {
      this.#corked = true;
      this.#socket.cork();
      process.nextTick(() => {
        this.#corked = false;
        this.#socket.uncork();
      });
    }
    this.traffic.framesSent += 1;
    this.traffic.bytesSent += frame.length;
    this.#sentAt = performance.now();
    this.#socket.write(frame, () => {
      written?.();
      if (!this.#closed && this.#socket.writableLength === 0) this.#owner.drained();
    });
  }

  /** Says that this side is there if it has said nothing for `idleMs`. */
  pingIfIdle(idleMs: number): void {
    if (performance.now() - this.#sentAt >= idleMs) this.send(pingFrame);
  }

  /** Milliseconds since the other side was last heard. */
  get silentMs(): number {
    return performance.now() - this.#receivedAt;
  }

  /** Ends the connection now; the owner hears of it. */
  destroy(error?: HoldfastError): void {
    this.#end(error);
  }

  /**
   * Sends a last frame and ends the connection without telling the owner. Resolves when it is gone, at most after
   * `waitMs`.
   */
  leave(last: Uint8Array, waitMs: number): Promise<void> {
    if (this.#closed) return Promise.resolve();
    this.send(last);
    this.#closed = true;
    const socket = this.#socket;
    return new Promise((resolve) => {
      const timer = setTimeout(() => socket.destroy(), waitMs);
      socket.once('close', () => {
        clearTimeout(timer);
        resolve();
      });
      socket.destroySoon();
    });
  }

  #receive(chunk: Buffer): void {
    if (this.#closed) return;
    this.#receivedAt = performance.now();
    this.traffic.bytesReceived += chunk.length;
    try {
      this.#decoder.push(chunk, (frame) => this.#deliver(frame));
    } catch (error) {
      if (!isProtocolError(error)) throw error;
      const named = error.message.startsWith(`${this.label}: `)
        ? error
        : protocolError(error.message, this.label);
      this.#end(named);
    }
  }

  #deliver(frame: Frame): void {
    if (this.#closed) return;
    this.traffic.framesReceived += 1;
    if (frame.kind !== FrameKind.ping) this.#owner.frame(frame);
  }

  #end(error: HoldfastError | undefined): void {
    if (this.#closed) return;
    this.#closed = true;
    this.#socket.destroy();
    this.#owner.closed(error);
  }
}
