/** A real Redis Cluster of masters for a test: on free ports of the loopback, its files in a folder of its own. */
import { spawnSync } from 'node:child_process';
import { setTimeout as sleep } from 'node:timers/promises';
import { freeAddress, temporaryDirectory } from './cluster.js';
import { type Redis, startRedis } from './redis.js';

/** Running masters. */
export interface RedisCluster extends AsyncDisposable {
  readonly ports: readonly number[];
}

/** Starts the masters and makes them a cluster. `flags` are further settings of each. */
export async function startRedisCluster(masters = 3, flags: readonly string[] = []): Promise<RedisCluster> {
  const directory = temporaryDirectory();
  const servers: Redis[] = [];
  const stop = async (): Promise<void> => {
    await Promise.all(servers.map((server) => server[Symbol.asyncDispose]()));
    directory.remove();
  };
  try {
    for (let i = 0; i < masters; i++) {
      const port = Number((await freeAddress()).split(':')[1]);
      const own = ['--cluster-enabled', 'yes', '--cluster-config-file', `nodes-${i}.conf`];
      servers.push(await startRedis(['--dir', directory.path, ...own, ...flags], port));
    }
    const ports = servers.map(({ port }) => port);
    create(ports);
    await Promise.all(ports.map(agreed));
    return { ports, [Symbol.asyncDispose]: stop };
  } catch (error) {
    await stop();
    throw error;
  }
}

function create(ports: readonly number[]): void {
  const addresses = ports.map((port) => `127.0.0.1:${port}`);
  const { status, stdout } = spawnSync('redis-cli', ['--cluster', 'create', ...addresses, '--cluster-yes'], {
    encoding: 'utf8',
    timeout: 30_000,
  });
  if (status !== 0) throw new Error(`the cluster was not created:\n${stdout}`);
}

/** Waits until a master says that all slots are served. */
async function agreed(port: number): Promise<void> {
  for (let i = 0; i < 500; i++) {
    const { stdout } = spawnSync('redis-cli', ['-p', String(port), 'cluster', 'info'], { encoding: 'utf8' });
    if (stdout.includes('cluster_state:ok')) return;
    await sleep(20);
  }
  throw new Error(`the master at port ${port} serves no cluster`);
}
