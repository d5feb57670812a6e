/** The endpoint of a store without peers, byte for byte. */
import { once } from 'node:events';
import { createServer } from 'node:net';
import { open, type Store } from 'holdfast';
import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { RawClient, request } from './raw-client.js';

const resp = { port: 0 };

let store: Store;
let client: RawClient;
beforeAll(async () => {
  store = await open({ resp });
});
afterAll(() => store.close());
beforeEach(async () => {
  await store.flushall();
  client = await RawClient.connect(store.respAddress);
  return () => client.socket.destroy();
});

/** Sends requests in one piece and compares the replies. */
async function exchange(...lines: readonly (readonly [command: string, reply: string])[]): Promise<void> {
  client.send(lines.map(([command]) => request(...command.split(' '))).join(''));
  const expected = lines.map(([, reply]) => reply).join('');
  expect(await client.bytes(expected.length)).toBe(expected);
}

describe('replies keep their kinds', () => {
  const FILL = [
    ['HSET h f v', ':1\r\n'],
    ['ZADD z 1.5 m', ':1\r\n'],
    ['SADD s x', ':1\r\n'],
  ] as const;

  test('in RESP2', async () => {
    await exchange(
      ['SET k v', '+OK\r\n'],
      ['GET k', '$1\r\nv\r\n'],
      ['GET none', '$-1\r\n'],
      ['TYPE k', '+string\r\n'],
      ['INCR n', ':1\r\n'],
      ...FILL,
      ['HGETALL h', '*2\r\n$1\r\nf\r\n$1\r\nv\r\n'],
      ['SMEMBERS s', '*1\r\n$1\r\nx\r\n'],
      ['ZSCORE z m', '$3\r\n1.5\r\n'],
      ['ZRANGE z 0 -1 WITHSCORES', '*2\r\n$1\r\nm\r\n$3\r\n1.5\r\n'],
      ['LPOP none 2', '*-1\r\n'],
      ['GET h', '-WRONGTYPE Operation against a key holding the wrong kind of value\r\n'],
      ['GET', "-ERR wrong number of arguments for 'get' command\r\n"],
      ['FOO a b', "-ERR unknown command 'FOO', with args beginning with: 'a' 'b' \r\n"],
      ['CONFIG GET save', '*2\r\n$4\r\nsave\r\n$0\r\n\r\n'],
    );
  });

  test('in RESP3', async () => {
    expect(await client.ask(['HELLO', '3'], '*0\r\n')).toMatch(/^%7\r\n\$6\r\nserver\r\n\$5\r\nredis\r\n/);
    await exchange(
      ['SET k v', '+OK\r\n'],
      ['GET none', '_\r\n'],
      ...FILL,
      ['HGETALL h', '%1\r\n$1\r\nf\r\n$1\r\nv\r\n'],
      ['SMEMBERS s', '~1\r\n$1\r\nx\r\n'],
      ['ZSCORE z m', ',1.5\r\n'],
      ['ZRANGE z 0 -1 WITHSCORES', '*1\r\n*2\r\n$1\r\nm\r\n,1.5\r\n'],
      ['LPOP none 2', '_\r\n'],
      ['CONFIG GET save', '%1\r\n$4\r\nsave\r\n$0\r\n\r\n'],
      ['CLIENT GETNAME', '_\r\n'],
      ['RESET', '+RESET\r\n'],
      ['GET none', '$-1\r\n'],
    );
  });

  test('bytes come back as they were sent', async () => {
    const all = Array.from({ length: 256 }, (_, i) => String.fromCharCode(i)).join('');
    const long = all.repeat(100);
    client.send(request('SET', all, long) + request('GET', all) + request('ECHO', all));
    const expected = `+OK\r\n$${long.length}\r\n${long}\r\n$256\r\n${all}\r\n`;
    expect(await client.bytes(expected.length)).toBe(expected);
  });
});

