/**
 * A Redis server, or the masters of a Redis Cluster, as a target. Requests for one server leave together; where a slot is now is
 * learned from the servers' own redirections.
 */
import { HoldfastError } from '../errors.js';
import { Outcome, wordsOfKey } from '../replication/restore-codec.js';
import { type RedisAddress, redisLabel } from './redis-address.js';
import {
  type Connect,
  codeOf,
  failureOf,
  loadRedisClient,
  type RedisConnection,
  type Replied,
} from './redis-client.js';
import { masterOfSlots, type SlotRange, slotRanges } from './redis-slots.js';
import { commonFormat, formatOf } from './redis-version.js';
import type { SlottedKey, Target, Verdict } from './target.js';

/** Largest value that a server takes (`proto-max-bulk-len`), with room for the key. */
const KEY_BYTES_MAX = 512 * 1024 * 1024;

/** Errors after which the same request may be made again. */
const PASSING: ReadonlySet<string> = new Set([
  'MOVED',
  'ASK',
  'TRYAGAIN',
  'CLUSTERDOWN',
  'LOADING',
  'MASTERDOWN',
  'READONLY',
  'BUSY',
  'NOREPLICAS',
  'MISCONF',
]);
/** Errors of the request as such: every key would meet them. */
const FINAL: ReadonlySet<string> = new Set(['NOAUTH', 'NOPERM', 'WRONGPASS']);

/** Servers that keys are restored to. */
export class RedisTarget implements Target {
  readonly version: number;
  readonly hasModules = true;
  readonly keyBytesMax = KEY_BYTES_MAX;
  readonly #connect: Connect;
  readonly #seed: RedisAddress;
  readonly #timeoutMs: number;
  readonly #connections = new Map<string, Promise<RedisConnection>>();
  /** Empty: it is no cluster. */
  #slots: readonly SlotRange[];
  readonly #moved = new Map<number, string>();
  #stale = false;
  #closed = false;

  private constructor(
    connect: Connect,
    seed: RedisAddress,
    timeoutMs: number,
    { slots, version }: { slots: readonly SlotRange[]; version: number },
  ) {
    this.#connect = connect;
    this.#seed = seed;
    this.#timeoutMs = timeoutMs;
    this.#slots = slots;
    this.version = version;
  }

  /**
   * Connects, and finds out what there is.
   *
   * @throws HoldfastError `NEEDS_PACKAGE`; `IO`; the code of the server's error; `ERR` for a server that is too old.
   */
  static async open(seed: RedisAddress, timeoutMs: number): Promise<RedisTarget> {
    const connect = await loadRedisClient();
    const first = await connect(seed, timeoutMs);
    try {
      const slots = await slotRanges((...words) => first.call(...words), seed);
      if (slots.length > 0 && (seed.db ?? 0) !== 0)
        throw new HoldfastError('ERR', `${redisLabel(seed)}: a Redis Cluster has database 0 only`);
      let version = formatOf(String(await first.call('INFO', 'server')));
      for (const address of new Set(slots.map((range) => range.master))) {
        const one = await connect(at(seed, address), timeoutMs);
        version = commonFormat(version, formatOf(String(await one.call('INFO', 'server'))));
        one.close();
      }
      return new RedisTarget(connect, seed, timeoutMs, { slots, version });
    } catch (error) {
      throw error instanceof HoldfastError ? error : failureOf(error, seed);
    } finally {
      first.close();
    }
  }

