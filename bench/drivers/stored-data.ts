/** Who keeps data in memory, and says how much of it. */
import { setTimeout as sleep } from 'node:timers/promises';
import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';
import { Keyspace } from 'holdfast';
import type { Driver } from '../trial.js';
import { RedisServer, redisDescription, redisUnavailable } from './redis-server.js';

/** Commands that make data, as Redis names them. */
export interface DataMaker {
  set(key: string, value: string): unknown;
  hset(key: string, fields: Record<string, string>): unknown;
  rpush(key: string, values: string[]): unknown;
  zadd(key: string, members: Record<string, number>): unknown;
}

/** Bytes in use. */
export interface Usage {
  /** As the store counts them. */
  readonly counted: number;
  /** In the process's memory, without a JavaScript heap. */
  readonly resident: number;
}

/** An open store. */
export interface OpenData extends AsyncDisposable {
  /** Makes the values of the numbers below `count`. */
  fill(count: number, make: (maker: DataMaker, i: number) => unknown): Promise<void>;
  usage(): Promise<Usage>;
}

/** Opens one. */
export interface DataDriver extends Driver {
  open(): Promise<OpenData>;
}

/** Node without the flag has no way to ask for a collection; a flag that is set later works for a new context. */
function collector(): () => void {
  setFlagsFromString('--expose-gc');
  return runInNewContext('gc') as () => void;
}

/** A keyspace of this process. */
export const keyspaceDataDriver: DataDriver = {
  name: 'holdfast',
  async open() {
    const keyspace = new Keyspace();
    const collect = collector();
    const maker: DataMaker = {
      set: (key, value) => keyspace.set(key, value),
      hset: (key, fields) => keyspace.hset(key, fields),
      rpush: (key, values) => keyspace.rpush(key, values),
      zadd: (key, members) => keyspace.zadd(key, members),
    };
    return {
      async fill(count, make) {
        for (let i = 0; i < count; i++) make(maker, i);
      },
      async usage() {
        collect();
        await sleep(10);
        collect();
        const { rss, heapTotal } = process.memoryUsage();
        return { counted: keyspace.memory().memoryBytes, resident: rss - heapTotal };
      },
      async [Symbol.asyncDispose]() {
        keyspace.close();
      },
    };
  },
};

/** redis-server reads its own memory ten times a second. */
const RESIDENT_KNOWN_MS = 300;

/** A redis-server. */
export const redisDataDriver: DataDriver = {
  name: 'redis-server',
  get version() {
    return redisDescription() ?? '';
  },
  unavailable: async () => redisUnavailable(),
  async open() {
    const server = await RedisServer.start();
    return {
      fill: (count, make) =>
        server.pipelined(count, (pipeline, from, to) => {
          const maker: DataMaker = {
            set: (key, value) => pipeline.set(key, value),
            hset: (key, fields) => pipeline.hset(key, fields),
            rpush: (key, values) => pipeline.rpush(key, ...values),
            zadd: (key, members) =>
              pipeline.zadd(key, ...Object.entries(members).flatMap(([member, score]) => [score, member])),
          };
          for (let i = from; i < to; i++) make(maker, i);
        }),
      async usage() {
        await sleep(RESIDENT_KNOWN_MS);
        return {
          counted: await server.info('memory', 'used_memory'),
          resident: await server.info('memory', 'used_memory_rss'),
        };
      },
      [Symbol.asyncDispose]: () => server[Symbol.asyncDispose](),
    };
  },
};
