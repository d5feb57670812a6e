/**
 * What the demo's writers write. A write is a pure function of its writer and its sequence number, so the parent knows
 * what a killed peer had under way without having been told in detail.
 */

/** One kind per data type, and a transaction. */
export type WriteKind = 'cart' | 'score' | 'feed' | 'order';

/** A write that leaves a trace from which it can be counted afterwards. */
export type PlannedWrite =
  /** HINCRBY of a cart line of its own: the line's quantity is a multiple of `quantity`. */
  | { kind: 'cart'; id: string; key: string; quantity: number }
  /** ZINCRBY by `POINTS`. */
  | { kind: 'score'; id: string; key: string; member: string }
  /** LPUSH of the id. */
  | { kind: 'feed'; id: string; key: string }
  /** DECR of the stock and RPUSH of the id, as one. */
  | { kind: 'order'; id: string; key: string; stockKey: string };

/** Points of one score increment. */
export const POINTS = 10;
/** Stock of a shop before the first order. */
export const STOCK_AT_START = 1_000_000;

// A prefix of its own keeps the workload apart from whatever the restored file holds.
const PREFIX = 'holdfast-demo:';
const CARTS = 64;
const BOARDS = 4;
const PLAYERS = 25;
const FEEDS = 16;
const SHOPS = 8;
const KINDS: readonly WriteKind[] = ['cart', 'feed', 'score', 'cart', 'order', 'feed', 'score', 'cart'];
const QUANTITY_MAX = 5;

const keysOf = (name: string, count: number) =>
  Array.from({ length: count }, (_, n) => `${PREFIX}${name}:${n}`);

/** Every key the workload may touch. */
export const WORKLOAD_KEYS = {
  carts: keysOf('cart', CARTS),
  boards: keysOf('board', BOARDS),
  feeds: keysOf('feed', FEEDS),
  // The hash tag keeps the two keys of a transaction in one slot.
  shops: Array.from({ length: SHOPS }, (_, n) => ({
    stockKey: `${PREFIX}{shop:${n}}:stock`,
    ordersKey: `${PREFIX}{shop:${n}}:orders`,
  })),
} as const;

/** The id that a write leaves behind. */
export function writeId(writer: string, sequence: number): string {
  return `${writer}-${sequence}`;
}

/** The writer and sequence of an id, or `undefined` if it is none. */
export function parseWriteId(id: string): { writer: string; sequence: number } | undefined {
  const match = /^([a-z]+\d+)-(\d{1,15})$/.exec(id);
  if (match === null) return undefined;
  return { writer: match[1] as string, sequence: Number(match[2]) };
}

function spread(writer: string, sequence: number): number {
  let hash = Math.imul(sequence + 1, 0x9e37_79b1);
  for (const char of writer) hash = Math.imul(hash ^ char.charCodeAt(0), 0x85eb_ca6b);
  return (hash ^ (hash >>> 15)) >>> 0;
}

function pick<T>(from: readonly T[], number: number): T {
  return from[number % from.length] as T;
}

/** The write of this number. */
export function planWrite(writer: string, sequence: number): PlannedWrite {
  const id = writeId(writer, sequence);
  const number = spread(writer, sequence);
  switch (pick(KINDS, sequence)) {
    case 'cart':
      return {
        kind: 'cart',
        id,
        key: pick(WORKLOAD_KEYS.carts, number),
        quantity: 1 + (number % QUANTITY_MAX),
      };
    case 'score': {
      const member = `player:${Math.floor(number / BOARDS) % PLAYERS}`;
      return { kind: 'score', id, key: pick(WORKLOAD_KEYS.boards, number), member };
    }
    case 'feed':
      return { kind: 'feed', id, key: pick(WORKLOAD_KEYS.feeds, number) };
    case 'order': {
      const shop = pick(WORKLOAD_KEYS.shops, number);
      return { kind: 'order', id, key: shop.ordersKey, stockKey: shop.stockKey };
    }
  }
}
