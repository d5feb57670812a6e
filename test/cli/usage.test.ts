import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { run } from './run-cli.js';

const PEERS = 'a=127.0.0.1:7601,b=127.0.0.1:7602,c=127.0.0.1:7603';

let dir: string;
beforeAll(async () => {
  dir = await mkdtemp(join(tmpdir(), 'holdfast-cli-'));
});
afterAll(() => rm(dir, { recursive: true, force: true }));

describe('help', () => {
  it.each([
    ['demo'],
    ['serve'],
    ['status'],
    ['rdb'],
    ['rdb json'],
    ['rdb inspect'],
    ['rdb restore'],
    ['rdb backup'],
  ])('of %s says how it is used, with an example', async (command) => {
    const { exitCode, stdout, stderr } = await run([...command.split(' '), '--help']);
    expect({ exitCode, stderr }).toEqual({ exitCode: 0, stderr: '' });
    expect(stdout).toContain(`Usage: holdfast ${command}`);
    expect(stdout).toMatch(/\nExample:\n {2}holdfast /);
  });

  it('of the whole names every command and the exit codes', async () => {
    const { exitCode, stdout } = await run(['--help']);
    expect(exitCode).toBe(0);
    for (const command of ['demo', 'serve', 'status', 'rdb'])
      expect(stdout).toMatch(new RegExp(`^ {2}${command} `, 'm'));
    expect(stdout).toContain('Exit codes: 0 fine, 1 failed, 2 wrong usage, 128 + n ended by signal n.');
  });

  it('comes on stderr, as a failure, where no command is given', async () => {
    for (const args of [[], ['rdb']]) {
      const { exitCode, stdout, stderr } = await run(args);
      expect({ exitCode, stdout }).toEqual({ exitCode: 2, stdout: '' });
      expect(stderr).toContain('Usage: holdfast');
    }
  });

  it('has a version', async () => {
    expect(await run(['--version'])).toMatchObject({
      exitCode: 0,
      stdout: expect.stringMatching(/^\d+\.\d+\.\d+\n$/),
    });
  });
});

