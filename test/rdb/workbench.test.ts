/** The workbench as functions: every sound file goes through every tool, every broken one is refused with its offset. */
import { execFileSync } from 'node:child_process';
import { readdirSync, readFileSync, statSync, writeFileSync } from 'node:fs';
import { PassThrough, Readable } from 'node:stream';
import { pathToFileURL } from 'node:url';
import { afterAll, describe, expect, test } from 'vitest';
import {
  CorruptRdbError,
  checkRdb,
  closePool,
  convertRdb,
  diffRdb,
  inspectRdb,
  type RdbKey,
  type RdbSource,
  type RdbWrittenKey,
  rdbJson,
  readRdb,
  writeRdb,
} from '../../dist/rdb/workbench/index.js';
import { file, smallFile, stringKey, text } from './build.js';
import { brokenFiles, FIXTURES_MISSING, haveFixtures, validFiles } from './fixtures.js';
import { Temporary } from './temporary.js';

afterAll(closePool);

async function all<T>(items: AsyncIterable<T>): Promise<T[]> {
  const found: T[] = [];
  for await (const item of items) found.push(item);
  return found;
}

/** A stream of pieces of this size. */
function inPieces(bytes: Uint8Array, size: number): Readable {
  const pieces = function* () {
    for (let at = 0; at < bytes.length; at += size) yield bytes.subarray(at, at + size);
  };
  return Readable.from(pieces(), { objectMode: false });
}

/** The bytes that are written to a Writable. */
async function written(write: (target: PassThrough) => Promise<unknown>): Promise<Buffer> {
  const target = new PassThrough();
  const chunks = all<Buffer>(target);
  await write(target);
  target.end();
  return Buffer.concat(await chunks);
}

interface Expected {
  rdb_version: number;
  functions: string[];
  keys: { db: number; key: string; type: string; expire_at_ms?: number }[];
}

const ONE_BYTE_MAX = 20_000;
/** The largest file takes some seconds where nothing else runs. */
const FILE_MS = 120_000;

describe.skipIf(!haveFixtures)(`files of real servers (${haveFixtures ? 'here' : FIXTURES_MISSING})`, () => {
  test.each(validFiles())('$name', { timeout: FILE_MS }, async ({ path, expected }) => {
    const { keys, functions, rdb_version: version } = expected() as Expected;
    const bytes = readFileSync(path);
    const sources: RdbSource[] = [path, bytes];
    if (bytes.length < ONE_BYTE_MAX) sources.push(inPieces(bytes, 1));
    for (const source of sources) {
      expect(await checkRdb(source)).toMatchObject({ keys: keys.length, version });
    }
    const report = await inspectRdb(path);
    expect(report).toMatchObject({ keys: keys.length, version, functions: functions.length });
    expect(report.expires).toBe(keys.filter((key) => key.expire_at_ms !== undefined).length);
    expect(await all(diffRdb(path, inPieces(bytes, 777)))).toEqual([]);
    const read = (await all(readRdb(path))).map(({ db, key, type, expireAtMs }) => {
      const facts = { db, key: key.toString('latin1'), type };
      return expireAtMs === undefined ? facts : { ...facts, expire_at_ms: expireAtMs };
    });
    const wanted = keys.map(({ db, key, type, expire_at_ms }) =>
      expire_at_ms === undefined ? { db, key, type } : { db, key, type, expire_at_ms },
    );
    expect(new Set(read.map((key) => JSON.stringify(key)))).toEqual(
      new Set(wanted.map((key) => JSON.stringify(key))),
    );
    const twelve = await written((target) => convertRdb(bytes, target, { version: 12 }));
    expect(await all(diffRdb(bytes, twelve))).toEqual([]);
    const back = await written((target) => convertRdb(twelve, target, { version: 12, stripTtl: true }));
    expect((await inspectRdb(back)).expires).toBe(0);
    const libraries = functions.map((source) => Buffer.from(source, 'latin1'));
    const made = await written((target) =>
      writeRdb(target, readRdb(bytes), { version: 12, functions: libraries }),
    );
    expect(await all(diffRdb(bytes, made))).toEqual([]);
  });

  test.each(brokenFiles())('%s is refused', async (path) => {
    for (const source of [path, readFileSync(path)]) {
      const refusal = await checkRdb(source).catch((error: unknown) => error);
      expect(refusal).toBeInstanceOf(CorruptRdbError);
      const { code, offset, reason, message } = refusal as CorruptRdbError;
      expect({ code, offset }).toEqual({ code: 'CORRUPT', offset: expect.any(Number) });
      expect(offset).toBeLessThanOrEqual(statSync(path).size);
      expect(message).toContain(`${reason} at offset ${offset}`);
    }
  });
});

