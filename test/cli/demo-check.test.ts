import { describe, expect, it } from 'vitest';
import { examine, judge, type Trace } from '../../src/cli/demo/check.js';
import { Ledger } from '../../src/cli/demo/ledger.js';
import {
  type PlannedWrite,
  POINTS,
  parseWriteId,
  planWrite,
  STOCK_AT_START,
  WORKLOAD_KEYS,
  type WriteKind,
} from '../../src/cli/demo/plan.js';

const WRITES = 400;

function emptyTrace(): Trace {
  return {
    carts: new Map(),
    boards: new Map(),
    feeds: new Map(),
    shops: new Map(
      WORKLOAD_KEYS.shops.map(({ ordersKey }) => [ordersKey, { stock: STOCK_AT_START, orders: [] }]),
    ),
  };
}

function entry<V>(map: Map<string, V>, key: string, make: () => V): V {
  const value = map.get(key) ?? make();
  map.set(key, value);
  return value;
}

/** What a store does with a write. */
function apply(trace: Trace, write: PlannedWrite): void {
  switch (write.kind) {
    case 'cart': {
      const lines = entry(trace.carts, write.key, () => new Map<string, number>());
      lines.set(write.id, (lines.get(write.id) ?? 0) + write.quantity);
      break;
    }
    case 'score': {
      const scores = entry(trace.boards, write.key, () => new Map<string, number>());
      scores.set(write.member, (scores.get(write.member) ?? 0) + POINTS);
      break;
    }
    case 'feed':
      entry(trace.feeds, write.key, (): string[] => []).unshift(write.id);
      break;
    case 'order': {
      const shop = entry(trace.shops, write.key, () => ({ stock: STOCK_AT_START, orders: [] as string[] }));
      shop.stock--;
      shop.orders.push(write.id);
    }
  }
}

/** A state in which all writes of two writers were acknowledged and are there, but those that `skip` names. */
function scene(skip: (write: PlannedWrite) => boolean = () => false): { ledger: Ledger; trace: Trace } {
  const ledger = new Ledger();
  const trace = emptyTrace();
  for (const writer of ['a1', 'b1']) {
    ledger.issue(writer, WRITES);
    for (let sequence = 0; sequence < WRITES; sequence++) {
      const write = planWrite(writer, sequence);
      ledger.acknowledge(writer, sequence);
      if (!skip(write)) apply(trace, write);
    }
  }
  return { ledger, trace };
}

function firstOf<K extends WriteKind>(kind: K): Extract<PlannedWrite, { kind: K }> {
  for (let sequence = 0; ; sequence++) {
    const write = planWrite('a1', sequence);
    if (write.kind === kind) return write as Extract<PlannedWrite, { kind: K }>;
  }
}

const KINDS = ['cart', 'score', 'feed', 'order'] as const;
const none = { lost: 0, duplicated: 0, stray: 0, torn: 0 };

describe('plan of the workload', () => {
  it('is the same for the same writer and number, and knows its ids again', () => {
    expect(planWrite('b2', 77)).toEqual(planWrite('b2', 77));
    expect(parseWriteId(planWrite('b2', 77).id)).toEqual({ writer: 'b2', sequence: 77 });
    expect(parseWriteId('something else')).toBeUndefined();
  });

  it('uses every kind, and both keys of a transaction have one hash tag', () => {
    const kinds = new Set(Array.from({ length: 8 }, (_, sequence) => planWrite('a1', sequence).kind));
    expect([...kinds].sort()).toEqual([...KINDS].sort());
    const { key, stockKey } = firstOf('order');
    expect(/\{.+\}/.exec(key)?.[0]).toBe(/\{.+\}/.exec(stockKey)?.[0]);
  });
});

