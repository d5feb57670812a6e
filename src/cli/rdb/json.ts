import { rdbJson } from '../../rdb/index.js';
import { printAll } from '../output.js';
import { runTool, sourceOf } from './run.js';

/** `holdfast rdb json`: the file's keys and values on stdout. Resolves to the exit code. */
export async function jsonCommand(
  path: string,
  { canonical = false }: { canonical?: boolean },
): Promise<number> {
  await runTool({ verb: 'reading', path, isPrinting: true }, (options) =>
    printAll(rdbJson(sourceOf(path), { canonical, ...options }), options.signal),
  );
  return 0;
}
