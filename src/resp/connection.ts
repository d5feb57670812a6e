/**
 * One client's socket: requests are taken as they come, replies leave in the order of the requests. Nothing is read from a client
 * that has too much under way, or does not read its replies.
 */
import type { Socket } from 'node:net';
import type { HoldfastError } from '../errors.js';
import type { Encoded } from '../keyspace/native.js';
import { limits } from '../limits.js';
import type { Dispatcher } from './dispatcher.js';
import * as encode from './encode.js';
import { ProtocolError } from './protocol-error.js';
import { RequestParser } from './request-parser.js';

/** The place of a reply in the line. */
interface Place {
  reply: Encoded | undefined;
}

/** How a {@link Connection} tells its server. */
export interface ConnectionEvents {
  /** A piece of input was taken. */
  onInput(): void;
  /** So many requests were taken. */
  onRequests(count: number): void;
  /** The socket is gone. */
  onClosed(): void;
}

/** See the file. */
export class Connection {
  readonly #socket: Socket;
  readonly #dispatcher: Dispatcher;
  readonly #events: ConnectionEvents;
  readonly #parser = new RequestParser();
  /** Replies that are not there yet, and those behind them. `#first`: where the line begins. */
  #line: Place[] = [];
  #first = 0;
  /** Of the requests that have no reply yet. */
  #requestBytes = 0;
  /** A request that has to wait for those under way. */
  #held: readonly Buffer[] | undefined;
  #text = '';
  /** The client will send no more. */
  #inputOver = false;
  /** No request is taken any more; the socket ends behind the last reply. */
  #ended = false;
  #advancing = false;
  /** What came in while the client was blocked. */
  #aheadBytes = 0;
  #onGone: (() => void) | undefined;

