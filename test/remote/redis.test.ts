import { spawnSync } from 'node:child_process';
import { existsSync, readdirSync } from 'node:fs';
import { backupRdb, Keyspace, RestoreError, restoreRdb } from 'holdfast';
import { Redis } from 'ioredis';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { inspectRdb } from '../../dist/rdb/index.js';
import { formatOf } from '../../src/remote/redis-version.js';
import { fixturePath, haveFixtures } from '../rdb/fixtures.js';
import { Temporary } from '../rdb/temporary.js';
import { freeAddress } from '../support/cluster.js';
import { REDIS_MISSING, redisVersion, type Redis as Server, startRedis } from '../support/redis.js';
import { type RedisCluster, startRedisCluster } from '../support/redis-cluster.js';
import { type Sample, writeSample } from './files.js';

const WITHIN_MS = 60_000;
const PASSWORD = 'p@ss:word/1';
const version = redisVersion();
if (version === undefined) console.warn(`skipped: ${REDIS_MISSING}`);

let temporary: Temporary;
let sample: Sample;
beforeAll(async () => {
  temporary = new Temporary();
  sample = await writeSample(temporary.path('sample.rdb'), 3_000);
}, WITHIN_MS);
afterAll(() => temporary[Symbol.dispose]());

/** What a keyspace of the file's keys is. */
async function digestOf(path: string): Promise<string> {
  using keyspace = new Keyspace();
  await keyspace.load(path);
  return keyspace.digest();
}

function leftovers(): string[] {
  return readdirSync(temporary.folder).filter((name) => name.includes('.tmp'));
}

describe('which payloads a server reads', () => {
  it.each([
    ['redis_version:5.0.14', 9],
    ['redis_version:6.2.1', 9],
    ['redis_version:7.0.15', 10],
    ['redis_version:7.2.4', 11],
    ['redis_version:7.4.0', 12],
    ['redis_version:8.2.1', 12],
    ['redis_version:7.2.4\r\nserver_name:valkey\r\nvalkey_version:8.1.0', 11],
    ['redis_version:7.2.4\r\nserver_name:valkey\r\nvalkey_version:9.0.0', 80],
  ])('%j: %d', (info, format) => {
    expect(formatOf(`# Server\r\n${info}\r\nos:Linux\r\n`)).toBe(format);
  });

  it('is refused of one that is too old', () => {
    expect(() => formatOf('redis_version:4.0.14\r\n')).toThrow(/Redis 4\.0; 5\.0 is the oldest/);
  });
});

