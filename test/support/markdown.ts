/** Documents whose programs and commands are run. */
import { mkdirSync, mkdtempSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';

/** The folder of the package. */
export const ROOT = fileURLToPath(new URL('../../', import.meta.url));

/** A fenced block. */
export interface Block {
  readonly line: number;
  readonly language: string;
  readonly text: string;
}

/** Every fenced block, with the line that it begins at. */
export function blocksOf(markdown: string): Block[] {
  return [...markdown.matchAll(/^```(\w*)\n(.*?)^```$/gms)].map(
    ({ index, 1: language = '', 2: text = '' }) => {
      return { line: markdown.slice(0, index).split('\n').length + 1, language, text };
    },
  );
}

/** A folder from which `holdfast` and the types of Node are found, as in a project of a user. */
export function makeProject(): string {
  const folder = mkdtempSync(join(tmpdir(), 'holdfast-docs-'));
  mkdirSync(join(folder, 'node_modules'));
  symlinkSync(ROOT, join(folder, 'node_modules', 'holdfast'));
  symlinkSync(join(ROOT, 'node_modules', '@types'), join(folder, 'node_modules', '@types'));
  writeFileSync(join(folder, 'package.json'), '{ "type": "module" }');
  return folder;
}