  constructor(socket: Socket, dispatcher: Dispatcher, events: ConnectionEvents) {
    this.#socket = socket;
    this.#dispatcher = dispatcher;
    this.#events = events;
    socket.on('data', (piece: Buffer) => this.#receive(piece));
    socket.on('drain', () => this.#advance());
    socket.on('end', () => this.#inputEnded());
    socket.on('finish', () => this.#finished());
    // A client may go at any time; 'close' follows, but not before other things that the loop has to do.
    socket.on('error', () => {
      this.#dispatcher.leave();
      socket.destroy();
    });
    socket.on('close', () => this.#closed());
  }

  /** Takes no more requests, and resolves when those taken have been answered and the socket is gone. */
  finish(error: HoldfastError): Promise<void> {
    return new Promise((resolve) => {
      this.#onGone = resolve;
      if (this.#socket.closed) resolve();
      this.#held = undefined;
      this.#ended = true;
      this.#dispatcher.stopWaiting(error);
      this.#advance();
    });
  }

  /** Drops the socket. */
  destroy(): void {
    this.#socket.destroy();
  }

  get #underWay(): number {
    return this.#line.length - this.#first;
  }

  get #mayTake(): boolean {
    const output = this.#socket.writableLength + this.#text.length;
    return (
      !this.#ended &&
      this.#underWay < limits.respUnderWayMax &&
      this.#requestBytes < limits.respUnderWayBytesMax &&
      output < limits.respOutputBytesMax
    );
  }

  #receive(piece: Buffer): void {
    if (this.#ended) return;
    this.#events.onInput();
    this.#parser.push(piece);
    this.#aheadBytes = this.#dispatcher.blocked ? this.#aheadBytes + piece.length : 0;
    this.#advance();
  }

  /** Takes requests while it may, and sends the replies that are due. */
  #advance(): void {
    this.#advancing = false;
    if (this.#socket.destroyed) return;
    this.#socket.cork();
    // What can leave makes room for what can be taken, and some of that is answered at once.
    this.#sendAll();
    this.#takeAll();
    this.#sendAll();
    this.#socket.uncork();
    if (this.#mayRead) this.#socket.resume();
    else this.#socket.pause();
  }

  get #mayRead(): boolean {
    if (this.#ended) return true;
    // That a client has gone is only seen by reading.
    if (this.#dispatcher.blocked) return this.#aheadBytes < limits.respBlockedInputBytesMax;
    return this.#held === undefined && this.#mayTake;
  }

  /** A client that is blocked has gone, as far as Redis is concerned, and what it sent behind is not taken. */
  #inputEnded(): void {
    this.#inputOver = true;
    this.#leaveIfGone();
    this.#advance();
  }

  #leaveIfGone(): void {
    if (!this.#inputOver || !this.#dispatcher.blocked) return;
    this.#held = undefined;
    this.#ended = true;
    this.#dispatcher.leave();
  }

  #takeAll(): void {
    let count = 0;
    while (this.#mayTake) {
      const words = this.#held ?? this.#nextRequest();
      if (words === undefined) break;
      const reply = this.#dispatcher.dispatch(words);
      this.#held = reply === undefined ? words : undefined;
      if (reply === undefined) break;
      count++;
      this.#place(reply, words);
      if (this.#dispatcher.ended) this.#ended = true;
      // It was blocked after its end had come: it is served what is there, and does not wait.
      this.#leaveIfGone();
    }
    if (count > 0) this.#events.onRequests(count);
    // With room for more, what is left over is the beginning of a request that will never be complete.
    if (this.#inputOver && this.#held === undefined && this.#mayTake) this.#ended = true;
  }

  #nextRequest(): readonly Buffer[] | undefined {
    try {
      return this.#parser.next();
    } catch (thrown) {
      if (!(thrown instanceof ProtocolError)) throw thrown;
      this.#ended = true;
      this.#place(encode.error(`ERR ${thrown.message}`), []);
      return undefined;
    }
  }

  /** Puts a reply into the line, or sends it if there is none. */
  #place(reply: Encoded | Promise<Encoded>, words: readonly Buffer[]): void {
    if (!(reply instanceof Promise)) {
      if (this.#underWay === 0) this.#send(reply);
      else this.#line.push({ reply });
      return;
    }
    const requestBytes = words.reduce((sum, word) => sum + word.length, 0);
    const place: Place = { reply: undefined };
    this.#line.push(place);
    this.#requestBytes += requestBytes;
    reply.then((value) => {
      place.reply = value;
      this.#requestBytes -= requestBytes;
      this.#advanceSoon();
    });
  }

  /** Replies that come in together leave together. */
  #advanceSoon(): void {
    if (this.#advancing) return;
    this.#advancing = true;
    queueMicrotask(() => this.#advance());
  }

  #sendAll(): void {
    for (;;) {
      const reply = this.#line[this.#first]?.reply;
      if (reply === undefined) break;
      this.#send(reply);
      this.#first++;
    }
    if (this.#underWay === 0 || this.#first > limits.respUnderWayMax) {
      this.#line.splice(0, this.#first);
      this.#first = 0;
    }
    this.#sendText();
    if (this.#ended && this.#underWay === 0 && !this.#socket.writableEnded) {
      this.#socket.end();
    }
  }

  /** The end has been sent. Closing at once could take replies with it that the client has not read yet. */
  #finished(): void {
    this.#socket.setTimeout(limits.respLingerMs, () => this.#socket.destroy());
  }

  #send(reply: Encoded): void {
    if (typeof reply === 'string') {
      this.#text += reply;
      return;
    }
    this.#sendText();
    this.#socket.write(reply);
  }

  #sendText(): void {
    if (this.#text === '') return;
    this.#socket.write(this.#text, 'latin1');
    this.#text = '';
  }

  #closed(): void {
    this.#ended = true;
    this.#line = [];
    this.#first = 0;
    this.#held = undefined;
    this.#dispatcher.leave();
    this.#onGone?.();
    this.#events.onClosed();
  }
}
