/** Compiles `floor.cc` with the system's C++ compiler, when it is newer than what was compiled before. */
import { spawnSync } from 'node:child_process';
import { mkdirSync, renameSync, statSync } from 'node:fs';
import { createRequire } from 'node:module';
import { dirname } from 'node:path';
import { fileURLToPath } from 'node:url';

const require = createRequire(import.meta.url);
const SOURCE = fileURLToPath(new URL('./floor.cc', import.meta.url));
/** Below `build`, which is not part of the sources. */
const OUTPUT = fileURLToPath(new URL(`../../build/bench/floor-${process.arch}.node`, import.meta.url));
const COMPILER = process.env.CXX ?? 'c++';

const includes = [
  require('node-api-headers').include_dir as string,
  dirname(require.resolve('node-addon-api/package.json')),
];

function isCurrent(): boolean {
  const made = statSync(OUTPUT, { throwIfNoEntry: false });
  return made !== undefined && made.mtimeMs > statSync(SOURCE).mtimeMs;
}

/** Why there is no addon; undefined if there is one now. */
export function buildFloor(): string | undefined {
  if (isCurrent()) return undefined;
  mkdirSync(dirname(OUTPUT), { recursive: true });
  const unfinished = `${OUTPUT}.${process.pid}`;
  const undefinedSymbols = process.platform === 'darwin' ? ['-undefined', 'dynamic_lookup'] : [];
  const language = [
    '-std=c++17',
    '-O2',
    '-shared',
    '-fPIC',
    '-DNODE_ADDON_API_DISABLE_CPP_EXCEPTIONS',
    ...undefinedSymbols,
  ];
  const flags = [...language, ...includes.flatMap((path) => ['-I', path]), SOURCE, '-o', unfinished];
  const { status, error, stderr } = spawnSync(COMPILER, flags, { encoding: 'utf8' });
  if (error !== undefined) return `there is no C++ compiler (${COMPILER})`;
  if (status !== 0)
    return `${COMPILER} failed: ${stderr.split('\n').find((line) => line.includes('error')) ?? stderr}`;
  renameSync(unfinished, OUTPUT);
  return undefined;
}

/** The functions of `floor.cc`, in one of its two forms. */
export interface FloorFunctions {
  empty(): void;
  stringIn(text: string): number;
  stringOut(): string;
  bufferIn(bytes: Buffer): number;
  bufferOut(): Buffer;
  /** Ten short strings, each set as an element. */
  arraySet(): string[];
  /** Ten short strings, as the arguments of a function that gives them as an array. */
  arrayCalled(collect: (...items: string[]) => string[]): string[];
}

/** Loads what {@link buildFloor} made. */
export function loadFloor(): { readonly plain: FloorFunctions; readonly wrapped: FloorFunctions } {
  return require(OUTPUT);
}
