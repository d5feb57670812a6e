/** Servers that do what a real one does seldom: every stage of taking a dump, and what can go wrong in it. */
import { existsSync, readdirSync } from 'node:fs';
import { readFile } from 'node:fs/promises';
import { createServer, type Socket } from 'node:net';
import { backupRdb } from 'holdfast';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { smallFile } from '../rdb/build.js';
import { Temporary } from '../rdb/temporary.js';

const MARK = 'abcdefghijklmnopqrstuvwxyz0123456789ABCD';
const dump = smallFile();

let temporary: Temporary;
beforeAll(() => {
  temporary = new Temporary();
});
afterAll(() => temporary[Symbol.dispose]());

/** Answers by the first words of requests; what follows PSYNC is sent in pieces. */
async function server(answers: Record<string, string | readonly (string | Buffer)[]>) {
  const asked: string[] = [];
  const sockets = new Set<Socket>();
  const listener = createServer((socket) => {
    sockets.add(socket);
    socket.on('error', () => {});
    socket.on('data', async (chunk) => {
      const words = chunk
        .toString()
        .split('\r\n')
        .filter((_, i) => i > 0 && i % 2 === 0);
      const request = words.join(' ').trim();
      asked.push(request);
      const name = Object.keys(answers).find((each) => request.startsWith(each));
      const answer = name === undefined ? '+OK\r\n' : (answers[name] ?? '');
      for (const piece of typeof answer === 'string' ? [answer] : answer) {
        if (piece === 'CUT') socket.destroy();
        else socket.write(piece);
        await new Promise((resolve) => setTimeout(resolve, 3));
      }
    });
  });
  await new Promise<void>((resolve) => listener.listen(0, '127.0.0.1', resolve));
  const address = listener.address();
  const port = typeof address === 'object' ? address?.port : 0;
  return {
    url: `redis://user:secret@127.0.0.1:${port}`,
    asked,
    async [Symbol.asyncDispose]() {
      for (const socket of sockets) socket.destroy();
      await new Promise((resolve) => listener.close(resolve));
    },
  };
}

const single = { 'CLUSTER SLOTS': '-ERR This instance has cluster support disabled\r\n' };
const resync = '+FULLRESYNC 0123456789012345678901234567890123456789 1\r\n';

async function backup(answers: Record<string, string | readonly (string | Buffer)[]>, name: string) {
  await using redis = await server({ ...single, ...answers });
  const out = temporary.path(`${name}.rdb`);
  const result = await backupRdb(redis.url, out, { retryMs: 400 }).catch((error: unknown) => error);
  expect(readdirSync(temporary.folder).filter((file) => file.includes('.tmp'))).toEqual([]);
  if (result instanceof Error) expect(existsSync(out)).toBe(false);
  else expect(await readFile(out)).toEqual(dump);
  return { result, asked: redis.asked };
}

const bytes = (data: Buffer): Buffer[] => [...data].map((byte) => Buffer.of(byte));

