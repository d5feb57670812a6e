import type { Socket } from 'node:net';
import { HoldfastError } from '../errors.js';
import { limits } from '../limits.js';
import { Connection } from './connection.js';
import { type Frame, FrameKind } from './frame.js';
import {
  type ConnectionRole,
  encodeRefusal,
  Handshake,
  type HandshakeOptions,
  type Hello,
} from './handshake.js';

/** How a new connection is greeted. */
export interface GreetOptions extends HandshakeOptions {
  /** Names the other side in errors as long as it has not proved who it is. */
  readonly label: string;
  readonly timeoutMs: number;
  readonly leaveMs: number;
  /** Has the last word on a process that proved itself. */
  readonly accept: (role: ConnectionRole, hello: Hello) => HoldfastError | undefined;
  /** The connection is to be handed over at once. */
  readonly onReady: (connection: Connection, role: ConnectionRole, hello: Hello) => void;
  /** The other side was refused; resolves when the connection is gone. */
  readonly onLeaving?: (left: Promise<void>) => void;
  /** `claimed` is who the other side said it is, if it came to that. */
  readonly onFailed: (error: HoldfastError, claimed: Hello | undefined) => void;
}

/**
 * Runs the handshake on a socket. One of `onReady` and `onFailed` is called, unless the connection is taken away
 * before.
 */
export function greet(socket: Socket, options: GreetOptions): Connection {
  const { label, timeoutMs, onReady, onFailed } = options;
  const handshake = new Handshake(options);
  const tooLate = (): void =>
    connection.destroy(new HoldfastError('IO', `${label}: no handshake within ${timeoutMs} ms`));
  const timer = setTimeout(tooLate, timeoutMs);

  const refuse = (error: HoldfastError): void => {
    clearTimeout(timer);
    const named = new HoldfastError(error.code, `${nameOf(handshake.claimed) ?? label}: ${error.message}`);
    const left = connection.leave(encodeRefusal(error), options.leaveMs);
    options.onLeaving?.(left);
    onFailed(named, handshake.claimed);
  };
  const receive = (frame: Frame): void => {
    const { reply, proved } = handshake.receive(frame);
    const refusal = proved && options.accept(proved.role, proved.hello);
    if (refusal !== undefined) {
      refuse(refusal);
      return;
    }
    if (reply !== undefined) connection.send(reply);
    if (proved === undefined) return;
    clearTimeout(timer);
    onReady(connection, proved.role, proved.hello);
  };
  const connection: Connection = new Connection(socket, label, limits.handshakeFrameBytesMax, {
    frame(frame) {
      try {
        receive(frame);
      } catch (error) {
        if (!(error instanceof HoldfastError) || error.code === 'PROTOCOL') throw error;
        if (frame.kind !== FrameKind.bye) {
          refuse(error);
          return;
        }
        const who = nameOf(handshake.claimed) ?? label;
        connection.destroy(new HoldfastError(error.code, `${who} ${error.message}`));
      }
    },
    closed(error) {
      clearTimeout(timer);
      onFailed(error ?? new HoldfastError('IO', `${label}: closed during the handshake`), handshake.claimed);
    },
    drained() {},
  });
  if (options.dial !== undefined) connection.send(handshake.start());
  return connection;
}

function nameOf(hello: Hello | undefined): string | undefined {
  return hello && `peer ${hello.name}`;
}
