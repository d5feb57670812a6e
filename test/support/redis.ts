/** A real redis-server for a test: on a free port of the loopback, without files, ended by its process id. */
import { type ChildProcess, spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { createServer } from 'node:net';
import { setTimeout as sleep } from 'node:timers/promises';

/** What to say when a test that needs redis-server is skipped. */
export const REDIS_MISSING = 'redis-server is not installed (Debian: apt-get install redis-server)';

const START_TIMEOUT_MS = 10_000;

/** The version of the redis-server on this machine, or `undefined`. */
export function redisVersion(): string | undefined {
  const { stdout, status } = spawnSync('redis-server', ['--version'], { encoding: 'utf8' });
  return status === 0 ? /v=([0-9.]+)/.exec(stdout)?.[1] : undefined;
}

/** A port that nobody listens on. */
export async function freePort(): Promise<number> {
  const server = createServer();
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const address = server.address();
  server.close();
  await once(server, 'close');
  if (address === null || typeof address === 'string') throw new Error('the free port has no number');
  return address.port;
}

/** A running redis-server. */
export interface Redis extends AsyncDisposable {
  readonly port: number;
  readonly pid: number;
  /** What it said until it was ready. */
  readonly log: string;
}

/** Starts a redis-server. `flags` are further settings, such as `--dir`; `at` is a port that is free. */
export async function startRedis(flags: readonly string[] = [], at?: number): Promise<Redis> {
  const port = at ?? (await freePort());
  const fixed = ['--port', String(port), '--bind', '127.0.0.1', '--save', '', '--appendonly', 'no'];
  const server = spawn('redis-server', [...fixed, ...flags], { stdio: ['ignore', 'pipe', 'ignore'] });
  const log = await ready(server);
  return {
    port,
    log,
    pid: server.pid ?? 0,
    async [Symbol.asyncDispose]() {
      if (server.exitCode !== null) return;
      server.kill('SIGKILL');
      await once(server, 'exit');
    },
  };
}

async function ready(server: ChildProcess): Promise<string> {
  let log = '';
  server.stdout?.on('data', (chunk: Buffer) => {
    log += chunk.toString();
  });
  for (let waitedMs = 0; waitedMs < START_TIMEOUT_MS; waitedMs += 20) {
    if (log.includes('Ready to accept connections')) return log;
    if (server.exitCode !== null) break;
    await sleep(20);
  }
  server.kill('SIGKILL');
  throw new Error(`redis-server did not start:\n${log}`);
}