describe('what says nothing can be given up', () => {
  const enough = () => {
    const ending = new AbortController();
    setTimeout(() => ending.abort(new Error('enough')), 50);
    return { signal: ending.signal };
  };

  test.each([
    ['a named pipe', (path: string) => path],
    ['a stream', () => new PassThrough()],
  ])('%s', async (_, sourceOf) => {
    using temporary = new Temporary();
    const path = temporary.path('pipe');
    execFileSync('mkfifo', [path]);
    const made = temporary.path('made.rdb');
    const tools: ((source: RdbSource) => Promise<unknown>)[] = [
      (source) => checkRdb(source, enough()),
      (source) => inspectRdb(source, enough()),
      (source) => all(readRdb(source, enough())),
      (source) => all(rdbJson(source, enough())),
      (source) => all(diffRdb(smallFile(), source, enough())),
      (source) => convertRdb(source, made, enough()),
    ];
    for (const tool of tools) await expect(tool(sourceOf(path))).rejects.toThrow(/^enough$/);
    expect(readdirSync(temporary.folder)).toEqual(['pipe']);
  });

  test('a reader of what is written', async () => {
    const keys = Array.from({ length: 100 }, (_, i) => stringKey(`key:${i}`, 'x'.repeat(60)));
    const unread = new PassThrough({ highWaterMark: 64 });
    await expect(convertRdb(file(...keys), unread, enough())).rejects.toThrow(/^enough$/);
  });
});

describe('a source', () => {
  test('may be a path, an address, bytes, or a stream of any pieces', async () => {
    using temporary = new Temporary();
    const path = temporary.path('small.rdb');
    const bytes = smallFile();
    writeFileSync(path, bytes);
    const wanted = await all(readRdb(path));
    expect(wanted.map(({ key }) => key.toString())).toEqual(['s', 'l', 'set', 'h', 'z']);
    for (const source of [pathToFileURL(path), bytes, ...[1, 2, 7, 1_000].map((n) => inPieces(bytes, n))]) {
      expect(await all(readRdb(source))).toEqual(wanted);
    }
    for (const source of [42, null, {}] as unknown as RdbSource[]) {
      await expect(inspectRdb(source)).rejects.toThrow(TypeError);
    }
  });

  test('gives back what follows the file', async () => {
    using temporary = new Temporary();
    const tail = Buffer.from('*1\r\n$4\r\nPING\r\n');
    const bytes = Buffer.concat([smallFile(), tail]);
    const path = temporary.path('aof.rdb');
    writeFileSync(path, bytes);
    for (const source of [path, bytes, inPieces(bytes, 1), inPieces(bytes, 50)]) {
      const reading = readRdb(source);
      await expect(all(reading.rest())).rejects.toThrow(TypeError);
      expect(await all(reading)).toHaveLength(5);
      expect(Buffer.concat(await all(reading.rest()))).toEqual(tail);
      expect(reading).toMatchObject({ format: 'REDIS', version: 10, checksum: 'right' });
      expect(reading.aux).toEqual([['redis-ver', '7.0.15']]);
      expect(reading.bytes).toBe(bytes.length - tail.length);
      await expect(all(reading)).rejects.toThrow('is read once');
    }
    const checked = await checkRdb(inPieces(bytes, 5));
    expect(Buffer.from(checked.trailingHead)).toEqual(tail);
    expect(checked.trailingBytes).toBe(tail.length);
  });

  test('that is left early is closed', async () => {
    const source = inPieces(smallFile(), 4);
    for await (const { key } of readRdb(source)) {
      expect(key.toString()).toBe('s');
      break;
    }
    expect(source.destroyed).toBe(true);
  });

  test('that is damaged ends the reading, behind the keys before', async () => {
    const bytes = smallFile();
    const found: string[] = [];
    const reading = async () => {
      for await (const { key } of readRdb(bytes.subarray(0, -12), { strings: true })) found.push(key);
    };
    await expect(reading()).rejects.toMatchObject({ code: 'CORRUPT', offset: bytes.length - 12, path: '' });
    expect(found).toEqual(['s', 'l', 'set', 'h']);
  });

  test('that fails passes its failure on', async () => {
    const failing = async function* () {
      yield smallFile().subarray(0, 20);
      throw new Error('the line is dead');
    };
    await expect(all(readRdb(failing()))).rejects.toThrow('the line is dead');
    await expect(inspectRdb(failing())).rejects.toThrow('the line is dead');
  });
});

