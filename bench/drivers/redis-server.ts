/** A redis-server of a run's own, on the loopback. */
import { type ChainableCommander, Redis as Client } from 'ioredis';
import { REDIS_MISSING, type Redis, redisVersion, startRedis } from '../../test/support/redis.js';

const FILL_WIDTH = 1_000;

function refuse(replies: readonly (readonly [Error | null, unknown])[]): void {
  for (const [error] of replies) if (error !== null) throw error;
}

/** Why there is none; undefined if there is one. */
export function redisUnavailable(): string | undefined {
  return redisVersion() === undefined ? REDIS_MISSING : undefined;
}

/** What is measured, for the report. */
export function redisDescription(): string | undefined {
  const version = redisVersion();
  return version === undefined ? undefined : `${version} (server)`;
}

/** The server and a connection. */
export class RedisServer implements AsyncDisposable {
  readonly client: Client;
  /** What the server said until it was ready. */
  readonly log: string;
  readonly #server: AsyncDisposable;
  readonly #kill: () => void;

  private constructor(server: Redis, client: Client) {
    this.client = client;
    this.log = server.log;
    this.#server = server;
    this.#kill = () => process.kill(server.pid, 'SIGKILL');
    // A run that is interrupted ends without disposing of anything.
    process.on('exit', this.#kill);
  }

  /** Starts one. `flags` are settings of its own, such as `--dir`. */
  static async start(flags: readonly string[] = []): Promise<RedisServer> {
    const server = await startRedis(flags);
    return new RedisServer(server, new Client({ port: server.port, host: '127.0.0.1' }));
  }

  /** Sends commands, those of `width` numbers at a time, and hands over their replies. */
  async pipelined(
    count: number,
    call: (pipeline: ChainableCommander, from: number, to: number) => void,
    width = FILL_WIDTH,
    take: (replies: readonly (readonly [Error | null, unknown])[]) => void = refuse,
  ): Promise<void> {
    for (let from = 0; from < count; from += width) {
      const pipeline = this.client.pipeline();
      call(pipeline, from, Math.min(count, from + width));
      take((await pipeline.exec()) ?? []);
    }
  }

  /** A number of `INFO`. */
  async info(section: string, field: string): Promise<number> {
    const found = new RegExp(`^${field}:([0-9.]+)`, 'm').exec(await this.client.info(section));
    if (found === null) throw new Error(`INFO ${section} has no ${field}`);
    return Number(found[1]);
  }

  /** Microseconds that a command has taken so far, all calls together; 0 if there were none. */
  async commandUs(command: string): Promise<number> {
    const stats = await this.client.info('commandstats');
    const found = new RegExp(`^cmdstat_${command}:.*\\busec=([0-9]+)`, 'm').exec(stats);
    return Number(found?.[1] ?? 0);
  }

  /** Microseconds of processor time so far. */
  async cpuUs(): Promise<number> {
    return 1e6 * ((await this.info('cpu', 'used_cpu_user')) + (await this.info('cpu', 'used_cpu_sys')));
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.client.disconnect();
    process.off('exit', this.#kill);
    await this.#server[Symbol.asyncDispose]();
  }
}
