/** The workbench between other programs: pipes that say nothing, readers that stop, terminals, disks that are full. */
import { type ChildProcess, execFileSync, spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { open } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { file, smallFile, stringKey } from '../rdb/build.js';

const MAIN = fileURLToPath(new URL('../../dist/cli/main.js', import.meta.url));
const WITHIN_MS = 30_000;
const SOUND = /^sound: REDIS version \d+, 5 keys, \d+ bytes, checksum right\n$/;
/** How long a command may take to end once it is told to. */
const SOON_MS = 5_000;

let dir: string;
const path = (name: string): string => join(dir, name);
beforeAll(() => {
  dir = mkdtempSync(join(tmpdir(), 'holdfast-pipes-'));
  writeFileSync(path('small.rdb'), smallFile());
  execFileSync('mkfifo', [path('silent'), path('slow')]);
  const keys = Array.from({ length: 40_000 }, (_, i) => stringKey(`key:${i}`, 'x'.repeat(60)));
  writeFileSync(path('many.rdb'), file(...keys));
});
afterAll(() => rmSync(dir, { recursive: true, force: true }));

const rdb = (args: readonly string[], input?: Buffer) =>
  spawnSync(process.execPath, [MAIN, 'rdb', ...args], { cwd: dir, input, timeout: WITHIN_MS });

function shell(command: string) {
  const named = command.replaceAll('holdfast', `'${process.execPath}' '${MAIN}'`);
  const { status, stdout, stderr } = spawnSync('bash', ['-c', named], {
    ...{ cwd: dir, encoding: 'utf8', timeout: WITHIN_MS },
  });
  return { status, stdout, stderr };
}

/** Whether the process has its handlers by now: one for SIGHUP, which Node has none for by itself. */
function catchesInterrupts({ pid, exitCode }: ChildProcess): boolean {
  if (exitCode !== null) throw new Error('the command has ended by itself');
  const mask = /^SigCgt:\s*([0-9a-f]+)$/m.exec(readFileSync(`/proc/${pid}/status`, 'utf8'))?.[1] ?? '0';
  return (BigInt(`0x${mask}`) & 1n) !== 0n;
}

/** Interrupts a command that waits, and says how it ended. */
async function interrupted(child: ChildProcess) {
  let stderr = '';
  child.stderr?.on('data', (text) => {
    stderr += text;
  });
  while (!catchesInterrupts(child)) await sleep(20);
  await sleep(200);
  const late = setTimeout(() => child.kill('SIGKILL'), SOON_MS);
  child.kill('SIGINT');
  const [exitCode, signal] = await once(child, 'exit');
  clearTimeout(late);
  return { exitCode, signal, stderr };
}
const given = { exitCode: 130, signal: null, stderr: 'holdfast: INTERRUPTED: interrupted by SIGINT\n' };

describe.skipIf(process.platform !== 'linux')('Ctrl-C', { timeout: WITHIN_MS }, () => {
  it.each([
    ['inspect', 'silent'],
    ['check', 'silent'],
    ['json', 'silent'],
    ['diff', 'small.rdb', 'silent'],
    ['convert', 'silent', 'never.rdb'],
  ])('ends %s of a pipe that nobody writes to', async (...args) => {
    const child = spawn(process.execPath, [MAIN, 'rdb', ...args], {
      cwd: dir,
      stdio: ['ignore', 'pipe', 'pipe'],
    });
    expect(await interrupted(child)).toEqual(given);
    expect(readdirSync(dir).filter((name) => name.startsWith('never'))).toEqual([]);
  });

  it.each([
    ['check', '-'],
    ['json', '-'],
    ['diff', 'small.rdb', '-'],
    ['convert', '-', 'unwritten.rdb'],
    ['convert', '-', '-'],
  ])('ends %s of a silent stdin', async (...args) => {
    const child = spawn(process.execPath, [MAIN, 'rdb', ...args], { cwd: dir, stdio: 'pipe' });
    child.stdin.write(smallFile().subarray(0, 40));
    expect(await interrupted(child)).toEqual(given);
    expect(readdirSync(dir).filter((name) => name.startsWith('unwritten'))).toEqual([]);
  });

  it.each([
    ['json', 'many.rdb'],
    ['diff', 'small.rdb', 'many.rdb'],
    ['convert', 'many.rdb', '-'],
  ])('ends %s whose output nobody reads', async (...args) => {
    const child = spawn(process.execPath, [MAIN, 'rdb', ...args], {
      cwd: dir,
      stdio: ['ignore', 'pipe', 'pipe'],
    });
    expect(await interrupted(child)).toEqual(given);
  });
});

describe('a pipe', { timeout: WITHIN_MS }, () => {
  it('is read as - and by its name', () => {
    for (const command of [
      'cat small.rdb | holdfast rdb check -',
      'holdfast rdb check - < small.rdb',
      'holdfast rdb check <(cat small.rdb)',
      'cat small.rdb | holdfast rdb check /dev/stdin',
      'holdfast rdb convert small.rdb - 2> report | holdfast rdb check -',
    ])
      expect(shell(command)).toEqual({ status: 0, stdout: expect.stringMatching(SOUND), stderr: '' });
    expect(readFileSync(path('report'), 'utf8')).toMatch(
      /^5 keys written, 0 left out, \d+ bytes of version 10\n$/,
    );
  });

  it('and a device are no place for a new file', () => {
    execFileSync('mkfifo', [path('place')]);
    const { status, stderr } = shell('holdfast rdb convert small.rdb place');
    expect({ status, stderr }).toEqual({ status: 2, stderr: 'holdfast: IO: place: it is no file\n' });
    expect(readdirSync(dir).filter((name) => name.startsWith('place'))).toEqual(['place']);
  });

  it('and another one can be compared', () => {
    const compared = shell('holdfast rdb diff <(cat small.rdb) <(cat small.rdb)');
    expect(compared).toEqual({ status: 0, stdout: 'no differences\n', stderr: '' });
    expect(shell('holdfast rdb diff small.rdb - < small.rdb').stdout).toBe('no differences\n');
    expect(shell('holdfast rdb diff - - < small.rdb')).toEqual({
      ...{ status: 2, stdout: '', stderr: expect.stringMatching(/^holdfast: USAGE: stdin can be one/) },
    });
  });

  it('is no file to restore, which would have to be read twice', () => {
    const to = '--to localhost:1';
    expect(shell(`holdfast rdb restore - ${to} < small.rdb`)).toMatchObject({
      ...{ status: 2, stderr: expect.stringMatching(/^holdfast: USAGE: a restore reads its file twice/) },
    });
    expect(shell(`holdfast rdb restore <(cat small.rdb) ${to}`)).toMatchObject({
      ...{ status: 2, stderr: expect.stringMatching(/^holdfast: IO: .* and no pipe\n$/) },
    });
  });

  it('that ends too early is damaged', () => {
    const cut = rdb(['check', '-'], smallFile().subarray(0, 40));
    expect(cut.stdout.toString()).toMatch(/^damaged at offset 40: file ends/);
    expect(rdb(['inspect', '-'], Buffer.from('hello\n')).stderr.toString()).toMatch(
      /it is not an RDB file at offset 0/,
    );
  });
});

describe.skipIf(!existsSync('/dev/full'))('output to a disk that is full', () => {
  it.each(['inspect small.rdb', 'json many.rdb', 'convert many.rdb -', 'check small.rdb'])(
    'ends %s with a word',
    (args) => {
      expect(shell(`holdfast rdb ${args} > /dev/full`)).toMatchObject({
        ...{ status: 2, stderr: expect.stringMatching(/^holdfast: IO: .*ENOSPC[^\n]*\n$/) },
      });
    },
  );
});

it('a file that finds no room is not there', () => {
  // As on a disk that is full: the shell allows files of so many blocks.
  const { status, stderr } = shell("trap '' XFSZ; ulimit -f 100; holdfast rdb convert many.rdb large.rdb");
  expect({ status, stderr }).toEqual({
    status: 2,
    stderr: expect.stringMatching(/^holdfast: IO: large\.rdb: EFBIG/),
  });
  expect(readdirSync(dir).filter((name) => name.startsWith('large'))).toEqual([]);
});

describe.skipIf(spawnSync('script', ['--version']).status !== 0)('a terminal', { timeout: WITHIN_MS }, () => {
  /** What a terminal that does not know its height is shown while a file comes slowly. */
  async function shown(command: string): Promise<string> {
    const typed = `stty rows 0 cols 60; '${process.execPath}' '${MAIN}' rdb ${command}`;
    const child = spawn('script', ['-qec', typed, '/dev/null'], {
      cwd: dir,
      stdio: ['ignore', 'pipe', 'inherit'],
    });
    let output = '';
    child.stdout.on('data', (text) => {
      output += text;
    });
    const source = await open(path('slow'), 'w');
    const bytes = readFileSync(path('many.rdb'));
    for (let at = 0; at < bytes.length; at += bytes.length / 4) {
      await source.write(bytes.subarray(at, at + bytes.length / 4));
      await sleep(250);
    }
    await source.close();
    await once(child, 'close');
    return output;
  }

  it('shows how far a command is, and nothing of it in the end', async () => {
    const output = await shown('check slow');
    const drawn = output.split('\r\x1b[2K');
    expect(drawn.at(-1)).toMatch(/^sound: .*40000 keys/);
    expect(drawn.slice(1, -1)).toContainEqual(expect.stringMatching(/^checking slow {2}\d MB {2}\d+ MB\/s$/));
  });

  it('is no place for a file', () => {
    const typed = `'${process.execPath}' '${MAIN}' rdb convert small.rdb -`;
    const { stdout } = spawnSync('script', ['-qec', typed, '/dev/null'], { cwd: dir, encoding: 'utf8' });
    expect(stdout).toMatch(/^holdfast: USAGE: the new file would go to the terminal/);
  });
});
