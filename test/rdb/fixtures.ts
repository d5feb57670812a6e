/** RDB files of real servers, where they are at hand: in `HOLDFAST_RDB_FIXTURES`, or beside the checkout. */
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { gunzipSync } from 'node:zlib';

const root =
  process.env.HOLDFAST_RDB_FIXTURES ?? fileURLToPath(new URL('../../../shared/rdb', import.meta.url));

/** Whether they are there. */
export const haveFixtures = existsSync(join(root, 'MANIFEST.tsv'));
/** What to say when a test that needs them is skipped. */
export const FIXTURES_MISSING = `no RDB fixtures in ${root}`;

/** A file with the JSON it has to give. */
export interface Valid {
  readonly name: string;
  readonly path: string;
  expected(): unknown;
}

/** Where a file of this name is. */
export function fixturePath(name: string): string {
  return join(root, name);
}

/** Every sound file. */
export function validFiles(): Valid[] {
  const below = join(root, 'expected');
  return names(below, /\.json(\.gz)?$/).map((expectation) => {
    const name = expectation.replace(/\.json(\.gz)?$/, '.rdb');
    const read = () => readFileSync(join(below, expectation));
    const text = () => (expectation.endsWith('.gz') ? gunzipSync(read()) : read()).toString();
    return { name, path: join(root, name), expected: () => JSON.parse(text()) as unknown };
  });
}

/** Every broken file, and one of a version to come. */
export function brokenFiles(): string[] {
  const folder = join(root, 'synthetic', 'invalid');
  const others = haveFixtures ? ['librdb/future_v19.rdb', 'redis-7.2-assets/corrupt_ziplist.rdb'] : [];
  return [
    ...names(folder, /\.rdb$/).map((name) => join(folder, name)),
    ...others.map((name) => join(root, name)),
  ];
}

/** A file whose records mean nothing outside of the server that wrote them. */
export function enterpriseFile(): string {
  return join(root, 'librdb', 'redis_ent_opcode_ram_lru.rdb');
}

/** The files that the lists name: all of them, the broken ones, the broken payloads. */
export function listed(): { all: string[]; broken: string[]; payloads: string[] } {
  const column = (list: string, folder: string) => {
    const [, ...rows] = readFileSync(join(root, list), 'utf8').trimEnd().split('\n');
    return rows.map((row) => join(root, folder, row.split('\t')[0] ?? ''));
  };
  return {
    all: column('MANIFEST.tsv', ''),
    broken: column('synthetic/invalid/index.tsv', 'synthetic/invalid'),
    payloads: column('corrupt-dumps/index.tsv', 'corrupt-dumps'),
  };
}

/** Every broken `RESTORE` payload. */
export function brokenPayloads(): string[] {
  const folder = join(root, 'corrupt-dumps');
  return names(folder, /\.dump$/).map((name) => join(folder, name));
}

function names(folder: string, pattern: RegExp): string[] {
  if (!haveFixtures) return [];
  return readdirSync(folder, { recursive: true, encoding: 'utf8' }).filter((name) => pattern.test(name));
}
