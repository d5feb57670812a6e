/** Rules about the text of single files. */
import type { SourceFile } from './tree.js';

const FILE_LINES_MAX = 600;
const TEST_LINES_MAX = 800;
const FUNCTION_LINES_MAX = 60;

/** The files that may ask for the time, and why. */
const CLOCK_READERS: Readonly<Record<string, string>> = {
  'src/replication/link.ts': 'times round trips of the link',
  'src/replication/connection.ts': 'closes silent connections',
  'src/shards/shard-worker.ts': 'gives the groups their wall clock',
  'src/shards/sockets.ts': 'gives the link its dice',
  'src/shards/shard.ts': 'gives a group its dice',
  'src/shards/load.ts': 'tells how long a load took',
  'src/backups/schedule.ts': 'knows when a backup is due',
  'src/remote/index.ts': 'tells how long a backup took',
  'src/remote/restore-run.ts': 'gives up when too long nothing moves',
};
/** The command line measures and shows what it does, beside the store. */
const isCommandLine = (path: string): boolean => path.startsWith('src/cli/');

const CODE = /\.(ts|mjs|rs)$/;
const isTest = (path: string): boolean =>
  /^test\/|^native\/(tests|benches|fuzz|loom)\/|\/tests?(\/|\.rs$)/.test(path);
/** The rules themselves have to name what they forbid. */
const isRule = (path: string): boolean => path.startsWith('test/tidy');

function linesOf(file: SourceFile): string[] {
  return file.text.split('\n');
}

/** Clocks and dice that no test can hold. */
export function clockReads(file: SourceFile): string[] {
  if (!/^src\/.*\.ts$/.test(file.path) || file.path in CLOCK_READERS || isCommandLine(file.path)) return [];
  const found = /\b(Date\.now|Math\.random|performance\.now|process\.hrtime)\b|\bnew Date\(\)/.exec(
    file.text,
  );
  return found === null ? [] : [`${file.path}: reads ${found[0]}; time and chance come from outside`];
}

/** Marks of unfinished work. */
export function leftovers(file: SourceFile): string[] {
  if (!CODE.test(file.path) || isRule(file.path)) return [];
  const pattern = /\b(FIXME|TODO|XXX|HACK)\b|\b(test|describe|it)\.only\b|\bdbg!|\bunimplemented!|\btodo!/;
  return linesOf(file).flatMap((line, i) => {
    const found = pattern.exec(line);
    return found === null ? [] : [`${file.path}:${i + 1}: ${found[0]}`];
  });
}

/** Files that are too long to be read. */
export function longFiles(file: SourceFile): string[] {
  if (!CODE.test(file.path)) return [];
  const most = isTest(file.path) ? TEST_LINES_MAX : FILE_LINES_MAX;
  const lines = linesOf(file).length - 1;
  return lines > most ? [`${file.path}: ${lines} lines, ${most} are the most`] : [];
}

const RUST_FUNCTION =
  /^(\s*)(?:pub(?:\([^)]*\))? )?(?:const )?(?:async )?(?:unsafe )?(?:extern "C" )?fn (\w+)/;
const TS_FUNCTION = /^(\s*)(?:export )?(?:default )?(?:async )?function\*? (\w+)/;
const TS_METHOD =
  /^( {2,})(?!if\b|for\b|while\b|switch\b|catch\b|return\b)(?:static |async |override |get |set |\*)*(#?\w+)(?:<.*>)?\(.*\{$/;

/** Functions that are too long to be held in the head. Files are formatted, so a body ends at its own indentation. */
export function longFunctions(file: SourceFile): string[] {
  if (isTest(file.path) || !CODE.test(file.path)) return [];
  const lines = linesOf(file);
  const problems: string[] = [];
  for (const [i, line] of lines.entries()) {
    const start = file.path.endsWith('.rs')
      ? RUST_FUNCTION.exec(line)
      : (TS_FUNCTION.exec(line) ?? TS_METHOD.exec(line));
    if (start === null) continue;
    const [, indent = '', name = ''] = start;
    const end = lines.findIndex(
      (later, j) =>
        j > i && (later === `${indent}}` || (later.endsWith(';') && later.startsWith(`${indent})`))),
    );
    if (end - i + 1 > FUNCTION_LINES_MAX)
      problems.push(`${file.path}:${i + 1}: ${name} has ${end - i + 1} lines`);
  }
  return problems;
}

/** Addresses of registries in lock files: a clone elsewhere uses its own. */
export function registryAddresses(file: SourceFile): string[] {
  if (file.path.endsWith('package-lock.json')) {
    return /"resolved": "https?:/.test(file.text) ? [`${file.path}: names a registry`] : [];
  }
  if (!file.path.endsWith('Cargo.lock')) return [];
  const others = file.text
    .match(/^source = .*$/gm)
    ?.filter((line) => !line.includes('github.com/rust-lang/crates.io-index'));
  return (others ?? []).map((line) => `${file.path}: ${line}`);
}

/** Paths of the machine that something was written on. */
export function machinePaths(file: SourceFile): string[] {
  if (isRule(file.path)) return [];
  const found = /(?<![\w.])\/(work|home|root|Users)\/[\w.-]+/.exec(file.text);
  return found === null ? [] : [`${file.path}: names ${found[0]}`];
}
