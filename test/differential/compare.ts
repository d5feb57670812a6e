/** Replies of Redis and of a keyspace, brought to one form; and where the two differ on purpose. */
import type { ReplyValue } from 'holdfast';
import type { Request } from './generate.js';

/** A reply in a form that can be compared: bulks as latin1 text, unordered replies sorted. */
export type Comparable = string | number | null | Comparable[] | { error: string };

/** Commands whose reply has no order to compare. */
const UNORDERED = new Set(['SMEMBERS', 'SUNION', 'SINTER', 'SDIFF', 'SPOP', 'SRANDMEMBER', 'KEYS']);

/** Commands whose reply is pairs without an order. Fields of a hash are in the order of insertion here, and by hash in Redis. */
const UNORDERED_PAIRS = new Set(['HGETALL']);

/** Commands whose reply is a cursor and items without an order; `2`: pairs. */
const SCANS = new Map([
  ['SCAN', 1],
  ['SSCAN', 1],
  ['HSCAN', 2],
  ['ZSCAN', 2],
]);

/** Commands that answer in seconds. */
const CLOCKED = new Set(['TTL', 'EXPIRETIME']);

const CLOCK_TOLERANCE_SECONDS = 5;

const HASH_COLUMNS = new Set(['HKEYS', 'HVALS']);

/** A difference that is meant. */
interface Meant {
  readonly reason: string;
  applies(request: Request, redis: Comparable, ours: Comparable): boolean;
}

const nameOf = (request: Request): string => String(request[0]).toUpperCase();

const sameNumber = (a: Comparable, b: Comparable): boolean =>
  typeof a === 'string' && typeof b === 'string' && Number(a) === Number(b);

function sameDoubles(redis: Comparable, ours: Comparable): boolean {
  if (!Array.isArray(redis) || !Array.isArray(ours)) return redis === ours || sameNumber(redis, ours);
  return redis.length === ours.length && redis.every((item, i) => sameDoubles(item, ours[i] ?? null));
}

const isText = (reply: Comparable): reply is { error: string } =>
  typeof reply === 'object' && reply !== null && !Array.isArray(reply);

const STRING_ENCODINGS = ['int', 'embstr', 'raw'];

/** Everything in which the keyspace, which follows Redis 7.2, differs from redis-server 7.0.15. */
export const MEANT: readonly Meant[] = [
  {
    reason: '7.0 prints doubles with 17 digits, 7.2 with the fewest that read back as the same double',
    applies: (_request, redis, ours) => sameDoubles(redis, ours),
  },
  {
    reason: 'the two read the clock one after the other',
    applies: (request, redis, ours) =>
      CLOCKED.has(nameOf(request)) && Math.abs(Number(redis) - Number(ours)) <= CLOCK_TOLERANCE_SECONDS,
  },
  {
    reason: '7.2 knows ZRANK and ZREVRANK with a fourth word, WITHSCORE',
    applies: (request, redis, ours) =>
      /^Z(REV)?RANK$/.test(nameOf(request)) && request.length === 4 && isText(redis) && isText(ours),
  },
  {
    reason: '7.2 refuses the lowest rank of LPOS, which has no opposite',
    applies: (request, _redis, ours) =>
      nameOf(request) === 'LPOS' && isText(ours) && request.includes('-9223372036854775808'),
  },
  {
    reason: 'how a string is held is told by its text here, and by its history in Redis',
    applies: (request, redis, ours) =>
      nameOf(request) === 'OBJECT' &&
      [redis, ours].every((reply) => STRING_ENCODINGS.includes(String(reply))),
  },
  {
    reason: '7.2 packs small sets of strings into a listpack, and lists of one node, which 7.0 does not',
    applies: (request, redis, ours) =>
      nameOf(request) === 'OBJECT' &&
      ((redis === 'hashtable' && ours === 'listpack') ||
        (redis === 'quicklist' && ours === 'listpack') ||
        (redis === 'listpack' && ours === 'quicklist')),
  },
];

/** The reason why the replies may differ, or `undefined` if they may not. */
export function meantDifference(request: Request, redis: Comparable, ours: Comparable): string | undefined {
  return MEANT.find((meant) => meant.applies(request, redis, ours))?.reason;
}

/** A reply in comparable form. */
export function comparable(request: Request, reply: unknown): Comparable {
  const name = nameOf(request);
  const plain = plainOf(reply as ReplyValue);
  if (!Array.isArray(plain)) return plain;
  if (UNORDERED.has(name) || HASH_COLUMNS.has(name)) return sorted(plain);
  if (UNORDERED_PAIRS.has(name)) return sortedPairs(plain);
  const width = SCANS.get(name);
  const [cursor = null, page] = plain;
  if (width === undefined || !Array.isArray(page)) return plain;
  return [cursor, width === 2 ? sortedPairs(page) : sorted(page)];
}

function plainOf(reply: ReplyValue | Error): Comparable {
  if (reply === null) return null;
  // An error is one line on the wire.
  if (reply instanceof Error) return { error: reply.message.replace(/[\r\n]/g, ' ').trimEnd() };
  if (Buffer.isBuffer(reply)) return reply.toString('latin1');
  if (Array.isArray(reply)) return reply.map(plainOf);
  if (reply instanceof Map) return [...reply].flat().map(plainOf);
  if (reply instanceof Set) return [...reply].map(plainOf);
  if (typeof reply === 'number' && !Number.isInteger(reply)) return String(reply).replace('Infinity', 'inf');
  return typeof reply === 'bigint' || typeof reply === 'number' ? String(reply) : reply;
}

function sorted(items: Comparable[]): Comparable[] {
  return [...items].sort((a, b) => (String(a) < String(b) ? -1 : 1));
}

function sortedPairs(flat: Comparable[]): Comparable[] {
  const pairs: Comparable[] = [];
  for (let i = 0; i < flat.length; i += 2) pairs.push([flat[i] ?? null, flat[i + 1] ?? null]);
  return sorted(pairs);
}

/** Whether both replies are refusals, or none is; and equal. */
export function equal(redis: Comparable, ours: Comparable): boolean {
  if (isText(redis) && isText(ours)) return redis.error === ours.error;
  return JSON.stringify(redis) === JSON.stringify(ours);
}