describe('wrong usage', () => {
  it.each<[string, string[], string]>([
    ['an unknown command', ['restore'], "unknown command 'restore'"],
    ['an unknown option', ['demo', '--shard', '3'], "unknown option '--shard' (Did you mean --shards?)"],
    ['an argument too many', ['rdb', 'inspect', 'one', 'two'], 'too many arguments'],
    ['a missing argument', ['rdb', 'json'], "missing required argument 'file'"],
    ['a number that is none', ['demo', '--shards', 'many'], 'It must be a whole number from 1 to 64.'],
    ['a number out of bounds', ['demo', '--shards', '65'], 'It must be a whole number from 1 to 64.'],
    ['seconds out of bounds', ['demo', '--seconds', '0'], 'It must be a number from 1 to 600.'],
    ['no name', ['serve', '--peers', PEERS], "required option '--name <name>' not specified"],
    ['no peers', ['serve', '--name', 'a'], "required option '--peers <list>' not specified"],
    ['a peer without address', ['serve', '--name', 'a', '--peers', 'a'], '"a" is not name=host:port.'],
    ['an address without port', ['serve', '--name', 'a', '--peers', 'a=localhost'], 'the port is missing'],
    ['two peers with one name', ['serve', '--name', 'a', '--peers', 'a=h:1,a=h:2'], 'Two peers are named a.'],
    [
      'an unknown mode',
      ['serve', '--name', 'a', '--peers', PEERS, '--fsync', 'never'],
      'Allowed choices are always',
    ],
    ['an impossible port', ['serve', '--resp-port', '65536'], 'It must be a whole number from 0 to 65535.'],
    [
      'a size that is none',
      ['serve', '--max-memory', '1tb'],
      'It must be a number of bytes above 0, as 512mb',
    ],
    ['no size at all', ['serve', '--max-memory', '0'], 'It must be a number of bytes above 0'],
    [
      'an unknown policy',
      ['serve', '--max-memory-policy', 'lru'],
      'Allowed choices are noeviction, allkeys-lru',
    ],
    ['samples out of bounds', ['serve', '--max-memory-samples', '65'], 'a whole number from 1 to 64.'],
    ['a limit without a number', ['serve', '--limits', 'hash-max-listpack-entries'], 'is not name=number.'],
    [
      'an unknown limit',
      ['serve', '--limits', 'a=1'],
      'There is no limit a; known are hash-max-listpack-entries,',
    ],
    [
      'a limit given twice',
      ['serve', '--limits', 'hll-sparse-max-bytes=1,hll-sparse-max-bytes=2'],
      'is given twice',
    ],
    [
      'a limit out of bounds',
      ['serve', '--limits', 'hll-sparse-max-bytes=1,list-max-listpack-size=0'],
      'list-max-listpack-size must be a whole number from -5 to 32767, and not 0, not 0.',
    ],
    [
      'no second of backups',
      ['serve', '--backup-every', '0'],
      'It must be a whole number from 1 to 2147483.',
    ],
    ['nobody to ask', ['status'], "required option '--peer <host:port,...>' not specified"],
    [
      'nowhere to restore to',
      ['rdb', 'restore', 'x.rdb'],
      "required option '--to <host:port,...>' not specified",
    ],
    ['an unknown type', ['rdb', 'restore', 'x', '--to', 'h:1', '--type', 'heap'], 'It must be one of string'],
    [
      'an unknown mode',
      ['rdb', 'restore', 'x', '--to', 'h:1', '--on-conflict', 'merge'],
      'Allowed choices are skip',
    ],
    ['a bad address to ask', ['status', '--peer', 'nowhere'], 'the port is missing'],
  ])('%s: one line, exit code 2', async (_name, args, text) => {
    const { exitCode, stdout, stderr } = await run(args);
    expect({ exitCode, stdout }).toEqual({ exitCode: 2, stdout: '' });
    expect(stderr).toMatch(/^holdfast: USAGE: .* \(see holdfast[a-z ]* --help\)\n$/);
    expect(stderr).toContain(text);
  });

  it('takes the environment for flags, and checks it as strictly', async () => {
    const { exitCode, stderr } = await run(['serve'], { HOLDFAST_NAME: 'a', HOLDFAST_PEERS: 'a=h' });
    expect(exitCode).toBe(2);
    expect(stderr).toContain("from env 'HOLDFAST_PEERS' is invalid");
  });
});

describe('a secret', () => {
  it('has no flag', async () => {
    const { exitCode, stderr } = await run(['serve', '--name', 'a', '--peers', PEERS, '--secret', 'abc']);
    expect(exitCode).toBe(2);
    expect(stderr).toContain("unknown option '--secret'");
  });

  it('in a file that is missing or empty is a failure', async () => {
    const empty = join(dir, 'empty');
    await writeFile(empty, '\n');
    const serve = ['serve', '--name', 'a', '--peers', PEERS, '--secret-file'];
    const missing = await run([...serve, join(dir, 'missing')]);
    expect(missing).toMatchObject({ exitCode: 1, stdout: '' });
    expect(missing.stderr).toMatch(/^holdfast: IO: the secret file cannot be read: ENOENT.*\n$/);
    expect(await run([...serve, empty])).toMatchObject({
      exitCode: 1,
      stderr: `holdfast: IO: the secret file ${empty} is empty\n`,
    });
  });
});

describe('a failure', () => {
  it('is one line, and with --verbose says where it comes from', async () => {
    const args = ['demo', '--rdb', join(dir, 'missing.rdb'), '--json'];
    const plain = await run(args);
    expect(plain).toMatchObject({ exitCode: 1, stdout: '' });
    expect(plain.stderr).toMatch(/^holdfast: IO: .*missing\.rdb cannot be read: ENOENT.*\n$/);
    for (const verbose of [run([...args, '--verbose']), run(args, { HOLDFAST_DEBUG: '1' })]) {
      const { exitCode, stderr } = await verbose;
      expect(exitCode).toBe(1);
      expect(stderr).toContain('\n    at ');
    }
  });
});
