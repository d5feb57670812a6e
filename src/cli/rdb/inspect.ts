import { inspectRdb } from '../../rdb/index.js';
import type { Report, SlotCounts, TimesToLive } from '../../rdb/workbench/inspect.js';
import { printLine } from '../output.js';
import { tableOf } from '../table.js';
import { runTool, sourceOf } from './run.js';

/** Longest key that is shown whole. */
const KEY_CHARS_MAX = 60;
/** Slots that are shown. */
const SLOTS_SHOWN = 10;

/** Options of the command, as commander gives them. */
export interface InspectCommandOptions {
  biggest: number;
  slots?: boolean;
  json?: boolean;
}

/** `holdfast rdb inspect`: what is in the file, without the values. Resolves to the exit code. */
export async function inspectCommand(path: string, options: InspectCommandOptions): Promise<number> {
  const { biggest, slots = false, json = false } = options;
  const report = await runTool({ verb: 'reading', path }, (watched) =>
    inspectRdb(sourceOf(path), { biggest, slots, ...watched }),
  );
  printLine(json ? JSON.stringify(report, null, 2) : render(report));
  return 0;
}

function render(report: Report): string {
  const tables = [tableOf(facts(report)), types(report), lives(report.timesToLive)];
  if (report.biggest.length > 0) tables.push(biggest(report));
  if (report.libraries.length > 0) tables.push(libraries(report));
  if (report.modules.length > 0) tables.push(modules(report));
  if (report.slots !== undefined) tables.push(slotRanges(report.slots), heaviest(report.slots));
  return tables.join('\n');
}

function facts(report: Report): (string | number)[][] {
  return [
    ['format', `${report.format}, version ${report.version}`],
    ['bytes', report.bytes],
    ...(report.trailingBytes === 0 ? [] : [['bytes behind the end', report.trailingBytes]]),
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
  const rows = report.biggest.map(({ key, type, elements, bytes }) => {
    const shown = key.length > KEY_CHARS_MAX ? `${key.slice(0, KEY_CHARS_MAX)}...` : key;
    return [shown, type, elements, bytes];
  });
  return tableOf(rows, {
    head: ['biggest keys', 'type', 'elements', 'bytes'],
    align: ['left', 'left', 'right', 'right'],
  });
}

const LIVES: readonly [keyof TimesToLive, string][] = [
  ['none', 'no end'],
  ['past', 'over'],
  ['lessThanMinute', 'less than a minute'],
  ['lessThanHour', 'less than an hour'],
  ['lessThanDay', 'less than a day'],
  ['lessThanWeek', 'less than a week'],
  ['lessThan30Days', 'less than 30 days'],
  ['lessThanYear', 'less than a year'],
  ['more', 'a year or more'],
];

function lives(times: TimesToLive): string {
  const rows = LIVES.filter(([name]) => times[name] > 0).map(([name, words]) => [words, times[name]]);
  return tableOf(rows, { head: ['time to live', 'keys'], align: ['left', 'right'] });
}

function libraries({ libraries: found }: Report): string {
  const rows = found.map(({ head, bytes }) => [head, bytes]);
  return tableOf(rows, { head: ['library of functions', 'bytes'], align: ['left', 'right'] });
}

function modules({ modules: found }: Report): string {
  const rows = found.map(({ name, versions, keys, aux }) => [name, versions.join(', '), keys, aux]);
  return tableOf(rows, {
    head: ['module', 'version', 'keys', 'data beside keys'],
    align: ['left', 'right', 'right', 'right'],
  });
}

function slotRanges({ ranges }: SlotCounts): string {
  const rows = ranges.map(({ from, to, keys, bytes }) => [`${from} to ${to}`, keys, bytes]);
  return tableOf(rows, { head: ['slots', 'keys', 'bytes'], align: ['left', 'right', 'right'] });
}

function heaviest({ heaviest: found, used }: SlotCounts): string {
  const rows = found.slice(0, SLOTS_SHOWN).map(({ slot, keys, bytes }) => [slot, keys, bytes]);
  return tableOf(rows, {
    head: [`heaviest of ${used} slots`, 'keys', 'bytes'],
    align: ['left', 'right', 'right'],
  });
}
