/** Readers of option values: commander reports what they throw as a usage error. */
import { readFile } from 'node:fs/promises';
import { InvalidArgumentError, Option } from 'commander';
import { HoldfastError } from '../errors.js';
import {
  type CollectionLimits,
  checkLimits,
  LIMITS_BY_REDIS_NAME,
  redisNameOf,
} from '../keyspace/collection-limits.js';
import { isRedisAddress } from '../remote/redis-address.js';
import { parseAddress } from '../replication/address.js';

/** A whole number within bounds. */
export function wholeNumber(min: number, max: number): (text: string) => number {
  return (text) => {
    const value = Number(text);
    if (/^\d{1,15}$/.test(text) && value >= min && value <= max) return value;
    throw new InvalidArgumentError(`It must be a whole number from ${min} to ${max}.`);
  };
}

/** What a size may end in, as in a redis.conf: powers of 1,000, and with a b of 1,024. */
const SIZE_UNITS: Readonly<Record<string, number>> = {
  ...{ '': 1, b: 1, k: 1_000, kb: 1_024, m: 1_000 ** 2, mb: 1_024 ** 2 },
  ...{ g: 1_000 ** 3, gb: 1_024 ** 3 },
};

/** A number of bytes above 0, perhaps with a unit: `512mb`. */
export function size(text: string): number {
  const [, digits, unit = ''] = /^(\d{1,15})([a-z]{0,2})$/i.exec(text) ?? [];
  const bytes = Number(digits) * (SIZE_UNITS[unit.toLowerCase()] ?? Number.NaN);
  if (bytes >= 1 && bytes <= Number.MAX_SAFE_INTEGER) return bytes;
  throw new InvalidArgumentError('It must be a number of bytes above 0, as 512mb (b, k, kb, m, mb, g, gb).');
}

/** `hash-max-listpack-entries=512,...`: limits of collections under the names that Redis has for them. */
export function limitList(text: string): CollectionLimits {
  const given = new Map<string, number>();
  for (const part of text.split(',')) {
    const [, redisName = '', digits] = /^\s*([^=\s]+)=(-?\d{1,15})\s*$/.exec(part) ?? [];
    if (digits === undefined) throw new InvalidArgumentError(`${JSON.stringify(part)} is not name=number.`);
    const name = LIMITS_BY_REDIS_NAME.get(redisName.toLowerCase());
    if (name === undefined) {
      const known = [...LIMITS_BY_REDIS_NAME.keys()].join(', ');
      throw new InvalidArgumentError(`There is no limit ${redisName}; known are ${known}.`);
    }
    if (given.has(name)) throw new InvalidArgumentError(`${redisName} is given twice.`);
    given.set(name, Number(digits));
  }
  try {
    return checkLimits(Object.fromEntries(given));
  } catch (error) {
    const message = error instanceof Error ? error.message : '';
    const named = message.replace(/^limits\.(\w+)/, (_, name: string) => redisNameOf(name));
    throw new InvalidArgumentError(`${named}.`);
  }
}

/** A number of seconds, with a fraction perhaps. */
export function seconds(min: number, max: number): (text: string) => number {
  return (text) => {
    const value = Number(text);
    if (/^\d{1,9}(\.\d{1,3})?$/.test(text) && value >= min && value <= max) return value;
    throw new InvalidArgumentError(`It must be a number from ${min} to ${max}.`);
  };
}

/** `host:port`. */
export function address(text: string): string {
  try {
    parseAddress(text);
  } catch (error) {
    throw new InvalidArgumentError(error instanceof Error ? `${error.message}.` : '');
  }
  return text;
}

/** `host:port,host:port`. */
export function addresses(text: string): string[] {
  return text.split(',').map((part) => address(part.trim()));
}

/** `host:port,host:port`, or a `redis[s]://` address, which is looked at where errors do not repeat the password in it. */
export function places(text: string): string[] {
  if (isRedisAddress(text)) return [text];
  if (text.includes('://'))
    throw new InvalidArgumentError(
      'It must be host:port, or an address that begins with redis:// or rediss://.',
    );
  return addresses(text);
}

/** `a=host:port,b=host:port`, each name and each address once. */
export function peerList(text: string): Record<string, string> {
  const peers = new Map<string, string>();
  for (const part of text.split(',')) {
    const [, name, where] = /^\s*([^=\s]+)=(\S+)\s*$/.exec(part) ?? [];
    if (name === undefined || where === undefined) {
      throw new InvalidArgumentError(`${JSON.stringify(part)} is not name=host:port.`);
    }
    if (peers.has(name)) throw new InvalidArgumentError(`Two peers are named ${name}.`);
    peers.set(name, address(where));
  }
  return Object.fromEntries(peers);
}

/** Where the secret may come from. Never from the command line itself, which every user of the machine can read. */
export interface SecretSource {
  secretFile?: string;
}

/** The option for it. */
export function secretFileOption(): Option {
  return new Option(
    '--secret-file <file>',
    'file with the shared secret (default: the environment variable HOLDFAST_SECRET)',
  ).env('HOLDFAST_SECRET_FILE');
}

/** The shared secret: the file's content without the line end, or the environment's, or none. */
export async function readSecret({ secretFile }: SecretSource): Promise<string | undefined> {
  if (secretFile === undefined) {
    const secret = process.env.HOLDFAST_SECRET;
    return secret === '' ? undefined : secret;
  }
  const text = await readFile(secretFile, 'utf8').catch((cause: Error) => {
    throw new HoldfastError('IO', `the secret file cannot be read: ${cause.message}`, { cause });
  });
  const secret = text.trimEnd();
  if (secret === '') throw new HoldfastError('IO', `the secret file ${secretFile} is empty`);
  return secret;
}
