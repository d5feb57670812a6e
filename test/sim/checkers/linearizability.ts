import { check } from './violation.js';

/** One operation on one key as its client saw it. `end` is infinite if no answer came. */
export interface Operation {
  readonly kind: 'put' | 'increment' | 'get';
  readonly start: number;
  end: number;
  /** put: the value set. increment, get: the answer; undefined if none came. */
  value: number | undefined;
}

/** Value after `operation` on `value`; undefined: it could not have answered what it answered. */
function effect(operation: Operation, value: number): number | undefined {
  if (operation.kind === 'put') return operation.value;
  const next = operation.kind === 'increment' ? value + 1 : value;
  return operation.value === undefined || operation.value === next ? next : undefined;
}

interface Node {
  readonly call: boolean;
  readonly at: number;
  readonly operation: number;
  previous: Node;
  next: Node;
}

function timeline(operations: readonly Operation[]): Node {
  const points: { call: boolean; at: number; operation: number }[] = [];
  operations.forEach(({ start, end }, operation) => {
    points.push({ call: true, at: start, operation }, { call: false, at: end, operation });
  });
  points.sort((a, b) => a.at - b.at || Number(b.call) - Number(a.call));
  const head = { call: false, at: -1, operation: -1 } as Node;
  let last = head;
  for (const point of points) {
    const node = { ...point, previous: last } as Node;
    last.next = node;
    last = node;
  }
  const end = { call: false, at: Number.POSITIVE_INFINITY, operation: -2, previous: last } as Node;
  last.next = end;
  return head;
}

function lift(node: Node): void {
  node.previous.next = node.next;
  node.next.previous = node.previous;
}

function unlift(node: Node): void {
  node.previous.next = node;
  node.next.previous = node;
}

/** A number of its own for each operation; the xor of several names a set of them. */
function name(operation: number, salt: number): number {
  let mixed = Math.imul(operation + 1, 0x9e3779b1) ^ salt;
  mixed = Math.imul(mixed ^ (mixed >>> 15), 0x85ebca6b);
  mixed = Math.imul(mixed ^ (mixed >>> 13), 0xc2b2ae35);
  return (mixed ^ (mixed >>> 16)) >>> 0;
}

/** 53 bits that name a state: which operations are done, and the value. Equal by chance once in 10^15 pairs. */
function stateName(low: number, high: number, value: number): number {
  return ((low ^ name(value, 7)) >>> 0) * 2 ** 21 + ((high ^ name(value, 11)) >>> 11);
}

/**
 * Wing and Gong's search with Lowe's memory of visited states: whether one order explains all answers and keeps the
 * order of operations that did not overlap. `undefined`: gave up after `stepsMax`.
 */
export function linearizable(operations: readonly Operation[], stepsMax = 2_000_000): boolean | undefined {
  const head = timeline(operations);
  const returns = new Map<number, Node>();
  for (let node = head.next; node.operation !== -2; node = node.next) {
    if (!node.call) returns.set(node.operation, node);
  }
  const required = operations.filter((operation) => operation.end !== Number.POSITIVE_INFINITY).length;
  const visited = new Set<number>();
  const stack: { node: Node; value: number; required: number }[] = [];
  let low = 0;
  let high = 0;
  let value = 0;
  let left = required;
  let node = head.next;
  for (let step = 0; step < stepsMax; step++) {
    if (left === 0) return true;
    const operation = operations[node.operation];
    if (node.call && operation !== undefined) {
      const next = effect(operation, value);
      const lowNext = low ^ name(node.operation, 1);
      const highNext = high ^ name(node.operation, 2);
      const key = stateName(lowNext >>> 0, highNext >>> 0, next ?? 0);
      if (next !== undefined && !visited.has(key)) {
        visited.add(key);
        low = lowNext;
        high = highNext;
        stack.push({ node, value, required: left });
        if (operation.end !== Number.POSITIVE_INFINITY) left--;
        value = next;
        lift(node);
        lift(returns.get(node.operation) as Node);
        node = head.next;
      } else node = node.next;
      continue;
    }
    const undone = stack.pop();
    if (undone === undefined) return false;
    low ^= name(undone.node.operation, 1);
    high ^= name(undone.node.operation, 2);
    ({ value, required: left } = undone);
    unlift(returns.get(undone.node.operation) as Node);
    unlift(undone.node);
    node = undone.node.next;
  }
  return undefined;
}

/** What all clients saw, per key: linearizability is local, so each key is checked alone. */
export class History {
  readonly #keys = new Map<number, Operation[]>();
  inconclusive = 0;

  begin(key: number, operation: Operation): Operation {
    const operations = this.#keys.get(key);
    if (operations === undefined) this.#keys.set(key, [operation]);
    else operations.push(operation);
    return operation;
  }

  /** Reads without an answer constrain nothing. */
  check(): void {
    for (const [key, all] of this.#keys) {
      const operations = all.filter((operation) => operation.kind !== 'get' || operation.value !== undefined);
      for (const part of split(operations)) {
        const verdict = linearizable(part.operations, 100_000);
        if (verdict === undefined) this.inconclusive++;
        check(
          verdict !== false,
          'linearizability',
          () => `key ${key}, from ${part.from}: no order explains it`,
        );
      }
    }
  }
}

/**
 * Cuts a history where nothing is under way and the last operation alone was a write with a known result: each part
 * starts from a known value, given as a leading put.
 */
function split(operations: readonly Operation[]): { from: number; operations: Operation[] }[] {
  const sorted = operations.toSorted((a, b) => a.start - b.start);
  const parts: { from: number; operations: Operation[] }[] = [];
  let part: Operation[] = [];
  let busyUntil = Number.NEGATIVE_INFINITY;
  sorted.forEach((operation, at) => {
    part.push(operation);
    const alone = operation.start > busyUntil;
    busyUntil = Math.max(busyUntil, operation.end);
    const next = sorted[at + 1];
    const known = operation.value !== undefined && operation.end !== Number.POSITIVE_INFINITY;
    if (!alone || !known || part.length < 100 || next === undefined || next.start <= busyUntil) return;
    parts.push({ from: part[0]?.start ?? 0, operations: part });
    part = [{ kind: 'put', start: operation.start, end: operation.end, value: operation.value }];
  });
  if (part.length > 0) parts.push({ from: part[0]?.start ?? 0, operations: part });
  return parts;
}
