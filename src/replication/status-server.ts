import { HoldfastError } from '../errors.js';
import type { Connection } from './connection.js';
import { type Frame, FrameKind } from './frame.js';
import { decodeJson, encodeJson } from './json-body.js';
import type { LinkLimits } from './peer-link.js';
import { protocolError } from './protocol-error.js';

/** The answer to a status request as it travels. */
export type StatusReply =
  | { readonly ok: true; readonly value: unknown }
  | { readonly ok: false; readonly code: string; readonly message: string };

/** Clients that know the secret and may ask for the status, one request at a time, and nothing else. */
export class StatusClients {
  readonly #limits: LinkLimits;
  readonly #answer: (request: unknown) => unknown;
  readonly #clients = new Set<Connection>();

  constructor(bounds: LinkLimits, answer: (request: unknown) => unknown) {
    this.#limits = bounds;
    this.#answer = answer;
  }

  get full(): boolean {
    return this.#clients.size >= this.#limits.linkClientsMax;
  }

  add(client: Connection): void {
    this.#clients.add(client);
    let busy = false;
    const frame = (received: Frame): void => {
      if (received.kind === FrameKind.bye) {
        client.destroy();
        return;
      }
      if (received.kind !== FrameKind.statusRequest)
        throw protocolError('a client may only ask for the status');
      if (busy) throw protocolError('a second request before the answer to the first');
      busy = true;
      const request = decodeJson(received.body);
      void this.#reply(request).then((reply) => {
        busy = false;
        client.send(encodeJson(FrameKind.statusReply, reply));
      });
    };
    const closed = (): void => {
      this.#clients.delete(client);
    };
    client.handOver(
      { frame, closed, drained: () => {} },
      `status client ${client.label}`,
      this.#limits.frameBytesMax,
    );
  }

  tick(late: boolean): void {
    const { linkPingMs, linkSilenceMs } = this.#limits;
    for (const client of this.#clients) {
      client.pingIfIdle(linkPingMs / 2);
      if (!late && client.silentMs >= linkSilenceMs) client.destroy();
    }
  }

  async close(farewell: Uint8Array): Promise<void> {
    const leaving = Array.from(this.#clients, (client) => client.leave(farewell, this.#limits.linkCloseMs));
    this.#clients.clear();
    await Promise.all(leaving);
  }

  async #reply(request: unknown): Promise<StatusReply> {
    try {
      return { ok: true, value: await this.#answer(request) };
    } catch (error) {
      const code = error instanceof HoldfastError ? error.code : 'FAULTED';
      return { ok: false, code, message: error instanceof Error ? error.message : String(error) };
    }
  }
}
