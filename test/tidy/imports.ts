/** Rules about who imports whom. */
import { posix } from 'node:path';
import type { SourceFile } from './tree.js';

/**
 * Which folders of `src` a folder may import from, beside itself. Files that stand in `src` itself are named without
 * their ending. `errors` and `limits` are open to all but `raft`, which imports nothing.
 */
const MAY_IMPORT: Readonly<Record<string, readonly string[]>> = {
  raft: [],
  errors: [],
  limits: [],
  events: ['raft', 'keyspace'],
  keyspace: ['commands', 'rdb'],
  commands: ['keyspace'],
  rdb: ['keyspace'],
  replication: ['raft', 'keyspace'],
  shards: ['raft', 'replication', 'keyspace', 'commands', 'rdb', 'events', 'options', 'resp'],
  options: ['raft', 'replication', 'keyspace', 'events', 'shards', 'backups'],
  engine: ['commands', 'keyspace', 'shards', 'raft', 'rdb', 'options', 'events'],
  store: [
    'engine',
    'commands',
    'keyspace',
    'shards',
    'replication',
    'raft',
    'rdb',
    'resp',
    'options',
    'events',
    'backups',
  ],
  resp: ['engine', 'commands', 'keyspace', 'options', 'events'],
  remote: ['keyspace', 'rdb', 'replication'],
  backups: ['rdb'],
  workbench: ['rdb', 'remote'],
  cli: ['store', 'index', 'options', 'events', 'keyspace', 'rdb', 'replication', 'remote'],
  index: [
    'engine',
    'store',
    'raft',
    'commands',
    'keyspace',
    'options',
    'events',
    'rdb',
    'resp',
    'shards',
    'replication',
    'remote',
    'backups',
  ],
};

const OPEN_TO_ALL = ['errors', 'limits'];
const IMPORT = /(?:\bfrom|\bimport)\s*\(?\s*'([^']+)'/g;
const URL_OF_FILE = /new URL\('(\.[^']+\.js)',\s*import\.meta\.url\)/g;

/** Where the programs of the package begin: everything has to be reachable from there. */
const ENTRIES = ['src/index.ts', 'src/workbench.ts', 'src/cli/main.ts'];

const isSource = ({ path }: SourceFile): boolean => /^src\/.*\.ts$/.test(path);

/** The folder of a source file, or its name if it stands in `src` itself. */
function areaOf(path: string): string {
  return path.replace(/^src\//, '').replace(/(\/.*|\.ts)$/, '');
}

function specifiers(text: string, pattern: RegExp): string[] {
  return [...text.matchAll(pattern)].map(([, specifier = '']) => specifier);
}

function resolved(file: SourceFile, specifier: string): string {
  return posix.join(posix.dirname(file.path), specifier).replace(/\.js$/, '.ts');
}

/** Imports that go up, or where nothing may go. */
export function importDirections(file: SourceFile): string[] {
  if (!isSource(file)) return [];
  const area = areaOf(file.path);
  const allowed = MAY_IMPORT[area];
  if (allowed === undefined) return [`${file.path}: no rule says what ${area} may import`];
  const open = area === 'raft' ? [] : OPEN_TO_ALL;
  const problems: string[] = [];
  for (const specifier of specifiers(file.text, IMPORT)) {
    if (!specifier.startsWith('.')) {
      if (area === 'raft') problems.push(`${file.path}: raft imports nothing, not ${specifier}`);
      continue;
    }
    const target = areaOf(resolved(file, specifier));
    if (target !== area && !allowed.includes(target) && !open.includes(target)) {
      problems.push(`${file.path}: ${area} may not import ${target}`);
    }
  }
  return problems;
}

/** Anything but `keyspace/native.ts` that loads the addon. */
export function addonLoaders(file: SourceFile): string[] {
  if (!isSource(file) || file.path === 'src/keyspace/native.ts') return [];
  const loads = /build\/holdfast|holdfast\.cjs|\.node['"]|process\.dlopen/.test(file.text);
  return loads ? [`${file.path}: only keyspace/native.ts loads the addon`] : [];
}

/** Node-API named outside of the binding. */
export function nodeApiUses(file: SourceFile): string[] {
  if (!/^native\/src\/.*\.rs$/.test(file.path) || file.path.startsWith('native/src/binding/')) return [];
  return /\bnapi/.test(file.text) ? [`${file.path}: only native/src/binding names napi`] : [];
}

/** Source files that no entry reaches, neither by import nor as the file of a worker. */
export function unreachable(files: readonly SourceFile[]): string[] {
  const sources = new Map(files.filter(isSource).map((file) => [file.path, file]));
  const seen = new Set<string>();
  const waiting = ENTRIES.filter((path) => sources.has(path));
  for (let path = waiting.pop(); path !== undefined; path = waiting.pop()) {
    const file = sources.get(path);
    if (file === undefined || seen.has(path)) continue;
    seen.add(path);
    const next = [...specifiers(file.text, IMPORT), ...specifiers(file.text, URL_OF_FILE)];
    waiting.push(...next.filter((specifier) => specifier.startsWith('.')).map((one) => resolved(file, one)));
  }
  return [...sources.keys()].filter((path) => !seen.has(path)).map((path) => `${path}: nothing imports it`);
}
