/** The part of a Redis client package that is used here, loaded when it is needed. */
import { HoldfastError } from '../errors.js';
import { passwordWanted, type RedisAddress, redisLabel } from './redis-address.js';

/** A reply, or why there is none: an error of the server has its code as the first word of its message. */
export type Replied = readonly [error: Error | null, reply?: unknown];

/** One connection to one server. */
export interface RedisConnection {
  /** Requests that leave together; one entry for each. Never rejects. */
  pipeline(requests: readonly (readonly (string | Buffer)[])[]): Promise<readonly Replied[]>;
  /** One request. Rejects with the server's error, or with that of the connection. */
  call(...words: readonly string[]): Promise<unknown>;
  readonly closed: boolean;
  /** Ends it at once; what has no reply gets an error. */
  close(): void;
}

/** Opens a connection, authenticates and selects the database. */
export type Connect = (address: RedisAddress, timeoutMs: number) => Promise<RedisConnection>;

/**
 * Loads the package.
 *
 * @throws HoldfastError `NEEDS_PACKAGE` with what to install.
 */
export async function loadRedisClient(): Promise<Connect> {
  const { Redis } = await import('ioredis').catch((cause: unknown) => {
    const isMissing = cause instanceof Error && 'code' in cause && cause.code === 'ERR_MODULE_NOT_FOUND';
    const reason = isMissing ? 'is not installed' : `cannot be loaded (${messageOf(cause)})`;
    const text = `restoring to Redis needs the package ioredis, which ${reason}: npm install ioredis`;
    throw new HoldfastError('NEEDS_PACKAGE', text, { cause });
  });
  return async (address, timeoutMs) => {
    const { host, port, user, password, db = 0, tls } = address;
    let trouble: Error | undefined;
    const redis = new Redis({
      ...{ host, port, db, lazyConnect: true, connectTimeout: timeoutMs, enableReadyCheck: false },
      ...(user !== undefined && { username: user }),
      ...(password !== undefined && { password }),
      ...(tls && { tls }),
      // Whether a request is sent again is decided by whoever counts what became of it.
      ...{ autoResendUnfulfilledCommands: false, maxRetriesPerRequest: 0, enableOfflineQueue: false },
      retryStrategy: () => null,
    });
    let closed = false;
    redis.on('error', (error: Error) => {
      trouble ??= error;
    });
    redis.on('end', () => {
      closed = true;
    });
    try {
      await redis.connect();
      // What AUTH and SELECT were answered is told as an event only.
      await redis.ping();
    } catch (error) {
      redis.disconnect();
      throw failureOf(trouble ?? error, address);
    }
    return {
      pipeline: async (requests) => {
        const commands = requests.map(([name = '', ...words]) => ['call', String(name), ...words]);
        return (await redis.pipeline(commands).exec()) ?? [];
      },
      call: (name = '', ...words) => redis.call(name, ...words),
      get closed() {
        return closed;
      },
      close: () => redis.disconnect(),
    };
  };
}

/** The first word of a server's error; nothing for an error of the connection. */
export function codeOf(error: unknown): string | undefined {
  if (error instanceof HoldfastError) return error.code;
  return error instanceof Error ? /^([A-Z][A-Z0-9]+)(?: |$)/.exec(error.message)?.[1] : undefined;
}

function messageOf(error: unknown): string {
  return error instanceof Error ? error.message.trim() : String(error);
}

/** An error that names the server. */
export function failureOf(error: unknown, address: RedisAddress): HoldfastError {
  const message = messageOf(error);
  if (codeOf(error) === 'NOAUTH') return passwordWanted(redisLabel(address), error);
  return new HoldfastError(codeOf(error) ?? 'IO', `${redisLabel(address)}: ${message}`, { cause: error });
}
