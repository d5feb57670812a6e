import { inspect, type RdbInspection, rdbJson } from '../rdb/index.js';
import { printAll, printLine } from './output.js';
import { tableOf } from './table.js';

const BIGGEST_SHOWN = 5;
/** Longest key that is shown whole. */
const KEY_CHARS_MAX = 60;

/** `holdfast rdb json`: the file's keys and values on stdout. Resolves to the exit code. */
export async function rdbJsonCommand(
  path: string,
  { canonical = false }: { canonical?: boolean },
): Promise<number> {
  await printAll(rdbJson(path, { canonical }));
  return 0;
}

/** `holdfast rdb inspect`: what is in the file, without the values. Resolves to the exit code. */
export async function rdbInspectCommand(path: string, { json = false }: { json?: boolean }): Promise<number> {
  const inspection = await inspect(path);
  printLine(json ? JSON.stringify(inspection, null, 2) : render(inspection));
  return 0;
}

function render(inspection: RdbInspection): string {
  const { format, version, checksum, keys, expires, expired, functions, aux, databases, types, biggest } =
    inspection;
  const facts = [
    ['format', `${format}, version ${version}`],
    ['checksum', checksum],
    ['keys', keys],
    ['with a time to live', `${expires}, of which ${expired} are over`],
    ['functions', functions],
    ...databases.map(({ db, keys }) => [`keys in database ${db}`, keys]),
    ...aux.map(([name, value]) => [name, value]),
  ];
  const rows = types.map(({ type, encoding, keys, elements, bytes }) => [
    type,
    encoding,
    keys,
    elements,
    bytes,
  ]);
  const largest = biggest.slice(0, BIGGEST_SHOWN).map(({ key, type, elements, bytes }) => {
    return [key.length > KEY_CHARS_MAX ? `${key.slice(0, KEY_CHARS_MAX)}...` : key, type, elements, bytes];
  });
  return [
    tableOf(facts),
    tableOf(rows, {
      head: ['type', 'encoding', 'keys', 'elements', 'bytes'],
      align: ['left', 'left', 'right', 'right', 'right'],
    }),
    tableOf(largest, {
      head: ['biggest keys', 'type', 'elements', 'bytes'],
      align: ['left', 'left', 'right', 'right'],
    }),
  ].join('\n');
}
