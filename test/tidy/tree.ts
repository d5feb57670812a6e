/** The files of the checkout, as the tidy rules see them. */
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';

/** A file: its path from the root of the checkout, and its text. */
export interface SourceFile {
  readonly path: string;
  readonly text: string;
}

const ROOT = fileURLToPath(new URL('../../', import.meta.url));
const FOLDERS = ['src', 'native', 'test', 'bench', '.ci'];
const TEXT = /\.(ts|mjs|mts|cjs|js|rs|toml|json|md|txt|lock|sh)$|\/run$/;
const GENERATED = /\/(target|corpus|artifacts|node_modules|fixtures|testdata)(\/|$)/;

/** Every text file that a person wrote. */
export function readTree(): SourceFile[] {
  const paths = readdirSync(ROOT).filter((name) => TEXT.test(name));
  for (const folder of FOLDERS) paths.push(...pathsBelow(folder));
  return paths.map((path) => ({ path, text: readFileSync(join(ROOT, path), 'utf8') }));
}

function pathsBelow(folder: string): string[] {
  const found: string[] = [];
  try {
    for (const entry of readdirSync(join(ROOT, folder), { withFileTypes: true })) {
      const path = `${folder}/${entry.name}`;
      if (GENERATED.test(path)) continue;
      if (entry.isDirectory()) found.push(...pathsBelow(path));
      else if (TEXT.test(path)) found.push(path);
    }
  } catch (error) {
    if (!(error instanceof Error && 'code' in error && error.code === 'ENOENT')) throw error;
  }
  return found;
}
