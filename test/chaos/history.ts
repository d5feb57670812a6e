/**
 * What clients of a cluster saw, and whether one copy of the data could have shown it to them.
 *
 * Every key is a counter beside a list: a write increments the one and pushes its name on the other, in a transaction; a
 * read gives the counter. All times are of the machine's monotonic clock, which its processes share.
 */

/** One call that was answered, with what the counter was then. */
export interface Seen {
  readonly kind: 'write' | 'read' | 'leased';
  readonly key: string;
  /** Names the write; empty for reads. */
  readonly id: string;
  readonly beganMs: number;
  readonly endedMs: number;
  readonly value: number;
}

/** A write that was not acknowledged. */
export interface Failed {
  readonly kind: 'unknown' | 'refused';
  readonly key: string;
  readonly id: string;
  readonly code: string;
}

/** Everything that all clients of one run saw. */
export class History {
  readonly seen: Seen[] = [];
  readonly failed: Failed[] = [];

  add(record: Seen | Failed): void {
    if ('value' in record) this.seen.push(record);
    else this.failed.push(record);
  }

  /** What one copy of the data could not have shown, in words. `lists`: what the lists held in the end. */
  violations(lists: ReadonlyMap<string, readonly string[]>): string[] {
    const keys = [...lists.keys()];
    return keys.flatMap((key) => [...this.#order(key), ...this.#once(key, lists.get(key) ?? [])]);
  }

  /** A call that began after another one had ended saw no less, and a write saw more than anything before it. */
  #order(key: string): string[] {
    const byStart = this.seen.filter((call) => call.key === key).sort((a, b) => a.beganMs - b.beganMs);
    const byEnd = [...byStart].sort((a, b) => a.endedMs - b.endedMs);
    const found: string[] = [];
    let ended = 0;
    let newest: Seen | undefined;
    for (const call of byStart) {
      for (
        let next = byEnd[ended];
        next !== undefined && next.endedMs < call.beganMs;
        next = byEnd[++ended]
      ) {
        if (next.value > (newest?.value ?? 0)) newest = next;
      }
      const least = (newest?.value ?? 0) + (call.kind === 'write' ? 1 : 0);
      if (call.value >= least) continue;
      found.push(`${describe(call)} came after ${newest === undefined ? 'nothing' : describe(newest)}`);
    }
    return found;
  }

  /** What was acknowledged stands where its reply said, once; what was refused stands nowhere. */
  #once(key: string, list: readonly string[]): string[] {
    const found: string[] = [];
    const places = new Map<string, number>();
    list.forEach((id, at) => {
      if (places.has(id)) found.push(`${key}: ${id} took effect twice`);
      places.set(id, at);
    });
    for (const call of this.seen) {
      if (call.key !== key || call.kind !== 'write') continue;
      const place = places.get(call.id);
      if (place === undefined) found.push(`${describe(call)} is lost`);
      else if (place !== call.value - 1) found.push(`${describe(call)} stands at ${place + 1}`);
    }
    for (const { kind, id, code, key: of } of this.failed) {
      if (of === key && kind === 'refused' && places.has(id)) {
        found.push(`${key}: ${id} was refused with ${code}, and took effect`);
      }
    }
    return found;
  }
}

function describe({ kind, key, id, value, beganMs, endedMs }: Seen): string {
  const span = `${beganMs.toFixed(3)} to ${endedMs.toFixed(3)}`;
  return `${key}: ${kind}${id === '' ? '' : ` ${id}`} of ${value} (${span})`;
}
