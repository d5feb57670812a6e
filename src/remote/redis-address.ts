/** `redis://` and `rediss://` addresses. */
import type { ConnectionOptions } from 'node:tls';
import { HoldfastError } from '../errors.js';

/** A server, and who asks it. */
export interface RedisAddress {
  readonly host: string;
  readonly port: number;
  readonly user: string | undefined;
  readonly password: string | undefined;
  /** The database that the address names. */
  readonly db: number | undefined;
  /** Set for `rediss://`. */
  readonly tls: ConnectionOptions | undefined;
}

const DEFAULT_PORT = 6379;
const DB_MAX = 2 ** 31 - 1;

/** Whether the address is one of these. */
export function isRedisAddress(text: string): boolean {
  return /^rediss?:/i.test(text);
}

/**
 * Reads `redis[s]://[[user:]password@]host[:port][/database]`; a lone name before `@` is the user.
 *
 * @throws TypeError if it is none, with the reason. It never repeats the address, which may hold a password.
 */
export function parseRedisAddress(text: string, tls: ConnectionOptions = {}): RedisAddress {
  const url = URL.canParse(text) ? new URL(text) : undefined;
  if (url === undefined || !isRedisAddress(text))
    throw new TypeError('the address is not redis://[user:password@]host[:port][/database]');
  const host = url.hostname.replace(/^\[|\]$/g, '');
  if (host === '') throw new TypeError('the address names no host');
  const name = url.pathname.slice(1);
  if (url.search !== '' || url.hash !== '' || !/^\d{0,10}$/.test(name) || Number(name) > DB_MAX)
    throw new TypeError(
      'behind the host of a redis:// address there may be the number of a database, and no more',
    );
  return {
    host,
    port: url.port === '' ? DEFAULT_PORT : Number(url.port),
    user: decoded(url.username),
    password: decoded(url.password),
    db: name === '' ? undefined : Number(name),
    tls: url.protocol.toLowerCase() === 'rediss:' ? tls : undefined,
  };
}

/** The address without what is secret in it. */
export function redisLabel({ host, port }: { readonly host: string; readonly port: number }): string {
  return host.includes(':') ? `[${host}]:${port}` : `${host}:${port}`;
}

/** What is said where a server wants a password and was given none. */
export function passwordWanted(label: string, cause?: unknown): HoldfastError {
  const text = `${label}: the server asks for a password, as in redis://:PASSWORD@host`;
  return new HoldfastError('NOAUTH', text, { cause });
}

function decoded(part: string): string | undefined {
  if (part === '') return undefined;
  try {
    return decodeURIComponent(part);
  } catch {
    throw new TypeError(
      'the name or the password in the address has a % that is not followed by two hex digits',
    );
  }
}
