/** `rediss://` addresses, against a real Redis that wants certificates of its clients. */
import { spawnSync } from 'node:child_process';
import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import { backupRdb, Keyspace, restoreRdb } from 'holdfast';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { run } from '../cli/run-cli.js';
import { Temporary } from '../rdb/temporary.js';
import { freePort, type Redis, redisVersion, startRedis } from '../support/redis.js';
import { type Sample, writeSample } from './files.js';

const WITHIN_MS = 60_000;

function openssl(folder: string, ...args: string[]): boolean {
  return spawnSync('openssl', args, { cwd: folder, stdio: 'ignore' }).status === 0;
}

/** An authority, and a certificate of it for this machine. */
function certify(folder: string): boolean {
  writeFileSync(`${folder}/names`, 'subjectAltName=DNS:localhost,IP:127.0.0.1');
  const fresh = ['-newkey', 'rsa:2048', '-nodes', '-keyout'];
  const signing = ['-CA', 'ca.crt', '-CAkey', 'ca.key', '-CAcreateserial', '-days', '2', '-extfile', 'names'];
  return (
    openssl(
      folder,
      'req',
      '-x509',
      ...fresh,
      'ca.key',
      '-out',
      'ca.crt',
      '-days',
      '2',
      '-subj',
      '/CN=test',
    ) &&
    openssl(folder, 'req', ...fresh, 'own.key', '-out', 'own.csr', '-subj', '/CN=localhost') &&
    openssl(folder, 'x509', '-req', '-in', 'own.csr', '-out', 'own.crt', ...signing)
  );
}

const temporary = new Temporary();
const isReady =
  redisVersion() !== undefined &&
  // Both are built with it, or none.
  spawnSync('redis-cli', ['--tls', '--version']).status === 0 &&
  certify(temporary.folder);
if (!isReady) console.warn('skipped: redis-server with TLS, or openssl, is not installed');
afterAll(() => temporary[Symbol.dispose]());

describe.skipIf(!isReady)('a Redis behind TLS', () => {
  let server: Redis;
  let sample: Sample;
  let tlsPort: number;
  const path = (name: string) => temporary.path(name);
  const own = ['--cert', path('own.crt'), '--key', path('own.key')];
  beforeAll(async () => {
    sample = await writeSample(path('sample.rdb'), 600);
    tlsPort = await freePort();
    const files = ['--tls-cert-file', path('own.crt'), '--tls-key-file', path('own.key')];
    const wanted = ['--tls-port', String(tlsPort), '--tls-ca-cert-file', path('ca.crt')];
    server = await startRedis([...wanted, ...files, '--repl-diskless-sync-delay', '0']);
  }, WITHIN_MS);
  afterAll(() => server[Symbol.asyncDispose]());

  it.each(['localhost', '127.0.0.1'])(
    'is restored to and backed up, at %s',
    { timeout: WITHIN_MS },
    async (host) => {
      const [ca, cert, key] = ['ca.crt', 'own.crt', 'own.key'].map((name) => readFileSync(path(name)));
      const url = `rediss://${host}:${tlsPort}`;
      const tls = { ca, cert, key };
      expect((await restoreRdb(sample.path, url, { tls, onConflict: 'replace' })).restored).toBe(sample.keys);
      const out = path(`${host}.rdb`);
      expect((await backupRdb(url, out, { tls })).keys).toBe(sample.keys);
      using keyspace = new Keyspace();
      await keyspace.load(out);
      expect(keyspace.digest()).toBe(sample.digest);
    },
  );

  it('is reached by the command line', { timeout: WITHIN_MS }, async () => {
    const from = ['--from', `rediss://127.0.0.1:${tlsPort}`];
    const out = path('cli.rdb');
    const ended = await run(['rdb', 'backup', out, ...from, '--cacert', path('ca.crt'), ...own, '--json']);
    // No warning about names of servers either.
    expect({ ...ended, stdout: '' }).toMatchObject({ exitCode: 0, stderr: '' });
    expect(existsSync(out)).toBe(true);
    const to = ['--to', `rediss://localhost:${tlsPort}`, '--on-conflict', 'replace'];
    const back = await run(['rdb', 'restore', out, ...to, '--cacert', path('ca.crt'), ...own]);
    expect(back).toMatchObject({ exitCode: 0, stderr: '' });
  });

  it('is refused where nobody vouches for it, and refuses who shows nothing', {
    timeout: WITHIN_MS,
  }, async () => {
    const from = ['--from', `rediss://localhost:${tlsPort}`];
    const unknown = await run(['rdb', 'backup', path('no.rdb'), ...from, ...own]);
    expect(unknown).toMatchObject({
      exitCode: 1,
      stderr: expect.stringMatching(/^holdfast: IO: .*self-signed.*\n$/),
    });
    const nameless = await run(['rdb', 'backup', path('no.rdb'), ...from, '--cacert', path('ca.crt')]);
    expect(nameless).toMatchObject({
      exitCode: 1,
      stderr: expect.stringMatching(/^holdfast: IO: .*certificate.*\n$/),
    });
    expect(existsSync(path('no.rdb'))).toBe(false);
  });

  it.each([
    [['--from', 'redis://localhost:1', '--cacert', 'x'], /^holdfast: USAGE: .* are for rediss:/],
    [['--from', 'rediss://localhost:1', '--cert', 'x'], /^holdfast: USAGE: --cert and --key/],
    [['--from', 'rediss://localhost:1', '--cacert', 'no/file'], /^holdfast: IO: no\/file: ENOENT/],
  ])('is asked for as it has to be: %j', async (args, words) => {
    const { exitCode, stderr } = await run(['rdb', 'backup', path('no.rdb'), ...args]);
    expect({ exitCode, stderr }).toEqual({ exitCode: 2, stderr: expect.stringMatching(words) });
  });
});
