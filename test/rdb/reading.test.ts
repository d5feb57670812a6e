/** Reading: sound files say what is in them, broken ones are refused with reason and offset. */
import { readFileSync, writeFileSync } from 'node:fs';
import { basename } from 'node:path';
import { afterAll, describe, expect, test } from 'vitest';
import { native } from '../../dist/keyspace/native.js';
import { closePool, inspectRdb, loadFile, rdbJson } from '../../dist/rdb/index.js';
import { SeededRandom } from '../support/random.js';
import { file, sealed, smallFile, stringKey, text } from './build.js';
import {
  brokenFiles,
  brokenPayloads,
  enterpriseFile,
  FIXTURES_MISSING,
  haveFixtures,
  listed,
  validFiles,
} from './fixtures.js';
import { Temporary } from './temporary.js';

afterAll(closePool);

async function whole(pieces: AsyncIterable<string>): Promise<string> {
  let all = '';
  for await (const piece of pieces) all += piece;
  return all;
}

/** The canonical JSON of bytes that come in pieces. */
function canonical(bytes: Buffer, size: () => number): unknown {
  const reader = new native.RdbJson(true);
  const found: Buffer[] = [];
  for (let at = 0; at < bytes.length; ) {
    const next = at + size();
    found.push(reader.push(bytes.subarray(at, next)));
    at = next;
  }
  for (let piece = reader.finish(); piece.length > 0; piece = reader.finish()) found.push(piece);
  return JSON.parse(Buffer.concat(found).toString());
}

/** Of one file it was not recorded whether the checksum is right; it is. */
function expectation(expected: unknown): unknown {
  const json = expected as { crc: string };
  return { ...json, crc: json.crc === 'not checked' ? 'ok' : json.crc };
}

describe.skipIf(!haveFixtures)(`files of real servers (${haveFixtures ? 'here' : FIXTURES_MISSING})`, () => {
  const byteByByteMax = 200_000;
  const manyWaysMax = 20_000;
  const random = new SeededRandom(11);

  test.each(validFiles())('$name', { timeout: 120_000 }, ({ path, expected }) => {
    const bytes = readFileSync(path);
    const wanted = expectation(expected());
    expect(canonical(bytes, () => bytes.length)).toEqual(wanted);
    expect(canonical(bytes, () => 1 + random.below(9_000))).toEqual(wanted);
    for (const size of bytes.length <= manyWaysMax ? [2, 7, 61, 4_099] : [65_521])
      expect(canonical(bytes, () => size)).toEqual(wanted);
    if (bytes.length <= byteByByteMax) expect(canonical(bytes, () => 1)).toEqual(wanted);
  });

  test('all of them are read or refused here', () => {
    const { all, broken, payloads } = listed();
    const read = [...validFiles().map(({ path }) => path), enterpriseFile()];
    expect([...read, ...brokenFiles(), ...brokenPayloads()].sort()).toEqual(all.sort());
    expect(brokenFiles()).toEqual(expect.arrayContaining(broken));
    expect(brokenPayloads().sort()).toEqual(payloads.sort());
  });

  test('what only Redis Enterprise understands is passed over', () => {
    const bytes = readFileSync(enterpriseFile());
    const { keys } = canonical(bytes, () => bytes.length) as { keys: unknown[] };
    expect(keys.length).toBeGreaterThan(0);
    expect(canonical(bytes, () => 1)).toMatchObject({ keys });
  });

  test('the command line gives the same', async () => {
    const [first] = validFiles();
    if (first === undefined) throw new Error('no file');
    expect(JSON.parse(await whole(rdbJson(first.path, { canonical: true })))).toEqual(first.expected());
    JSON.parse(await whole(rdbJson(first.path)));
  });

  test.each(brokenFiles())('%s is refused', async (path) => {
    const refused = { code: 'CORRUPT', message: expect.stringMatching(/ at offset \d+$/) };
    await expect(inspectOrJson(path)).rejects.toMatchObject(refused);
    await expect(inspectOrJson(path)).rejects.toThrow(basename(path));
    using keyspace = new Local();
    await expect(loadFile(path, keyspace.id)).rejects.toMatchObject(refused);
  });

  test.each(brokenPayloads())('%s is refused', (path) => {
    const payload = readFileSync(path);
    const body = Buffer.concat([payload.subarray(0, -10), Buffer.of(11, 0)]);
    using keyspace = new Local();
    expect(() => keyspace.handle.call(['RESTORE', 'k', '0', sealed(body)])).toThrow('Bad data format');
    expect(keyspace.handle.call(['DBSIZE'])).toBe(0);
    const record = Buffer.concat([payload.subarray(0, 1), text('k'), payload.subarray(1, -10)]);
    const bytes = file(record);
    expect(() => canonical(bytes, () => bytes.length)).toThrow(/ at offset \d+$/);
  });
});