describe('a value that is longer than may be held', () => {
  const members = ['aa', 'bb', 'cc', 'dd', 'ee'];
  const set = Buffer.concat([Buffer.of(2), text('set'), Buffer.of(5), ...members.map(text)]);
  const bytes = file(stringKey('a', 'short'), set, stringKey('b', 'long'.repeat(10)));

  test('is an error that names it', async () => {
    const reading = all(readRdb(bytes, { valueBytesMax: 140 }));
    await expect(reading).rejects.toMatchObject({
      code: 'TOO_LARGE',
      message: expect.stringContaining('"set"'),
    });
  });

  test('is left out', async () => {
    const found = await all(readRdb(bytes, { valueBytesMax: 110, oversized: 'omit', strings: true }));
    expect(found.map(({ key, value }) => [key, value])).toEqual([
      ['a', 'short'],
      ['set', undefined],
      ['b', 'long'.repeat(10)],
    ]);
  });

  test('comes in parts, which are written as one', async () => {
    const parts = await all(readRdb(bytes, { valueBytesMax: 110, oversized: 'parts', strings: true }));
    const ofSet = parts.filter(({ key }) => key === 'set');
    expect(ofSet.map(({ value }) => value)).toEqual([['aa', 'bb'], ['cc', 'dd'], ['ee']]);
    expect(ofSet.map(({ part, more }) => [part, more])).toEqual([
      [0, true],
      [1, true],
      [2, false],
    ]);
    const made = await written((target) => writeRdb(target, parts));
    expect(await all(diffRdb(bytes, made))).toEqual([]);
    await expect(written((target) => writeRdb(target, ofSet.slice(0, 1)))).rejects.toThrow(
      'last part is missing',
    );
  });
});

