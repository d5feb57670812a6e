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

/** Every broken file. */
export function brokenFiles(): string[] {
  const folder = join(root, 'synthetic', 'invalid');
  return names(folder, /\.rdb$/).map((name) => join(folder, name));
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
