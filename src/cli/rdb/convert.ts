import { type ConvertOptions, convertRdb } from '../../rdb/workbench/convert.js';
import type { RdbType } from '../../rdb/workbench/shapes.js';
import { EXIT } from '../failure.js';
import { printLine } from '../output.js';
import { runTool } from './run.js';

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
  const converted = await runTool({ verb: 'converting', path: from }, (watched) =>
    convertRdb(from, to, { ...chosenBy(options), ...watched }),
  );
  const { keys, keysLeftOut, bytes } = converted;
  printLine(
    options.json === true
      ? JSON.stringify(converted, null, 2)
      : `${keys} keys written, ${keysLeftOut} left out, ${bytes} bytes of version ${options.rdbVersion}`,
  );
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
