import type { Ledger, Outcome } from './ledger.js';
import { type PlannedWrite, POINTS, parseWriteId, planWrite, STOCK_AT_START } from './plan.js';

/** What the workload left behind on one peer. */
export interface Trace {
  /** Cart key to its lines: id and quantity. */
  carts: Map<string, Map<string, number>>;
  /** Leaderboard key to its members' scores. */
  boards: Map<string, Map<string, number>>;
  /** Feed key to the ids in it. */
  feeds: Map<string, string[]>;
  /** Orders key to the stock left and the ids of the orders. */
  shops: Map<string, { stock: number; orders: string[] }>;
}

/** What is wrong with a peer's state, in numbers of writes. */
export interface Verdict {
  /** Acknowledged and not there. */
  lost: number;
  /** There more often than once. */
  duplicated: number;
  /** There although it was never issued, was refused, or belongs elsewhere. */
  stray: number;
  /** Transactions of which only a part took effect. */
  torn: number;
  /** The first few, in words. */
  examples: string[];
}

const EXAMPLES_MAX = 5;
/** How often a write of this outcome may be there. */
const ALLOWED: Record<Outcome, { min: number; max: number }> = {
  acknowledged: { min: 1, max: 1 },
  unknown: { min: 0, max: 1 },
  refused: { min: 0, max: 0 },
};

type Flaw = Exclude<keyof Verdict, 'examples'>;

class Examination {
  readonly verdict: Verdict = { lost: 0, duplicated: 0, stray: 0, torn: 0, examples: [] };
  readonly #ledger: Ledger;
  readonly #trace: Trace;
  /** How often the write of an id is there; scores have no ids and are summed up instead. */
  readonly #seen = new Map<string, number>();

  constructor(ledger: Ledger, trace: Trace) {
    this.#ledger = ledger;
    this.#trace = trace;
  }

  run(): Verdict {
    this.#countCarts();
    this.#countFeeds();
    this.#countOrders();
    this.#compareIds();
    this.#compareScores();
    return this.verdict;
  }

  #find(flaw: Flaw, count: number, text: string): void {
    this.verdict[flaw] += count;
    if (this.verdict.examples.length < EXAMPLES_MAX) this.verdict.examples.push(`${flaw}: ${text}`);
  }

  /** The issued write of an id, if it is of this kind and belongs to this key. */
  #planned<K extends PlannedWrite['kind']>(id: string, kind: K, key: string) {
    const parsed = parseWriteId(id);
    if (parsed !== undefined && this.#ledger.outcome(parsed.writer, parsed.sequence) !== undefined) {
      const write = planWrite(parsed.writer, parsed.sequence);
      if (write.kind === kind && write.key === key) return write as Extract<PlannedWrite, { kind: K }>;
    }
    this.#find('stray', 1, `${id} in ${key}`);
    return undefined;
  }

  #countCarts(): void {
    for (const [key, lines] of this.#trace.carts) {
      for (const [id, quantity] of lines) {
        const write = this.#planned(id, 'cart', key);
        if (write === undefined) continue;
        const times = quantity / write.quantity;
        if (Number.isInteger(times)) this.#seen.set(id, times);
        else this.#find('stray', 1, `${id} in ${key} has quantity ${quantity} instead of ${write.quantity}`);
      }
    }
  }

  #countFeeds(): void {
    for (const [key, ids] of this.#trace.feeds) {
      for (const id of ids) if (this.#planned(id, 'feed', key)) this.#count(id);
    }
  }

  #countOrders(): void {
    for (const [key, { stock, orders }] of this.#trace.shops) {
      for (const id of orders) if (this.#planned(id, 'order', key)) this.#count(id);
      const sold = STOCK_AT_START - stock;
      if (sold !== orders.length) {
        this.#find(
          'torn',
          Math.abs(sold - orders.length),
          `${key} has ${orders.length} orders, the stock says ${sold}`,
        );
      }
    }
  }

  #count(id: string): void {
    this.#seen.set(id, (this.#seen.get(id) ?? 0) + 1);
  }

  #compareIds(): void {
    for (const { writer, sequence, outcome } of this.#ledger.writes()) {
      const write = planWrite(writer, sequence);
      if (write.kind === 'score') continue;
      const times = this.#seen.get(write.id) ?? 0;
      const { min, max } = ALLOWED[outcome];
      if (times < min) this.#find('lost', 1, `${write.id} is not in ${write.key}`);
      else if (times > 1) this.#find('duplicated', 1, `${write.id} is ${times} times in ${write.key}`);
      else if (times > max) this.#find('stray', 1, `${write.id} was refused and is in ${write.key}`);
    }
  }

  #compareScores(): void {
    const bounds = this.#scoreBounds();
    for (const [key, members] of this.#trace.boards) {
      for (const [member, score] of members) {
        const name = `${key} ${member}`;
        const { min, max } = bounds.get(name) ?? { min: 0, max: 0 };
        bounds.delete(name);
        if (score < min)
          this.#find('lost', Math.ceil((min - score) / POINTS), `${name} has ${score} of ${min}`);
        if (score > max)
          this.#find('duplicated', Math.ceil((score - max) / POINTS), `${name} has ${score}, not ${max}`);
      }
    }
    for (const [name, { min }] of bounds)
      if (min > 0) this.#find('lost', min / POINTS, `${name} is not there`);
  }

  #scoreBounds(): Map<string, { min: number; max: number }> {
    const bounds = new Map<string, { min: number; max: number }>();
    for (const { writer, sequence, outcome } of this.#ledger.writes()) {
      const write = planWrite(writer, sequence);
      if (write.kind !== 'score') continue;
      const name = `${write.key} ${write.member}`;
      const sum = bounds.get(name) ?? { min: 0, max: 0 };
      sum.min += ALLOWED[outcome].min * POINTS;
      sum.max += ALLOWED[outcome].max * POINTS;
      bounds.set(name, sum);
    }
    return bounds;
  }
}

/** Compares what a peer holds with what was acknowledged. */
export function examine(ledger: Ledger, trace: Trace): Verdict {
  return new Examination(ledger, trace).run();
}

/** What one peer's state came to. */
export interface PeerFindings {
  name: string;
  digest: string;
  verdict: Verdict;
}

/** All peers together: each flaw as on the worst of them. */
export function judge(peers: readonly PeerFindings[]): Verdict & { ok: boolean; digestsEqual: boolean } {
  const worst = (flaw: Flaw) => Math.max(0, ...peers.map(({ verdict }) => verdict[flaw]));
  const flaws = {
    ...{ lost: worst('lost'), duplicated: worst('duplicated') },
    ...{ stray: worst('stray'), torn: worst('torn') },
  };
  const digestsEqual = new Set(peers.map(({ digest }) => digest)).size === 1;
  const examples = peers.flatMap(({ name, verdict }) => verdict.examples.map((text) => `${name}: ${text}`));
  if (!digestsEqual) examples.push('the digests differ');
  return { ok: examples.length === 0, digestsEqual, examples, ...flaws };
}
