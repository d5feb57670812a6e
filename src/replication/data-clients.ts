import type { Connection } from './connection.js';
import { encodeFrame, type Frame, FrameKind, noShard } from './frame.js';
import { encodeJson } from './json-body.js';
import type { LinkLimits } from './peer-link.js';
import { protocolError } from './protocol-error.js';
import { batchOf } from './restore-codec.js';

/** Names a client that restores or backs up, as long as it is connected. */
export type DataClientId = number;

/** Who serves such clients. */
export interface DataOwner {
  opened(client: DataClientId): void;
  frame(client: DataClientId, frame: Frame): void;
  /** Called once for each; what was asked is of no interest any more. */
  closed(client: DataClientId): void;
}

/** The kinds of frames that they may send. */
const KINDS: readonly FrameKind[] = [FrameKind.restore, FrameKind.backup, FrameKind.backupCredit];

interface Client {
  readonly connection: Connection;
  /** Bytes of batches without an answer, by their numbers. */
  readonly batches: Map<number, number>;
  bytes: number;
  quietMs: number;
}

/**
 * Clients that know the secret and restore or back up. How much of theirs is held here is bounded by their number, and for
 * each by its window: whoever sends beyond it is cut off.
 */
export class DataClients {
  readonly #limits: LinkLimits;
  readonly #owner: DataOwner;
  readonly #clients = new Map<DataClientId, Client>();
  #lastId = 0;

  constructor(bounds: LinkLimits, owner: DataOwner) {
    this.#limits = bounds;
    this.#owner = owner;
  }

  get full(): boolean {
    return this.#clients.size >= this.#limits.dataClientsMax;
  }

  /** Takes over a connection whose other end has proved itself. */
  add(connection: Connection): void {
    const id = ++this.#lastId;
    const client: Client = { connection, batches: new Map(), bytes: 0, quietMs: 0 };
    this.#clients.set(id, client);
    const owner = {
      frame: (frame: Frame) => this.#receive(id, client, frame),
      closed: () => this.#gone(id),
      drained: () => {},
    };
    connection.handOver(owner, `data client ${connection.label}`, this.#limits.frameBytesMax);
    this.#owner.opened(id);
  }

  /** Sends a frame, if the client is still there. `answers`: the batch that it is the answer to. */
  send(id: DataClientId, frame: Uint8Array, answers: number | undefined): void {
    const client = this.#clients.get(id);
    if (client === undefined) return;
    client.quietMs = 0;
    if (answers !== undefined) {
      client.bytes -= client.batches.get(answers) ?? 0;
      client.batches.delete(answers);
    }
    client.connection.send(frame);
  }

  /** Ends the connection when what is queued has left. */
  dismiss(id: DataClientId): void {
    const client = this.#clients.get(id);
    if (client === undefined) return;
    this.#gone(id);
    const nothing = encodeFrame(FrameKind.ping, noShard, Buffer.alloc(0));
    void client.connection.leave(nothing, this.#limits.linkCloseMs);
  }

  /** To be called every `linkPingMs`. */
  tick(late: boolean): void {
    const { linkPingMs, linkSilenceMs, dataIdleMs } = this.#limits;
    for (const [id, client] of this.#clients) {
      client.connection.pingIfIdle(linkPingMs / 2);
      if (!late && client.connection.silentMs >= linkSilenceMs) client.connection.destroy();
      if (client.batches.size === 0) client.quietMs += linkPingMs;
      if (client.quietMs < dataIdleMs) continue;
      const message = `nothing was asked and nothing taken for ${dataIdleMs} ms`;
      this.send(id, encodeJson(FrameKind.bye, { code: 'TIMEOUT', message }), undefined);
      this.dismiss(id);
    }
  }

  async close(farewell: Uint8Array): Promise<void> {
    const clients = [...this.#clients];
    for (const [id] of clients) this.#gone(id);
    await Promise.all(
      clients.map(([, { connection }]) => connection.leave(farewell, this.#limits.linkCloseMs)),
    );
  }

  #receive(id: DataClientId, client: Client, frame: Frame): void {
    client.quietMs = 0;
    if (frame.kind === FrameKind.bye) {
      client.connection.destroy();
      return;
    }
    if (!KINDS.includes(frame.kind)) throw protocolError('a data client may only restore and back up');
    if (frame.kind === FrameKind.restore) this.#take(client, frame.body);
    this.#owner.frame(id, frame);
  }

  #take(client: Client, body: Buffer): void {
    const { dataBatchesMax, dataWindowBytesMax } = this.#limits;
    const batch = batchOf(body);
    if (client.batches.has(batch)) throw protocolError(`batch ${batch} comes twice`);
    const beyond = client.bytes > 0 && client.bytes + body.length > dataWindowBytesMax;
    if (beyond || client.batches.size >= dataBatchesMax) throw protocolError('a batch beyond the window');
    client.batches.set(batch, body.length);
    client.bytes += body.length;
  }

  #gone(id: DataClientId): void {
    if (this.#clients.delete(id)) this.#owner.closed(id);
  }
}
