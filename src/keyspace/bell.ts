/**
 * How this thread hears that a key it waits for has become ready: a socket that the native code writes to, whichever thread
 * wrote the key. It keeps the process alive while something waits, and not longer.
 */
import { Socket } from 'node:net';
import { HoldfastError } from '../errors.js';
import { type NativeHandle, native, type TicketKind, type Word } from './native.js';

/** Whoever has taken a ticket. */
export interface TicketOwner {
  /** It is the ticket's turn. */
  called(): void;
  /** The ticket will never have a turn. */
  lost(error: HoldfastError): void;
}

class Bell {
  readonly #owners = new Map<number, TicketOwner>();
  #socket: Socket | undefined;
  #answering = false;

  /**
   * Takes a ticket for keys, of which its owner asks this.
   *
   * @throws HoldfastError `CLOSED`, `FAULTED`, `CROSSSLOT`; `BUSY` if there are too many tickets; `IO` if there is no socket.
   */
  enter(
    handle: NativeHandle,
    kind: TicketKind,
    keys: readonly Word[],
    asks: string,
    owner: TicketOwner,
  ): number {
    this.#socket ??= this.#open();
    const ticket = handle.enter(kind, keys, asks);
    if (this.#owners.size === 0) this.#socket.ref();
    this.#owners.set(ticket, owner);
    return ticket;
  }

  /** Who has taken a ticket and not given it back. */
  owner(ticket: number): TicketOwner | undefined {
    return this.#owners.get(ticket);
  }

  /** Gives a ticket back. */
  leave(ticket: number): void {
    if (!this.#owners.delete(ticket)) return;
    if (this.#owners.size === 0) this.#socket?.unref();
    native.ticketLeave(ticket);
  }

  #open(): Socket {
    const socket = new Socket({ fd: native.bellOpen(), readable: true, writable: false });
    socket.unref();
    socket.on('data', () => this.#answerSoon());
    socket.on('error', () => socket.destroy());
    socket.on('close', () => this.#gone());
    return socket;
  }

  /** Behind everything else that the loop has heard: a client that has gone, or a caller that gives up, is not served. */
  #answerSoon(): void {
    if (this.#answering) return;
    this.#answering = true;
    setImmediate(() => this.#answer());
  }

  #answer(): void {
    this.#answering = false;
    for (const ticket of native.bellAnswer()) this.#owners.get(ticket)?.called();
  }

  #gone(): void {
    this.#socket = undefined;
    const error = new HoldfastError('IO', 'the socket on which this thread hears of keys was closed');
    for (const owner of [...this.#owners.values()]) owner.lost(error);
  }
}

/** The bell of this thread. */
export const bell = new Bell();
