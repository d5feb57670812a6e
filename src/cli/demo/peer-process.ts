import { type ChildProcess, fork } from 'node:child_process';
import { once } from 'node:events';
import { fileURLToPath } from 'node:url';
import { HoldfastError } from '../../errors.js';
import type { FromPeer, PeerCall, PeerCalls, PeerNews } from './messages.js';

const ENTRY = fileURLToPath(new URL('./peer-main.js', import.meta.url));
/** What is kept of a peer's stderr, for the message if it dies. */
const STDERR_CHARS_MAX = 4_096;

/** Who wants to know of a peer. */
export interface PeerListener {
  /** The peer said something unasked. */
  news(news: PeerNews): void;
  /** It ended though nobody killed it. */
  failed(error: HoldfastError): void;
}

interface Waiting {
  resolve: (answer: unknown) => void;
  reject: (error: Error) => void;
}

/** A child process with a peer in it. */
export class PeerProcess {
  readonly name: string;
  readonly #child: ChildProcess;
  readonly #listener: PeerListener;
  readonly #waiting = new Map<number, Waiting>();
  readonly #exited: Promise<unknown>;
  #nextId = 1;
  #stderr = '';
  #killed = false;
  #failure: HoldfastError | undefined;

  constructor(name: string, listener: PeerListener) {
    this.name = name;
    this.#listener = listener;
    this.#child = fork(ENTRY, [], {
      execArgv: [],
      serialization: 'advanced',
      stdio: ['ignore', 'ignore', 'pipe', 'ipc'],
    });
    // What the peer said before it ended may arrive after its end; `disconnect` is the last word.
    const disconnected = once(this.#child, 'disconnect');
    this.#exited = Promise.all([once(this.#child, 'close'), disconnected]).catch(() => {});
    this.#child.stderr?.setEncoding('utf8').on('data', (text: string) => {
      this.#stderr = (this.#stderr + text).slice(-STDERR_CHARS_MAX);
    });
    this.#child.on('message', (message: FromPeer) => this.#receive(message));
    this.#child.on('error', (error) => this.#fail(`could not be started: ${error.message}`));
    this.#child.on('close', (code, signal) => this.#fail(`ended with ${signal ?? `exit code ${code}`}`));
  }

  /** `undefined` if it could not be started. */
  get pid(): number | undefined {
    return this.#child.pid;
  }

  /** Asks the peer. Rejects with its error, or `PEER_ENDED` if it ends before it has answered. */
  call<C extends PeerCall>(call: C, params: PeerCalls[C]['params']): Promise<PeerCalls[C]['answer']> {
    return new Promise((resolve, reject) => {
      if (this.#failure !== undefined) {
        reject(this.#failure);
        return;
      }
      const id = this.#nextId++;
      this.#waiting.set(id, { resolve: (answer) => resolve(answer as PeerCalls[C]['answer']), reject });
      // If it cannot be sent the peer is ending, and `close` rejects what waits.
      this.#child.send({ id, call, params }, () => {});
    });
  }

  /** SIGKILL: no farewell, as when the machine loses power. */
  kill(): void {
    this.#killed = true;
    this.#child.kill('SIGKILL');
  }

  /** Resolves when the process is gone. */
  async ended(): Promise<void> {
    await this.#exited;
  }

  #receive(message: FromPeer): void {
    if (message.type !== 'answer' && message.type !== 'failed') {
      this.#listener.news(message);
      return;
    }
    const waiting = this.#waiting.get(message.id);
    this.#waiting.delete(message.id);
    if (message.type === 'answer') waiting?.resolve(message.answer);
    else waiting?.reject(new HoldfastError(message.code, `peer ${this.name}: ${message.message}`));
  }

  #fail(how: string): void {
    if (this.#failure !== undefined) return;
    const said = this.#stderr.trim().split('\n');
    // Of a stack trace the line that names the error says most.
    const line = said.findLast((text) => /^\S*(Error|error)\b.*:/.test(text)) ?? said.at(-1) ?? '';
    const text = `peer ${this.name} ${how}${line === '' ? '' : `, and said: ${line.trim()}`}`;
    this.#failure = new HoldfastError('PEER_ENDED', text, { cause: this.#stderr });
    for (const { reject } of this.#waiting.values()) reject(this.#failure);
    this.#waiting.clear();
    if (!this.#killed) this.#listener.failed(this.#failure);
  }
}
