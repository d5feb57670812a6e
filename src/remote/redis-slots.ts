/** Who has which hash slots of a Redis Cluster. */

import { type RedisAddress, redisLabel } from './redis-address.js';
import { codeOf } from './redis-client.js';

/** Slots that one master has. */
export interface SlotRange {
  readonly first: number;
  readonly last: number;
  /** `host:port`. */
  readonly master: string;
}

/** Asks a server who has which slots. None: it is no part of a cluster. */
export async function slotRanges(
  call: (...words: string[]) => Promise<unknown>,
  asked: RedisAddress,
): Promise<SlotRange[]> {
  let reply: unknown;
  try {
    reply = await call('CLUSTER', 'SLOTS');
  } catch (error) {
    // A server without a cluster, or one that does not know the command.
    if (codeOf(error) === 'ERR') return [];
    throw error;
  }
  if (!Array.isArray(reply)) return [];
  return reply.flatMap((range: unknown) => {
    if (!Array.isArray(range)) return [];
    const [first, last, master] = range as [unknown, unknown, unknown];
    if (!Array.isArray(master)) return [];
    const [host, port] = master as [unknown, unknown];
    return [{ first: Number(first), last: Number(last), master: labelOf(host, port, asked) }];
  });
}

/** A server that does not know its own host leaves it out: it is the one that was asked. */
function labelOf(host: unknown, port: unknown, asked: RedisAddress): string {
  const name = host === null || host === undefined ? '' : String(host);
  const known = name !== '' && name !== '?';
  return redisLabel({ host: known ? name : asked.host, port: Number(port) });
}

/** The master of a slot. */
export function masterOfSlots(ranges: readonly SlotRange[], slot: number): string | undefined {
  return ranges.find(({ first, last }) => first <= slot && slot <= last)?.master;
}

/** The masters, each once, in the order of their first slots. */
export function mastersOf(ranges: readonly SlotRange[]): string[] {
  const sorted = [...ranges].sort((one, other) => one.first - other.first);
  return [...new Set(sorted.map(({ master }) => master))];
}
