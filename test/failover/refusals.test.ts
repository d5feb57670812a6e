/** Everything a cluster must refuse: each with an error that says what and where, and without losing anything. */
import { readdirSync, readFileSync, statSync, truncateSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:net';
import { join } from 'node:path';
import { Keyspace, open, type Store } from 'holdfast';
import { describe, expect, test } from 'vitest';
import { freeAddress, freePeers, TestCluster, temporaryDirectory } from '../support/cluster.js';

describe('options', () => {
  const peers = { a: '127.0.0.1:7600', b: '127.0.0.1:7601', c: '127.0.0.1:7602' };

  test.each<[string, unknown, RegExp]>([
    ['an unknown option', { name: 'a', peers, shard: 3 }, /unknown option "shard"/],
    ['a list of peers without the own name', { name: 'd', peers }, /"d" is not among the peers/],
    ['no own name', { peers }, /"main" is not among the peers/],
    [
      'two peers at one address',
      { name: 'a', peers: { a: 'h:1', b: 'h:1' } },
      /a and b have the same address/,
    ],
    ['an address without a port', { name: 'a', peers: { a: 'localhost' } }, /port is missing/],
    ['an address that is none', { name: 'a', peers: { a: 'h:70000' } }, /port is not/],
    ['peers that are a list', { name: 'a', peers: ['h:1'] }, /peers must be an object/],
    ['no peers at all', { name: 'a', peers: {} }, /peers must not be empty/],
    ['a fraction of a shard', { dir: 'd', shards: 1.5 }, /shards must be a whole number/],
    ['too many shards', { dir: 'd', shards: 65 }, /shards must be a whole number from 1 to 64/],
    ['shards without peers or directory', { shards: 3 }, /shards need peers or dir/],
    ['an unknown fsync', { dir: 'd', fsync: 'never' }, /fsync must be/],
    ['fsync without a directory', { name: 'a', peers, fsync: 'always' }, /fsync needs dir/],
    ['an empty secret', { name: 'a', peers, secret: '' }, /secret must be a string/],
    ['a text for a number', { name: 'a', peers, timeoutMs: '5' }, /timeoutMs must be a number/],
    ['an unknown timer', { name: 'a', peers, timers: { beat: 5 } }, /unknown timer "beat"/],
    [
      'a promise shorter than three beats',
      { name: 'a', peers, timers: { promiseMs: 10 } },
      /three times timers.beatMs/,
    ],
    [
      'an election timeout below a promise',
      { name: 'a', peers, timers: { electionMs: 10 } },
      /at least timers.promiseMs/,
    ],
    ['clocks that drift by half', { name: 'a', peers, timers: { drift: 0.9 } }, /timers.drift must be below/],
    ['a listener that is none', { on: { leader: true } }, /on.leader must be a function/],
    ['a listener of nothing', { on: { leaders: () => {} } }, /unknown event "leaders"/],
    ['options that are none', null, /options must be an object/],
  ])('refuse %s', async (_name, options, message) => {
    await expect(open(options as never)).rejects.toThrow(message);
  });
});

describe('opening a peer', () => {
  test('on a port in use says which', async () => {
    const address = await freeAddress();
    const [host, port] = address.split(':');
    const server = createServer();
    await new Promise<void>((resolve) => server.listen(Number(port), host, resolve));
    try {
      const opening = open({ name: 'a', peers: { a: address, b: '127.0.0.1:1' } });
      await expect(opening).rejects.toMatchObject({ code: 'IO', message: expect.stringContaining(address) });
    } finally {
      server.close();
    }
  });

  test('gives up when the others do not come, and says so', async () => {
    const peers = await freePeers(['a', 'b', 'c']);
    const opening = open({ name: 'a', peers, openTimeoutMs: 300 });
    await expect(opening).rejects.toMatchObject({
      code: 'NO_QUORUM',
      message: expect.stringContaining('300 ms'),
    });
  });

  test('gives up when it is told to', async () => {
    const peers = await freePeers(['a', 'b']);
    const signal = AbortSignal.timeout(100);
    await expect(open({ name: 'a', peers, signal })).rejects.toMatchObject({ name: 'TimeoutError' });
  });

  test('with another secret is refused by both sides, with the reason', async () => {
    const peers = await freePeers(['a', 'b']);
    const heard: string[] = [];
    const opened = Object.keys(peers).map((name) =>
      open({
        ...{ name, peers, secret: `secret of ${name}`, openTimeoutMs: 2_500 },
        on: { refused: ({ code, message }) => heard.push(`${name}: ${code} ${message}`) },
      }),
    );
    for (const opening of await Promise.allSettled(opened)) {
      expect(opening).toMatchObject({
        reason: { code: 'NO_QUORUM', message: expect.stringContaining('the secret differs') },
      });
    }
    expect(heard.some((text) => text.startsWith('a: FOREIGN'))).toBe(true);
    expect(heard.some((text) => text.startsWith('b: FOREIGN'))).toBe(true);
  });

  test('with another number of shards is refused', async () => {
    const peers = await freePeers(['a', 'b']);
    const opened = Object.keys(peers).map((name, i) =>
      open({ name, peers, shards: i + 1, openTimeoutMs: 2_500 }),
    );
    for (const opening of await Promise.allSettled(opened)) {
      expect(opening).toMatchObject({ reason: { message: expect.stringContaining('shards') } });
    }
  });
});

describe('a peer without its memory', () => {
  test('may not come back, and the others go on', async () => {
    await using cluster = await TestCluster.open();
    const [gone, other] = (await cluster.followers()) as [Store, Store];
    await gone.set('k', 'v');
    await cluster.stop(gone.name);
    const back = open(cluster.options(gone.name));
    await expect(back).rejects.toMatchObject({
      code: 'AMNESIAC',
      message: expect.stringContaining(`peer ${gone.name} came back without the data`),
    });
    await other.set('k', 'w');
    expect(await (await cluster.leader()).get('k')).toBe('w');
  });

  test('may not come back with a new directory either', async () => {
    await using cluster = await TestCluster.open({ durable: true });
    const [gone] = (await cluster.followers()) as [Store];
    await cluster.stop(gone.name);
    const empty = temporaryDirectory();
    try {
      const back = open({ ...cluster.options(gone.name), dir: join(empty.path, 'new') });
      await expect(back).rejects.toMatchObject({ code: 'AMNESIAC' });
    } finally {
      empty.remove();
    }
    expect((await cluster.start(gone.name)).local.dbsize()).toBe(0);
  });
});

describe('a directory', () => {
  const reopen = (dir: string, options = {}) => open({ name: 'solo', dir, ...options });
  const filled = async (dir: string): Promise<void> => {
    await using store = await reopen(dir);
    for (let i = 0; i < 50; i++) await store.set(`k${i}`, `value ${i}`);
  };
  const logFile = (dir: string): string => {
    const shard = join(dir, 'shard-0');
    const [name = ''] = readdirSync(shard)
      .filter((file) => statSync(join(shard, file)).size > 1_000)
      .sort();
    return join(shard, name);
  };

  test('keeps a store of one process', async () => {
    const { path, remove } = temporaryDirectory();
    try {
      await filled(path);
      await using store = await reopen(path);
      expect(await store.get('k49')).toBe('value 49');
      expect(store.leased.get('k0')).toBe('value 0');
    } finally {
      remove();
    }
  });

  test('of another peer, or of a cluster with other peers or shards, is refused', async () => {
    const { path, remove } = temporaryDirectory();
    try {
      await filled(path);
      await expect(reopen(path, { name: 'other' })).rejects.toMatchObject({
        code: 'FOREIGN',
        message: expect.stringContaining('belongs to peer solo'),
      });
      await expect(reopen(path, { shards: 2 })).rejects.toMatchObject({ code: 'FOREIGN' });
      const peers = { solo: await freeAddress(), more: await freeAddress() };
      await expect(reopen(path, { peers })).rejects.toMatchObject({ code: 'FOREIGN' });
      await using store = await reopen(path);
      expect(await store.get('k49')).toBe('value 49');
    } finally {
      remove();
    }
  });

  test('in use by another store is refused', async () => {
    const { path, remove } = temporaryDirectory();
    try {
      await using store = await reopen(path);
      await expect(reopen(path)).rejects.toMatchObject({ code: 'IO' });
      await store.set('k', 'v');
    } finally {
      remove();
    }
  });

  test('with a flipped bit in its log is refused, with file and offset, and left as it is', async () => {
    const { path, remove } = temporaryDirectory();
    try {
      await filled(path);
      const file = logFile(path);
      const bytes = readFileSync(file);
      const at = bytes.indexOf('value 20');
      bytes[at] = (bytes[at] ?? 0) ^ 1;
      writeFileSync(file, bytes);
      await expect(reopen(path)).rejects.toMatchObject({
        code: 'CORRUPT',
        message: expect.stringMatching(/shard-0.*offset \d+/),
      });
      expect(readFileSync(file).equals(bytes)).toBe(true);
      bytes[at] = (bytes[at] ?? 0) ^ 1;
      writeFileSync(file, bytes);
      await using store = await reopen(path);
      expect(await store.get('k49')).toBe('value 49');
    } finally {
      remove();
    }
  });

  test('whose log ends in the middle of a record gives everything before it', async () => {
    const { path, remove } = temporaryDirectory();
    try {
      await filled(path);
      const file = logFile(path);
      const end = readFileSync(file).lastIndexOf('value 49');
      truncateSync(file, end + 3);
      await using store = await reopen(path);
      expect(await store.get('k48')).toBe('value 48');
      expect(await store.get('k49')).toBeNull();
      await store.set('k49', 'again');
    } finally {
      remove();
    }
  });
});

describe('without a majority', () => {
  test('writes and reads are refused in time, local reads go on, and everything comes back', async () => {
    await using cluster = await TestCluster.open({ durable: true, timeoutMs: 700 });
    const [one, two] = cluster.names.slice(1) as [string, string];
    const left = cluster.store('a');
    await left.set('k', 'before');
    await cluster.stop(one);
    await cluster.stop(two);
    const write = left.set('k', 'lost?');
    await expect(write).rejects.toMatchObject({ code: 'NO_QUORUM' });
    await expect(left.get('k')).rejects.toMatchObject({ code: 'NO_QUORUM' });
    expect(left.local.get('k')).toBe('before');
    expect(left.local.staleness()).toBeGreaterThan(500);
    expect(() => left.leased.get('k')).toThrow(expect.objectContaining({ code: 'NOT_LEASED' }));
    await cluster.start(one);
    await left.set('k', 'after');
    expect(await cluster.store(one).get('k')).toBe('after');
  });
});

describe('misuse of an open store', () => {
  test('throws at once, and names what is wrong', async () => {
    await using store = await open();
    const wrong = store as unknown as Record<string, (...args: unknown[]) => unknown>;
    expect(() => wrong.on?.('nope', () => {})).toThrow(/unknown event "nope"/);
    expect(() => wrong.load?.(5)).toThrow(/path must be/);
    expect(() => wrong.load?.('file', { progress: 1 })).toThrow(/'progress'/);
    expect(() => store.transfer(7)).toThrow(/no shard 7/);
  });
});

describe('an RDB file', () => {
  test.each(['memory', 'one peer'])('is loaded beside what a store of %s holds', async (kind) => {
    const { path, remove } = temporaryDirectory();
    try {
      using keyspace = new Keyspace();
      keyspace.mset({ held: 'new', other: '2', '17': 'short' });
      keyspace.zadd('board', { ann: 1, bob: 2 });
      const file = join(path, 'keys.rdb');
      await keyspace.save(file);
      await using store = await open(kind === 'memory' ? {} : { dir: join(path, 'store') });
      await store.mset({ held: 'before', mine: '1' });
      const progress: number[] = [];
      const loaded = await store.load(file, { onProgress: ({ keys }) => progress.push(keys) });
      expect(loaded.keys).toBe(4);
      expect(progress.at(-1)).toBe(4);
      expect(await store.mget(['held', 'mine', 'other', '17'])).toEqual(['new', '1', '2', 'short']);
      expect(await store.zscore('board', 'bob')).toBe(2);
    } finally {
      remove();
    }
  });
});

describe('an RDB file that is damaged', () => {
  test('changes nothing on any peer', async () => {
    await using cluster = await TestCluster.open();
    const { path, remove } = temporaryDirectory();
    try {
      const [a] = cluster.stores as [Store];
      await a.set('held', 'before');
      const file = join(path, 'cut.rdb');
      writeFileSync(file, Buffer.from('REDIS0010\xfe\x00\x00\x04held\x05other', 'latin1'));
      await expect(a.load(file)).rejects.toMatchObject({
        code: 'CORRUPT',
        message: expect.stringMatching(/cut\.rdb.*offset \d+/),
      });
      await expect(a.load(join(path, 'missing.rdb'))).rejects.toMatchObject({ code: 'IO' });
      for (const store of cluster.stores) expect(await store.get('held')).toBe('before');
    } finally {
      remove();
    }
  });
});
