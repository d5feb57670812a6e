/** Calls that wait in processes of their own, while others are killed, and while snapshots come in the place of the log. */
import { setTimeout as sleep } from 'node:timers/promises';
import { describe, expect, test } from 'vitest';
import { ProcessCluster } from '../support/processes.js';

/** Longest time for what has to happen: an election, or a snapshot on its way. */
const PATIENCE_MS = 20_000;
const KEYS = ['q', 'p', 'r'];

/** One who was served. `place`: when it joined its line. */
interface Served {
  readonly place: number;
  readonly key: string;
  readonly item: string;
}

/** A promise that must not be waited for for ever. */
function soon<T>(promise: Promise<T>, what: string): Promise<T> {
  const over = sleep(PATIENCE_MS, undefined, { ref: false }).then(() => {
    throw new Error(`${what} still waits after ${PATIENCE_MS} ms`);
  });
  return Promise.race([promise, over]);
}

const list = (cluster: ProcessCluster, by: string, key: string): Promise<string[]> =>
  cluster.peer(by).ask<string[]>('call', 'LRANGE', key, '0', '-1');

/** Everything that was ever pushed was served once or is left; nothing else was served. */
async function checkOnce(cluster: ProcessCluster, by: string, served: readonly Served[]): Promise<string[]> {
  const all: string[] = [];
  for (const key of KEYS) {
    const pushed = await list(cluster, by, `ledger:${key}`);
    const taken = served.filter((one) => one.key === key).map(({ item }) => item);
    const left = await list(cluster, by, key);
    expect([...taken, ...left].sort()).toEqual([...pushed].sort());
    all.push(...pushed);
  }
  return all;
}

/** Who joined a line before others was served with what was pushed before. */
function checkOrder(served: readonly Served[], ledger: readonly string[]): void {
  const position = new Map(ledger.map((item, i) => [item, i]));
  const byPlace = [...served].sort((a, b) => a.place - b.place);
  const positions = byPlace.map(({ item }) => position.get(item) ?? -1);
  expect(positions).toEqual([...positions].sort((a, b) => a - b));
}

describe('the leader process is killed', () => {
  test('under waiters of the others: each element is popped once, in order', {
    timeout: 120_000,
  }, async () => {
    await using cluster = await ProcessCluster.open();
    const acknowledged: string[] = [];
    const served: Served[] = [];
    for (let round = 0; round < 3; round++) {
      const victim = await cluster.leader('a');
      const others = cluster.names.filter((name) => name !== victim);
      for (const name of cluster.names) {
        cluster.peer(name).onRecord = (id) => acknowledged.push(String(id));
      }
      // Whoever waits in the process that is killed stands before everybody else, and takes nothing along.
      await cluster.peer(victim).ask('startLine', 'idle', { keys: ['idle'], count: 50 });
      for (const name of others) {
        const peer = cluster.peer(name);
        await peer.ask('startLine', 'one', { keys: ['q'], count: 100 });
        await peer.ask('startLine', 'two', { keys: ['p', 'r'], count: 50 });
        await peer.ask('startLine', 'idle', { keys: ['idle'], count: 1 });
      }
      await Promise.all(
        cluster.names.map((name) =>
          cluster.peer(name).ask('startPushing', { keys: KEYS, tag: `${round}${name}` }),
        ),
      );
      await sleep(400);
      await cluster.peer(victim).kill();
      const before = acknowledged.length;
      await sleep(1_500);
      await Promise.all(others.map((name) => soon(cluster.peer(name).ask('stopPushing'), 'a push')));
      expect(before).toBeGreaterThan(0);
      expect(acknowledged.length).toBeGreaterThan(before);
      const [by = ''] = others;
      const stops = (count: number): string[] => Array<string>(count).fill('stop');
      await cluster.peer(by).ask('call', 'RPUSH', 'q', ...stops(200));
      await cluster.peer(by).ask('call', 'RPUSH', 'p', ...stops(100));
      await cluster.peer(by).ask('call', 'RPUSH', 'idle', ...stops(2));
      const ledger = await list(cluster, by, 'ledger:q');
      for (const name of others) {
        const lines = ['one', 'two', 'idle'].map((line) =>
          cluster.peer(name).ask<Served[]>('endOfLine', line),
        );
        const [one = [], two = []] = await soon(Promise.all(lines), `a line of ${name}`);
        checkOrder(one, ledger);
        served.push(...one, ...two);
      }
      const pushed = new Set(await checkOnce(cluster, by, served));
      expect(acknowledged.filter((id) => !pushed.has(id))).toEqual([]);
      await cluster.start(victim);
    }
    expect(new Set(await cluster.settled()).size).toBe(1);
  });
});

