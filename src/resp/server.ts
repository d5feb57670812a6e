/** The Redis endpoint of a store: listens for clients of RESP2 and RESP3, as part of somebody else's process. */
import { once } from 'node:events';
import { type AddressInfo, createServer, type Server, type Socket } from 'node:net';
import type { EncodedExecutor } from '../commands/executor.js';
import type { StoreStatus } from '../engine/engine.js';
import { HoldfastError } from '../errors.js';
import { native } from '../keyspace/native.js';
import { limits } from '../limits.js';
import { Client, type Surroundings } from './client.js';
import type { Settings } from './config.js';
import { Connection } from './connection.js';
import { Dispatcher } from './dispatcher.js';
import * as encode from './encode.js';

const KEEP_ALIVE_MS = 300_000;

/** Where clients reach a store. */
export interface RespAddress {
  /** Host name or address that is listened on. */
  readonly host: string;
  /** The port, 1 to 65535. */
  readonly port: number;
}

/** What the endpoint stands on. */
export interface RespParts {
  readonly executor: EncodedExecutor;
  status(): Promise<StoreStatus>;
  /** Ids of the keyspaces, by shard. */
  readonly keyspaces: readonly number[];
  /** What CONFIG GET tells. */
  readonly settings: Settings;
}

/** One endpoint. */
export class RespServer {
  readonly address: RespAddress;
  readonly #server: Server;
  readonly #parts: RespParts;
  readonly #startedAtMs = native.boottimeMs();
  readonly #clients = new Map<number, Client>();
  readonly #connections = new Map<number, Connection>();
  #lastId = 0;
  #commandsProcessed = 0;

  private constructor(server: Server, address: RespAddress, parts: RespParts) {
    this.#server = server;
    this.address = address;
    this.#parts = parts;
    server.on('connection', (socket) => this.#accept(socket));
    // A connection that could not be accepted is the client's to try again; the server goes on listening.
    server.on('error', () => {});
  }

  /**
   * Listens for clients. Port 0: any that is free.
   *
   * @throws HoldfastError `IO` if that is not possible, as where the port is in use.
   */
  static async listen({ host, port }: RespAddress, parts: RespParts): Promise<RespServer> {
    const server = createServer({ allowHalfOpen: true, noDelay: true });
    server.listen(port, host);
    try {
      await once(server, 'listening');
    } catch (cause) {
      const reason = cause instanceof Error ? cause.message : String(cause);
      throw new HoldfastError('IO', `Redis clients cannot be listened for on ${host}:${port}: ${reason}`, {
        cause,
      });
    }
    const address = server.address() as AddressInfo;
    return new RespServer(server, { host: address.address, port: address.port }, parts);
  }

  /** Takes no more requests, answers those under way for as long as `respCloseMs`, and ends every connection. */
  async close(): Promise<void> {
    this.#server.close();
    const closed = new HoldfastError('CLOSED', 'the store is closed');
    const connections = [...this.#connections.values()];
    let timer: NodeJS.Timeout | undefined;
    const patience = new Promise((resolve) => {
      timer = setTimeout(resolve, limits.respCloseMs);
    });
    await Promise.race([Promise.all(connections.map((connection) => connection.finish(closed))), patience]);
    clearTimeout(timer);
    for (const connection of this.#connections.values()) connection.destroy();
  }

  #accept(socket: Socket): void {
    if (this.#connections.size >= limits.respConnectionsMax) {
      socket.on('error', () => socket.destroy());
      socket.end(encode.error('ERR max number of clients reached'), () => socket.destroy());
      return;
    }
    socket.setKeepAlive(true, KEEP_ALIVE_MS);
    const id = ++this.#lastId;
    const remote = `${socket.remoteAddress}:${socket.remotePort}`;
    const local = `${socket.localAddress}:${socket.localPort}`;
    const client = new Client(id, remote, local, native.boottimeMs());
    const dispatcher = new Dispatcher(this.#parts.executor, client, this.#surroundings());
    const events = {
      onInput: () => {
        client.lastCommandAtMs = native.boottimeMs();
      },
      onRequests: (count: number) => {
        this.#commandsProcessed += count;
      },
      onClosed: () => {
        this.#connections.delete(id);
        this.#clients.delete(id);
      },
    };
    this.#clients.set(id, client);
    this.#connections.set(id, new Connection(socket, dispatcher, events));
  }

  #surroundings(): Surroundings {
    return {
      nowMs: () => native.boottimeMs(),
      status: () => this.#parts.status(),
      counts: () => ({ commandsProcessed: this.#commandsProcessed, connectionsReceived: this.#lastId }),
      keyspaces: this.#parts.keyspaces,
      settings: this.#parts.settings,
      clients: this.#clients,
      port: this.address.port,
      startedAtMs: this.#startedAtMs,
    };
  }
}
