/** Blocking commands of Redis clients: the order of a connection, its end, and CLIENT UNBLOCK. */
import { existsSync, readFileSync } from 'node:fs';
import { setTimeout as sleep } from 'node:timers/promises';
import { open, type Store } from 'holdfast';
import { Redis } from 'ioredis';
import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { TestCluster } from '../support/cluster.js';
import { RawClient, request } from './raw-client.js';

const resp = { port: 0 };
const NULL_ARRAY = '*-1\r\n';
/** An entry with a short id, field and value, and the answer to PING behind it. */
const ENTRY_BYTES = '*2\r\n$3\r\n2-0\r\n*2\r\n$1\r\nf\r\n$1\r\nv\r\n+PONG\r\n'.length;

/** Where Linux tells of the connections of IPv4. */
const CONNECTIONS = '/proc/net/tcp';
const ESTABLISHED = '01';

/** Connections of a port that neither end has closed, as the system sees them now. */
function establishedAt(port: number): number {
  const local = `:${port.toString(16).toUpperCase().padStart(4, '0')}`;
  const rows = readFileSync(CONNECTIONS, 'utf8')
    .split('\n')
    .map((row) => row.trim().split(/\s+/));
  return rows.filter(([, address = '', , state]) => address.endsWith(local) && state === ESTABLISHED).length;
}

interface Deployment {
  readonly store: Store;
  close(): Promise<unknown>;
}

async function peer(which: 'leader' | 'follower'): Promise<Deployment> {
  const cluster = await TestCluster.open({ resp });
  const [follower] = await cluster.followers();
  const store = which === 'leader' || follower === undefined ? await cluster.leader() : follower;
  return { store, close: () => cluster[Symbol.asyncDispose]() };
}

const DEPLOYMENTS: readonly (readonly [name: string, deploy: () => Promise<Deployment>])[] = [
  [
    'a store without peers',
    async () => {
      const store = await open({ resp });
      return { store, close: () => store.close() };
    },
  ],
  ['the leader of three peers', () => peer('leader')],
  ['a follower of three peers', () => peer('follower')],
];

