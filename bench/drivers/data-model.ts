/** The data model of Redis, in this process or behind a connection. */
import { Keyspace } from 'holdfast';
import type { ClientContext, RedisCommander } from 'ioredis';
import type { Driver } from '../trial.js';
import { RedisServer, redisDescription, redisUnavailable } from './redis-server.js';

/** Commands as far as the trials use them. A Keyspace has them as they are. */
export interface Commands {
  hset(key: string, field: string, value: string): unknown;
  hget(key: string, field: string): unknown;
  zadd(key: string, score: number, member: string): unknown;
  zscore(key: string, member: string): unknown;
  zrange(key: string, start: number, stop: number): unknown;
  lpush(key: string, value: string): unknown;
  rpop(key: string): unknown;
  incr(key: string): unknown;
}

/** Makes the `i`th call. */
export type Call = (commands: Commands, i: number) => unknown;
/** Takes in the reply of the `i`th call. */
export type Take = (reply: unknown, i: number) => void;

/** An open data model. */
export interface OpenModel extends AsyncDisposable {
  /** Makes calls in the way that this driver stands for. */
  run(from: number, to: number, call: Call, take: Take): Promise<void>;
  /** Makes calls in the quickest way. */
  fill(count: number, call: Call): Promise<void>;
}

/** A way to make calls. */
export interface ModelDriver extends Driver {
  /** How often calls are repeated, so that what is fast is timed for as long as what is slow. */
  readonly rounds: number;
  open(): Promise<OpenModel>;
}

/** A keyspace of this process. */
export const keyspaceModelDriver: ModelDriver = {
  name: 'holdfast',
  rounds: 50,
  async open() {
    const keyspace = new Keyspace();
    return {
      async run(from, to, call, take) {
        for (let i = from; i < to; i++) take(call(keyspace, i), i);
      },
      async fill(count, call) {
        for (let i = 0; i < count; i++) call(keyspace, i);
      },
      async [Symbol.asyncDispose]() {
        keyspace.close();
      },
    };
  },
};

const redis = {
  get version() {
    return redisDescription() ?? '';
  },
  unavailable: async () => redisUnavailable(),
};

/** The commands of a client, or of its pipeline, whose types have more forms of them than this. */
function commandsOf<C extends ClientContext>(client: RedisCommander<C>): Commands {
  return {
    hset: (key, field, value) => client.hset(key, field, value),
    hget: (key, field) => client.hget(key, field),
    zadd: (key, score, member) => client.zadd(key, score, member),
    zscore: (key, member) => client.zscore(key, member),
    zrange: (key, start, stop) => client.zrange(key, start, String(stop)),
    lpush: (key, value) => client.lpush(key, value),
    rpop: (key) => client.rpop(key),
    incr: (key) => client.incr(key),
  };
}

/** Makes a driver of a way to use ioredis. */
function redisDriver(
  name: string,
  rounds: number,
  run: (server: RedisServer) => OpenModel['run'],
): ModelDriver {
  return {
    name,
    rounds,
    ...redis,
    async open() {
      const server = await RedisServer.start();
      return {
        run: run(server),
        async fill(count, call) {
          await server.pipelined(count, (pipeline, from, to) => {
            const commands = commandsOf(pipeline);
            for (let i = from; i < to; i++) call(commands, i);
          });
        },
        [Symbol.asyncDispose]: () => server[Symbol.asyncDispose](),
      };
    },
  };
}

/** ioredis, one call after the other. */
export const ioredisDriver = redisDriver('ioredis', 1, ({ client }) => {
  const commands = commandsOf(client);
  return async (from, to, call, take) => {
    for (let i = from; i < to; i++) take(await call(commands, i), i);
  };
});

/** ioredis, as many calls in one pipeline as `run` is asked for. */
export const pipelineDriver = redisDriver('ioredis pipeline', 5, ({ client }) => {
  return async (from, to, call, take) => {
    const pipeline = client.pipeline();
    const commands = commandsOf(pipeline);
    for (let i = from; i < to; i++) call(commands, i);
    const replies = (await pipeline.exec()) ?? [];
    for (const [i, [error, reply]] of replies.entries()) {
      if (error !== null) throw error;
      take(reply, from + i);
    }
  };
});
