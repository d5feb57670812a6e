/** A client that sends bytes and sees bytes. */
import { once } from 'node:events';
import { connect, type Socket } from 'node:net';

export interface Address {
  readonly host: string;
  readonly port: number;
}

/** One connection. */
export class RawClient implements Disposable {
  readonly socket: Socket;
  #received = '';
  #closed = false;
  #wake: () => void = () => {};

  private constructor(socket: Socket) {
    this.socket = socket;
    socket.setEncoding('latin1');
    socket.on('data', (text: string) => {
      this.#received += text;
      this.#wake();
    });
    socket.on('close', () => {
      this.#closed = true;
      this.#wake();
    });
    socket.on('error', () => socket.destroy());
  }

  static async connect(address: Address | undefined): Promise<RawClient> {
    if (address === undefined) throw new Error('the store has no Redis endpoint');
    const socket = connect(address);
    await once(socket, 'connect');
    return new RawClient(socket);
  }

  send(bytes: string | Buffer): void {
    this.socket.write(bytes, 'latin1');
  }

  /** Sends a request. */
  command(...words: string[]): void {
    this.send(request(...words));
  }

  /** The next bytes, as many as `expected` has, to be compared with it. */
  async bytes(count: number): Promise<string> {
    await this.#until(() => this.#received.length >= count || this.#closed);
    const bytes = this.#received.slice(0, count);
    this.#received = this.#received.slice(count);
    return bytes;
  }

  /** Everything up to the end of the connection. */
  async rest(): Promise<string> {
    await this.#until(() => this.#closed);
    return this.#received;
  }

  /** Sends a request, and gives the bytes that come back up to now, at least `ending`. */
  async ask(words: readonly string[], ending = '\r\n'): Promise<string> {
    this.command(...words);
    await this.#until(() => this.#received.endsWith(ending) || this.#closed);
    const bytes = this.#received;
    this.#received = '';
    return bytes;
  }

  async #until(done: () => boolean): Promise<void> {
    while (!done()) {
      await new Promise<void>((resolve) => {
        this.#wake = resolve;
      });
    }
  }

  [Symbol.dispose](): void {
    this.socket.destroy();
  }
}

/** The bytes of a request. */
export function request(...words: string[]): string {
  return `*${words.length}\r\n${words.map((word) => `$${word.length}\r\n${word}\r\n`).join('')}`;
}