describe.skipIf(version === undefined)('one Redis', () => {
  let server: Server;
  let client: Redis;
  let url: string;
  beforeAll(async () => {
    server = await startRedis([
      '--requirepass',
      PASSWORD,
      '--dir',
      temporary.folder,
      '--dbfilename',
      'own.rdb',
    ]);
    url = `redis://:${encodeURIComponent(PASSWORD)}@127.0.0.1:${server.port}`;
    client = new Redis(server.port, '127.0.0.1', { password: PASSWORD });
  }, WITHIN_MS);
  afterAll(async () => {
    client.disconnect();
    await server[Symbol.asyncDispose]();
  });

  it('is restored to, and a backup of it has the same keys', { timeout: WITHIN_MS }, async () => {
    await client.flushall();
    const report = await restoreRdb(sample.path, url);
    expect(report).toMatchObject({ restored: sample.keys, skipped: 0, refused: 0, unsent: 0 });
    expect(await client.dbsize()).toBe(sample.keys);
    expect(await client.call('PEXPIRETIME', 'user:10')).toBe(4_000_000_000_010);
    for (const diskless of ['no', 'yes']) {
      await client.config('SET', 'repl-diskless-sync', diskless);
      await client.config('SET', 'repl-diskless-sync-delay', '0');
      const out = temporary.path(`backup-${diskless}.rdb`);
      const backup = await backupRdb(url, out);
      expect(backup).toMatchObject({ keys: sample.keys, sources: 1, checksum: 'right' });
      expect(await digestOf(out)).toBe(sample.digest);
    }
    expect(await client.info('replication')).toContain('connected_slaves:0');
    expect(leftovers()).toEqual([]);
  });

  it('keeps, replaces or refuses keys that are there', { timeout: WITHIN_MS }, async () => {
    await client.flushall();
    await client.set('shop:small', 'mine');
    const kept = await restoreRdb(sample.path, url, { onConflict: 'skip' });
    expect(kept).toMatchObject({ restored: sample.keys - 1, skipped: 1 });
    expect(await client.get('shop:small')).toBe('mine');
    const error = await restoreRdb(sample.path, url, { match: 'shop:small' }).catch(
      (error: unknown) => error,
    );
    expect(error).toMatchObject({ code: 'BUSYKEY', message: 'the key "shop:small" is there already' });
    const replaced = await restoreRdb(sample.path, url, { onConflict: 'replace', match: 'shop:*' });
    expect(replaced).toMatchObject({ restored: 2, unwanted: sample.keys - 2 });
    expect(await client.get('shop:small')).toBe('S');
  });

  it('has databases', { timeout: WITHIN_MS }, async () => {
    await client.flushall();
    await restoreRdb(sample.path, `${url}/3`, { match: 'user:1?' });
    await client.set('zero', '0');
    expect(await client.info('keyspace')).toMatch(/db0:keys=1,[\s\S]*db3:keys=10,/);
    const all = temporary.path('all.rdb');
    expect((await backupRdb(url, all)).keys).toBe(11);
    const third = temporary.path('third.rdb');
    expect((await backupRdb(`${url}/3`, third)).keys).toBe(10);
    expect((await inspectRdb(third)).databases).toEqual([{ db: 3, keys: 10 }]);
    await client.flushall();
    expect(await restoreRdb(all, url, { db: 3 })).toMatchObject({ restored: 10, unwanted: 1 });
    await client.flushall();
    await expect(restoreRdb(all, url)).rejects.toThrow(/other databases than 0 \(10 of 11\): .* --db/);
    expect(await client.dbsize()).toBe(0);
    await expect(backupRdb(url, third, { version: 9 })).rejects.toThrow(TypeError);
  });

  it('is given up while it makes its dump', { timeout: WITHIN_MS }, async () => {
    await client.config('SET', 'repl-diskless-sync-delay', '30');
    const ending = new AbortController();
    const aborted = backupRdb(url, temporary.path('aborted.rdb'), {
      signal: ending.signal,
      onProgress: ({ stage }) => {
        expect(stage).toBe('snapshot');
        ending.abort(new Error('enough'));
      },
    });
    await expect(aborted).rejects.toThrow(/^enough$/);
    expect(leftovers()).toEqual([]);
    await client.config('SET', 'repl-diskless-sync-delay', '0');
  });

  it('says that it wants a password', { timeout: WITHIN_MS }, async () => {
    const without = `redis://127.0.0.1:${server.port}`;
    const wanted = {
      code: 'NOAUTH',
      message: expect.stringMatching(/: the server asks for a password, as in redis:/),
    };
    await expect(restoreRdb(sample.path, without)).rejects.toMatchObject(wanted);
    await expect(backupRdb(without, temporary.path('none.rdb'))).rejects.toMatchObject(wanted);
  });

  it('refuses a wrong password, in its own words', { timeout: WITHIN_MS }, async () => {
    const wrong = `redis://:wrong@127.0.0.1:${server.port}`;
    await expect(restoreRdb(sample.path, wrong)).rejects.toMatchObject({ code: 'WRONGPASS' });
    const out = temporary.path('none.rdb');
    await expect(backupRdb(wrong, out)).rejects.toMatchObject({ code: 'WRONGPASS' });
    await expect(backupRdb(`redis://127.0.0.1:${server.port}`, out)).rejects.toMatchObject({
      code: 'NOAUTH',
    });
    await expect(backupRdb(`redis://${await freeAddress()}`, out)).rejects.toMatchObject({ code: 'IO' });
    expect(existsSync(out)).toBe(false);
    expect(leftovers()).toEqual([]);
  });

  it.skipIf(!haveFixtures)(
    'gets older forms of what it could not read, and the names of what it cannot hold',
    {
      timeout: WITHIN_MS,
    },
    async () => {
      await client.flushall();
      const path = fixturePath('synthetic/valid/v12-hash-field-ttl.rdb');
      const { keys } = await inspectRdb(path);
      const report = await restoreRdb(path, url);
      expect(report.refused).toBeGreaterThan(0);
      expect(report.restored + report.refused + report.expired + report.empty).toBe(keys);
      expect(report.refusals[0]?.message).toMatch(/^a hash with fields that expire/);
      using newer = new Keyspace();
      newer.sadd('set', ['a', 'b']);
      newer.xadd('stream', { f: 'v' }, { id: '5-1' });
      newer.xgroupCreate('stream', 'g', '0');
      const eleven = temporary.path('eleven.rdb');
      await newer.save(eleven, { version: 11 });
      expect(await restoreRdb(eleven, url)).toMatchObject({ restored: 2, refused: 0 });
      expect((await client.smembers('set')).sort()).toEqual(['a', 'b']);
      expect(await client.xrange('stream', '-', '+')).toEqual([['5-1', ['f', 'v']]]);
    },
  );

  it('stops being restored to when it is full', { timeout: WITHIN_MS }, async () => {
    await client.flushall();
    await client.config('SET', 'maxmemory', '3mb');
    try {
      const error = await restoreRdb(sample.path, url).catch((error: unknown) => error);
      if (!(error instanceof RestoreError)) throw error;
      expect(error.code).toBe('OOM');
      expect(await client.dbsize()).toBe(error.report.restored);
    } finally {
      await client.config('SET', 'maxmemory', '0');
    }
  });

  it('is waited for while it is gone, and what was lost on the way is sent again', {
    timeout: WITHIN_MS,
  }, async () => {
    await client.flushall();
    let killed = 0;
    const report = await restoreRdb(sample.path, url, {
      onConflict: 'skip',
      onProgress: ({ stage }) => {
        if (stage === 'restore' && killed++ < 2)
          spawnSync('redis-cli', [
            '-p',
            String(server.port),
            '-a',
            PASSWORD,
            '--no-auth-warning',
            'client',
            'kill',
            'type',
            'normal',
            'skipme',
            'yes',
          ]);
      },
    });
    expect(report).toMatchObject({ refused: 0, unanswered: 0, unsent: 0, skipped: 0 });
    expect(report.restored + report.unsure).toBe(sample.keys);
    expect(await client.dbsize()).toBe(sample.keys);
  });
});