describe('writing', () => {
  const keys: RdbWrittenKey[] = [
    { key: 'n', type: 'string', value: 7 },
    { key: Buffer.of(0, 255), type: 'string', value: Buffer.of(255), idleS: 9 },
    { key: 'list', type: 'list', value: ['b', 'a'], expireAtMs: 5_000, freq: 3 },
    { key: 'set', type: 'set', value: new Set(['b', 'a']) },
    { key: 'map', type: 'hash', value: new Map([['f', 'v']]) },
    { key: 'record', type: 'hash', value: { f: 'v' } },
    { key: 'timed', type: 'hash', value: [{ field: 'f', value: 'v', expireAtMs: 9_000 }] },
    { key: 'scores', type: 'zset', value: new Map([['m', Number.NEGATIVE_INFINITY]]) },
    {
      key: 'stream',
      type: 'stream',
      value: {
        entries: [{ id: '1-1', fields: [['f', 'v']] }],
        lastId: '18446744073709551615-3',
        maxDeletedId: '0-7',
        entriesAdded: 12n,
        groups: [
          {
            name: 'g',
            lastId: '1-1',
            entriesRead: -1,
            pending: [{ id: '1-1', deliveredAtMs: 5, deliveries: 2 }],
            consumers: [{ name: 'c', seenAtMs: 6, activeAtMs: -1, pending: ['1-1'] }],
          },
        ],
      },
    },
    { key: 'empty', type: 'set', value: [] },
    { db: 3, key: 'n', type: 'string', value: '' },
  ];

  test('gives the keys that were written', async () => {
    const options = { version: 12, aux: [['a', 'b']] as const, functions: ['#!lua name=l\n'] };
    const bytes = await written((target) => writeRdb(target, keys, options));
    const reading = readRdb(bytes, { strings: true });
    const found = await all(reading);
    expect(reading).toMatchObject({ version: 12, aux: [['a', 'b']], functions: ['#!lua name=l\n'] });
    expect(found.map(({ db, key, type }) => [db, key, type])).toEqual(
      keys
        .filter(({ key }) => key !== 'empty')
        .map(({ db = 0, key, type }) => [db, typeof key === 'string' ? key : '\0\ufffd', type]),
    );
    const byName = new Map(found.map((key) => [`${key.db}:${key.key}`, key]));
    const value = (name: string) => byName.get(`0:${name}`)?.value;
    expect([value('n'), value('list'), value('map')]).toEqual([
      '7',
      ['b', 'a'],
      [{ field: 'f', value: 'v' }],
    ]);
    expect(value('timed')).toEqual([{ field: 'f', value: 'v', expireAtMs: 9_000 }]);
    expect(value('scores')).toEqual([{ member: 'm', score: Number.NEGATIVE_INFINITY }]);
    expect(value('stream')).toEqual({
      ...(keys[8]?.value as object),
      entriesAdded: 12,
    });
    expect(byName.get('0:list')).toMatchObject({ expireAtMs: 5_000, freq: 3 });
    const again = await written((target) => writeRdb(target, readRdb(bytes), options));
    expect(again).toEqual(bytes);
  });

  test('replaces the file when it is complete', async () => {
    using temporary = new Temporary();
    const path = temporary.path('out.rdb');
    writeFileSync(path, 'older');
    const failing = async function* (): AsyncGenerator<RdbWrittenKey> {
      for (const key of keys) yield key;
      throw new Error('no more keys');
    };
    await expect(writeRdb(path, failing(), { version: 12 })).rejects.toThrow('no more keys');
    expect(readFileSync(path, 'utf8')).toBe('older');
    const heard: number[] = [];
    const { bytes, keys: count } = await writeRdb(path, keys, {
      version: 12,
      onProgress: (n) => heard.push(n),
    });
    expect({ bytes, count }).toEqual({ bytes: statSync(path).size, count: keys.length - 1 });
    expect(heard.at(-1)).toBe(keys.length);
    expect(readdirSync(temporary.folder)).toEqual(['out.rdb']);
  });

  test.each<[string, RdbWrittenKey[], string | RegExp]>([
    ['a key twice', [keys[0], keys[0]] as RdbWrittenKey[], "key 'n' comes twice"],
    [
      'fields that expire before version 12',
      [keys[6] as RdbWrittenKey],
      "'timed' is a hash with fields that",
    ],
    ['a member twice', [{ key: 'k', type: 'set', value: ['a', 'a'] }], "'a' comes twice"],
    [
      'no number',
      [{ key: 'k', type: 'zset', value: [{ member: 'm', score: Number.NaN }] }],
      'must be a number',
    ],
    ['no text', [{ key: 'k', type: 'string', value: null } as unknown as RdbWrittenKey], /key "k".*null/],
    ['no type', [{ key: 'k', type: 'what', value: '' } as unknown as RdbWrittenKey], 'unknown type "what"'],
    ['no database', [{ key: 'k', db: -1, type: 'string', value: '' }], /db must be/],
    [
      'no id',
      [{ key: 'k', type: 'stream', value: { entries: [], lastId: '5', groups: [] } }],
      '"5" is no id',
    ],
    ['bytes that no module wrote', [{ key: 'k', type: 'module', value: { raw: Buffer.of(1) } }], /cut/],
  ])('refuses %s', async (_, refused, message) => {
    using temporary = new Temporary();
    await expect(writeRdb(temporary.path('out.rdb'), refused)).rejects.toThrow(message);
    expect(readdirSync(temporary.folder)).toEqual([]);
  });

  test('to a stream that is gone fails', async () => {
    const target = new PassThrough();
    target.destroy();
    await expect(writeRdb(target, keys, { version: 12 })).rejects.toMatchObject({ code: 'IO' });
  });
});