describe('check of the workload', () => {
  it('finds nothing where everything is there once', () => {
    const { ledger, trace } = scene();
    const verdict = examine(ledger, trace);
    expect(verdict).toEqual({ ...none, examples: [] });
  });

  it.each(KINDS)('finds a lost %s', (kind) => {
    const lost = firstOf(kind);
    const { ledger, trace } = scene((write) => write.id === lost.id);
    const verdict = examine(ledger, trace);
    expect(verdict).toMatchObject({ ...none, lost: 1 });
    expect(verdict.examples).toHaveLength(1);
  });

  it.each(KINDS)('finds a duplicated %s', (kind) => {
    const { ledger, trace } = scene();
    apply(trace, firstOf(kind));
    expect(examine(ledger, trace)).toMatchObject({ ...none, duplicated: 1 });
  });

  it('finds half a transaction', () => {
    const { ledger, trace } = scene();
    const shop = trace.shops.get(firstOf('order').key);
    if (shop !== undefined) shop.stock--;
    expect(examine(ledger, trace)).toMatchObject({ ...none, torn: 1 });
  });

  it('finds what nobody wrote', () => {
    const { ledger, trace } = scene();
    trace.feeds.get(firstOf('feed').key)?.push('a1-999999', 'nonsense');
    trace.carts.get(firstOf('cart').key)?.set(firstOf('feed').id, 3);
    expect(examine(ledger, trace)).toMatchObject({ ...none, stray: 3 });
  });

  it('finds a wrong quantity', () => {
    const { ledger, trace } = scene();
    const { key, id, quantity } = firstOf('cart');
    trace.carts.get(key)?.set(id, quantity + 0.5);
    expect(examine(ledger, trace)).toMatchObject({ lost: 1, stray: 1 });
  });

  it.each(KINDS)('allows a %s of unknown outcome to be there once or not at all', (kind) => {
    const write = firstOf(kind);
    const { sequence } = parseWriteId(write.id) ?? { sequence: 0 };
    for (const times of [0, 1, 2]) {
      const { ledger, trace } = scene((each) => each.id === write.id);
      const account = new Ledger();
      for (const each of ledger.writes()) {
        account.issue(each.writer, WRITES);
        if (each.writer !== 'a1' || each.sequence !== sequence)
          account.acknowledge(each.writer, each.sequence);
      }
      for (let time = 0; time < times; time++) apply(trace, write);
      expect(account.totals().unknown).toBe(1);
      expect(examine(account, trace)).toMatchObject({ ...none, duplicated: times === 2 ? 1 : 0 });
    }
  });

  it('does not allow a refused write to be there', () => {
    const write = firstOf('feed');
    const { sequence } = parseWriteId(write.id) ?? { sequence: 0 };
    const ledger = new Ledger();
    ledger.issue('a1', sequence + 1);
    ledger.refuse('a1', sequence);
    const trace = emptyTrace();
    expect(examine(ledger, trace)).toMatchObject(none);
    apply(trace, write);
    expect(examine(ledger, trace)).toMatchObject({ ...none, stray: 1 });
  });
});

describe('judgement over all peers', () => {
  const clean = { ...none, examples: [] };

  it('is good where every peer is flawless and the digests are equal', () => {
    const peers = ['a', 'b', 'c'].map((name) => ({ name, digest: 'one', verdict: clean }));
    expect(judge(peers)).toEqual({ ...none, ok: true, digestsEqual: true, examples: [] });
  });

  it('counts the flaws of the worst peer', () => {
    const flawed = (lost: number) => ({ ...none, lost, examples: ['lost: something'] });
    const peers = [0, 2, 1].map((lost, n) => ({
      name: 'abc'.charAt(n),
      digest: 'one',
      verdict: flawed(lost),
    }));
    expect(judge(peers)).toMatchObject({ ok: false, lost: 2, digestsEqual: true });
    expect(judge(peers).examples[1]).toBe('b: lost: something');
  });

  it('is bad where only the digests differ', () => {
    const peers = ['one', 'one', 'two'].map((digest, n) => ({
      name: 'abc'.charAt(n),
      digest,
      verdict: clean,
    }));
    expect(judge(peers)).toEqual({
      ...none,
      ok: false,
      digestsEqual: false,
      examples: ['the digests differ'],
    });
  });
});

describe('ledger', () => {
  it('takes what nobody reported on for unknown, up to where the writer settled', () => {
    const ledger = new Ledger();
    ledger.issue('a1', 100);
    ledger.acknowledge('a1', 3);
    ledger.refuse('a1', 4);
    expect(ledger.totals()).toEqual({ acknowledged: 1, refused: 1, unknown: 98 });
    ledger.settle('a1', 10);
    expect(ledger.totals()).toEqual({ acknowledged: 1, refused: 1, unknown: 8 });
    expect(ledger.outcome('a1', 10)).toBeUndefined();
    expect(ledger.outcome('b1', 0)).toBeUndefined();
  });

  it('refuses to count an acknowledgement twice', () => {
    const ledger = new Ledger();
    ledger.issue('a1', 1);
    ledger.acknowledge('a1', 0);
    expect(() => ledger.acknowledge('a1', 0)).toThrow('twice');
  });
});
