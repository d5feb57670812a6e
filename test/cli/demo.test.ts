import { execFile } from 'node:child_process';
import { mkdir, mkdtemp, readdir, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import type { DemoResult } from '../../src/cli/demo/result.js';
import { DEMO_KEYS } from './demo-data.js';
import { type Running, run, start } from './run-cli.js';

const DEMO_WITHIN_MS = 90_000;
const KEYS = Object.values(DEMO_KEYS).reduce((total, count) => total + count, 0);

// A directory for temporary files of its own shows what a demo leaves behind.
let tmp: string;
beforeEach(async () => {
  tmp = await mkdtemp(join(tmpdir(), 'holdfast-demo-test-'));
});
afterEach(() => rm(tmp, { recursive: true, force: true }));

async function childrenOf(pid: number | undefined): Promise<number[]> {
  const { stdout } = await promisify(execFile)('ps', ['-e', '-o', 'pid=,ppid=']);
  const pairs = stdout
    .trim()
    .split('\n')
    .map((line) => line.trim().split(/\s+/).map(Number));
  return pairs.filter(([, parent]) => parent === pid).map(([child]) => child as number);
}

function isAlive(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch {
    return false;
  }
}

async function eventually(condition: () => boolean | Promise<boolean>, what: string): Promise<void> {
  const deadline = performance.now() + 30_000;
  while (!(await condition())) {
    if (performance.now() > deadline) throw new Error(`not within 30 s: ${what}`);
    await new Promise((resolve) => setTimeout(resolve, 20));
  }
}

/** A demo that is writing from all three peers. */
async function startedDemo(): Promise<{ demo: Running; peers: number[] }> {
  const demo = start(['demo', '--seconds', '60'], { TMPDIR: tmp });
  await eventually(() => demo.stdout().includes('writing from all peers'), 'the workload has begun');
  const peers = await childrenOf(demo.child.pid);
  expect(peers).toHaveLength(3);
  expect(await readdir(tmp)).toHaveLength(1);
  return { demo, peers };
}

async function expectNothingLeft(peers: number[]): Promise<void> {
  await eventually(() => !peers.some(isAlive), 'the peers are gone');
  await eventually(async () => (await readdir(tmp)).length === 0, 'the directory is gone');
}

describe('demo', () => {
  it.each([1, 3])('loses nothing with %i shards', { timeout: DEMO_WITHIN_MS }, async (shards) => {
    const ended = await run(['demo', '--json', '--shards', `${shards}`, '--seconds', '4'], { TMPDIR: tmp });
    expect(ended.stderr).toBe('');
    const result = JSON.parse(ended.stdout) as DemoResult;
    expect(result).toMatchObject({
      ...{ ok: true, lost: 0, duplicated: 0, stray: 0, torn: 0, digestsEqual: true, examples: [] },
      ...{ shards, keysRestored: KEYS },
    });
    expect(result.acknowledged).toBeGreaterThan(100);
    expect(result.newLeader).not.toBe(result.killed);
    expect(result.unavailableMs).toBeGreaterThan(0);
    expect(new Set(Object.values(result.digests)).size).toBe(1);
    expect(ended.exitCode).toBe(0);
    expect(await readdir(tmp)).toEqual([]);
  });

  it('tells its steps in plain lines, and then the result', { timeout: DEMO_WITHIN_MS }, async () => {
    const { exitCode, stdout } = await run(['demo', '--seconds', '3'], { TMPDIR: tmp });
    expect(exitCode).toBe(0);
    for (const text of [
      'starting three peers',
      `restored ${KEYS.toLocaleString('en-US')} keys`,
      'writing from all peers',
      'with SIGKILL',
      'without an acknowledged write',
      'has caught up after',
      'checking every peer',
    ]) {
      expect(stdout).toContain(text);
    }
    expect(stdout).toMatch(/lost +│ +0 /);
    expect(stdout).not.toContain('\u001b');
  });

  it.each(['SIGINT', 'SIGTERM'] as const)(
    'leaves nothing behind after %s',
    { timeout: DEMO_WITHIN_MS },
    async (signal) => {
      const { demo, peers } = await startedDemo();
      demo.child.kill(signal);
      const { exitCode, stderr } = await demo.ended;
      expect(stderr).toBe(`holdfast: INTERRUPTED: interrupted by ${signal}\n`);
      expect(exitCode).toBe(signal === 'SIGINT' ? 130 : 143);
      await expectNothingLeft(peers);
    },
  );

  it('leaves nothing behind when it is killed itself', { timeout: DEMO_WITHIN_MS }, async () => {
    const { demo, peers } = await startedDemo();
    demo.child.kill('SIGKILL');
    await demo.ended;
    await expectNothingLeft(peers);
  });

  it('says which peer ended that nobody killed', { timeout: DEMO_WITHIN_MS }, async () => {
    const { demo, peers } = await startedDemo();
    process.kill(peers[0] as number, 'SIGKILL');
    const { exitCode, stderr } = await demo.ended;
    expect(exitCode).toBe(1);
    expect(stderr).toMatch(/^holdfast: PEER_ENDED: peer [abc] ended with SIGKILL\n$/);
    await expectNothingLeft(peers);
  });

  it('refuses a file that is no RDB file, and leaves nothing behind', {
    timeout: DEMO_WITHIN_MS,
  }, async () => {
    const file = join(tmp, 'files', 'not.rdb');
    await mkdir(join(tmp, 'files'));
    await writeFile(file, 'this is not what redis-server writes');
    const { exitCode, stdout, stderr } = await run(['demo', '--rdb', file, '--json'], { TMPDIR: tmp });
    expect({ exitCode, stdout }).toEqual({ exitCode: 1, stdout: '' });
    expect(stderr).toMatch(/^holdfast: CORRUPT: peer a: .*not\.rdb.*\n$/);
    expect(await readdir(tmp)).toEqual(['files']);
  });
});
