import { spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import {
  cpSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  rmSync,
  truncateSync,
  utimesSync,
  writeFileSync,
} from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { type FoundingRecord, Identity, type IdentityOptions } from '../../src/replication/identity.js';
import { emptyDirectory } from './directories.js';

const options: IdentityOptions = { name: 'a', fsync: 'always', bootId: 'boot 1' };
const open = (dir: string, fields: Partial<IdentityOptions> = {}): Identity =>
  Identity.open(dir, { ...options, ...fields });

const founding: FoundingRecord = {
  clusterId: 'c1'.repeat(16),
  members: ['a', 'b', 'c'].map((name, i) => ({ id: i + 1, name, incarnation: String(i).repeat(32) })),
  shards: 3,
  timers: { beatMs: 50, promiseMs: 500, electionMs: 600, giveUpMs: 600, drift: 0.1 },
};

function founded(fields: Partial<IdentityOptions> = {}, clean = true): string {
  const dir = emptyDirectory();
  const identity = open(dir, fields);
  identity.found(founding);
  identity.close(clean);
  return dir;
}

describe('identity', () => {
  it('is made with the directory and stays', () => {
    const dir = join(emptyDirectory(), 'deep', 'down');
    const first = open(dir);
    expect(first.incarnation).toMatch(/^[0-9a-f]{32}$/);
    expect([first.name, first.restarted, first.founding]).toEqual(['a', false, undefined]);
    first.found(founding);
    first.close(false);
    first.close(true);
    const again = open(dir);
    expect([again.restarted, again.incarnation]).toEqual([true, first.incarnation]);
    expect(again.founding).toEqual(founding);
    again.found(founding);
    expect(() => again.found({ ...founding, clusterId: 'd2'.repeat(16) })).toThrow(
      expect.objectContaining({
        code: 'FOREIGN',
        message: expect.stringContaining(`${dir} belongs to cluster c1c1`),
      }),
    );
    again.close(true);
    expect(() => again.found(founding)).toThrow(expect.objectContaining({ code: 'CLOSED' }));
    expect(readdirSync(dir)).toEqual(['identity.json']);
    expect(open(emptyDirectory()).incarnation).not.toBe(first.incarnation);
  });

  it('is not given to another peer, another list of peers, another number of shards', () => {
    const dir = founded();
    expect(() => open(dir, { name: 'b' })).toThrow(
      expect.objectContaining({ code: 'FOREIGN', message: `${dir} belongs to peer a, not to b` }),
    );
    expect(() => open(dir, { expected: { peers: ['a', 'b', 'd'], shards: 3 } })).toThrow(
      expect.objectContaining({
        code: 'FOREIGN',
        message: expect.stringMatching(/cluster of a, b, c, not to one of a, b, d/),
      }),
    );
    expect(() => open(dir, { expected: { peers: ['c', 'b', 'a'], shards: 1 } })).toThrow(
      expect.objectContaining({
        code: 'FOREIGN',
        message: expect.stringMatching(/shards: 3, which cannot be changed to 1/),
      }),
    );
    open(dir, { expected: { peers: ['c', 'b', 'a'], shards: 3 } }).close(true);
  });

  it('is not used with other limits; one that was founded before there were any, with all', () => {
    const dir = founded();
    const peers = ['a', 'b', 'c'];
    open(dir, { expected: { peers, shards: 3, limits: { hashMaxListpackEntries: 7 } } }).close(true);
    const limited = { ...founding, limits: { hashMaxListpackEntries: 512, setMaxListpackEntries: 128 } };
    const other = emptyDirectory();
    const identity = open(other);
    identity.found(limited);
    identity.close(true);
    const limits = { hashMaxListpackEntries: 512, setMaxListpackEntries: 64 };
    expect(() => open(other, { expected: { peers, shards: 3, limits } })).toThrow(
      expect.objectContaining({
        code: 'FOREIGN',
        message: expect.stringMatching(/limits\.setMaxListpackEntries: 128, which cannot be changed to 64/),
      }),
    );
    open(other, { expected: { peers, shards: 3, limits: limited.limits } }).close(true);
  });

  it('that is cut, flipped, missing or of the future is refused and left alone', () => {
    const dir = founded();
    const path = join(dir, 'identity.json');
    const whole = readFileSync(path);
    const refused = (code: string): void => {
      const before = readFileSync(path);
      expect(() => open(dir)).toThrow(
        expect.objectContaining({ code, message: expect.stringContaining(path) }),
      );
      expect(readFileSync(path).equals(before)).toBe(true);
    };
    for (let length = 0; length < whole.length - 2; length += 7) {
      truncateSync(path, length);
      refused('CORRUPT');
      writeFileSync(path, whole);
    }
    for (const [from, to] of [
      ['"c1c1', '"c1c2'],
      ['"shards": 3', '"shards": 4'],
      ['"name": "a"', '"name": "x"'],
    ] as const) {
      const changed = whole.toString().replace(from, to);
      expect(changed).not.toBe(whole.toString());
      writeFileSync(path, changed);
      refused('CORRUPT');
    }
    writeFileSync(path, whole.toString().replace('"format": 1', '"format": 2'));
    refused('IO');
    rmSync(path);
    mkdirSync(join(dir, 'shard-0'));
    expect(() => open(dir)).toThrow(
      expect.objectContaining({
        code: 'CORRUPT',
        message: `${path} is missing, but ${join(dir, 'shard-0')} is there`,
      }),
    );
    writeFileSync(path, whole);
    open(dir).close(true);
  });

  it('survives a crash while it is written', () => {
    const dir = founded();
    writeFileSync(join(dir, 'identity.json.tmp'), '{"format": 1, "che');
    expect(open(dir).founding).toEqual(founding);
  });

  it.each([
    { last: 'everysec', clean: false, boot: 'boot 2', kept: false },
    { last: 'everysec', clean: false, boot: 'boot 1', kept: true },
    { last: 'everysec', clean: true, boot: 'boot 2', kept: true },
    { last: 'always', clean: false, boot: 'boot 2', kept: true },
  ] as const)('after $last, clean $clean, $boot is kept: $kept', ({ last, clean, boot, kept }) => {
    const dir = founded({ fsync: last }, clean);
    for (const fsync of ['everysec', 'always'] as const) {
      const copy = join(emptyDirectory(), 'copy');
      cpSync(dir, copy, { recursive: true });
      if (kept) {
        open(copy, { fsync, bootId: boot }).close(true);
        continue;
      }
      for (let attempt = 0; attempt < 2; attempt += 1) {
        expect(() => open(copy, { fsync, bootId: boot })).toThrow(
          expect.objectContaining({
            code: 'AMNESIAC',
            message: expect.stringMatching(/^peer a may have lost writes/),
          }),
        );
      }
    }
  });

  it('where the system does not say when it was started, is kept only after a clean stop', () => {
    expect(() => open(founded({ fsync: 'everysec', bootId: '' }, false), { bootId: '' })).toThrow(
      /may have lost/,
    );
    open(founded({ fsync: 'everysec', bootId: '' }, true), { bootId: '' }).close(true);
  });

  it('of a cluster that was never founded has nothing to lose', () => {
    const dir = emptyDirectory();
    open(dir, { fsync: 'everysec' }).close(false);
    open(dir, { bootId: 'boot 2' }).close(true);
  });

  it('says why a directory cannot be used', () => {
    expect(() => open('/dev/null/x')).toThrow(
      expect.objectContaining({ code: 'IO', message: expect.stringContaining('/dev/null/x') }),
    );
  });
});

describe('a directory', () => {
  it('is held by one store at a time', () => {
    const dir = emptyDirectory();
    const first = open(dir);
    expect(() => open(dir)).toThrow(
      expect.objectContaining({ code: 'IO', message: `${dir} is in use by process ${process.pid}` }),
    );
    first.close(true);
    open(dir).close(true);
  });

  it('is held by a living process, and free when that was killed', async () => {
    const dir = emptyDirectory();
    const script = `
      import { Identity } from ${JSON.stringify(new URL('../../src/replication/identity.ts', import.meta.url).href)};
      Identity.open(process.argv[1], { name: 'a', fsync: 'always' });
      console.log('held');
      setInterval(() => {}, 1000);`;
    const args = ['--import', 'tsx', '--input-type=module', '-e', script, '--', dir];
    const child = spawn(process.execPath, args, { stdio: ['ignore', 'pipe', 'inherit'] });
    try {
      await once(child.stdout, 'data');
      expect(() => open(dir)).toThrow(`${dir} is in use by process ${child.pid}`);
    } finally {
      child.kill('SIGKILL');
    }
    await once(child, 'exit');
    open(dir).close(true);
  }, 20_000);

  it('is free when its holder is of another start of the system, another process with that pid, or torn', () => {
    const holder = {
      pid: process.pid,
      started: 'long ago',
      bootId: readFileSync('/proc/sys/kernel/random/boot_id', 'utf8').trim(),
    };
    for (const content of [
      JSON.stringify(holder),
      JSON.stringify({ pid: process.pid, bootId: 'other' }),
      '',
      '{"pid":',
      'null',
    ]) {
      const dir = emptyDirectory();
      writeFileSync(join(dir, 'lock'), content);
      open(dir).close(true);
      expect(readdirSync(dir)).toEqual(['identity.json']);
    }
  });

  it('is not taken over by two at a time, nor blocked by one that died in the middle', () => {
    const dir = emptyDirectory();
    const { pid } = spawnSync('true');
    writeFileSync(join(dir, 'lock'), JSON.stringify({ pid, started: '1', bootId: '' }));
    const guard = join(dir, 'lock.takeover');
    mkdirSync(guard);
    expect(() => open(dir)).toThrow(
      expect.objectContaining({ code: 'IO', message: expect.stringMatching(/is being opened by another/) }),
    );
    utimesSync(guard, 1, 1);
    expect(() => open(dir)).toThrow(/try again/);
    open(dir).close(true);
  });
});
