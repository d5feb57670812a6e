/** Who loads an RDB file into memory when it starts, and saves it again. */
import { spawnSync } from 'node:child_process';
import { dirname } from 'node:path';
import { fileURLToPath } from 'node:url';
import type { Driver } from '../trial.js';
import { RedisServer, redisDescription, redisUnavailable } from './redis-server.js';

const ROOT = fileURLToPath(new URL('../../', import.meta.url));

/** What a process that has loaded a file and saved what it holds has found. */
export interface LoadedAndSaved {
  readonly keys: number;
  readonly loadMs: number;
  readonly saveMs: number;
  /** What the load took of memory when it took most, in bytes of what is loaded; undefined where nobody says. */
  readonly peak: number | undefined;
}

/** Loads a file in a process of its own, and saves what it holds. */
export interface StoreDriver extends Driver {
  /**
   * @param path - The file: `dump.rdb` in a directory in which nothing else is
   * @param small - Another one, of next to nothing
   */
  run(path: string, small: string): Promise<LoadedAndSaved>;
}

/** The server tells milliseconds: a load that took none of them took less. */
const LEAST_MS = 0.5;

/** A redis-server that starts with the file: what it says of the load in its log, and the time until `SAVE` is answered. */
export const redisStoreDriver: StoreDriver = {
  name: 'redis-server',
  get version() {
    return redisDescription() ?? '';
  },
  unavailable: async () => redisUnavailable(),
  async run(path) {
    await using server = await RedisServer.start(['--dir', dirname(path), '--dbfilename', 'dump.rdb']);
    const loaded = /DB loaded from disk: ([\d.]+) seconds/.exec(server.log);
    if (loaded === null) throw new Error(`redis-server has not loaded ${path}:\n${server.log}`);
    const keys = await server.client.dbsize();
    const startMs = performance.now();
    await server.client.save();
    const saveMs = performance.now() - startMs;
    return { keys, loadMs: Math.max(LEAST_MS, Number(loaded[1]) * 1_000), saveMs, peak: undefined };
  },
};

/** Loads and saves something small first: so the threads of the pool are there, and the code has been loaded. */
const PROGRAM = `
  import { Keyspace } from 'holdfast';
  const [path, small] = process.argv.slice(1);
  const first = new Keyspace();
  await first.load(small);
  await first.save(small);
  first.close();
  const keyspace = new Keyspace();
  const [rssBefore, bytesBefore] = [process.memoryUsage.rss(), keyspace.memory().memoryBytes];
  const loadStartMs = performance.now();
  const { keys } = await keyspace.load(path);
  const loadMs = performance.now() - loadStartMs;
  const peakBytes = process.resourceUsage().maxRSS * 1_024 - rssBefore;
  const bytes = keyspace.memory().memoryBytes - bytesBefore;
  const saveStartMs = performance.now();
  await keyspace.save(path);
  const saveMs = performance.now() - saveStartMs;
  console.log(JSON.stringify({ keys, loadMs, saveMs, peak: peakBytes / bytes }));`;

/** A process that opens a keyspace: the time until the promises are kept. */
export const keyspaceStoreDriver: StoreDriver = {
  name: 'holdfast',
  async run(path, small) {
    const words = ['--input-type=module', '-e', PROGRAM, path, small];
    const { status, stdout, stderr } = spawnSync(process.execPath, words, { cwd: ROOT, encoding: 'utf8' });
    if (status !== 0) throw new Error(`the process ended with ${status}: ${stderr}`);
    return JSON.parse(stdout) as LoadedAndSaved;
  },
};