interface Status {
  readonly peers: { readonly name: string; readonly up: boolean }[];
  readonly shards: { readonly applied: number; readonly lastIndex: number; readonly snapshotIndex: number }[];
}

describe('a follower that is cut off until only a snapshot brings it back', () => {
  test('serves those who wait there from the snapshot', { timeout: 120_000 }, async () => {
    await using cluster = await ProcessCluster.open({ snapshotLogBytes: 64 * 1024 });
    const leader = cluster.peer(await cluster.leader('a'));
    const name = cluster.names.find((other) => cluster.peer(other) !== leader) ?? '';
    const follower = cluster.peer(name);
    const shardOf = async (peer: typeof leader) => (await peer.ask<Status>('status')).shards[0];
    await leader.ask('call', 'XGROUP', 'CREATE', 'group', 'g', '$', 'MKSTREAM');
    await leader.ask('call', 'XGROUP', 'CREATE', 'gone', 'g', '$', 'MKSTREAM');
    const waits: [wait: string, method: string, ...args: unknown[]][] = [
      ['first', 'blpop', 'q'],
      ['second', 'blpop', ['q', 'other']],
      ['third', 'brpop', 'q'],
      ['zset', 'bzpopmax', ['y', 'z']],
      ['move', 'blmove', 'from', 'to', 'left', 'right'],
      ['stream', 'xreadBlocking', { s: '0-0' }],
      ['group', 'xreadgroupBlocking', 'g', 'c', { group: '>' }],
      ['gone', 'xreadgroupBlocking', 'g', 'c', { gone: '>' }],
    ];
    for (const wait of waits) await follower.ask('begin', ...wait);
    await sleep(200);
    const stoppedAt = (await shardOf(follower))?.lastIndex ?? 0;
    follower.signal('SIGSTOP');
    const isUp = async () =>
      (await leader.ask<Status>('status')).peers.find((peer) => peer.name === name)?.up;
    // What is sent before the connection is dropped lies in a buffer that the follower reads later.
    await expect.poll(isUp, { timeout: PATIENCE_MS }).toBe(false);
    for (const line of [
      'RPUSH q 1 2',
      'ZADD z 1 m 2 n',
      'RPUSH from x',
      'XADD s 1-0 f v',
      'XADD group 2-0 f v',
      'DEL gone',
    ]) {
      await leader.ask('call', ...line.split(' '));
    }
    const pushedAt = (await shardOf(leader))?.lastIndex ?? 0;
    for (let i = 0; i < 20; i++) await leader.ask('call', 'SET', `fill${i}`, 'x'.repeat(32 * 1024));
    // The log that is left is shorter than the last few of these.
    await expect
      .poll(async () => (await shardOf(leader))?.snapshotIndex ?? 0, { timeout: PATIENCE_MS })
      .toBeGreaterThan(pushedAt + 10);
    expect(pushedAt).toBeGreaterThan(stoppedAt);
    follower.signal('SIGCONT');
    const outcome = (wait: string) =>
      soon(
        follower.ask('outcome', wait).catch((error: { code: string }) => error.code),
        wait,
      );
    const stream = (key: string, id: string) => [{ key, entries: [{ id, fields: [['f', 'v']] }] }];
    expect(
      await Promise.all(['first', 'second', 'zset', 'move', 'stream', 'group', 'gone'].map(outcome)),
    ).toEqual([
      { key: 'q', item: '1' },
      { key: 'q', item: '2' },
      { key: 'z', member: 'n', score: 2 },
      'x',
      stream('s', '1-0'),
      stream('group', '2-0'),
      'NOGROUP',
    ]);
    await leader.ask('call', 'RPUSH', 'q', '3');
    expect(await outcome('third')).toEqual({ key: 'q', item: '3' });
    expect(await leader.ask('call', 'EXISTS', 'q', 'from')).toBe(0);
    expect(new Set(await cluster.settled()).size).toBe(1);
  });
});