describe('commands of the connection', () => {
  test('PING, ECHO, SELECT, AUTH', async () => {
    await exchange(
      ['PING', '+PONG\r\n'],
      ['ping x', '$1\r\nx\r\n'],
      ['PING x y', "-ERR wrong number of arguments for 'ping' command\r\n"],
      ['ECHO hello', '$5\r\nhello\r\n'],
      ['SELECT 0', '+OK\r\n'],
      ['SELECT 1', '-ERR DB index is out of range\r\n'],
      ['SELECT x', '-ERR value is not an integer or out of range\r\n'],
      ['AUTH default x', '+OK\r\n'],
      ['AUTH ann x', '-WRONGPASS invalid username-password pair or user is disabled.\r\n'],
    );
  });

  test('CLIENT', async () => {
    await exchange(
      ['CLIENT GETNAME', '$-1\r\n'],
      ['CLIENT SETNAME ann', '+OK\r\n'],
      ['CLIENT GETNAME', '$3\r\nann\r\n'],
      ['CLIENT SETINFO LIB-NAME x', '+OK\r\n'],
      ['CLIENT SETINFO LIB-COLOR x', "-ERR Unrecognized option 'lib-color'\r\n"],
      ['CLIENT ID x', "-ERR wrong number of arguments for 'client|id' command\r\n"],
      ['CLIENT FLY', "-ERR unknown subcommand 'FLY'. Try CLIENT HELP.\r\n"],
    );
    expect(await client.ask(['CLIENT', 'SETNAME', 'a b'])).toMatch(/^-ERR Client names cannot contain/);
    expect(await client.ask(['CLIENT', 'LIST'])).toMatch(
      /id=\d+ addr=127.* name=ann .*cmd=client .*lib-name=x /,
    );
    expect(await client.ask(['CLIENT', 'ID'])).toMatch(/^:\d+\r\n$/);
  });

  test('HELLO refuses what it does not know, and changes nothing then', async () => {
    await exchange(
      ['HELLO 4', '-NOPROTO unsupported protocol version\r\n'],
      ['HELLO x', '-ERR Protocol version is not an integer or out of range\r\n'],
      ['HELLO 3 COLOR x', "-ERR Syntax error in HELLO option 'COLOR'\r\n"],
      ['HELLO 3 AUTH ann x', '-WRONGPASS invalid username-password pair or user is disabled.\r\n'],
      ['GET none', '$-1\r\n'],
    );
    expect(await client.ask(['HELLO', '3', 'AUTH', 'default', '', 'SETNAME', 'bob'], '*0\r\n')).toMatch(
      /^%7/,
    );
    await exchange(['CLIENT GETNAME', '$3\r\nbob\r\n']);
  });

  test('INFO, ROLE and COMMAND', async () => {
    await exchange(['SET k v', '+OK\r\n'], ['ROLE', '*3\r\n$6\r\nmaster\r\n:0\r\n*0\r\n']);
    const info = await client.ask(['INFO']);
    expect(info).toContain('redis_version:7.2.0\r\n');
    expect(info).toContain('role:master\r\n');
    expect(info).toContain('loading:0\r\n');
    expect(info).toContain('db0:keys=1,expires=0,avg_ttl=0\r\n');
    expect(await client.ask(['INFO', 'keyspace'])).toBe(
      '$44\r\n# Keyspace\r\ndb0:keys=1,expires=0,avg_ttl=0\r\n\r\n',
    );
    const count = Number((await client.ask(['COMMAND', 'COUNT'])).slice(1));
    expect(count).toBeGreaterThan(100);
    expect(await client.ask(['COMMAND', 'INFO', 'get', 'nope'])).toBe(
      '*2\r\n*10\r\n$3\r\nget\r\n:2\r\n*1\r\n+readonly\r\n:1\r\n:1\r\n:1\r\n*0\r\n*0\r\n*0\r\n*0\r\n$-1\r\n',
    );
    await exchange(['COMMAND DOCS', '*0\r\n']);
  });

  test('QUIT ends the connection behind its reply', async () => {
    client.send(request('SET', 'k', 'v') + request('QUIT') + request('SET', 'k', 'w'));
    expect(await client.rest()).toBe('+OK\r\n+OK\r\n');
    expect(await store.get('k')).toBe('v');
  });
});

describe('transactions', () => {
  test('are queued and run as one', async () => {
    await exchange(
      ['MULTI', '+OK\r\n'],
      ['SET k 1', '+QUEUED\r\n'],
      ['INCR k', '+QUEUED\r\n'],
      ['LPUSH k x', '+QUEUED\r\n'],
      ['PING', '+QUEUED\r\n'],
      [
        'EXEC',
        '*4\r\n+OK\r\n:2\r\n-WRONGTYPE Operation against a key holding the wrong kind of value\r\n+PONG\r\n',
      ],
      ['GET k', '$1\r\n2\r\n'],
    );
  });

  test('are refused as a whole after a command that could not be queued', async () => {
    for (const bad of ['FOO', 'GET', 'INFO', 'WATCH k', 'MULTI x']) {
      client.send(request('MULTI') + request('SET', 'k', 'v') + request(...bad.split(' ')));
      client.command('EXEC');
      const replies = await client.ask(['PING'], '+PONG\r\n');
      if (bad === 'WATCH k') expect(replies).toMatch(/-ERR WATCH inside MULTI is not allowed\r\n\*1\r\n\+OK/);
      else expect(replies).toMatch(/-EXECABORT Transaction discarded because of previous errors\.\r\n/);
    }
  });

  test('end with DISCARD and RESET, and do not nest', async () => {
    await exchange(
      ['EXEC', '-ERR EXEC without MULTI\r\n'],
      ['DISCARD', '-ERR DISCARD without MULTI\r\n'],
      ['MULTI', '+OK\r\n'],
      ['MULTI', '-ERR MULTI calls can not be nested\r\n'],
      ['SET k 1', '+QUEUED\r\n'],
      ['DISCARD', '+OK\r\n'],
      ['MULTI', '+OK\r\n'],
      ['EXEC', '*0\r\n'],
      ['MULTI', '+OK\r\n'],
      ['SET k 1', '+QUEUED\r\n'],
      ['RESET', '+RESET\r\n'],
      ['EXEC', '-ERR EXEC without MULTI\r\n'],
      ['GET k', '$-1\r\n'],
      ['WATCH k', '-ERR WATCH is not supported here yet; MULTI and EXEC are\r\n'],
      ['UNWATCH', '+OK\r\n'],
    );
  });
});

