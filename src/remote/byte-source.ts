/** A socket that is read by whoever wants its bytes, line by line or in whatever comes. */
import { connect as connectPlain, isIP, type Socket } from 'node:net';
import { connect as connectTls } from 'node:tls';
import { HoldfastError } from '../errors.js';
import { type RedisAddress, redisLabel } from './redis-address.js';

/** Longest line of the protocol. A reply of many lines has none that is longer. */
const LINE_BYTES_MAX = 64 * 1024;

/** How a server is reached. */
export interface ReachOptions {
  /** How long it may take to accept. */
  readonly timeoutMs: number;
  /** How long nothing may come. */
  readonly silenceMs: number;
  readonly signal: AbortSignal | undefined;
}

/** The bytes of a connection, in order. What is not asked for stays with the sender. */
export class ByteSource {
  readonly label: string;
  readonly #socket: Socket;
  readonly #chunks: AsyncIterator<Buffer>;
  #held: Buffer = Buffer.alloc(0);
  #trouble: Error | undefined;

  private constructor(socket: Socket, label: string) {
    this.#socket = socket;
    this.label = label;
    this.#chunks = socket[Symbol.asyncIterator]();
    socket.on('error', (error) => {
      this.#trouble ??= error;
    });
  }

  /** @throws HoldfastError `IO`, or the signal's reason. */
  static async connect(address: RedisAddress, options: ReachOptions): Promise<ByteSource> {
    const { timeoutMs, silenceMs, signal } = options;
    signal?.throwIfAborted();
    const { host, port, tls } = address;
    const label = redisLabel(address);
    // An address is no name that a server could be asked for.
    const named = isIP(host) === 0 ? { servername: host } : {};
    const socket = tls ? connectTls({ ...named, ...tls, host, port }) : connectPlain({ host, port });
    const aborted = () =>
      socket.destroy(signal?.reason instanceof Error ? signal.reason : new Error('aborted'));
    signal?.addEventListener('abort', aborted, { once: true });
    socket.once('close', () => signal?.removeEventListener('abort', aborted));
    const late = new Error(`no connection within ${timeoutMs} ms`);
    const timer = setTimeout(() => socket.destroy(late), timeoutMs);
    try {
      await new Promise<void>((resolve, reject) => {
        socket.once(tls ? 'secureConnect' : 'connect', () => resolve());
        socket.once('error', reject);
        socket.once('close', () => reject(new Error('the connection was closed')));
      });
    } catch (cause) {
      signal?.throwIfAborted();
      throw ioError(label, cause);
    } finally {
      clearTimeout(timer);
    }
    socket.removeAllListeners('error');
    const silent = new Error(`nothing came for ${silenceMs} ms`);
    socket.setTimeout(silenceMs, () => socket.destroy(silent));
    return new ByteSource(socket, label);
  }

  /** Sends a request. */
  send(words: readonly string[]): void {
    const parts = words.map((word) => `$${Buffer.byteLength(word)}\r\n${word}\r\n`);
    this.#socket.write(`*${words.length}\r\n${parts.join('')}`);
  }

  /** The next line, without its end. */
  async line(): Promise<string> {
    for (let from = 0; ; ) {
      const end = this.#held.indexOf('\n', from);
      if (end >= 0) {
        const line = this.#held.toString('utf8', 0, end).replace(/\r$/, '');
        this.#held = this.#held.subarray(end + 1);
        return line;
      }
      if (this.#held.length > LINE_BYTES_MAX)
        throw new HoldfastError('PROTOCOL', `${this.label}: an endless line`);
      from = this.#held.length;
      this.#held = Buffer.concat([this.#held, await this.#more()]);
    }
  }

  /** Exactly so many bytes. */
  async exactly(bytes: number): Promise<Buffer> {
    const parts: Buffer[] = [];
    for (let missing = bytes; missing > 0; ) {
      const part = await this.some(missing);
      parts.push(part);
      missing -= part.length;
    }
    return Buffer.concat(parts);
  }

  /** Whatever comes next, at least a byte and not more than so many. */
  async some(bytesMax: number): Promise<Buffer> {
    if (this.#held.length === 0) this.#held = await this.#more();
    const part = this.#held.subarray(0, bytesMax);
    this.#held = this.#held.subarray(part.length);
    return part;
  }

  /** Ends the connection at once. */
  close(): void {
    this.#socket.destroy();
  }

  async #more(): Promise<Buffer> {
    try {
      const { value, done } = await this.#chunks.next();
      if (!done && value !== undefined) return value;
    } catch (cause) {
      throw ioError(this.label, cause);
    }
    throw ioError(this.label, this.#trouble ?? new Error('the connection was closed'));
  }
}

function ioError(label: string, cause: unknown): HoldfastError {
  if (cause instanceof HoldfastError) return cause;
  return new HoldfastError('IO', `${label}: ${cause instanceof Error ? cause.message : String(cause)}`, {
    cause,
  });
}
