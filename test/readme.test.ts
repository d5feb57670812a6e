/** The README says what is so: its programs run, its commands exist, its tables name what the code has. */
import { type ChildProcess, spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { Command } from 'commander';
import { open } from 'holdfast';
import { afterAll, describe, expect, test } from 'vitest';
import { program } from '../src/cli/program.js';
import { freeAddress } from './support/cluster.js';
import { blocksOf, makeProject, ROOT } from './support/markdown.js';

const README = readFileSync(join(ROOT, 'README.md'), 'utf8');
const WORDS_BEFORE_REFERENCE_MAX = 800;
const PROGRAM_TIMEOUT_MS = 60_000;
const DONE = 'the program has come to its end';

const blocks = blocksOf(README);
const programs = blocks.filter(({ language }) =>
  ['js', 'mjs', 'ts', 'javascript', 'typescript'].includes(language),
);
const commandLines = blocks
  .filter(({ language }) => language === 'sh')
  .flatMap(({ text }) => text.split('\n').flatMap((line) => line.split('&&')))
  .map((line) => line.trim())
  .filter((line) => line !== '');

const project = makeProject();
const children: ChildProcess[] = [];
afterAll(() => {
  for (const child of children) if (child.exitCode === null) child.kill('SIGKILL');
  rmSync(project, { recursive: true, force: true });
});

/** A program that runs. */
interface Run {
  readonly child: ChildProcess;
  /** Resolves when the last line of the program has run; rejects if the process ends before. */
  readonly done: Promise<void>;
  /** Resolves when the process has ended. */
  readonly ended: Promise<unknown>;
  output(): string;
}

/** Runs a program in a folder of its own, as the peer of that name. */
function run(text: string, folderName: string, peer: string): Run {
  const folder = join(project, folderName);
  mkdirSync(folder);
  writeFileSync(join(folder, 'program.mjs'), `${text}\nconsole.log('${DONE}');\n`);
  const child = spawn(process.execPath, ['program.mjs'], {
    cwd: folder,
    env: { ...process.env, HOLDFAST_NAME: peer, HOLDFAST_SECRET: 'of the test' },
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  children.push(child);
  let output = '';
  const ended = once(child, 'close');
  const done = new Promise<void>((resolve, reject) => {
    const hear = (bytes: Buffer): void => {
      output += bytes.toString();
      if (output.includes(DONE)) resolve();
    };
    child.stdout?.on('data', hear);
    child.stderr?.on('data', hear);
    ended.then(() => reject(new Error(`the program ended early:\n${output}`)));
  });
  return { child, done, ended, output: () => output };
}

/** The addresses of the text, each replaced by a free one of this machine. */
async function onThisMachine(text: string): Promise<string> {
  let local = text;
  for (const address of new Set(text.match(/10\.0\.0\.\d+:\d+/g))) {
    local = local.replaceAll(address, await freeAddress());
  }
  return local;
}

describe('programs', () => {
  test('are there', () => {
    expect(programs.length).toBeGreaterThan(3);
  });

  test.each(programs)(
    'at line $line runs to its end',
    { timeout: PROGRAM_TIMEOUT_MS },
    async ({ line, text }) => {
      const names = /\bpeers: \{/.test(text) ? ['a', 'b', 'c'] : ['alone'];
      const local = await onThisMachine(text);
      const runs = names.map((name) => run(local, `${line}-${name}`, name));
      await Promise.all(runs.map(({ done }) => done));
      if (names.length > 1) for (const { child } of runs) child.kill('SIGTERM');
      await Promise.all(runs.map(({ ended }) => ended));
      for (const { child, output } of runs) {
        expect({ exitCode: child.exitCode, signal: child.signalCode }, output()).toEqual({
          exitCode: 0,
          signal: null,
        });
      }
    },
  );

  test('one that throws is noticed', async () => {
    await expect(run("throw new Error('no');", 'throws', 'alone').done).rejects.toThrow('ended early');
  });

  test('are right to the compiler', { timeout: PROGRAM_TIMEOUT_MS }, () => {
    const files = programs.map(({ line, text }) => {
      const file = join(project, `line-${line}.ts`);
      writeFileSync(file, text);
      return file;
    });
    const flags = [
      '--noEmit',
      '--strict',
      '--module',
      'nodenext',
      '--target',
      'es2023',
      '--types',
      'node',
      '--skipLibCheck',
    ];
    const tsc = join(ROOT, 'node_modules', '.bin', 'tsc');
    const { status, stdout } = spawnSync(tsc, [...flags, ...files], { cwd: project, encoding: 'utf8' });
    expect({ status, stdout }).toEqual({ status: 0, stdout: '' });
  });
});

/** What is wrong with a line of the command line; undefined if it could be run. */
function wrongWith(line: string): string | undefined {
  const { scripts } = JSON.parse(readFileSync(join(ROOT, 'package.json'), 'utf8'));
  const [tool, ...words] = line.split(/\s+/);
  if (tool === 'npx' && words[0] === 'holdfast')
    return wrongWithCommand(
      program(() => {}),
      words.slice(1),
    );
  if (tool !== 'npm') return `${tool} is no tool of this project`;
  const [verb = '', name = ''] = words;
  if (verb === 'ci') return undefined;
  const script = verb === 'run' ? name : verb;
  return script in scripts ? undefined : `there is no script ${script}`;
}

function wrongWithCommand(command: Command, words: readonly string[]): string | undefined {
  const [first, ...rest] = words;
  const next = command.commands.find((one) => one.name() === first);
  if (next !== undefined) return wrongWithCommand(next, rest);
  if (command.commands.length > 0) return `${command.name()} has no command ${first}`;
  const known = command.options.map(({ long }) => long);
  const unknown = words.find((word) => word.startsWith('--') && !known.includes(word));
  return unknown === undefined ? undefined : `${command.name()} has no option ${unknown}`;
}

describe('commands', () => {
  test.each(commandLines)('%s', (line) => {
    expect(wrongWith(line)).toBeUndefined();
  });

  test('that do not exist are noticed', () => {
    for (const line of ['npm run nothing', 'npx holdfast nothing', 'npx holdfast demo --nothing', 'make']) {
      expect(wrongWith(line), line).toBeDefined();
    }
  });
});

/** The first column of the table in a section, without its backquotes. */
function firstColumn(heading: string): string[] {
  const section = README.split(/^#+ /m).find((text) => text.startsWith(`${heading}\n`)) ?? '';
  return [...section.matchAll(/^\| `([^`]+)` \|/gm)].map(([, name = '']) => name);
}

/** What `open` says it knows, when it is given something else. */
async function known(options: object): Promise<string[]> {
  const refused = await open(options).catch(({ message }: Error) => message);
  return String(refused)
    .replace(/^.*known are /, '')
    .split(', ');
}

describe('tables', () => {
  test('of options', async () => {
    expect(firstColumn('Options of open()')).toEqual(await known({ nothing: 1 }));
  });

  test('of events', async () => {
    expect(firstColumn('Events')).toEqual(await known({ on: { nothing: () => {} } }));
  });

  test('of error codes', () => {
    const source = readFileSync(join(ROOT, 'src', 'errors.ts'), 'utf8');
    const codes = [...source.matchAll(/^ {2}\| '([A-Z_]+)'$/gm)].map(([, code = '']) => code);
    expect(firstColumn('Error codes').sort()).toEqual(codes.sort());
  });
});

describe('text', () => {
  test('names files that exist', () => {
    const named = [...README.matchAll(/`((?:src|native|test|bench|\.ci)\/[\w./-]*)`|\]\(([\w./-]+)\)/g)];
    const paths = named.map(([, quoted, linked]) => quoted ?? linked ?? '');
    expect(paths.length).toBeGreaterThan(40);
    expect(paths.filter((path) => !existsSync(join(ROOT, path)))).toEqual([]);
  });

  test('is short before the reference', () => {
    const [before = ''] = README.split(/^# Reference$/m);
    const prose = before.replaceAll(/^```.*?^```$/gms, '');
    const words = prose.split(/\s+/).filter((word) => /[a-z0-9]/i.test(word));
    expect(words.length).toBeLessThanOrEqual(WORDS_BEFORE_REFERENCE_MAX);
  });
});