/** The canonical form looks at everything. */
async function inspectOrJson(path: string): Promise<void> {
  await whole(rdbJson(path, { canonical: true }));
}

/** A keyspace with a handle. */
class Local implements Disposable {
  readonly id = native.keyspaceCreate();
  readonly handle = native.attach([this.id], 'plain', false);

  [Symbol.dispose](): void {
    this.handle.release();
    native.keyspaceClose(this.id);
  }
}

describe('a file made by hand', () => {
  test('cut anywhere is refused, and changes nothing', async () => {
    using temporary = new Temporary();
    using keyspace = new Local();
    keyspace.handle.set('held', 'before');
    const before = native.digest(keyspace.id);
    const bytes = smallFile();
    for (let cut = 0; cut < bytes.length; cut++) {
      const path = temporary.path('cut.rdb');
      writeFileSync(path, bytes.subarray(0, cut));
      const load = loadFile(path, keyspace.id);
      await expect(load).rejects.toMatchObject({ code: 'CORRUPT', name: 'HoldfastError' });
    }
    expect(native.digest(keyspace.id)).toBe(before);
    writeFileSync(temporary.path('whole.rdb'), bytes);
    const { keys, aux } = await loadFile(temporary.path('whole.rdb'), keyspace.id);
    expect({ keys, aux }).toEqual({ keys: 5, aux: [['redis-ver', '7.0.15']] });
    expect(keyspace.handle.get('held')).toBeNull();
  });

  test('with a wrong checksum changes nothing', async () => {
    using temporary = new Temporary();
    using keyspace = new Local();
    keyspace.handle.set('held', 'before');
    const bytes = smallFile();
    const last = bytes.length - 1;
    bytes.writeUInt8(bytes.readUInt8(last) ^ 1, last);
    const path = temporary.path('wrong.rdb');
    writeFileSync(path, bytes);
    await expect(loadFile(path, keyspace.id)).rejects.toThrow(/wrong\.rdb: checksum is .* at offset \d+$/);
    expect(keyspace.handle.call(['DBSIZE'])).toBe(1);
  });

  test('with several databases loads the one that is asked for', async () => {
    using temporary = new Temporary();
    using keyspace = new Local();
    const path = temporary.path('databases.rdb');
    writeFileSync(path, file(stringKey('a', '0'), Buffer.of(0xfe, 2), stringKey('b', '2')));
    await expect(loadFile(path, keyspace.id)).rejects.toThrow('database 2');
    const stats = await loadFile(path, keyspace.id, { db: 2 });
    expect(stats).toMatchObject({ keys: 1, otherDatabases: 1 });
    expect(keyspace.handle.get('b')).toBe('2');
  });

  test('is inspected', async () => {
    using temporary = new Temporary();
    const path = temporary.path('small.rdb');
    writeFileSync(path, smallFile());
    const report = await inspectRdb(path);
    expect(report).toMatchObject({ version: 10, keys: 5, checksum: 'right', aux: [['redis-ver', '7.0.15']] });
    expect(report.types.map(({ type }) => type)).toEqual(['string', 'list', 'set', 'hash', 'zset']);
    expect(report.biggest).toHaveLength(5);
  });

  test('as plain JSON is what a person expects', async () => {
    using temporary = new Temporary();
    const path = temporary.path('small.rdb');
    writeFileSync(path, smallFile());
    const json = JSON.parse(await whole(rdbJson(path)));
    expect(json).toEqual([{ s: 'value', l: ['a', 'b'], set: ['m'], h: { f: 'v' }, z: { m: 1.5 } }]);
  });

  test('that is not there is an IO error', async () => {
    await expect(inspectRdb('/nowhere/dump.rdb')).rejects.toMatchObject({ code: 'IO' });
  });
});
