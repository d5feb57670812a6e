import Table from 'cli-table3';

type Alignment = 'left' | 'right';
const NO_RULES = { mid: '', 'left-mid': '', 'mid-mid': '', 'right-mid': '' };

/** A table with one line for each row. Colours are left to the cells. */
export function tableOf(
  rows: readonly (readonly (string | number)[])[],
  { head, align = [] }: { head?: string[]; align?: Alignment[] } = {},
): string {
  const table = new Table({
    chars: NO_RULES,
    style: { head: [], border: [] },
    colAligns: align,
    ...(head && { head }),
  });
  for (const row of rows) table.push([...row]);
  return table.toString();
}