describe('differences', () => {
  const before = file(stringKey('a', '1'), stringKey('b', '2'), stringKey('c', '3'));

  test('are told with what changed', async () => {
    const due = Buffer.concat([Buffer.of(0xfc, 5, 0, 0, 0, 0, 0, 0, 0), stringKey('c', '3')]);
    const after = file(due, stringKey('d', '4'), stringKey('b', 'other'));
    expect(await all(diffRdb(before, after, { strings: true }))).toEqual([
      { kind: 'removed', db: 0, key: 'a', before: { type: 'string' } },
      {
        kind: 'changed',
        db: 0,
        key: 'b',
        changes: ['value'],
        before: { type: 'string' },
        after: { type: 'string' },
      },
      {
        ...{ kind: 'changed', db: 0, key: 'c', changes: ['expiry'] },
        ...{ before: { type: 'string' }, after: { type: 'string', expireAtMs: 5 } },
      },
      { kind: 'added', db: 0, key: 'd', after: { type: 'string' } },
    ]);
  });

  test('name the file that is damaged', async () => {
    using temporary = new Temporary();
    const [good, bad] = [temporary.path('good.rdb'), temporary.path('bad.rdb')];
    writeFileSync(good, before);
    writeFileSync(bad, before.subarray(0, 20));
    await expect(all(diffRdb(good, bad))).rejects.toMatchObject({ code: 'CORRUPT', path: bad, offset: 20 });
  });

  test('need no more memory for more keys', { timeout: 60_000 }, async () => {
    const count = 300_000;
    const many = function* (value: string): Generator<RdbWrittenKey> {
      for (let i = 0; i < count; i++) yield { key: `key:${(i * 7_919) % count}`, type: 'string', value };
    };
    using temporary = new Temporary();
    const [one, other] = [temporary.path('one.rdb'), temporary.path('other.rdb')];
    await writeRdb(one, many('1'));
    await writeRdb(other, many('2'));
    let found = 0;
    for await (const { kind } of diffRdb(one, other)) found += Number(kind === 'changed');
    expect(found).toBe(count);
    expect(readdirSync(temporary.folder).sort()).toEqual(['one.rdb', 'other.rdb']);
  });
});

describe('options', () => {
  test('that nobody knows are refused', async () => {
    const bytes = smallFile();
    const misspelled = { slot: true } as object;
    await expect(inspectRdb(bytes, misspelled)).rejects.toThrow('unknown option "slot"');
    await expect(checkRdb(bytes, misspelled)).rejects.toThrow(TypeError);
    await expect(all(diffRdb(bytes, bytes, misspelled))).rejects.toThrow(TypeError);
    await expect(all(rdbJson(bytes, misspelled))).rejects.toThrow(TypeError);
    await expect(convertRdb(bytes, 'never.rdb', misspelled)).rejects.toThrow(TypeError);
    await expect(writeRdb('never.rdb', [], misspelled)).rejects.toThrow(TypeError);
    expect(() => readRdb(bytes, misspelled)).toThrow(TypeError);
    await expect(convertRdb(bytes, 'never.rdb', { version: 13 })).rejects.toThrow(RangeError);
    await expect(convertRdb(bytes, 'never.rdb', { types: ['what' as 'set'] })).rejects.toThrow(RangeError);
    await expect(inspectRdb(bytes, { biggest: 1.5 })).rejects.toThrow(RangeError);
    expect(() => readRdb(bytes, { valueBytesMax: 0 })).toThrow(RangeError);
  });

  test('say how far it is, and end it', async () => {
    using temporary = new Temporary();
    const path = temporary.path('small.rdb');
    writeFileSync(path, smallFile());
    const size = statSync(path).size;
    const tools: ((source: RdbSource, options: object) => Promise<unknown>)[] = [
      inspectRdb,
      checkRdb,
      (source, options) => all(rdbJson(source, options)),
      (source, options) => all<RdbKey>(readRdb(source, options)),
      (source, options) => convertRdb(source, temporary.path('out.rdb'), options),
    ];
    for (const tool of tools) {
      for (const source of [path, smallFile()]) {
        const heard: number[][] = [];
        await tool(source, { onProgress: (done: number, total: number) => heard.push([done, total]) });
        expect(heard.at(-1)).toEqual([size, size]);
        await expect(tool(source, { signal: AbortSignal.abort(new Error('enough')) })).rejects.toThrow(
          'enough',
        );
      }
    }
    expect(readdirSync(temporary.folder).sort()).toEqual(['out.rdb', 'small.rdb']);
  });
});