describe.each(DEPLOYMENTS)('%s', { timeout: 60_000 }, (_, deploy) => {
  let deployment: Deployment;
  let store: Store;
  let client: RawClient;
  beforeAll(async () => {
    deployment = await deploy();
    store = deployment.store;
  });
  afterAll(() => deployment.close());
  beforeEach(async () => {
    await store.flushall();
    client = await RawClient.connect(store.respAddress);
    return () => client.socket.destroy();
  });

  /** Sends requests in one piece. */
  const send = (...lines: string[]): void => {
    client.send(lines.map((line) => request(...line.split(' '))).join(''));
  };
  const receive = async (expected: string): Promise<void> => {
    expect(await client.bytes(expected.length)).toBe(expected);
  };
  const connected = async (): Promise<string[]> => {
    const other = await RawClient.connect(store.respAddress);
    other.command('CLIENT', 'LIST');
    await sleep(30);
    other.send(request('QUIT'));
    return (await other.rest()).split('\n').filter((line) => line.includes('flags='));
  };

  test('a client waits, and what it sent behind waits with it', async () => {
    send('SET k 1', 'BLPOP q 0', 'INCR k', 'GET k');
    await receive('+OK\r\n');
    await sleep(20);
    expect(await store.get('k')).toBe('1');
    await store.rpush('q', 'a');
    await receive('*2\r\n$1\r\nq\r\n$1\r\na\r\n:2\r\n$1\r\n2\r\n');
  });

  test('what a client sent before is done before', async () => {
    send('RPUSH q a', 'GET k', 'BLPOP q 0', 'LLEN q', 'BLPOP q 0.02', 'PING');
    await receive(`:1\r\n$-1\r\n*2\r\n$1\r\nq\r\n$1\r\na\r\n:0\r\n${NULL_ARRAY}+PONG\r\n`);
  });

  test('in RESP3 nothing is null, and scores are doubles', async () => {
    await client.ask(['HELLO', '3'], '*0\r\n');
    send('BLMOVE a b LEFT LEFT 0.01', 'ZADD z 1.5 m', 'BZPOPMIN z 0', 'BZMPOP 0.01 1 z MIN');
    await receive('_\r\n:1\r\n*3\r\n$1\r\nz\r\n$1\r\nm\r\n,1.5\r\n_\r\n');
  });

  test('MULTI runs the form that does not wait', async () => {
    send('MULTI', 'BLPOP q 0', 'RPUSH q a', 'BLPOP q 0', 'EXEC', 'PING');
    await receive(
      `+OK\r\n${'+QUEUED\r\n'.repeat(3)}*3\r\n${NULL_ARRAY}:1\r\n*2\r\n$1\r\nq\r\n$1\r\na\r\n+PONG\r\n`,
    );
  });

  test('a client that goes stops waiting, even with requests behind', async () => {
    for (const behind of [[], ['SET k v']]) {
      const gone = await RawClient.connect(store.respAddress);
      gone.send(['BLPOP q 0', ...behind].map((line) => request(...line.split(' '))).join(''));
      await sleep(30);
      expect((await connected()).some((line) => line.includes('flags=b'))).toBe(true);
      gone.socket.destroy();
      await expect.poll(async () => (await connected()).some((line) => line.includes('flags=b'))).toBe(false);
      await store.rpush('q', 'a');
      expect(await store.lrange('q', 0, -1)).toEqual(['a']);
      expect(await store.get('k')).toBeNull();
      await store.del('q');
    }
  });

  test.each(['closes', 'is reset', 'says that it is done'])(
    'a client that %s before there is an element takes none, nor do 200',
    async (how) => {
      const clients = await Promise.all(
        Array.from({ length: 200 }, () => RawClient.connect(store.respAddress)),
      );
      for (const [i, gone] of clients.entries()) {
        const behind = i % 2 === 0 ? '' : request('SET', 'k', 'v');
        gone.send(request('BLPOP', 'other', 'q', '0') + behind);
      }
      const blocked = async () => (await connected()).filter((line) => line.includes('flags=b')).length;
      await expect.poll(blocked).toBe(200);
      for (const { socket } of clients) {
        if (how === 'closes') socket.destroy();
        else if (how === 'is reset') socket.resetAndDestroy();
        else socket.end();
      }
      await expect.poll(blocked).toBe(0);
      const items = Array.from({ length: 200 }, (_, i) => `${i}`);
      await store.rpush('q', items);
      await sleep(50);
      expect(await store.lrange('q', 0, -1)).toEqual(items);
      expect(await store.get('k')).toBeNull();
    },
  );

  test.skipIf(!existsSync(CONNECTIONS)).each(['close', 'are reset', 'say that they are done'])(
    '200 clients that %s take nothing, even if the loop hears of that and of elements at once',
    async (how) => {
      const clients = await Promise.all(
        Array.from({ length: 200 }, () => RawClient.connect(store.respAddress)),
      );
      for (const gone of clients) gone.command('BLPOP', 'q', '0');
      await expect
        .poll(async () => (await connected()).filter((line) => line.includes('flags=b')).length)
        .toBe(200);
      for (const { socket } of clients) {
        if (how === 'close') socket.destroy();
        else if (how === 'are reset') socket.resetAndDestroy();
        else socket.end();
      }
      // What is shut down leaves with the next turn.
      await new Promise(setImmediate);
      // The system knows of all of them, and the loop stands still meanwhile.
      while (establishedAt(store.respAddress?.port ?? 0) > 1);
      const items = Array.from({ length: 200 }, (_, i) => `${i}`);
      await store.rpush('q', items);
      await sleep(50);
      expect(await store.lrange('q', 0, -1)).toEqual(items);
    },
  );

  test('200 clients that do not stay to see take nothing', async () => {
    for (let i = 0; i < 200; i++) {
      const gone = await RawClient.connect(store.respAddress);
      gone.socket.end(request('BLPOP', 'q', '0'));
    }
    await expect.poll(async () => (await connected()).length).toBe(2);
    await store.rpush('q', ['a', 'b']);
    await sleep(50);
    expect(await store.lrange('q', 0, -1)).toEqual(['a', 'b']);
  });

  test('a client that has said all it will say is served what is there, and does not wait', async () => {
    send('RPUSH q a', 'BLPOP q 0', 'BLPOP q 0', 'SET k v');
    client.socket.end();
    expect(await client.rest()).toBe(':1\r\n*2\r\n$1\r\nq\r\n$1\r\na\r\n');
    await store.rpush('q', 'b');
    expect(await store.lrange('q', 0, -1)).toEqual(['b']);
  });

  test('CLIENT UNBLOCK ends a wait', async () => {
    const redis = new Redis(store.respAddress ?? {});
    for (const [kind, reply] of [
      ['TIMEOUT', NULL_ARRAY],
      ['ERROR', '-UNBLOCKED client unblocked via CLIENT UNBLOCK\r\n'],
    ] as const) {
      client.command('BLPOP', 'q', '0');
      await sleep(30);
      const line = (await connected()).find((found) => found.includes('flags=b')) ?? '';
      const id = Number(/id=(\d+)/.exec(line)?.[1]);
      expect(await redis.call('CLIENT', 'UNBLOCK', id, kind)).toBe(1);
      await receive(reply);
      expect(await redis.call('CLIENT', 'UNBLOCK', id)).toBe(0);
    }
    await expect(redis.call('CLIENT', 'UNBLOCK', 'x')).rejects.toThrow('ERR value is not an integer');
    await expect(redis.call('CLIENT', 'UNBLOCK', 1, 'NOW')).rejects.toThrow('TIMEOUT or ERROR');
    redis.disconnect();
  });

  test('refusals are those of Redis', async () => {
    send('BLPOP q x', 'BLPOP q -1', 'SET s v', 'BLPOP s 0', 'BLMPOP 0 0 q LEFT');
    await receive(
      '-ERR timeout is not a float or out of range\r\n-ERR timeout is negative\r\n+OK\r\n' +
        '-WRONGTYPE Operation against a key holding the wrong kind of value\r\n' +
        '-ERR numkeys should be greater than 0\r\n',
    );
  });

  test('streams are read on from where they are', async () => {
    send('XADD s 1-0 f old', 'XREAD BLOCK 0 COUNT 1 STREAMS none s $ $', 'PING');
    await receive('$3\r\n1-0\r\n');
    // Where the stream ends is asked first, and what comes before the answer is not read.
    const read = client.bytes('*1\r\n*2\r\n$1\r\ns\r\n*1\r\n'.length);
    for (let i = 2; (await Promise.race([read, sleep(100)])) === undefined; i++) {
      await store.xadd('s', { f: 'v' }, { id: `${i}-0` });
    }
    expect(await read).toBe('*1\r\n*2\r\n$1\r\ns\r\n*1\r\n');
    expect(await client.bytes(ENTRY_BYTES)).toMatch(
      /^\*2\r\n\$\d\r\n\d+-0\r\n\*2\r\n\$1\r\nf\r\n\$1\r\nv\r\n\+PONG/,
    );
    send('XREAD BLOCK 10 STREAMS s $');
    await receive(NULL_ARRAY);
    send(
      'XGROUP CREATE s g $',
      'XREADGROUP GROUP g c BLOCK 0 COUNT 1 STREAMS s >',
      'XREAD BLOCK x STREAMS s 0',
    );
    await receive('+OK\r\n');
    await sleep(50);
    await store.xgroupDestroy('s', 'g');
    const rest = '-ERR timeout is not an integer or out of range\r\n';
    const refusal = "-NOGROUP No such key 's' or consumer group 'g' in XREADGROUP with GROUP option\r\n";
    await receive(refusal + rest);
  });

  test('ioredis: workers share a queue', async () => {
    const connections = Array.from({ length: 10 }, () => new Redis(store.respAddress ?? {}));
    const pusher = new Redis(store.respAddress ?? {});
    const taken: string[] = [];
    const workers = connections.map(async (redis) => {
      for (;;) {
        const popped = await redis.blpop('jobs', 'more', 1);
        if (popped === null || popped[1] === 'stop') return;
        taken.push(popped[1]);
      }
    });
    for (let i = 0; i < 300; i++) await pusher.rpush(i % 2 === 0 ? 'jobs' : 'more', `${i}`);
    for (const _ of connections) await pusher.rpush('jobs', 'stop');
    await Promise.all(workers);
    expect(taken.map(Number).sort((a, b) => a - b)).toEqual(Array.from({ length: 300 }, (_, i) => i));
    for (const redis of [...connections, pusher]) redis.disconnect();
  });
});

describe('a store that closes', () => {
  test('tells clients that wait, at once', async () => {
    const store = await open({ resp });
    const client = await RawClient.connect(store.respAddress);
    client.command('BLPOP', 'q', '0');
    await sleep(20);
    const startMs = performance.now();
    await store.close();
    expect(await client.rest()).toMatch(/^-CLUSTERDOWN .*closed\r\n$/);
    expect(performance.now() - startMs).toBeLessThan(1_500);
  });
});