describe('bad input', () => {
  test('is told, behind the replies to what came before, and ends the connection', async () => {
    client.send(`${request('SET', 'k', 'v')}*1\r\n$-5\r\n${request('SET', 'k', 'w')}`);
    expect(await client.rest()).toBe('+OK\r\n-ERR Protocol error: invalid bulk length\r\n');
    expect(await store.get('k')).toBe('v');
  });

  test('a page in a browser cannot make it run commands', async () => {
    client.send('POST / HTTP/1.1\r\nHost: x\r\n\r\nFLUSHALL\r\n');
    expect(await client.rest()).toBe('');
  });

  test('inline commands are understood', async () => {
    client.send('SET k "a b"\r\nGET k\r\n');
    expect(await client.bytes(14)).toBe('+OK\r\n$3\r\na b\r\n');
  });

  test('a client that goes in the middle of a request leaves nothing behind', async () => {
    client.send('*2\r\n$3\r\nGET\r\n$10\r\nab');
    client.socket.end();
    expect(await client.rest()).toBe('');
    using other = await RawClient.connect(store.respAddress);
    expect(await other.ask(['PING'])).toBe('+PONG\r\n');
  });
});

test('a client that does not read is not read from', async () => {
  await store.set('big', 'x'.repeat(100_000));
  client.socket.pause();
  const count = 2000;
  client.send(request('GET', 'big').repeat(count));
  const before = process.memoryUsage().rss;
  using other = await RawClient.connect(store.respAddress);
  for (let i = 0; i < 20; i++) expect(await other.ask(['PING'])).toBe('+PONG\r\n');
  expect(process.memoryUsage().rss - before).toBeLessThan(100_000_000);
  client.socket.resume();
  const reply = `$100000\r\n${'x'.repeat(100_000)}\r\n`;
  for (let i = 0; i < count; i++) expect((await client.bytes(reply.length)) === reply).toBe(true);
});

describe('opening and closing', () => {
  test('a port in use rejects, and names it', async () => {
    const server = createServer();
    server.listen(0, '127.0.0.1');
    await once(server, 'listening');
    const address = server.address();
    const port = typeof address === 'object' ? (address?.port ?? 0) : 0;
    await expect(open({ resp: { port } })).rejects.toMatchObject({
      code: 'IO',
      message: expect.stringContaining(`127.0.0.1:${port}`),
    });
    server.close();
  });

  test('options are checked', async () => {
    // @ts-expect-error an option that does not exist
    await expect(open({ resp: { port: 1, tls: true } })).rejects.toThrow('unknown option of resp "tls"');
    // @ts-expect-error the port is missing
    await expect(open({ resp: {} })).rejects.toThrow('resp.port must be a number');
    await expect(open({ resp: { port: 65_536 } })).rejects.toThrow(RangeError);
    await expect(open({ resp: { port: 0, host: '' } })).rejects.toThrow('resp.host');
    const without = await open();
    expect(without.respAddress).toBeUndefined();
    await without.close();
  });

  test('close() answers what was taken, and ends every connection', async () => {
    const closing = await open({ resp });
    using idle = await RawClient.connect(closing.respAddress);
    using busy = await RawClient.connect(closing.respAddress);
    expect(await busy.ask(['SET', 'k', 'v'])).toBe('+OK\r\n');
    await closing.close();
    expect(await idle.rest()).toBe('');
    expect(await busy.rest()).toBe('');
    await expect(RawClient.connect(closing.respAddress)).rejects.toThrow('ECONNREFUSED');
  });
});
