import { closePool, inspect, type Report, rdbJson } from '../rdb/index.js';
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
  try {
    await printAll(rdbJson(path, { canonical }));
  } finally {
    await closePool();
  }
  return 0;
}

/** `holdfast rdb inspect`: what is in the file, without the values. Resolves to the exit code. */
export async function rdbInspectCommand(path: string, { json = false }: { json?: boolean }): Promise<number> {
  const report = await inspect(path).finally(closePool);
  printLine(json ? JSON.stringify(report, null, 2) : render(report));
  return 0;
}

function render(report: Report): string {
  return [tableOf(facts(report)), types(report), biggest(report)].join('\n');
}

function facts(report: Report): (string | number)[][] {
  return [
    ['format', `${report.format}, version ${report.version}`],
    ['bytes', report.bytes],
    ['checksum', report.checksum],
    ['keys', report.keys],
    ['with a time to live', `${report.expires}, of which ${report.expired} are over`],
    ['functions', report.functions],
    ...report.databases.map(({ db, keys }) => [`keys in database ${db}`, keys]),
    ...report.aux,
  ];
}

function types(report: Report): string {
  const rows = report.types.map((sum) => [sum.type, sum.encoding, sum.keys, sum.elements, sum.bytes]);
  return tableOf(rows, {
    head: ['type', 'encoding', 'keys', 'elements', 'bytes'],
    align: ['left', 'left', 'right', 'right', 'right'],
  });
}

function biggest(report: Report): string {
  const rows = report.biggest.slice(0, BIGGEST_SHOWN).map(({ key, type, elements, bytes }) => {
    const shown = key.length > KEY_CHARS_MAX ? `${key.slice(0, KEY_CHARS_MAX)}...` : key;
    return [shown, type, elements, bytes];
  });
  return tableOf(rows, {
    head: ['biggest keys', 'type', 'elements', 'bytes'],
    align: ['left', 'left', 'right', 'right'],
  });
}
