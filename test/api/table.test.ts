/** The typed methods against the native command table, which holds the facts. */
import { Keyspace, ReadOnlyCommands, SyncCommands } from 'holdfast';
import { describe, expect, test } from 'vitest';
import { native } from '../../dist/keyspace/native.js';

const facts = new Map(native.commandTable().map((fact) => [fact.name, fact]));

/** Members of the surfaces that are no commands. */
const OTHERS = ['constructor', 'call', 'multi'];

/** Commands without a method, and why. */
const UNTYPED: Readonly<Record<string, string>> = {
  getset: 'set with `get` does the same',
  setex: 'set with `ex` does the same',
  psetex: 'set with `px` does the same',
  substr: 'an old name of getrange',
  georadius: 'geosearch does the same',
  georadius_ro: 'geosearch does the same',
  georadiusbymember: 'geosearch does the same',
  georadiusbymember_ro: 'geosearch does the same',
  hmset: 'hset does the same',
  rpoplpush: 'lmove does the same',
  xgroup: 'a method for each subcommand: xgroupCreate and others',
  xinfo: 'a method for each subcommand: xinfoStream and others',
  zrangebylex: 'zrange with `by` does the same',
  zrangebyscore: 'zrange with `by` does the same',
  zrevrange: 'zrange with `rev` does the same',
  zrevrangebylex: 'zrange with `by` and `rev` does the same',
  zrevrangebyscore: 'zrange with `by` and `rev` does the same',
  flushdb: 'there is one database: flushall',
  memory: 'answers differ by subcommand: call',
  object: 'answers differ by subcommand: call',
  dump: 'a payload for other servers, of bytes only: call',
  restore: 'a payload from other servers, of bytes only: call',
  ping: 'for clients of the Redis endpoint',
  echo: 'for clients of the Redis endpoint',
};

function methodsOf(prototype: object): string[] {
  return Object.getOwnPropertyNames(prototype).filter(
    (name) => !OTHERS.includes(name) && !name.endsWith('Iterator'),
  );
}

/** The command of a method: one for a subcommand is named after both. */
const commandOf = (name: string): string => (facts.has(name) ? name : name.replace(/[A-Z].*/, ''));

const reading = methodsOf(ReadOnlyCommands.prototype);
const writing = methodsOf(SyncCommands.prototype);

describe('the command table', () => {
  test('knows every typed method', () => {
    expect([...reading, ...writing].filter((name) => !facts.has(commandOf(name)))).toEqual([]);
  });

  test('says of each whether it writes, as its surface does', () => {
    expect(reading.filter((name) => facts.get(commandOf(name))?.write !== false)).toEqual([]);
    // It stands where the others are that wait.
    const writes = writing.filter((name) => name !== 'xreadBlocking');
    expect(writes.filter((name) => facts.get(commandOf(name))?.write !== true)).toEqual([]);
  });

  test('has no command without a method, but for a reason', () => {
    const typed = new Set([...reading, ...writing]);
    const missing = [...facts.keys()].filter((name) => !typed.has(name) && !(name in UNTYPED));
    expect(missing).toEqual([]);
  });

  test('names commands in lower case, once', () => {
    const names = native.commandTable().map(({ name }) => name);
    expect(names.filter((name) => name !== name.toLowerCase())).toEqual([]);
    expect(new Set(names).size).toBe(names.length);
  });
});

test('a surface that reads refuses commands that write', () => {
  using keyspace = new Keyspace();
  const handle = native.attach([keyspace.id], 'plain', false);
  const door = { handle, bytes: false, refusal: () => new Error('refused') };
  const surface: ReadOnlyCommands<string> = Reflect.construct(ReadOnlyCommands, [door]);
  keyspace.set('k', 'v');
  expect(surface.get('k')).toBe('v');
  expect(surface.call('STRLEN', 'k')).toBe(1);
  expect(() => surface.call('SET', 'k', 'w')).toThrow(TypeError);
  expect('set' in surface).toBe(false);
  handle.release();
});

test('a surface that reads tells why it may not answer, for the key it was asked for', () => {
  const silent = (): undefined => undefined;
  const handle = new Proxy({}, { get: () => silent });
  const refusal = (key: unknown): Error => new Error(`not here: ${String(key)}`);
  const surface: ReadOnlyCommands<string> = Reflect.construct(ReadOnlyCommands, [
    { handle, bytes: false, refusal },
  ]);
  const calls = [
    () => surface.get('k'),
    () => surface.exists('k'),
    () => surface.hget('k', 'f'),
    () => surface.hexists('k', 'f'),
    () => surface.zscore('k', 'm'),
    () => surface.sismember('k', 'm'),
    () => surface.hgetall('k'),
    () => surface.mget(['k', 'l']),
    () => surface.zrange('k', 0, -1),
    () => surface.call('GET', 'k'),
    () => [...surface.hscanIterator('k')],
  ];
  for (const call of calls) expect(call, String(call)).toThrow('not here: k');
  expect(() => surface.dbsize()).toThrow('not here: undefined');
});
