/** One large sorted set, and what a command on it costs where it is. */
import { Keyspace } from 'holdfast';
import { timeBlocks } from '../stopwatch.js';
import type { Driver } from '../trial.js';
import { takenNumber } from '../workload.js';
import { RedisServer, redisDescription, redisUnavailable } from './redis-server.js';

const KEY = 'large';
/** Requests that are sent together, as `redis-benchmark -P 16` does. */
const PIPELINED = 16;
const NS_PER_US = 1e3;

/** Commands by the number of the call. */
export interface Ranged {
  zrank(member: string): unknown;
  /** Ten members from this rank on. */
  zrange(start: number): unknown;
}

/** What calls cost, and what they computed. */
export interface Cost {
  readonly us: number;
  readonly sum: number;
}

/** An open sorted set. */
export interface OpenSortedSet extends AsyncDisposable {
  /** The cost of calls of the command of this name. */
  cost(command: 'zrank' | 'zrange', calls: number, call: (set: Ranged, i: number) => unknown): Promise<Cost>;
}

/** Makes one of so many members, whose scores are their numbers. */
export interface SortedSetDriver extends Driver {
  open(members: number): Promise<OpenSortedSet>;
}

const RANGE = 9;

function added(sum: number, reply: unknown): number {
  const number = Array.isArray(reply) ? reply.length : Number(reply);
  return takenNumber(sum, number);
}

/** The time of the whole call, crossing from JavaScript included. */
export const keyspaceSortedSetDriver: SortedSetDriver = {
  name: 'holdfast',
  async open(members) {
    const keyspace = new Keyspace();
    for (let i = 0; i < members; i++) keyspace.zadd(KEY, i, `player:${i}`);
    const set: Ranged = {
      zrank: (member) => keyspace.zrank(KEY, member),
      zrange: (start) => keyspace.zrange(KEY, start, start + RANGE),
    };
    return {
      async cost(_command, calls, call) {
        let sum = 0;
        timeBlocks(Math.floor(calls / 5), (from, to) => {
          for (let i = from; i < to; i++) call(set, i);
        });
        const ns = timeBlocks(calls, (from, to) => {
          for (let i = from; i < to; i++) sum = added(sum, call(set, i));
        });
        return { us: ns / NS_PER_US, sum };
      },
      async [Symbol.asyncDispose]() {
        keyspace.close();
      },
    };
  },
};

/** What a server says that calls have cost it, from what it has said before and after them. */
type Meter = (server: RedisServer, command: string) => Promise<number>;

function redisDriver(name: string, meter: Meter): SortedSetDriver {
  return {
    name,
    get version() {
      return redisDescription() ?? '';
    },
    unavailable: async () => redisUnavailable(),
    async open(members) {
      const server = await RedisServer.start();
      await server.pipelined(members, (pipeline, from, to) => {
        const pairs = Array.from({ length: to - from }, (_, i) => [from + i, `player:${from + i}`]);
        pipeline.zadd(KEY, ...pairs.flat());
      });
      return {
        async cost(command, calls, call) {
          let sum = 0;
          const before = await meter(server, command);
          await server.pipelined(
            calls,
            (pipeline, from, to) => {
              const set: Ranged = {
                zrank: (member) => pipeline.zrank(KEY, member),
                zrange: (start) => pipeline.zrange(KEY, start, String(start + RANGE)),
              };
              for (let i = from; i < to; i++) call(set, i);
            },
            PIPELINED,
            (replies) => {
              for (const [, reply] of replies) sum = added(sum, reply);
            },
          );
          return { us: ((await meter(server, command)) - before) / calls, sum };
        },
        [Symbol.asyncDispose]: () => server[Symbol.asyncDispose](),
      };
    },
  };
}

/** The command alone, without reading the request and writing the reply: `INFO commandstats`. */
export const redisCommandDriver = redisDriver('redis command', (server, command) =>
  server.commandUs(command),
);

/** All that the server does for it: its processor time. */
export const redisCpuDriver = redisDriver('redis CPU', (server) => server.cpuUs());
