/** Calls that wait and are given up: by a signal, by their time, by a client that goes. What they took has an owner, or was not taken. */
import { setTimeout as sleep } from 'node:timers/promises';
import type { Store } from 'holdfast';
import { describe, expect, test } from 'vitest';
import { RawClient } from '../resp/raw-client.js';
import { TestCluster } from '../support/cluster.js';
import { SeededRandom } from '../support/random.js';

const REASON = new Error('given up');

interface Tally {
  readonly taken: string[];
  readonly errors: unknown[];
  aborted: number;
  late: number;
  over: boolean;
}

type Wait = { timeoutMs?: number; signal?: AbortSignal };

/** Ways to take elements, each with the elements that it took; undefined if its time was over. */
const WAYS: readonly ((store: Store, wait: Wait) => Promise<string[] | undefined>)[] = [
  async (store, wait) => itemsOf(await store.blpop('q', wait)),
  async (store, wait) => itemsOf(await store.brpop(['none', 'q'], wait)),
  async (store, wait) => (await store.blmpop(['q', 'none'], 'left', { count: 3, ...wait }))?.items,
  async (store, wait) =>
    (await store.bzmpop('z', 'min', { count: 2, ...wait }))?.members.map((m) => m.member),
  async (store, wait) => membersOf(await store.bzpopmax('z', wait)),
  async (store, wait) => {
    const moved = await store.blmove('q', 'moved', 'left', 'right', wait);
    return moved === null ? undefined : [moved];
  },
  async (store, wait) => {
    const read = await store.xreadgroupBlocking('g', 'c', { s: '>' }, { count: 1, ...wait });
    return read?.flatMap(({ entries }) => entries.map(({ fields }) => fields?.[0]?.[1] ?? ''));
  },
];

const itemsOf = (popped: { item: string } | null) => (popped === null ? undefined : [popped.item]);
const membersOf = (popped: { member: string } | null) => (popped === null ? undefined : [popped.member]);

/** Waits again and again, and loses patience at any moment. */
async function taker(store: Store, tally: Tally, random: SeededRandom): Promise<void> {
  while (!tally.over) {
    const controller = new AbortController();
    const hasSignal = !random.once(3);
    const timer = hasSignal ? setTimeout(() => controller.abort(REASON), random.below(6)) : undefined;
    const wait = { timeoutMs: 1 + random.below(hasSignal ? 12 : 6), signal: controller.signal };
    try {
      const items = await random.pick(WAYS)(store, wait);
      if (items === undefined) tally.late++;
      else tally.taken.push(...items);
    } catch (error) {
      if (error === REASON) tally.aborted++;
      else tally.errors.push(error);
    }
    clearTimeout(timer);
  }
}

async function pusher(store: Store, tally: Tally, random: SeededRandom, name: string): Promise<string[]> {
  const pushed: string[] = [];
  for (let i = 0; !tally.over; i++) {
    const items = random.some(1, 4, () => `${name} ${i} ${random.below(1e9)}`);
    const kind = random.below(4);
    if (kind === 0) await store.zadd('z', Object.fromEntries(items.map((item) => [item, random.below(9)])));
    else if (kind === 1) for (const item of items) await store.xadd('s', { item });
    else await store.rpush('q', items);
    pushed.push(...items);
    if (random.once(2)) await sleep(random.below(4));
  }
  return pushed;
}

/** What nobody has taken. */
async function leftIn(store: Store): Promise<string[]> {
  const unread = await store.xreadgroup('g', 'c', { s: '>' });
  const entries = unread?.flatMap((stream) => stream.entries.map(({ fields }) => fields?.[0]?.[1] ?? ''));
  return [...(await store.lrange('q', 0, -1)), ...(await store.zrange('z', 0, -1)), ...(entries ?? [])];
}

describe('a wait that is given up while elements come', () => {
  test.each([1, 2, 3])('has an element or left it, and ends: seed %i', { timeout: 60_000 }, async (seed) => {
    await using cluster = await TestCluster.open();
    const [store] = cluster.stores as [Store];
    await store.xgroupCreate('s', 'g', '$', { mkstream: true });
    const random = new SeededRandom(seed);
    const tally: Tally = { taken: [], errors: [], aborted: 0, late: 0, over: false };
    const own = () => new SeededRandom(random.below(2 ** 32));
    const takers = cluster.stores.flatMap((peer) =>
      Array.from({ length: 30 }, () => taker(peer, tally, own())),
    );
    const pushers = cluster.stores.map((peer, i) => pusher(peer, tally, own(), `${i}`));
    for (let i = 0; i < 4; i++) {
      await sleep(500);
      const [next] = await cluster.followers();
      if (i < 3) await store.transfer(0, next?.name);
    }
    tally.over = true;
    await Promise.all(takers);
    const pushed = (await Promise.all(pushers)).flat();
    expect(tally.errors).toEqual([]);
    const kinds = [tally.taken.length, tally.aborted, tally.late];
    expect(Math.min(...kinds), `taken, aborted, late: ${kinds}`).toBeGreaterThan(50);
    expect([...tally.taken, ...(await leftIn(store))].sort()).toEqual(pushed.sort());
    const moved = new Set(await store.lrange('moved', 0, -1));
    expect(tally.taken.filter((item) => moved.has(item)).length).toBe(moved.size);
    expect(new Set(await cluster.settled()).size).toBe(1);
  });
});

describe('without a leader', () => {
  test('a wait ends when it is given up, and takes nothing later', { timeout: 60_000 }, async () => {
    await using cluster = await TestCluster.open({ durable: true, resp: { port: 0 } });
    const store = cluster.store('a');
    for (const name of ['b', 'c']) await cluster.stop(name);
    const isAlone = async () => {
      const { shards, peers } = await store.status();
      return shards[0]?.leader === undefined && peers.filter(({ up }) => up).length === 1;
    };
    await expect.poll(isAlone, { timeout: 10_000 }).toBe(true);
    const clients: RawClient[] = [];
    for (let i = 0; i < 50; i++) {
      const client = await RawClient.connect(store.respAddress);
      client.command('BLPOP', 'q', '0');
      clients.push(client);
    }
    const controller = new AbortController();
    const { signal } = controller;
    const startMs = performance.now();
    const kept = store.blpop('q');
    const aborted = [
      ...Array.from({ length: 50 }, () => store.blpop(['q', 'other'], { signal })),
      store.bzpopmin('z', { signal }),
      store.xreadgroupBlocking('g', 'c', { s: '>' }, { signal }),
      store.xreadBlocking({ s: '0-0' }, { signal }),
    ];
    const late = [store.blpop('q', { timeoutMs: 50 }), store.xreadBlocking({ s: '0-0' }, { timeoutMs: 50 })];
    const outcomes = Promise.allSettled(aborted);
    await sleep(100);
    controller.abort(REASON);
    for (const client of clients) client.socket.destroy();
    expect(await outcomes).toEqual(aborted.map(() => ({ status: 'rejected', reason: REASON })));
    expect(await Promise.all(late)).toEqual([null, null]);
    expect(performance.now() - startMs).toBeLessThan(3_000);
    await Promise.all(['b', 'c'].map((name) => cluster.start(name)));
    const items = Array.from({ length: 200 }, (_, i) => `${i}`);
    await store.rpush('q', items);
    expect(await kept).toEqual({ key: 'q', item: '0' });
    expect(await store.lrange('q', 0, -1)).toEqual(items.slice(1));
    expect(new Set(await cluster.settled()).size).toBe(1);
  });
});
