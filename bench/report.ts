/** The figures of a trial as a table. */
import Table from 'cli-table3';
import type { Measurement } from './run.js';
import type { Trial } from './trial.js';

const PLAIN_BORDERS = {
  ...{ top: '', 'top-mid': '', 'top-left': '', 'top-right': '', bottom: '', 'bottom-mid': '' },
  ...{ 'bottom-left': '', 'bottom-right': '', left: '', 'left-mid': '', mid: '', 'mid-mid': '', right: '' },
  ...{ 'right-mid': '', middle: '  ' },
};

/** A number with as many digits as mean something. */
export function formatFigure(value: number): string {
  if (!Number.isFinite(value)) return '-';
  const digits = Math.abs(value) >= 100 ? 0 : Math.abs(value) >= 10 ? 1 : 2;
  return value.toLocaleString('en', { minimumFractionDigits: digits, maximumFractionDigits: digits });
}

function formatRatio(ratio: number): string {
  return Number.isFinite(ratio) ? ratio.toFixed(2) : '-';
}

function row(measurement: Measurement, baseline: Measurement | undefined): string[] {
  const { metric, driver, unit, median, q1, q3 } = measurement;
  const ratio = baseline === undefined ? Number.NaN : median / baseline.median;
  return [metric, driver, formatFigure(median), formatFigure(q1), formatFigure(q3), unit, formatRatio(ratio)];
}

/** The table: for each metric the drivers below each other, and by how much they differ from the baseline. */
export function formatTrial(trial: Trial, measurements: readonly Measurement[]): string {
  const table = new Table({
    head: ['metric', 'driver', 'median', 'q1', 'q3', 'unit', `to ${trial.baseline}`],
    colAligns: ['left', 'left', 'right', 'right', 'right', 'left', 'right'],
    chars: PLAIN_BORDERS,
    style: { head: [], border: [], 'padding-left': 0, 'padding-right': 0 },
  });
  for (const metric of new Set(measurements.map((one) => one.metric))) {
    const same = measurements.filter((one) => one.metric === metric);
    const baseline = same.find(({ driver }) => driver === trial.baseline);
    for (const measurement of same) table.push(row(measurement, baseline));
  }
  return table.toString();
}
