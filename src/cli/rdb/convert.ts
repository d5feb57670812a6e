import { type ConvertOptions, convertRdb } from '../../rdb/workbench/convert.js';
import type { RdbType } from '../../rdb/workbench/shapes.js';
import { EXIT, UsageError } from '../failure.js';
import { printLine } from '../output.js';
import { counted, runTool, sourceOf } from './run.js';

/** Options of the command, as commander gives them. */
export interface ConvertCommandOptions {
  rdbVersion: number;
  match?: string;
  type?: readonly RdbType[];
  db?: number;
  prefix?: string;
  stripTtl?: true;
  dropFunctions?: true;
  json?: true;
}

/** `holdfast rdb convert`: writes another file. Resolves to the exit code. */
export async function convertCommand(
  from: string,
  to: string,
  options: ConvertCommandOptions,
): Promise<number> {
  const isPrinted = to === '-';
  if (isPrinted && process.stdout.isTTY)
    throw new UsageError('the new file would go to the terminal: name a file, or a program behind a pipe');
  const about = { verb: 'converting', path: from, isPrinting: isPrinted };
  const converted = await runTool(about, (watched) =>
    convertRdb(sourceOf(from), isPrinted ? process.stdout : to, { ...chosenBy(options), ...watched }),
  );
  const { keys, keysLeftOut, bytes } = converted;
  const told =
    options.json === true
      ? JSON.stringify(converted, null, 2)
      : `${counted(keys, 'key')} written, ${keysLeftOut} left out, ${counted(bytes, 'byte')} of version ${options.rdbVersion}`;
  if (isPrinted) process.stderr.write(`${told}\n`);
  else printLine(told);
  return EXIT.fine;
}

function chosenBy({ rdbVersion, match, type, db, prefix, stripTtl, dropFunctions }: ConvertCommandOptions) {
  return {
    version: rdbVersion,
    stripTtl: stripTtl === true,
    dropFunctions: dropFunctions === true,
    ...(match !== undefined && { match }),
    ...(type !== undefined && { types: type }),
    ...(db !== undefined && { db }),
    ...(prefix !== undefined && { prefix }),
  } satisfies ConvertOptions;
}
