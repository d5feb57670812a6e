import type { Store } from '../../store.js';
import type { Trace } from './check.js';
import { STOCK_AT_START, WORKLOAD_KEYS } from './plan.js';

/** Makes the keys of the workload what the checker takes them to be before the first write. */
export async function prepareKeys(store: Store): Promise<void> {
  const { carts, boards, feeds, shops } = WORKLOAD_KEYS;
  const emptied = [...carts, ...boards, ...feeds, ...shops.map((shop) => shop.ordersKey)];
  await Promise.all(emptied.map((key) => store.del(key)));
  await Promise.all(shops.map((shop) => store.set(shop.stockKey, String(STOCK_AT_START))));
}

function mapOf<V>(keys: readonly string[], read: (key: string) => V): Map<string, V> {
  return new Map(keys.map((key) => [key, read(key)]));
}

/** Reads what the workload left in this peer's own memory. */
export function readTrace({ local }: Store): Trace {
  const { carts, boards, feeds, shops } = WORKLOAD_KEYS;
  const lines = (key: string) =>
    new Map(Object.entries(local.hgetall(key)).map(([id, quantity]) => [id, Number(quantity)]));
  const scores = (key: string) =>
    new Map(local.zrange(key, 0, -1, { withScores: true }).map(({ member, score }) => [member, score]));
  const shop = ({ stockKey, ordersKey }: { stockKey: string; ordersKey: string }) =>
    [ordersKey, { stock: Number(local.get(stockKey)), orders: local.lrange(ordersKey, 0, -1) }] as const;
  return {
    carts: mapOf(carts, lines),
    boards: mapOf(boards, scores),
    feeds: mapOf(feeds, (key) => local.lrange(key, 0, -1)),
    shops: new Map(shops.map(shop)),
  };
}
