import { once } from 'node:events';
import { existsSync, readdirSync } from 'node:fs';
import { rm, writeFile } from 'node:fs/promises';
import { type AddressInfo, createServer } from 'node:net';
import type { BackupReport, RestoreReport } from 'holdfast';
import { afterAll, beforeAll, describe, expect, it, onTestFinished } from 'vitest';
import { Temporary } from '../rdb/temporary.js';
import { type Sample, writeSample } from '../remote/files.js';
import { freeAddress, TestCluster } from '../support/cluster.js';
import { run, runLimited, start } from './run-cli.js';

const WITHIN_MS = 60_000;
const secret = 'of the command line';

let temporary: Temporary;
let sample: Sample;
let cluster: TestCluster;
let secretFile: string;
beforeAll(async () => {
  temporary = new Temporary();
  sample = await writeSample(temporary.path('sample.rdb'), 600);
  secretFile = temporary.path('secret');
  await writeFile(secretFile, `${secret}\n`);
  cluster = await TestCluster.open({ secret });
}, WITHIN_MS);
afterAll(async () => {
  await cluster[Symbol.asyncDispose]();
  temporary[Symbol.dispose]();
});

const restore = (...more: string[]) =>
  run(['rdb', 'restore', sample.path, '--to', cluster.address('a'), '--secret-file', secretFile, ...more]);

describe('rdb restore', () => {
  it('says what was done, as a table and as JSON', { timeout: WITHIN_MS }, async () => {
    const table = await restore('--on-conflict', 'replace');
    expect(table).toMatchObject({ exitCode: 0, stderr: '' });
    expect(table.stdout).toMatch(/restored\s+│ 602 /);
    const { exitCode, stdout } = await restore('--json', '--on-conflict', 'skip', '--match', 'shop:*');
    expect(exitCode).toBe(0);
    expect(JSON.parse(stdout) as RestoreReport).toMatchObject({ keys: 602, skipped: 2, unwanted: 600 });
  });

  it('exits 1 at a key that is there, and tells what was done all the same', {
    timeout: WITHIN_MS,
  }, async () => {
    const { exitCode, stdout, stderr } = await restore('--json', '--match', 'shop:small');
    expect(exitCode).toBe(1);
    expect(stderr).toBe('holdfast: BUSYKEY: the key "shop:small" is there already\n');
    expect(JSON.parse(stdout)).toMatchObject({ restored: 0, skipped: 1, error: { code: 'BUSYKEY' } });
  });

  it('is refused with another secret', { timeout: WITHIN_MS }, async () => {
    const { exitCode, stderr } = await run(['rdb', 'restore', sample.path, '--to', cluster.address('b')], {
      HOLDFAST_SECRET: 'no',
    });
    expect(exitCode).toBe(1);
    expect(stderr).toMatch(/^holdfast: FOREIGN: .*\n$/);
  });

  it('tells what was done when it is interrupted', { timeout: WITHIN_MS }, async () => {
    // Whoever is there says nothing: it goes on trying.
    const silent = createServer((socket) => socket.on('error', () => {}));
    onTestFinished(() => void silent.close());
    silent.listen(0, '127.0.0.1');
    await once(silent, 'listening');
    const { port } = silent.address() as AddressInfo;
    const running = start(['rdb', 'restore', sample.path, '--to', `127.0.0.1:${port}`, '--json']);
    await once(silent, 'connection');
    running.child.kill('SIGINT');
    const { exitCode, stdout, stderr } = await running.ended;
    expect({ exitCode, stderr }).toEqual({
      exitCode: 130,
      stderr: 'holdfast: INTERRUPTED: interrupted by SIGINT\n',
    });
    expect(JSON.parse(stdout)).toMatchObject({ restored: 0, unsent: 602, error: { code: 'ABORTED' } });
  });

  it('does not repeat a password', { timeout: WITHIN_MS }, async () => {
    const bad = await run(['rdb', 'restore', sample.path, '--to', 'redis://me:hidden@host/x']);
    expect(bad).toMatchObject({ exitCode: 2, stdout: '' });
    expect(bad.stderr).toMatch(/^holdfast: USAGE: behind the host .*\n$/);
    const to = `redis://me:hidden@${await freeAddress()}`;
    const { exitCode, stdout, stderr } = await run(['rdb', 'restore', sample.path, '--to', to]);
    expect({ exitCode, stdout }).toEqual({ exitCode: 1, stdout: '' });
    expect(stderr).toMatch(/^holdfast: IO: 127\.0\.0\.1:\d+: .*ECONNREFUSED.*\n$/);
    expect(stderr).not.toContain('hidden');
  });
});

