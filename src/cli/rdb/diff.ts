import { HoldfastError } from '../../errors.js';
import { type Difference, diffRdb } from '../../rdb/workbench/diff.js';
import { EXIT, FileTrouble } from '../failure.js';
import { printAll } from '../output.js';
import { runTool, shownKey, sourceOf, type WorkOptions } from './run.js';

/** `holdfast rdb diff`: keys that differ. Resolves to the exit code: 1 if there are any. */
export async function diffCommand(
  before: string,
  after: string,
  { json = false }: { json?: boolean },
): Promise<number> {
  const counts = { added: 0, removed: 0, changed: 0 };
  const about = { verb: 'comparing', path: after, isPrinting: true };
  try {
    await runTool(about, (options) => {
      const differences = counted(before, after, options, counts);
      const text = json ? jsonLines(differences, counts) : textLines(differences, counts);
      return printAll(text, options.signal);
    });
  } catch (error) {
    // Exit code 1 says that the files differ, not that one of them cannot be read.
    if (!(error instanceof HoldfastError) || error.code !== 'CORRUPT') throw error;
    throw new FileTrouble(error.code, error.message, { cause: error });
  }
  return isEqual(counts) ? EXIT.fine : EXIT.failed;
}

type Counts = Record<Difference['kind'], number>;

const isEqual = ({ added, removed, changed }: Counts): boolean => added + removed + changed === 0;

async function* counted(
  before: string,
  after: string,
  options: WorkOptions,
  counts: Counts,
): AsyncGenerator<Difference> {
  for await (const difference of diffRdb(sourceOf(before), sourceOf(after), options)) {
    counts[difference.kind]++;
    yield difference;
  }
}

const SIGNS = { added: '+', removed: '-', changed: '~' } as const;

async function* textLines(differences: AsyncIterable<Difference>, counts: Counts): AsyncGenerator<string> {
  for await (const difference of differences) yield `${textOf(difference)}\n`;
  const { added, removed, changed } = counts;
  yield isEqual(counts) ? 'no differences\n' : `${added} added, ${removed} removed, ${changed} changed\n`;
}

function textOf(difference: Difference): string {
  if (difference.library !== undefined) {
    const name = shownKey(Buffer.from(difference.library));
    return `${SIGNS[difference.kind]} ${name}  library of functions`;
  }
  const { kind, db, key } = difference;
  const name = `${SIGNS[kind]} ${db === 0 ? '' : `[${db}] `}${shownKey(key)}`;
  switch (difference.kind) {
    case 'added':
      return `${name}  ${difference.after.type}`;
    case 'removed':
      return `${name}  ${difference.before.type}`;
    case 'changed': {
      const { before, after, changes } = difference;
      const types = before.type === after.type ? after.type : `${before.type} to ${after.type}`;
      return `${name}  ${types}: ${changes.join(', ')}`;
    }
  }
}

async function* jsonLines(differences: AsyncIterable<Difference>, counts: Counts): AsyncGenerator<string> {
  let before = '{\n  "differences": [';
  for await (const difference of differences) {
    yield `${before}\n    ${JSON.stringify(namedFirst(difference))}`;
    before = ',';
  }
  const end = before === ',' ? '\n  ]' : `${before}]`;
  const { added, removed, changed } = counts;
  yield `${end},\n  "added": ${added},\n  "removed": ${removed},\n  "changed": ${changed}\n}\n`;
}

function namedFirst(difference: Difference): object {
  if (difference.library !== undefined) return { library: difference.library, kind: difference.kind };
  const { key, ...rest } = difference;
  return { key: textOfKey(key), ...rest };
}

/** As text if it is UTF-8, else a character for each byte. */
function textOfKey(key: Buffer): string {
  const text = key.toString();
  return Buffer.from(text).equals(key) ? text : key.toString('latin1');
}
