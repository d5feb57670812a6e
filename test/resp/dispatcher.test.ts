/** Which way the requests of one connection go while others of it are under way, and what failures look like to a client. */
import { describe, expect, test } from 'vitest';
import type { EncodedExecutor, ReadWay, Request } from '../../src/commands/executor.js';
import { WaitingRoom } from '../../src/commands/waiting-room.js';
import { HoldfastError } from '../../src/errors.js';
import { type Encoded, native } from '../../src/keyspace/native.js';
import { limits } from '../../src/limits.js';
import { Client } from '../../src/resp/client.js';
import { type Dispatched, Dispatcher } from '../../src/resp/dispatcher.js';
import { failure } from '../../src/resp/encode.js';

/** Answers when it is told to; notes what was started, and how. */
class HeldExecutor implements EncodedExecutor {
  readonly started: string[] = [];
  readonly room = new WaitingRoom();
  readonly handle = native.attach([native.keyspaceCreate()], 'plain', false);
  readonly #waiting: ((reply: Encoded) => void)[] = [];
  /** Whether reads are answered at once. */
  leased = false;

  execute({ words, command }: Request, _: 2 | 3, way: ReadWay): Encoded | Promise<Encoded> {
    return this.#start(words.join(' '), command.write, way);
  }

  transaction(requests: readonly Request[], _: 2 | 3, way: ReadWay): Encoded | Promise<Encoded> {
    const writes = requests.some(({ command }) => command.write);
    return this.#start(`transaction of ${requests.length}`, writes, way);
  }

  #start(what: string, writes: boolean, way: ReadWay): Encoded | Promise<Encoded> {
    this.started.push(`${what}: ${writes ? 'write' : way}`);
    if (this.leased && !writes && way === 'quickest') return '+at once\r\n';
    return new Promise((resolve) => this.#waiting.push(resolve));
  }

  /** Answers everything under way, in order. */
  async answer(): Promise<void> {
    for (const resolve of this.#waiting.splice(0)) resolve('+later\r\n');
    await new Promise(setImmediate);
  }
}

function connection() {
  const executor = new HeldExecutor();
  const client = new Client(1, '', '', 0);
  const around = {
    nowMs: () => 0,
    status: () => Promise.reject(new HoldfastError('CLOSED', 'the store is closed')),
    counts: () => ({ commandsProcessed: 0, connectionsReceived: 1 }),
    ...{ keyspaces: [], clients: new Map(), settings: new Map(), port: 0, startedAtMs: 0 },
  };
  const dispatcher = new Dispatcher(executor, client, around);
  const ask = (line: string): Dispatched =>
    dispatcher.dispatch(line.split(' ').map((word) => Buffer.from(word)));
  return { executor, client, dispatcher, ask };
}

describe('requests take effect in their order', () => {
  test('writes go together, and reads behind them through the log', async () => {
    const { executor, ask } = connection();
    executor.leased = true;
    expect(ask('GET k')).toBe('+at once\r\n');
    for (const line of ['SET k v', 'GET k', 'INCR n', 'GET n']) expect(ask(line)).toBeInstanceOf(Promise);
    expect(executor.started).toEqual([
      'GET k: quickest',
      'SET k v: write',
      'GET k: log',
      'INCR n: write',
      'GET n: log',
    ]);
    await executor.answer();
    expect(ask('GET n')).toBe('+at once\r\n');
  });

  test('a read of all keys waits for writes', async () => {
    const { executor, ask } = connection();
    executor.leased = true;
    ask('SET k v');
    expect(ask('DBSIZE')).toBeUndefined();
    await executor.answer();
    expect(ask('DBSIZE')).toBe('+at once\r\n');
  });

  test('a write waits for reads behind a barrier, which wait together', async () => {
    const { executor, ask } = connection();
    expect(ask('GET k')).toBeInstanceOf(Promise);
    expect(ask('GET n')).toBeInstanceOf(Promise);
    expect(ask('SET k v')).toBeUndefined();
    await executor.answer();
    expect(ask('SET k v')).toBeInstanceOf(Promise);
    expect(executor.started).toEqual(['GET k: quickest', 'GET n: barrier', 'SET k v: write']);
  });

  test('a transaction is a write if one of its commands is', async () => {
    const { executor, ask } = connection();
    const reply = ask('GET k');
    for (const line of ['MULTI', 'GET k', 'SET k v']) expect(ask(line)).toMatch(/OK|QUEUED/);
    expect(ask('EXEC')).toBeUndefined();
    await executor.answer();
    expect(await reply).toBe('+later\r\n');
    expect(ask('EXEC')).toBeInstanceOf(Promise);
    for (const line of ['MULTI', 'GET k']) ask(line);
    expect(ask('EXEC')).toBeInstanceOf(Promise);
    expect(executor.started.slice(1)).toEqual(['transaction of 2: write', 'transaction of 1: log']);
  });

  test('what is about the connection waits for nothing', () => {
    const { ask } = connection();
    ask('SET k v');
    expect(ask('PING')).toBe('+PONG\r\n');
    expect(ask('MULTI')).toBe('+OK\r\n');
  });
});

test('a transaction that grows too large is refused', () => {
  const { ask, dispatcher } = connection();
  ask('MULTI');
  const value = Buffer.alloc(limits.respTransactionBytesMax / 2);
  const words = [Buffer.from('SET'), Buffer.from('k'), value];
  expect(dispatcher.dispatch(words)).toBe('+QUEUED\r\n');
  expect(dispatcher.dispatch(words)).toBe('-ERR transactions are limited to 67108864 bytes\r\n');
  expect(ask('EXEC')).toMatch(/^-EXECABORT/);
});

describe('failures', () => {
  test('of the endpoint itself are replies', async () => {
    const { ask } = connection();
    expect(await ask('INFO')).toBe('-CLUSTERDOWN CLOSED: the store is closed\r\n');
    expect(await ask('ROLE')).toMatch(/^-CLUSTERDOWN/);
  });

  test('have codes that clients retry only where nothing was done', () => {
    const line = (code: string, mayTakeEffect: boolean) =>
      failure(new HoldfastError(code, 'why', { mayTakeEffect }));
    expect(line('NO_QUORUM', false)).toBe('-CLUSTERDOWN NO_QUORUM: why\r\n');
    expect(line('NO_QUORUM', true)).toBe('-NO_QUORUM why\r\n');
    expect(line('NOT_READY', false)).toBe('-LOADING NOT_READY: why\r\n');
    expect(line('BUSY', false)).toBe('-TRYAGAIN BUSY: why\r\n');
    expect(line('TIMEOUT', false)).toBe('-TRYAGAIN TIMEOUT: why\r\n');
    expect(line('TIMEOUT', true)).toBe('-TIMEOUT why\r\n');
    expect(line('FAULTED', false)).toBe('-FAULTED why\r\n');
    expect(failure(new HoldfastError('CROSSSLOT', 'CROSSSLOT Keys differ'))).toBe(
      '-CROSSSLOT Keys differ\r\n',
    );
    expect(failure(new RangeError('a\r\nb'))).toBe('-ERR a  b\r\n');
  });
});
