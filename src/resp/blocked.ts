/** A client that a blocking command keeps waiting. */
import type { EncodedExecutor, Request } from '../commands/executor.js';
import type { WaitWay } from '../commands/waiting-room.js';
import { HoldfastError } from '../errors.js';
import type { Encoded, ReplyValue, RespProtocol } from '../keyspace/native.js';
import type { UnblockKind } from './client.js';
import * as encode from './encode.js';
import { decodeReply } from './reply.js';

const NOTHING: readonly Encoded[] = ['*-1\r\n', '$-1\r\n', '_\r\n'];

/** What any blocking command answers when its time is over. */
function nothing(protocol: RespProtocol): string {
  return protocol === 2 ? '*-1\r\n' : '_\r\n';
}

function decoded(reply: Encoded): ReplyValue {
  const value = decodeReply(typeof reply === 'string' ? Buffer.from(reply, 'latin1') : reply, true);
  if (value instanceof HoldfastError) throw value;
  return value;
}

/** See the file. */
export class Blocked {
  readonly #controller = new AbortController();
  readonly #protocol: RespProtocol;
  /** Never rejects. */
  readonly reply: Promise<Encoded>;

  constructor(
    executor: EncodedExecutor,
    request: Request,
    timeoutMs: number | undefined,
    protocol: RespProtocol,
  ) {
    this.#protocol = protocol;
    const way: WaitWay<Encoded> = {
      handle: executor.handle,
      form: `RESP${protocol}`,
      nothing: nothing(protocol),
      run: (attempt) => executor.execute(attempt, protocol, 'quickest'),
      isNothing: (reply) => NOTHING.includes(reply),
      valueOf: decoded,
    };
    const { signal } = this.#controller;
    const waited = executor.room.wait(request, way, { timeoutMs, signal });
    this.reply = waited.catch((thrown: unknown) => this.#replyTo(thrown));
  }

  /** What `CLIENT UNBLOCK` does. */
  unblock(kind: UnblockKind): void {
    const error = encode.error('UNBLOCKED client unblocked via CLIENT UNBLOCK');
    this.#controller.abort(kind === 'TIMEOUT' ? nothing(this.#protocol) : error);
  }

  /** Nobody is there to be told anything. */
  leave(): void {
    this.#controller.abort('');
  }

  /** Ends the wait because of an error. */
  stop(error: unknown): void {
    this.#controller.abort(encode.failure(error));
  }

  /** A wait that was ended early has its reply for a reason. */
  #replyTo(thrown: unknown): Encoded {
    const { signal } = this.#controller;
    return signal.aborted && thrown === signal.reason ? String(thrown) : encode.failure(thrown);
  }
}