describe('a file that cannot be used', () => {
  it.each([
    [['restore', '/no/file.rdb'], /^holdfast: IO: \/no\/file\.rdb: ENOENT/],
    [['restore', '/'], /^holdfast: IO: \/: it is a directory/],
    [['backup', '/no/folder/out.rdb'], /^holdfast: IO: \/no\/folder\/out\.rdb: ENOENT/],
    [['backup', '/'], /^holdfast: IO: \/: it is a directory/],
    [['backup', '/dev/null'], /^holdfast: IO: \/dev\/null: it is no file/],
  ])('is told before anybody is asked: %j', async ([command = '', file = ''], words) => {
    const where = command === 'restore' ? '--to' : '--from';
    const { exitCode, stderr } = await run(['rdb', command, file, where, await freeAddress()]);
    expect({ exitCode, stderr }).toEqual({ exitCode: 2, stderr: expect.stringMatching(words) });
  });

  it.each([
    [
      ['restore', 'x', '--to', 'http://host:1'],
      /It must be host:port, or an address that begins with redis:/,
    ],
    [
      ['backup', 'x', '--from', 'redis://host:1', '--rdb-version', '9'],
      /USAGE: a Redis writes its own version/,
    ],
  ])('nor is what cannot be meant asked for: %j', async (args, words) => {
    const { exitCode, stderr } = await run(['rdb', ...args]);
    expect({ exitCode, stderr }).toEqual({ exitCode: 2, stderr: expect.stringMatching(words) });
  });
});

describe('rdb backup', () => {
  it('says keys and bytes', { timeout: WITHIN_MS }, async () => {
    await restore('--on-conflict', 'replace');
    const out = temporary.path('out.rdb');
    const args = ['rdb', 'backup', out, '--from', cluster.address('c'), '--secret-file', secretFile];
    const table = await run(args);
    expect(table).toMatchObject({ exitCode: 0, stderr: '' });
    expect(table.stdout).toMatch(/keys\s+│ 602 /);
    await rm(out);
    const { stdout } = await run([...args, '--json']);
    const report = JSON.parse(stdout) as BackupReport;
    expect(report).toMatchObject({ keys: 602, sources: 1, checksum: 'right' });
    expect(existsSync(out)).toBe(true);
  });

  it('that finds no room leaves nothing', { timeout: WITHIN_MS }, async () => {
    await restore('--on-conflict', 'replace');
    const out = temporary.path('large.rdb');
    const words = ['rdb', 'backup', out, '--from', cluster.address('c'), '--secret-file', secretFile];
    const { exitCode, stderr } = await runLimited(words, 1);
    expect({ exitCode, stderr }).toEqual({
      exitCode: 2,
      stderr: expect.stringMatching(/^holdfast: IO: .*large\.rdb: EFBIG/),
    });
    expect(readdirSync(temporary.folder).filter((name) => name.startsWith('large'))).toEqual([]);
  });

  it('leaves nothing where it fails', { timeout: WITHIN_MS }, async () => {
    const out = temporary.path('none.rdb');
    const { exitCode, stderr } = await run(['rdb', 'backup', out, '--from', await freeAddress()]);
    expect(exitCode).toBe(1);
    expect(stderr).toMatch(/^holdfast: IO: .*\n$/);
    expect(existsSync(out)).toBe(false);
  });
});
