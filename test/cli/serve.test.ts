import { once } from 'node:events';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Redis } from 'ioredis';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { ClusterPicture } from '../../src/cli/status-picture.js';
import { type Running, run, start } from './run-cli.js';

const WITHIN_MS = 60_000;
const SECRET = 'correct horse battery staple';
const NAMES = ['a', 'b', 'c'] as const;
const LIMITS = [
  ...['--max-memory', '64mb', '--max-memory-policy', 'volatile-ttl', '--max-memory-samples', '7'],
  ...['--limits', 'hash-max-listpack-entries=2,zset-max-listpack-value=3'],
];

let dir: string;
let secretFile: string;
let addresses: string[];
const peers = new Map<string, Running>();

async function freePorts(count: number): Promise<number[]> {
  const servers = Array.from({ length: count }, () => createServer().listen(0, '127.0.0.1'));
  await Promise.all(servers.map((server) => once(server, 'listening')));
  const ports = servers.map((server) => (server.address() as { port: number }).port);
  await Promise.all(servers.map((server) => once(server.close(), 'close')));
  return ports;
}

async function printed(peer: Running, pattern: RegExp): Promise<void> {
  while (!pattern.test(peer.stdout())) {
    if (peer.child.exitCode !== null) throw new Error(`serve ended: ${peer.stderr()}`);
    await Promise.race([once(peer.child.stdout ?? peer.child, 'data'), peer.ended]);
  }
}

function serve(name: string, ...more: string[]): Running {
  return start(['serve', '--dir', join(dir, name), '--secret-file', secretFile, ...more], {
    HOLDFAST_NAME: name,
    HOLDFAST_PEERS: NAMES.map((each, n) => `${each}=${addresses[n]}`).join(),
  });
}

beforeAll(async () => {
  dir = await mkdtemp(join(tmpdir(), 'holdfast-serve-'));
  secretFile = join(dir, 'secret');
  await writeFile(secretFile, `${SECRET}\n`);
  addresses = (await freePorts(3)).map((port) => `127.0.0.1:${port}`);
  for (const name of NAMES)
    peers.set(name, serve(name, ...LIMITS, ...(name === 'c' ? ['--json'] : ['--resp-port', '0'])));
  await Promise.all([...peers.values()].map((peer) => printed(peer, /\bready\b/)));
}, WITHIN_MS);

afterAll(async () => {
  for (const { child } of peers.values()) child.kill('SIGKILL');
  await Promise.all([...peers.values()].map((peer) => peer.ended));
  await rm(dir, { recursive: true, force: true });
});

async function status(...more: string[]) {
  return run(['status', '--peer', addresses[0] ?? '', ...more], { HOLDFAST_SECRET: SECRET });
}