describe('a dump', () => {
  it('comes behind its length, which keeps the connection alive with empty lines', async () => {
    const head = Buffer.from(`$${dump.length}\r\n`);
    const { result, asked } = await backup({ PSYNC: ['\n', '\n', resync, '\n', '\n', head, dump] }, 'length');
    expect(result).toMatchObject({ keys: 5, bytes: dump.length, checksum: 'right' });
    expect(asked.slice(-6)).toEqual([
      'AUTH user secret',
      'PING',
      'REPLCONF listening-port 0',
      'REPLCONF capa eof capa psync2',
      'REPLCONF rdb-only 1',
      'PSYNC ? -1',
    ]);
  });

  it('comes before its mark, in whatever pieces', async () => {
    const whole = Buffer.from(`$EOF:${MARK}\r\n`);
    const mark = Buffer.from(MARK);
    for (const pieces of [
      [whole, dump, mark],
      [Buffer.concat([whole, dump, mark])],
      [whole, ...bytes(dump), mark.subarray(0, 7), mark.subarray(7)],
      [whole, dump, ...bytes(mark)],
    ]) {
      const { result } = await backup({ PSYNC: [resync, ...pieces] }, 'mark');
      expect(result).toMatchObject({ keys: 5, bytes: dump.length });
      await import('node:fs/promises').then(({ rm }) => rm(temporary.path('mark.rdb')));
    }
  });

  it('is not followed by anything: commands that come at once are not part of it', async () => {
    const sent = Buffer.concat([
      Buffer.from(`$${dump.length}\r\n`),
      dump,
      Buffer.from('*1\r\n$4\r\nPING\r\n'),
    ]);
    expect((await backup({ PSYNC: [resync, sent] }, 'followed')).result).toMatchObject({ keys: 5 });
  });

  it('is taken from servers that do not know what else a replica says', async () => {
    const answers = {
      'REPLCONF rdb-only': '-ERR Unrecognized REPLCONF option: rdb-only\r\n',
      PSYNC: [resync, `$${dump.length}\r\n`, dump],
    };
    expect((await backup(answers, 'older')).result).toMatchObject({ keys: 5 });
  });
});

describe('no dump', () => {
  it.each<[string, Record<string, string | readonly (string | Buffer)[]>, string]>([
    [
      'without a right to it',
      { PSYNC: "-NOPERM this user has no permissions to run the 'psync' command\r\n" },
      'NOPERM',
    ],
    ['from what knows no replicas', { PSYNC: "-ERR unknown command 'PSYNC'\r\n" }, 'ERR'],
    ['with a wrong password', { AUTH: '-WRONGPASS invalid username-password pair\r\n' }, 'WRONGPASS'],
    [
      'while the server loads for too long',
      { PING: '-LOADING Redis is loading the dataset in memory\r\n' },
      'LOADING',
    ],
    [
      'of a replica without its master',
      { PSYNC: "-NOMASTERLINK Can't SYNC while not connected with my master\r\n" },
      'NOMASTERLINK',
    ],
    ['but a stream', { PSYNC: '+CONTINUE\r\n' }, 'PROTOCOL'],
    [
      'but a failure of the save',
      { PSYNC: [resync, "-ERR BGSAVE failed, replication can't continue\r\n"] },
      'ERR',
    ],
    ['but nonsense', { PSYNC: [resync, 'hello\r\n'] }, 'PROTOCOL'],
    ['when cut during the greeting', { PING: ['CUT'] }, 'IO'],
    ['when cut behind REPLCONF', { 'REPLCONF capa': ['CUT'] }, 'IO'],
    ['when cut behind PSYNC', { PSYNC: [resync, 'CUT'] }, 'IO'],
    ['when cut in the length', { PSYNC: [resync, '$4', 'CUT'] }, 'IO'],
    ['when cut in the file', { PSYNC: [resync, `$${dump.length}\r\n`, dump.subarray(0, 20), 'CUT'] }, 'IO'],
    ['when cut before the mark', { PSYNC: [resync, `$EOF:${MARK}\r\n`, dump, MARK.slice(1), 'CUT'] }, 'IO'],
    [
      'when damaged',
      { PSYNC: [resync, `$${dump.length}\r\n`, Buffer.from(dump).fill(1, 30, 34)] },
      'CORRUPT',
    ],
    ['when too short', { PSYNC: [resync, '$20\r\n', dump.subarray(0, 20)] }, 'CORRUPT'],
  ])('%s', async (name, answers, code) => {
    expect((await backup(answers, name.replaceAll(' ', '-'))).result).toMatchObject({ code });
  });

  it('when it is given up', async () => {
    await using redis = await server({ ...single, PSYNC: [resync] });
    const out = temporary.path('aborted.rdb');
    const signal = AbortSignal.timeout(100);
    await expect(backupRdb(redis.url, out, { signal })).rejects.toThrow();
    expect(readdirSync(temporary.folder).filter((file) => file.includes('.tmp'))).toEqual([]);
  });
});
