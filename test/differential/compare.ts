/** Replies of Redis and of a keyspace, brought to one form; and where the two differ on purpose. */
import type { ReplyValue } from 'holdfast';
import {
  type Comparable,
  isRefusal,
  type Meant,
  nameOf,
  type ReplyForm,
  type Request,
} from './families/family.js';
import { FAMILIES } from './families/index.js';

const CLOCK_TOLERANCE_MS = 5000;

const FORMS: ReadonlyMap<string, ReplyForm> = new Map(
  FAMILIES.flatMap(({ replies = {} }) => Object.entries(replies)),
);

/** How far apart two times may be that a command reads from the clock; 0 for all other commands. */
function clockTolerance(request: Request): number {
  const form = FORMS.get(nameOf(request));
  if (form === 'milliseconds') return CLOCK_TOLERANCE_MS;
  return form === 'seconds' ? CLOCK_TOLERANCE_MS / 1000 : 0;
}

const sameNumber = (a: Comparable, b: Comparable): boolean =>
  typeof a === 'string' && typeof b === 'string' && Number(a) === Number(b);

function sameDoubles(redis: Comparable, ours: Comparable): boolean {
  if (!Array.isArray(redis) || !Array.isArray(ours)) return redis === ours || sameNumber(redis, ours);
  return redis.length === ours.length && redis.every((item, i) => sameDoubles(item, ours[i] ?? null));
}

/** Everything in which the keyspace, which follows Redis 7.2 and later, differs from redis-server 7.0.15. */
export const MEANT: readonly Meant[] = [
  {
    reason: '7.0 prints doubles with 17 digits, 7.2 with the fewest that read back as the same double',
    applies: (_request, redis, ours) => sameDoubles(redis, ours),
  },
  {
    reason: 'the two read the clock one after the other',
    applies: (request, redis, ours) =>
      Math.abs(Number(redis) - Number(ours)) <= clockTolerance(request) &&
      Number(redis) > 0 &&
      Number(ours) > 0,
  },
  ...FAMILIES.flatMap(({ meant = [] }) => meant),
];

/** The reason why the replies may differ, or `undefined` if they may not. */
export function meantDifference(request: Request, redis: Comparable, ours: Comparable): string | undefined {
  return MEANT.find((meant) => meant.applies(request, redis, ours))?.reason;
}

/** A reply in comparable form. */
export function comparable(request: Request, reply: unknown): Comparable {
  const plain = plainOf(reply as ReplyValue);
  const form = FORMS.get(nameOf(request));
  if (form === undefined || isRefusal(plain)) return plain;
  if (typeof form === 'function') return form(plain, request);
  if (!Array.isArray(plain)) return plain;
  if (form === 'unordered') return sorted(plain);
  if (form === 'unordered-pairs') return sorted(pairs(plain));
  const [cursor = null, page] = plain;
  if (!Array.isArray(page)) return plain;
  return [cursor, sorted(form === 'scan-pairs' ? pairs(page) : page)];
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

function sorted(items: readonly Comparable[]): Comparable[] {
  const keyed = items.map((item): [string, Comparable] => [JSON.stringify(item), item]);
  return keyed.sort(([a], [b]) => (a < b ? -1 : a > b ? 1 : 0)).map(([, item]) => item);
}

function pairs(flat: readonly Comparable[]): Comparable[] {
  const made: Comparable[] = [];
  for (let i = 0; i < flat.length; i += 2) made.push([flat[i] ?? null, flat[i + 1] ?? null]);
  return made;
}

/** Whether both replies are refusals, or none is; and equal. */
export function equal(redis: Comparable, ours: Comparable): boolean {
  if (isRefusal(redis) && isRefusal(ours)) return redis.error === ours.error;
  return JSON.stringify(redis) === JSON.stringify(ours);
}