describe('serve and status', () => {
  it('make a cluster that says who leads', { timeout: WITHIN_MS }, async () => {
    const { exitCode, stdout } = await status('--json');
    const picture = JSON.parse(stdout) as ClusterPicture;
    expect(exitCode).toBe(0);
    expect(picture.peers.map(({ name, up }) => [name, up])).toEqual([
      ['a', true],
      ['b', true],
      ['c', true],
    ]);
    const [shard] = picture.shards;
    expect(shard?.replicas.map(({ peer }) => peer).sort()).toEqual([...NAMES]);
    const leaders = shard?.replicas.filter(({ role }) => role === 'leader').map(({ peer }) => peer);
    expect(leaders).toEqual([shard?.leader]);
  });

  it('print tables for people', { timeout: WITHIN_MS }, async () => {
    const { exitCode, stdout } = await status();
    expect(exitCode).toBe(0);
    expect(stdout).toMatch(/│ shard │ leader │ term │/);
    for (const address of addresses) expect(stdout).toContain(address);
  });

  it('refuse a client with another secret', { timeout: WITHIN_MS }, async () => {
    const { exitCode, stdout, stderr } = await run(['status', '--peer', addresses[0] ?? ''], {
      HOLDFAST_SECRET: 'no',
    });
    expect({ exitCode, stdout }).toEqual({ exitCode: 1, stdout: '' });
    expect(stderr).toMatch(/^holdfast: FOREIGN: .*\n$/);
  });

  it('say that nobody answers where nobody is', { timeout: WITHIN_MS }, async () => {
    const [port] = await freePorts(1);
    const { exitCode, stdout, stderr } = await run(['status', '--peer', `127.0.0.1:${port}`]);
    expect({ exitCode, stdout }).toEqual({ exitCode: 1, stdout: '' });
    expect(stderr).toMatch(/^holdfast: IO: .*\n$/);
  });

  it('write log lines: words, or JSON', { timeout: WITHIN_MS }, async () => {
    expect(peers.get('a')?.stdout()).toMatch(
      /^\d{4}-\d\d-\d\dT\S+Z opening name=a address=127\.0\.0\.1:\d+ /,
    );
    const [first] = peers.get('c')?.stdout().split('\n') ?? [];
    expect(JSON.parse(first ?? '')).toMatchObject({ event: 'opening', name: 'c', address: addresses[2] });
  });

  it('answer Redis clients, on any peer', { timeout: WITHIN_MS }, async () => {
    const clients = ['a', 'b'].map((name) => {
      const [, port] = /ready name=\w resp=127\.0\.0\.1:(\d+)/.exec(peers.get(name)?.stdout() ?? '') ?? [];
      return new Redis(Number(port), '127.0.0.1', { maxRetriesPerRequest: 1 });
    });
    const [one, other] = clients as [Redis, Redis];
    try {
      await one.set('greeting', 'ahoy');
      expect(await other.get('greeting')).toBe('ahoy');
      const settings = await other.config('GET', 'maxmemory*', 'ZSET-MAX-LISTPACK-*', 'appendonly');
      expect(settings).toEqual([
        ...['maxmemory', String(64 * 1024 ** 2), 'maxmemory-policy', 'volatile-ttl'],
        ...['maxmemory-samples', '7', 'appendonly', 'yes'],
        ...['zset-max-listpack-entries', '128', 'zset-max-listpack-value', '3'],
      ]);
      await one.hset('cart', { a: 1, b: 2, c: 3 });
      expect(await other.object('ENCODING', 'cart')).toBe('hashtable');
    } finally {
      for (const client of clients) client.disconnect();
    }
  });

  it('refuse a port that is in use, and a name that is no peer', { timeout: WITHIN_MS }, async () => {
    const twin = await start(['serve', '--secret-file', secretFile, '--dir', join(dir, 'twin')], {
      HOLDFAST_NAME: 'a',
      HOLDFAST_PEERS: NAMES.map((each, n) => `${each}=${addresses[n]}`).join(),
    }).ended;
    expect(twin.exitCode).toBe(1);
    expect(twin.stderr).toMatch(/^holdfast: IO: .*in use.*\n$/i);
    const stranger = await serve('d').ended;
    expect(stranger.exitCode).toBe(2);
    expect(stranger.stderr).toMatch(/^holdfast: USAGE: .*"d" is not among the peers\n$/);
  });

  it('exit 0 on SIGTERM before the other peers are there, and though nobody reads the log', {
    timeout: WITHIN_MS,
  }, async () => {
    const [port] = await freePorts(1);
    const lonely = start(['serve', '--name', 'x', '--peers', `x=127.0.0.1:${port},y=127.0.0.1:1`]);
    await printed(lonely, /opening/);
    lonely.child.stdout?.destroy();
    lonely.child.kill('SIGTERM');
    expect(await lonely.ended).toMatchObject({
      exitCode: 0,
      stderr: 'holdfast: no secret is set: whoever reaches the port may be a peer\n',
    });
  });

  it('hand over and exit 0 on SIGTERM', { timeout: WITHIN_MS }, async () => {
    const before = JSON.parse((await status('--json')).stdout) as ClusterPicture;
    const leader = before.shards[0]?.leader ?? '';
    const peer = peers.get(leader);
    peer?.child.kill('SIGTERM');
    expect(await peer?.ended).toMatchObject({ exitCode: 0, stderr: '' });
    expect(peer?.stdout()).toContain('closed');
    const asked = NAMES.findIndex((name) => name !== leader);
    const after = await run(['status', '--json', '--peer', addresses[asked] ?? ''], {
      HOLDFAST_SECRET: SECRET,
    });
    const picture = JSON.parse(after.stdout) as ClusterPicture;
    expect(picture.shards[0]?.leader).not.toBe(leader);
    expect(after.exitCode).toBe(0);
    expect(picture.peers.filter(({ up }) => !up).map(({ name }) => name)).toEqual([leader]);
  });

  it('say that there is no leader where the majority is gone', { timeout: WITHIN_MS }, async () => {
    const left = NAMES.filter((name) => peers.get(name)?.child.exitCode === null);
    const [gone, alone] = left;
    peers.get(gone ?? '')?.child.kill('SIGKILL');
    await peers.get(gone ?? '')?.ended;
    const asked = addresses[NAMES.indexOf(alone ?? 'a')] ?? '';
    let ended = await run(['status', '--peer', asked], { HOLDFAST_SECRET: SECRET });
    // The last peer notices within its lease and an election.
    while (ended.exitCode === 0) ended = await run(['status', '--peer', asked], { HOLDFAST_SECRET: SECRET });
    expect(ended).toMatchObject({ exitCode: 1, stderr: '' });
    expect(ended.stdout).toMatch(/none/);
  });
});
