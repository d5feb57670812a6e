/** A line on a terminal that says how far a command is. */

/** Nothing is shown of what takes no longer. */
const QUIET_MS = 300;
const REDRAW_MS = 100;
const BAR_CHARS = 24;
const MB = 1_000_000;

/** What the line shows. */
export interface Progress {
  /** Hears how far the work is, in bytes. The total is 0 where nobody knows it. */
  show(done: number, total: number): void;
  /** Hears what is being waited for. */
  say(what: string): void;
  /** What comes is other work, whose rate is its own. */
  begin(label: string): void;
  /** Takes the line away. */
  end(): void;
}

const nothing: Progress = { show() {}, say() {}, begin() {}, end() {} };

/** A line on stderr if that is a terminal; none while what is printed goes to the same terminal. */
export function progressOn(label: string, isPrinting: boolean): Progress {
  const isTerminal = process.stderr.isTTY === true;
  return isTerminal && !(isPrinting && process.stdout.isTTY) ? new Line(label) : nothing;
}

/** Goes to the beginning of the line and empties it. */
const EMPTY_LINE = '\r\x1b[2K';

class Line implements Progress {
  #label: string;
  #startMs = performance.now();
  #shownMs = this.#startMs + QUIET_MS - REDRAW_MS;
  #isThere = false;

  constructor(label: string) {
    this.#label = label;
  }

  begin(label: string): void {
    if (label === this.#label) return;
    this.#label = label;
    this.#startMs = performance.now();
  }

  show(done: number, total: number): void {
    this.#draw((nowMs) => lineOf(this.#label, done, total, (nowMs - this.#startMs) / 1_000));
  }

  say(what: string): void {
    this.#draw(() => `${this.#label}  ${what}`);
  }

  end(): void {
    if (this.#isThere) process.stderr.write(EMPTY_LINE);
    this.#isThere = false;
  }

  #draw(textAt: (nowMs: number) => string): void {
    const nowMs = performance.now();
    if (nowMs - this.#shownMs < REDRAW_MS) return;
    this.#shownMs = nowMs;
    this.#isThere = true;
    process.stderr.write(EMPTY_LINE + cropped(textAt(nowMs)));
  }
}

/** A line that is wider than the terminal would be two, of which one stays. A terminal may not know how wide it is. */
function cropped(text: string): string {
  const { columns = 0 } = process.stderr;
  return columns > 0 ? text.slice(0, columns - 1) : text;
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