describe.skipIf(version === undefined)('a Redis Cluster', () => {
  let cluster: RedisCluster;
  let url: string;
  beforeAll(async () => {
    cluster = await startRedisCluster();
    url = `redis://127.0.0.1:${cluster.ports[1]}`;
  }, WITHIN_MS);
  afterAll(() => cluster[Symbol.asyncDispose]());

  const cli = (i: number, ...words: string[]): string => {
    const { stdout } = spawnSync('redis-cli', ['-p', String(cluster.ports[i]), ...words], {
      encoding: 'utf8',
    });
    return stdout.trim();
  };
  const sizes = (): number[] => cluster.ports.map((_, i) => Number(cli(i, 'dbsize')));
  const flush = (): void => {
    for (const i of cluster.ports.keys()) cli(i, 'flushall');
  };

  it('gets every key where its slot is, and gives a backup of all masters', {
    timeout: WITHIN_MS,
  }, async () => {
    const report = await restoreRdb(sample.path, url);
    expect(report).toMatchObject({ restored: sample.keys, refused: 0, unsent: 0 });
    expect(sizes().reduce((sum, size) => sum + size, 0)).toBe(sample.keys);
    for (const size of sizes()) expect(size).toBeGreaterThan(500);
    const again = await restoreRdb(sample.path, url, { onConflict: 'skip' });
    expect(again).toMatchObject({ restored: 0, skipped: sample.keys });
    const out = temporary.path('cluster.rdb');
    expect(await backupRdb(url, out)).toMatchObject({ keys: sample.keys, sources: 3, checksum: 'right' });
    expect(await digestOf(out)).toBe(sample.digest);
    expect((await inspectRdb(out)).aux).toContainEqual(['redis-ver', version]);
    expect(leftovers()).toEqual([]);
  });

  it('is followed while slots move', { timeout: WITHIN_MS }, async () => {
    flush();
    const ids = cluster.ports.map((_, i) => cli(i, 'cluster', 'myid'));
    const slot = cli(0, 'cluster', 'keyslot', 'user:1');
    const owner = cluster.ports.findIndex((_, i) => cli(i, 'get', 'user:1') === '');
    const taker = (owner + 1) % 3;
    cli(taker, 'cluster', 'setslot', slot, 'importing', ids[owner] ?? '');
    cli(owner, 'cluster', 'setslot', slot, 'migrating', ids[taker] ?? '');
    await expect(backupRdb(url, temporary.path('moving.rdb'))).rejects.toMatchObject({ code: 'TRYAGAIN' });
    expect((await restoreRdb(sample.path, url)).restored).toBe(sample.keys);
    for (const i of [taker, owner, 3 - taker - owner])
      cli(i, 'cluster', 'setslot', slot, 'node', ids[taker] ?? '');
    expect((await restoreRdb(sample.path, url, { onConflict: 'skip' })).skipped).toBe(sample.keys);
    expect((await backupRdb(url, temporary.path('moved.rdb'))).keys).toBe(sample.keys);
  });

  it('has one database', { timeout: WITHIN_MS }, async () => {
    await expect(restoreRdb(sample.path, `${url}/1`)).rejects.toMatchObject({ code: 'ERR' });
  });
});
