/**
 * Makes `src/cli/demo/demo.rdb`, the data set of a small ship chandler's shop, with a real redis-server. Run by hand:
 *
 *     npx tsx test/cli/make-demo-rdb.ts [FILE]
 *
 * The data is the same in every run (fixed seed); the bytes are not, because redis-server writes its own clock into the
 * file and orders hash tables by a seed of its own.
 */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { copyFile, mkdtemp, rm } from 'node:fs/promises';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Redis } from 'ioredis';
import { type DemoRequest, demoData } from './demo-data.js';

const BATCH_REQUESTS = 2_000;

const target = process.argv[2] ?? new URL('../../src/cli/demo/demo.rdb', import.meta.url).pathname;

async function freePort(): Promise<number> {
  const server = createServer().listen(0, '127.0.0.1');
  await once(server, 'listening');
  const address = server.address();
  server.close();
  await once(server, 'close');
  if (address === null || typeof address === 'string') throw new Error('no port');
  return address.port;
}

async function fill(redis: Redis, requests: Iterable<DemoRequest>): Promise<void> {
  let batch: DemoRequest[] = [];
  const flush = async () => {
    const replies = await redis
      .pipeline(batch.map(([name = '', ...words]) => [name.toLowerCase(), ...words]))
      .exec();
    for (const [error] of replies ?? []) if (error) throw error;
    batch = [];
  };
  for (const request of requests) {
    batch.push(request);
    if (batch.length === BATCH_REQUESTS) await flush();
  }
  await flush();
}

const dir = await mkdtemp(join(tmpdir(), 'holdfast-demo-rdb-'));
const port = await freePort();
const server = spawn(
  'redis-server',
  ['--port', String(port), '--bind', '127.0.0.1', '--dir', dir, '--save', '', '--dbfilename', 'demo.rdb'],
  { stdio: 'ignore' },
);
const redis = new Redis(port, '127.0.0.1', { retryStrategy: () => 50 });
redis.on('error', () => {});
try {
  await fill(redis, demoData());
  await redis.save();
  console.log(`${await redis.dbsize()} keys`);
  await copyFile(join(dir, 'demo.rdb'), target);
} finally {
  redis.disconnect();
  server.kill('SIGTERM');
  await once(server, 'exit');
  await rm(dir, { recursive: true, force: true });
}
