import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { Freshness } from './checkers/freshness.js';
import { linearizable, type Operation } from './checkers/linearizability.js';
import { Sessions } from './checkers/sessions.js';

function op(kind: Operation['kind'], start: number, end: number, value?: number): Operation {
  return { kind, start, end, value };
}

/** Every order that keeps what did not overlap, tried one by one. */
function obvious(operations: readonly Operation[], value = 0): boolean {
  const open = operations.filter(({ end }) => end !== Number.POSITIVE_INFINITY);
  if (open.length === 0) return true;
  const earliest = Math.min(...operations.map(({ end }) => end));
  return operations.some((operation, at) => {
    if (operation.start > earliest) return false;
    const rest = operations.filter((_, other) => other !== at);
    const next = operation.kind === 'put' ? operation.value : operation.kind === 'get' ? value : value + 1;
    const fits = operation.kind === 'put' || operation.value === undefined || operation.value === next;
    return fits && obvious(rest, next ?? 0);
  });
}

describe('linearizability checker', () => {
  it('accepts what overlaps in either order', () => {
    expect(linearizable([op('put', 0, 10, 1), op('get', 5, 6, 0), op('get', 7, 8, 1)])).toBe(true);
    expect(linearizable([op('put', 0, 10, 1), op('get', 5, 6, 1), op('get', 7, 8, 1)])).toBe(true);
  });

  it('finds a stale read', () => {
    expect(linearizable([op('put', 0, 1, 1), op('get', 2, 3, 0)])).toBe(false);
    expect(linearizable([op('put', 0, 10, 1), op('get', 2, 3, 1), op('get', 4, 5, 0)])).toBe(false);
  });

  it('finds a lost and a doubled increment', () => {
    expect(linearizable([op('increment', 0, 1, 1), op('increment', 2, 3, 1)])).toBe(false);
    expect(linearizable([op('increment', 0, 1, 1), op('get', 2, 3, 2)])).toBe(false);
  });

  it('lets a write without an answer take effect late, or never', () => {
    const unanswered = op('put', 0, Number.POSITIVE_INFINITY, 7);
    expect(linearizable([unanswered, op('get', 5, 6, 0), op('get', 8, 9, 7)])).toBe(true);
    expect(linearizable([unanswered, op('get', 5, 6, 0)])).toBe(true);
    expect(linearizable([unanswered, op('get', 5, 6, 7), op('get', 8, 9, 0)])).toBe(false);
  });

  it('says what trying every order says', () => {
    const operation = fc
      .tuple(
        fc.constantFrom('put', 'increment', 'get'),
        fc.nat(12),
        fc.integer({ min: 1, max: 6 }),
        fc.nat(2),
        fc.nat(9),
      )
      .map(([kind, start, length, value, answered]): Operation => {
        const end = answered === 0 ? Number.POSITIVE_INFINITY : start + length + 0.5;
        return op(
          kind as Operation['kind'],
          start,
          end,
          kind !== 'put' && answered === 0 ? undefined : value,
        );
      });
    fc.assert(
      fc.property(fc.array(operation, { maxLength: 6 }), (operations) => {
        expect(linearizable(operations)).toBe(obvious(operations));
      }),
      { numRuns: 1_000 },
    );
  });
});

describe('other checkers', () => {
  it('hold a read to what was acknowledged before it', () => {
    const freshness = new Freshness();
    freshness.acknowledge(10, 4);
    freshness.acknowledge(20, 9);
    expect([freshness.before(10), freshness.before(15), freshness.before(99)]).toEqual([0, 4, 9]);
    expect(() => freshness.read('leased', 1, 9, 8)).toThrow('fresh leased read');
    expect(() => freshness.claims(2, 21, 8)).toThrow('true age');
    expect(() => freshness.claims(2, 20, 8)).not.toThrow();
  });

  it('hold a request to one execution', () => {
    const sessions = new Sessions();
    const command = { id: 0, session: 1, seq: 1, kind: 'put', key: 1, value: 1 } as const;
    expect(() => sessions.acknowledged(command)).toThrow('exactly once');
    sessions.applied(5, { command, status: 'executed', value: 1 });
    sessions.applied(5, { command, status: 'executed', value: 1 });
    sessions.applied(6, { command, status: 'duplicate', value: 1 });
    expect(sessions.acknowledged(command)).toBe(5);
    expect(() => sessions.applied(6, { command, status: 'executed', value: 1 })).toThrow('exactly once');
  });
});
