import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { Report } from '../../src/rdb/workbench/index.js';
import { DEMO_EXPIRING_KEYS, DEMO_FIRST_EXPIRY_MS, DEMO_KEYS, demoData } from './demo-data.js';
import { run } from './run-cli.js';

const FIXTURE = fileURLToPath(new URL('../../src/cli/demo/demo.rdb', import.meta.url));
const MAIN = fileURLToPath(new URL('../../dist/cli/main.js', import.meta.url));
const KEYS = Object.values(DEMO_KEYS).reduce((total, count) => total + count, 0);

let dir: string;
beforeAll(async () => {
  dir = await mkdtemp(join(tmpdir(), 'holdfast-cli-rdb-'));
});
afterAll(() => rm(dir, { recursive: true, force: true }));

describe("the demo's file", () => {
  it('has at least 20,000 keys, and of each type as many as it was made of', async () => {
    const { exitCode, stdout } = await run(['rdb', 'inspect', '--json', FIXTURE]);
    expect(exitCode).toBe(0);
    const report = JSON.parse(stdout) as Report;
    expect(KEYS).toBeGreaterThanOrEqual(20_000);
    expect(report).toMatchObject({
      keys: KEYS,
      expires: DEMO_EXPIRING_KEYS,
      expired: 0,
      checksum: 'right',
    });
    const byType: Record<string, number> = {};
    for (const { type, keys } of report.types) byType[type] = (byType[type] ?? 0) + keys;
    expect(byType).toEqual(DEMO_KEYS);
    // Packed and unpacked forms of hash, set and sorted set are both there.
    expect(report.types.length).toBeGreaterThanOrEqual(8);
  });

  it('is described as it is by the help', async () => {
    const { stdout } = await run(['demo', '--help']);
    expect(stdout.replace(/\s+/g, ' ')).toContain(`a shop of ${KEYS.toLocaleString('en-US')} keys`);
  });

  it('keeps its sessions until long after 2040', () => {
    expect(DEMO_FIRST_EXPIRY_MS).toBeGreaterThan(Date.UTC(2040, 0, 1));
  });

  it('holds what its generator writes', async () => {
    const { exitCode, stdout } = await run(['rdb', 'json', '--canonical', FIXTURE]);
    expect(exitCode).toBe(0);
    const keys = new Set([...demoData()].map((words) => words[1]));
    for (const key of ['cart:1500', 'leaderboard:all', 'feed:0', 'followers:10', 'club:3', 'product:7']) {
      expect(keys).toContain(key);
      expect(stdout).toContain(JSON.stringify(key));
    }
  });
});

describe('rdb', () => {
  it('inspect prints tables for people', async () => {
    const { exitCode, stdout, stderr } = await run(['rdb', 'inspect', FIXTURE]);
    expect({ exitCode, stderr }).toEqual({ exitCode: 0, stderr: '' });
    expect(stdout).toMatch(/│ keys +│ 22245 /);
    expect(stdout).toContain('leaderboard:all');
  });

  it('json ends quietly when nobody reads on', async () => {
    const child = spawn(process.execPath, [MAIN, 'rdb', 'json', FIXTURE], {
      stdio: ['ignore', 'pipe', 'pipe'],
    });
    let stderr = '';
    child.stderr.on('data', (text) => {
      stderr += text;
    });
    await once(child.stdout, 'data');
    child.stdout.destroy();
    const [exitCode] = await once(child, 'close');
    expect({ exitCode, stderr }).toEqual({ exitCode: 0, stderr: '' });
  });

  it.each(['json', 'inspect', 'check'])('%s of a missing file is a failure', async (command) => {
    const { exitCode, stdout, stderr } = await run(['rdb', command, join(dir, 'missing.rdb')]);
    expect({ exitCode, stdout }).toEqual({ exitCode: 2, stdout: '' });
    expect(stderr).toMatch(/^holdfast: IO: .*missing\.rdb.*\n$/);
  });

  it.each(['json', 'inspect'])('%s of a damaged file says where', async (command) => {
    const whole = await readFile(FIXTURE);
    const cut = join(dir, 'cut.rdb');
    await writeFile(cut, whole.subarray(0, whole.length >> 1));
    const flipped = join(dir, 'flipped.rdb');
    const bytes = Buffer.from(whole);
    const last = bytes.length - 1;
    bytes[last] = (bytes[last] ?? 0) ^ 1;
    await writeFile(flipped, bytes);
    for (const file of [cut, flipped]) {
      const { exitCode, stderr } = await run(['rdb', command, file]);
      expect(exitCode).toBe(1);
      expect(stderr).toMatch(/^holdfast: CORRUPT: .*\.rdb.* offset \d+.*\n$/);
      expect(stderr).toContain(file);
    }
  });
});
