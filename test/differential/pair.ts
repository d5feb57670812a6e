/** A real Redis and a keyspace, side by side: every request goes to both. */
import { Keyspace } from 'holdfast';
import { Redis as Client } from 'ioredis';
import type { Redis } from '../support/redis.js';
import { comparable, equal, meantDifference } from './compare.js';
import type { Comparable, Request } from './families/family.js';
import { UNKNOWN } from './generate.js';

/** Settings of the redis-server that is asked: a keyspace is one database. */
export const ONE_DATABASE = ['--databases', '1'];

/** Both replies to a request. */
export interface Answers {
  readonly request: Request;
  readonly redis: Comparable;
  readonly ours: Comparable;
  /** Why they may differ, `'equal'` if they do not, and `undefined` if they differ and must not. */
  readonly verdict: string | undefined;
}

/** Verdict of equal replies. */
export const EQUAL = 'equal';

/** See the module. Both are empty at first. */
export class Pair implements AsyncDisposable {
  readonly #client: Client;
  #keyspace = new Keyspace();

  constructor(redis: Redis) {
    this.#client = new Client({ port: redis.port, host: '127.0.0.1', stringNumbers: true });
  }

  /** Empties both. */
  async clear(): Promise<void> {
    await this.#client.flushall();
    this.#keyspace.close();
    this.#keyspace = new Keyspace();
  }

  /** The answers to a sequence of requests. */
  async ask(requests: readonly Request[]): Promise<Answers[]> {
    const theirs = await Promise.all(requests.map((request) => this.#askRedis(request)));
    return requests.map((request, i) => {
      const redis = comparable(request, theirs[i]);
      const ours = comparable(request, this.#askKeyspace(request));
      const verdict = equal(redis, ours) ? EQUAL : meantDifference(request, redis, ours);
      return { request, redis, ours, verdict };
    });
  }

  /** All keys of the keyspace, each with its type. */
  keys(): { key: Buffer; type: string }[] {
    return this.#keyspace.bytes.keys('*').map((key) => ({ key, type: this.#keyspace.type(key) }));
  }

  async #askRedis([name = '', ...words]: Request): Promise<unknown> {
    // The client reshapes replies of commands that it knows by their names in lower case.
    const sent = UNKNOWN.test(String(name)) ? String(name) : String(name).toUpperCase();
    return this.#client.callBuffer(sent, ...words).catch((error: unknown) => error);
  }

  #askKeyspace([name = '', ...words]: Request): unknown {
    try {
      return this.#keyspace.bytes.call(name, ...words);
    } catch (error) {
      return error;
    }
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#client.disconnect();
    this.#keyspace.close();
  }
}
