/**
 * The pages in `docs` say what is so: their programs run, in order and in one folder, and every line that begins with `$` prints
 * what stands below it. `HOLDFAST_WRITE_DOCS=1` writes what they print into the pages; only commit what you can explain.
 */
import { spawnSync } from 'node:child_process';
import { chmodSync, mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, describe, expect, test } from 'vitest';
import { type Block, blocksOf, makeProject, ROOT } from './support/markdown.js';

const DOCS = join(ROOT, 'docs');
const TIMEOUT_MS = 120_000;
const IS_WRITING = process.env.HOLDFAST_WRITE_DOCS === '1';
const pages = readdirSync(DOCS).filter((name) => name.endsWith('.md'));

const projects: string[] = [];
afterAll(() => {
  for (const project of projects) rmSync(project, { recursive: true, force: true });
});

/** Runs the blocks of a page, one after the other, in a folder of their own. */
class Page {
  readonly #folder = makeProject();
  readonly #bin = join(this.#folder, 'bin');
  #printed = '';

  constructor() {
    projects.push(this.#folder);
    mkdirSync(this.#bin);
    const command = join(this.#bin, 'holdfast');
    writeFileSync(command, `#!/bin/sh\nexec '${process.execPath}' '${ROOT}dist/cli/main.js' "$@"\n`);
    chmodSync(command, 0o755);
  }

  /** The block as it should be. */
  shown({ language, text, line }: Block): string {
    if (language === 'js') {
      this.#printed = this.#program(text, line);
      return text;
    }
    // What a program prints stands in the block behind it.
    if (language === 'text') return this.#printed;
    return language === 'console' ? this.#console(text) : text;
  }

  #program(text: string, line: number): string {
    const file = `line-${line}.mjs`;
    writeFileSync(join(this.#folder, file), text);
    return this.#run(process.execPath, [file]);
  }

  #console(text: string): string {
    const commands = text.split('\n').filter((line) => line.startsWith('$ '));
    return commands.map((line) => `${line}\n${this.#run('sh', ['-c', line.slice(2)])}`).join('');
  }

  #run(command: string, args: readonly string[]): string {
    const { status, stdout, stderr } = spawnSync(command, args, {
      cwd: this.#folder,
      encoding: 'utf8',
      timeout: TIMEOUT_MS / 2,
      env: { ...process.env, PATH: `${this.#bin}:${process.env.PATH}`, NO_COLOR: '1' },
    });
    expect({ status, stderr }, args.join(' ')).toEqual({ status: 0, stderr: '' });
    return stdout;
  }
}

describe.each(pages)('%s', (name) => {
  test('prints what it shows', { timeout: TIMEOUT_MS }, () => {
    const path = join(DOCS, name);
    const markdown = readFileSync(path, 'utf8');
    const page = new Page();
    let shown = markdown;
    for (const block of blocksOf(markdown)) {
      const fence = `\`\`\`${block.language}\n`;
      shown = shown.replace(`${fence}${block.text}\`\`\``, () => `${fence}${page.shown(block)}\`\`\``);
    }
    if (IS_WRITING) writeFileSync(path, shown);
    else expect(markdown).toBe(shown);
  });
});

test('there are pages', () => {
  expect(pages).toContain('rdb.md');
});
