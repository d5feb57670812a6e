/** What is agreed about the sources, as tests. Each rule comes with an example that breaks it. */
import { describe, expect, test } from 'vitest';
import { addonLoaders, importDirections, nodeApiUses, unreachable } from './tidy/imports.js';
import {
  clockReads,
  leftovers,
  longFiles,
  longFunctions,
  machinePaths,
  registryAddresses,
} from './tidy/text.js';
import { readTree, type SourceFile } from './tidy/tree.js';

interface Rule {
  readonly name: string;
  check(file: SourceFile): string[];
  /** Files that break the rule. */
  readonly broken: readonly SourceFile[];
  /** Files that look alike, and keep it. */
  readonly kept: readonly SourceFile[];
}

const lines = (count: number, line = 'x'): string => `${line}\n`.repeat(count);
const file = (path: string, text: string): SourceFile => ({ path, text });

const RULES: readonly Rule[] = [
  {
    name: 'imports go down',
    check: importDirections,
    broken: [
      file('src/raft/log.ts', "import { HoldfastError } from '../errors.js';"),
      file('src/raft/log.ts', "import { readFileSync } from 'node:fs';"),
      file('src/commands/table.ts', "import type { Store } from '../store.js';"),
      file('src/store.ts', "const { main } = await import('./cli/main.js');"),
      file('src/novelty/new.ts', ''),
    ],
    kept: [
      file('src/raft/log.ts', "import type { Entry } from './types.js';"),
      file('src/store.ts', "export { x } from './shards/router.js';"),
    ],
  },
  {
    name: 'one file loads the addon',
    check: addonLoaders,
    broken: [file('src/rdb/reader.ts', "require('../../build/holdfast.cjs')")],
    kept: [file('src/keyspace/native.ts', "require('../../build/holdfast.cjs')")],
  },
  {
    name: 'one folder names Node-API',
    check: nodeApiUses,
    broken: [file('native/src/keyspace/mod.rs', 'use napi::Env;')],
    kept: [file('native/src/binding/mod.rs', 'use napi::Env;')],
  },
  {
    name: 'time and chance come from outside',
    check: clockReads,
    broken: [
      file('src/raft/core.ts', 'const now = Date.now();'),
      file('src/store.ts', 'Math.random()'),
      file('src/store.ts', 'new Date()'),
    ],
    kept: [file('test/api/keys.test.ts', 'Date.now()'), file('src/store.ts', 'new Date(0)')],
  },
  {
    name: 'nothing is left over',
    check: leftovers,
    broken: [
      file('src/store.ts', `// ${'TO'}${'DO'}: more`),
      file('native/src/lib.rs', `${'to'}${'do'}!()`),
      file('test/a.test.ts', `test.${'only'}('x', () => {});`),
    ],
    kept: [file('test/a.test.ts', "test('x', () => {});")],
  },
  {
    name: 'files can be read',
    check: longFiles,
    broken: [file('src/store.ts', lines(601)), file('test/a.test.ts', lines(801))],
    kept: [file('src/store.ts', lines(600)), file('test/a.test.ts', lines(800))],
  },
  {
    name: 'functions can be held in the head',
    check: longFunctions,
    broken: [
      file('src/store.ts', `export function long() {\n${lines(60)}}\n`),
      file('src/store.ts', `  #long(a: number): void {\n${lines(60)}  }\n`),
      file('native/src/lib.rs', `    pub fn long() {\n${lines(60)}    }\n`),
    ],
    kept: [
      file('src/store.ts', `export function short() {\n${lines(58)}}\nfunction next() {\n${lines(58)}}\n`),
      file('native/src/lib.rs', `fn declared();\n${lines(3)}`),
    ],
  },
  {
    name: 'lock files name no registry',
    check: registryAddresses,
    broken: [
      file('package-lock.json', '"resolved": "https://registry.example/x.tgz"'),
      file('native/Cargo.lock', 'source = "registry+https://crates.example/index"'),
    ],
    kept: [file('native/Cargo.lock', 'source = "registry+https://github.com/rust-lang/crates.io-index"')],
  },
  {
    name: 'nothing names a machine',
    check: machinePaths,
    broken: [file('src/store.ts', "const dir = '/home/ann/data';"), file('README.md', 'see /root/x')],
    kept: [file('src/store.ts', "import x from './work/home.js'; // https://example.org/home/page")],
  },
];

const tree = readTree();

describe.each(RULES)('$name', ({ check, broken, kept }) => {
  test('in every file', () => {
    expect(tree.flatMap(check)).toEqual([]);
  });

  test('is noticed when it is broken', () => {
    for (const example of broken) expect(check(example), example.text.slice(0, 60)).not.toEqual([]);
    for (const example of kept) expect(check(example), example.text.slice(0, 60)).toEqual([]);
  });
});

describe('everything is in use', () => {
  test('every source file is reached from an entry', () => {
    expect(unreachable(tree)).toEqual([]);
  });

  test('is noticed when it is broken', () => {
    const files = [
      file('src/index.ts', "export { a } from './a.js';"),
      file('src/a.ts', "new Worker(new URL('./worker.js', import.meta.url))"),
      file('src/worker.ts', ''),
      file('src/forgotten.ts', ''),
    ];
    expect(unreachable(files)).toEqual(['src/forgotten.ts: nothing imports it']);
  });
});

test('the tree has been read', () => {
  const paths = tree.map(({ path }) => path);
  for (const path of [
    'src/index.ts',
    'native/src/lib.rs',
    'package-lock.json',
    'native/Cargo.lock',
    '.ci/run',
  ]) {
    expect(paths).toContain(path);
  }
});
