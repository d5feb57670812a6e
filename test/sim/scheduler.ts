interface Event {
  readonly at: number;
  readonly order: number;
  readonly run: () => void;
}

function before(a: Event, b: Event): boolean {
  return a.at < b.at || (a.at === b.at && a.order < b.order);
}

/** Virtual time in milliseconds: a heap of events; equal times run in the order they were asked for. */
export class Scheduler {
  now = 0;
  events = 0;
  #order = 0;
  readonly #heap: Event[] = [];

  after(delay: number, run: () => void): void {
    const heap = this.#heap;
    const event = { at: this.now + delay, order: this.#order++, run };
    let at = heap.length;
    heap.push(event);
    while (at > 0) {
      const up = (at - 1) >> 1;
      const parent = heap[up] as Event;
      if (!before(event, parent)) break;
      heap[at] = parent;
      at = up;
    }
    heap[at] = event;
  }

  /** Runs everything up to `until`, or until `stop` says so. */
  run(until: number, stop: () => boolean = () => false): void {
    for (;;) {
      const next = this.#heap[0];
      if (next === undefined || next.at > until || stop()) break;
      this.#pop();
      this.now = next.at;
      this.events++;
      next.run();
    }
    if (this.now < until && !stop()) this.now = until;
  }

  #pop(): void {
    const heap = this.#heap;
    const last = heap.pop();
    if (last === undefined || heap.length === 0) return;
    let at = 0;
    for (;;) {
      let child = 2 * at + 1;
      if (child >= heap.length) break;
      const right = heap[child + 1];
      if (right !== undefined && before(right, heap[child] as Event)) child++;
      const smaller = heap[child] as Event;
      if (!before(smaller, last)) break;
      heap[at] = smaller;
      at = child;
    }
    heap[at] = last;
  }
}
