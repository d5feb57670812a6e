/** The comparison: one sequence of random requests to a real Redis and to a keyspace, every reply held against the other. */
import { Keyspace } from 'holdfast';
import { Redis as Client } from 'ioredis';
import { SeededRandom } from '../support/random.js';
import type { Redis } from '../support/redis.js';
import { type Comparable, comparable, equal, meantDifference } from './compare.js';
import { Generator, type Request, UNKNOWN } from './generate.js';

/** Requests sent before both states are compared. */
const BATCH = 400;
/** Requests shown before the one that differed. */
const HISTORY = 12;

/** What a comparison came to. */
export interface Outcome {
  readonly requests: number;
  /** Meant differences met, by reason. */
  readonly meant: ReadonlyMap<string, number>;
  /** The first difference that is not meant, told for a reader; `undefined` if there is none. */
  readonly difference: string | undefined;
}

/** Compares a sequence made from `seed`, of at least so many requests. Stops at the first difference. */
export async function compareWithRedis(redis: Redis, seed: number, requests: number): Promise<Outcome> {
  const client = new Client({ port: redis.port, host: '127.0.0.1', stringNumbers: true });
  using keyspace = new Keyspace();
  const comparison = new Comparison(client, keyspace);
  try {
    await client.flushall();
    const generator = new Generator(new SeededRandom(seed));
    while (comparison.difference === undefined && comparison.requests < requests) {
      await comparison.run(Array.from({ length: BATCH }, () => generator.next()));
      if (comparison.difference === undefined) await comparison.compareStates();
    }
    return comparison;
  } finally {
    client.disconnect();
  }
}

class Comparison implements Outcome {
  requests = 0;
  readonly meant = new Map<string, number>();
  difference: string | undefined;
  readonly #client: Client;
  readonly #keyspace: Keyspace;
  readonly #history: string[] = [];

  constructor(client: Client, keyspace: Keyspace) {
    this.#client = client;
    this.#keyspace = keyspace;
  }

  async run(batch: readonly Request[]): Promise<void> {
    const theirs = await Promise.all(batch.map((request) => this.#ask(request)));
    for (const [i, request] of batch.entries()) {
      this.#check(request, theirs[i]);
      if (this.difference !== undefined) return;
    }
  }

  /** Reads everything on both sides, each value whole. */
  async compareStates(): Promise<void> {
    await this.run([['DBSIZE'], ['KEYS', '*']]);
    const keys = this.#keyspace.bytes.keys('*');
    for (const key of keys) {
      const read = {
        none: ['GET', key],
        string: ['GET', key],
        hash: ['HGETALL', key],
        list: ['LRANGE', key, '0', '-1'],
        set: ['SMEMBERS', key],
        zset: ['ZRANGE', key, '0', '-1', 'WITHSCORES'],
      } satisfies Record<string, Request>;
      await this.run([['TYPE', key], read[this.#keyspace.type(key)], ['EXPIRETIME', key]]);
    }
  }

  async #ask([name = '', ...words]: Request): Promise<unknown> {
    // The client reshapes replies of commands that it knows by their names in lower case.
    const sent = UNKNOWN.test(String(name)) ? String(name) : String(name).toUpperCase();
    return this.#client.callBuffer(sent, ...words).catch((error: unknown) => error);
  }

  #answer([name = '', ...words]: Request): unknown {
    try {
      return this.#keyspace.bytes.call(name, ...words);
    } catch (error) {
      return error;
    }
  }

  #check(request: Request, reply: unknown): void {
    this.requests += 1;
    const ours = comparable(request, this.#answer(request));
    const theirs = comparable(request, reply);
    this.#history.push(printed(request));
    if (this.#history.length > HISTORY) this.#history.shift();
    if (equal(theirs, ours)) return;
    const reason = meantDifference(request, theirs, ours);
    if (reason !== undefined) this.meant.set(reason, (this.meant.get(reason) ?? 0) + 1);
    else this.difference = this.#told(theirs, ours);
  }

  #told(theirs: Comparable, ours: Comparable): string {
    const lines = [...this.#history.map((line) => `  ${line}`), `redis:    ${shown(theirs)}`];
    return [...lines, `holdfast: ${shown(ours)}`, `(request ${this.requests})`].join('\n');
  }
}

function printed(request: Request): string {
  const words = request.map((word) =>
    JSON.stringify(typeof word === 'string' ? word : word.toString('latin1')),
  );
  return words.length > 20 ? `${words.slice(0, 20).join(' ')} ... (${words.length} words)` : words.join(' ');
}

function shown(reply: Comparable): string {
  return JSON.stringify(reply).slice(0, 2000);
}