  async restore(keys: readonly SlottedKey[], replace: boolean): Promise<readonly Verdict[]> {
    if (this.#stale) await this.#relearn();
    const byServer = new Map<string, number[]>();
    keys.forEach(({ slot }, i) => {
      const server = this.#serverOf(slot);
      byServer.set(server, [...(byServer.get(server) ?? []), i]);
    });
    const verdicts: Verdict[] = keys.map(() => ({ outcome: Outcome.undone }));
    await Promise.all(
      Array.from(byServer, async ([server, places]) => {
        const asked = places.flatMap((i) => keys[i] ?? []);
        const found = await this.#restoreAt(server, asked, replace, false);
        places.forEach((place, i) => {
          verdicts[place] = found[i] ?? { outcome: Outcome.unknown };
        });
      }),
    );
    return verdicts;
  }

  async close(): Promise<void> {
    this.#closed = true;
    const connections = [...this.#connections.values()];
    this.#connections.clear();
    for (const connection of connections) (await connection.catch(() => undefined))?.close();
  }

  #serverOf(slot: number): string {
    if (this.#slots.length === 0) return redisLabel(this.#seed);
    return this.#moved.get(slot) ?? masterOfSlots(this.#slots, slot) ?? redisLabel(this.#seed);
  }

  /** `asking`: the slot is on its way to this server, which takes it from those only who say that they know. */
  async #restoreAt(
    server: string,
    keys: readonly SlottedKey[],
    replace: boolean,
    asking: boolean,
  ): Promise<Verdict[]> {
    let connection: RedisConnection;
    try {
      connection = await this.#connected(server);
    } catch (error) {
      this.#stale = this.#slots.length > 0;
      const { code, message } =
        error instanceof HoldfastError ? error : failureOf(error, at(this.#seed, server));
      if (FINAL.has(code)) throw error;
      return keys.map(() => ({ outcome: Outcome.undone, code, message }));
    }
    const requests = keys.flatMap((key) => {
      const words = wordsOfKey(key, replace);
      return asking ? [['ASKING'], words] : [words];
    });
    const replies = await connection.pipeline(requests);
    const own = asking ? replies.filter((_, i) => i % 2 === 1) : replies;
    const verdicts: Verdict[] = [];
    for (const [i, key] of keys.entries()) {
      verdicts.push(await this.#verdict(key, own[i] ?? [new Error('no reply')], server, replace));
    }
    return verdicts;
  }

  async #verdict(key: SlottedKey, [error]: Replied, server: string, replace: boolean): Promise<Verdict> {
    if (error === null) return { outcome: Outcome.restored };
    const { message } = error;
    const code = codeOf(error);
    if (code === undefined) {
      this.#stale = this.#slots.length > 0;
      return { outcome: Outcome.unknown, code: 'IO', message: `${server}: ${message}` };
    }
    if (code === 'BUSYKEY') return { outcome: Outcome.there };
    const [, , to] = message.split(' ');
    if (code === 'MOVED' && to !== undefined) this.#moved.set(key.slot, whereOf(to, server));
    if (code === 'ASK' && to !== undefined) {
      const [verdict] = await this.#restoreAt(whereOf(to, server), [key], replace, true);
      return verdict ?? { outcome: Outcome.undone };
    }
    if (FINAL.has(code)) throw new HoldfastError(code, `${server}: ${message}`);
    if (code === 'CLUSTERDOWN' || code === 'READONLY') this.#stale = this.#slots.length > 0;
    return { outcome: PASSING.has(code) ? Outcome.undone : Outcome.refused, code, message };
  }

  #connected(server: string): Promise<RedisConnection> {
    if (this.#closed) return Promise.reject(new HoldfastError('CLOSED', 'the restore is over'));
    const there = this.#connections.get(server);
    if (there !== undefined) return this.#unlessClosed(server, there);
    const connection = this.#connect(at(this.#seed, server), this.#timeoutMs);
    this.#connections.set(server, connection);
    connection.catch(() => this.#connections.delete(server));
    return connection;
  }

  async #unlessClosed(server: string, there: Promise<RedisConnection>): Promise<RedisConnection> {
    const connection = await there;
    if (!connection.closed) return connection;
    if (this.#connections.get(server) === there) this.#connections.delete(server);
    return this.#connected(server);
  }

  /** Asks any server that answers who has which slots now. */
  async #relearn(): Promise<void> {
    this.#stale = false;
    const servers = new Set([...this.#slots.map(({ master }) => master), redisLabel(this.#seed)]);
    for (const server of servers) {
      try {
        const connection = await this.#connected(server);
        const slots = await slotRanges((...words) => connection.call(...words), at(this.#seed, server));
        if (slots.length === 0) continue;
        this.#slots = slots;
        this.#moved.clear();
        return;
      } catch {
        // The next one may know.
      }
    }
    this.#stale = true;
  }
}

/** Another server of the same cluster: reached as the first one is. */
function at(seed: RedisAddress, server: string): RedisAddress {
  const colon = server.lastIndexOf(':');
  const host = server.slice(0, colon).replace(/^\[|\]$/g, '');
  return { ...seed, host, port: Number(server.slice(colon + 1)) };
}

/** The server of a redirection; without a host, another port of the one that answered. */
function whereOf(to: string, server: string): string {
  const colon = to.lastIndexOf(':');
  const host = to.slice(0, colon).replace(/^\[|\]$/g, '');
  const own = server.slice(0, server.lastIndexOf(':')).replace(/^\[|\]$/g, '');
  return redisLabel({ host: host === '' ? own : host, port: Number(to.slice(colon + 1)) });
}
