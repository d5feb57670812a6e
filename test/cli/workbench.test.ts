/** The workbench on the command line: exit codes, signals, pipes. */
import { execFileSync, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { open } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { lineOf } from '../../dist/cli/rdb/progress.js';
import { file, smallFile, stringKey } from '../rdb/build.js';
import { run, start } from './run-cli.js';

const MAIN = fileURLToPath(new URL('../../dist/cli/main.js', import.meta.url));

let dir: string;
const path = (name: string): string => join(dir, name);
const rdb = (...args: string[]) => run(['rdb', ...args]);

beforeAll(() => {
  dir = mkdtempSync(join(tmpdir(), 'holdfast-workbench-'));
  writeFileSync(path('small.rdb'), smallFile());
  writeFileSync(path('other.rdb'), file(stringKey('s', 'other')));
  writeFileSync(path('cut.rdb'), smallFile().subarray(0, -9));
});
afterAll(() => rmSync(dir, { recursive: true, force: true }));

describe('exit codes', () => {
  it('tell what check has found', async () => {
    expect(await rdb('check', path('small.rdb'))).toMatchObject({ exitCode: 0, stderr: '' });
    const { exitCode, stdout } = await rdb('check', '--json', path('cut.rdb'));
    expect(exitCode).toBe(1);
    expect(JSON.parse(stdout)).toEqual({
      sound: false,
      offset: smallFile().length - 9,
      reason: expect.stringContaining('file ends'),
    });
  });

  it('tell equal files from different ones, and from none', async () => {
    expect(await rdb('diff', path('small.rdb'), path('small.rdb'))).toMatchObject({ exitCode: 0 });
    const { exitCode, stdout } = await rdb('diff', '--json', path('small.rdb'), path('other.rdb'));
    expect(exitCode).toBe(1);
    expect(JSON.parse(stdout)).toMatchObject({ added: 0, removed: 4, changed: 1 });
    for (const name of ['missing.rdb', 'cut.rdb', '.']) {
      const ended = await rdb('diff', path('small.rdb'), path(name));
      expect({ ...ended, stderr: ended.stderr.split(':')[0] }).toMatchObject({
        ...{ exitCode: 2, stderr: 'holdfast' },
      });
    }
  });

  it.each(['inspect', 'check', 'json'])('%s of what is no file is 2', async (command) => {
    const folder = await rdb(command, dir);
    expect(folder).toMatchObject({
      exitCode: 2,
      stdout: '',
      stderr: `holdfast: IO: ${dir}: it is a directory\n`,
    });
    const missing = await rdb(command, path('missing.rdb'));
    expect(missing).toMatchObject({ exitCode: 2, stdout: '' });
    expect(missing.stderr).toMatch(/^holdfast: IO: .*missing\.rdb: .*ENOENT.*\n$/);
  });

  it.skipIf(process.getuid?.() === 0)('of a file that may not be read is 2', async () => {
    writeFileSync(path('secret.rdb'), smallFile(), { mode: 0 });
    const { exitCode, stderr } = await rdb('check', path('secret.rdb'));
    expect({ exitCode, stderr }).toMatchObject({ exitCode: 2, stderr: expect.stringContaining('EACCES') });
  });

  it.each([
    ['convert', 'a', 'b', '--rdb-version', '8'],
    ['convert', 'a', 'b', '--type', 'what'],
    ['convert', 'a'],
    ['inspect', 'a', '--biggest', '-1'],
  ])('%s %s %s %s is wrong usage', async (...args) => {
    const { exitCode, stderr } = await rdb(...args);
    expect({ exitCode, stderr }).toMatchObject({
      exitCode: 2,
      stderr: expect.stringMatching(/^holdfast: USAGE: /),
    });
  });
});

describe('diff', () => {
  it('tells libraries of functions behind the keys', async () => {
    const library = (source: string) => Buffer.concat([Buffer.of(0xf5, source.length), Buffer.from(source)]);
    writeFileSync(path('one.rdb'), file(library('#!lua name=gone'), library('#!lua name=same')));
    writeFileSync(path('two.rdb'), file(library('#!lua name=same\n'), stringKey('key', 'v')));
    const { exitCode, stdout } = await rdb('diff', path('one.rdb'), path('two.rdb'));
    const lines = ['+ key  string', '- gone  library of functions', '~ same  library of functions'];
    expect({ exitCode, stdout }).toEqual({
      ...{ exitCode: 1, stdout: `${lines.join('\n')}\n1 added, 1 removed, 1 changed\n` },
    });
    const json = await rdb('diff', '--json', path('one.rdb'), path('two.rdb'));
    expect(JSON.parse(json.stdout)).toEqual({
      differences: [
        { key: 'key', kind: 'added', db: 0, after: { type: 'string' } },
        { library: 'gone', kind: 'removed' },
        { library: 'same', kind: 'changed' },
      ],
      ...{ added: 1, removed: 1, changed: 1 },
    });
  });
});

describe('convert', () => {
  it('writes what is asked for', async () => {
    const out = path('out.rdb');
    const { exitCode, stdout } = await rdb(
      ...[
        'convert',
        path('small.rdb'),
        out,
        '--rdb-version',
        '12',
        '--type',
        'set',
        '--type',
        'hash',
        '--json',
      ],
    );
    expect(exitCode).toBe(0);
    expect(JSON.parse(stdout)).toMatchObject({ keys: 2, keysLeftOut: 3 });
    expect((await rdb('json', out)).stdout.replace(/\s+/g, '')).toBe('[{"set":["m"],"h":{"f":"v"}}]');
  });

  it('leaves what it cannot write as it was', async () => {
    const library = Buffer.concat([Buffer.of(0xf5, 12), Buffer.from('#!lua name=l')]);
    writeFileSync(path('library.rdb'), file(library));
    writeFileSync(path('held.rdb'), 'older');
    const refused = await rdb('convert', path('library.rdb'), path('held.rdb'), '--rdb-version', '9');
    expect(refused).toMatchObject({ exitCode: 1, stderr: expect.stringMatching(/^holdfast: ERR: .*name=l/) });
    const nowhere = await rdb('convert', path('small.rdb'), path('no/such/folder.rdb'));
    expect(nowhere).toMatchObject({ exitCode: 2, stderr: expect.stringContaining('ENOENT') });
    expect(readdirSync(dir).filter((name) => name.endsWith('.tmp'))).toEqual([]);
  });

  it('that is interrupted leaves nothing behind', async () => {
    const pipe = path('pipe');
    execFileSync('mkfifo', [pipe]);
    const { child, ended } = start(['rdb', 'convert', pipe, path('never.rdb')]);
    const source = await open(pipe, 'w');
    await source.write(smallFile().subarray(0, 40));
    const temporary = () => readdirSync(dir).some((name) => name.startsWith('never.rdb'));
    while (!temporary()) await sleep(5);
    child.kill('SIGINT');
    await sleep(50);
    await source.write(smallFile().subarray(40, 60)).catch(() => {});
    await source.close();
    expect(await ended).toMatchObject({
      exitCode: 130,
      stderr: 'holdfast: INTERRUPTED: interrupted by SIGINT\n',
    });
    expect(temporary()).toBe(false);
  });
});

describe('output', () => {
  it('ends quietly when nobody reads on', async () => {
    const keys = Array.from({ length: 40_000 }, (_, i) => stringKey(`key:${i}`, 'x'.repeat(20)));
    writeFileSync(path('many.rdb'), file(...keys));
    for (const args of [
      ['json', path('many.rdb')],
      ['diff', path('small.rdb'), path('many.rdb')],
    ]) {
      const child = spawn(process.execPath, [MAIN, 'rdb', ...args], { stdio: ['ignore', 'pipe', 'pipe'] });
      let stderr = '';
      child.stderr.on('data', (chunk) => {
        stderr += chunk;
      });
      await once(child.stdout, 'data');
      child.stdout.destroy();
      const [exitCode] = await once(child, 'close');
      expect({ exitCode, stderr }).toEqual({ exitCode: 0, stderr: '' });
    }
  });

  it('tells how far a command is', () => {
    expect(lineOf('reading a.rdb', 50e6, 100e6, 2)).toBe(
      'reading a.rdb  ████████████░░░░░░░░░░░░  50 %  25 MB/s  2 s left',
    );
    expect(lineOf('reading -', 50e6, 0, 2)).toBe('reading -  50 MB  25 MB/s');
    expect(lineOf('x', 10, 5, 1)).toContain('100 %');
  });
});
