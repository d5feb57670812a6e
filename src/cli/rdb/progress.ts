/** A line on a terminal that says how far a command is. */
import { createLogUpdate } from 'log-update';

/** Nothing is shown of what takes no longer. */
const QUIET_MS = 300;
const REDRAW_MS = 100;
const BAR_CHARS = 24;
const MB = 1_000_000;

/** What the line shows. */
export interface Progress {
  /** Hears how far the work is. The total is 0 where nobody knows it. */
  show(done: number, total: number): void;
  /** Takes the line away. */
  end(): void;
}

const nothing: Progress = { show() {}, end() {} };

/** A line on stderr if that is a terminal; none while what is printed goes to the same terminal. */
export function progressOn(label: string, isPrinting: boolean): Progress {
  const isTerminal = process.stderr.isTTY === true;
  return isTerminal && !(isPrinting && process.stdout.isTTY) ? new Line(label) : nothing;
}

class Line implements Progress {
  readonly #label: string;
  readonly #update = createLogUpdate(process.stderr);
  readonly #startMs = performance.now();
  #shownMs = this.#startMs + QUIET_MS - REDRAW_MS;

  constructor(label: string) {
    this.#label = label;
  }

  show(done: number, total: number): void {
    const nowMs = performance.now();
    if (nowMs - this.#shownMs < REDRAW_MS) return;
    this.#shownMs = nowMs;
    this.#update(lineOf(this.#label, done, total, (nowMs - this.#startMs) / 1_000));
  }

  end(): void {
    this.#update.clear();
    this.#update.done();
  }
}

/** The line at a moment: a bar where the end is known, the rate, and the time that is left. */
export function lineOf(label: string, done: number, total: number, elapsedS: number): string {
  const rate = done / Math.max(elapsedS, 0.001);
  const speed = `${(rate / MB).toFixed(0)} MB/s`;
  if (total <= 0) return `${label}  ${(done / MB).toFixed(0)} MB  ${speed}`;
  const part = Math.min(done / total, 1);
  const filled = Math.round(part * BAR_CHARS);
  const bar = '█'.repeat(filled) + '░'.repeat(BAR_CHARS - filled);
  const leftS = Math.ceil((total - Math.min(done, total)) / Math.max(rate, 1));
  return `${label}  ${bar}  ${Math.floor(part * 100)} %  ${speed}  ${leftS} s left`;
}
