/** A thread that calls a keyspace as it is told. */
import { parentPort, workerData } from 'node:worker_threads';
import { Keyspace } from 'holdfast';
import { drawIndices, keyOf, taken, ValueMaker } from '../workload.js';
import type { Load, ThreadOrder, ThreadReport } from './threads.js';

const { keyspaceId, thread }: { keyspaceId: number; thread: number } = workerData;
const keyspace = Keyspace.attach(keyspaceId);
const values = new ValueMaker();
const VALUES = 1_000;
const made = Array.from({ length: VALUES }, (_, i) => values.make(i, 0));

/** The keys of different threads lie behind each other, unless they are shared. */
function firstKey({ keys, shared }: Load): number {
  return shared ? 0 : thread * keys;
}

/** What both stores can do. */
interface Store {
  get(key: string): string | null | undefined;
  set(key: string, value: string): unknown;
}

function fill(store: Store, load: Load): void {
  const first = firstKey(load);
  for (let i = 0; i < load.keys; i++) store.set(keyOf(first + i), made[i % VALUES] ?? '');
}

function callStore(store: Store, load: Load, order: Uint32Array): number {
  const { readsPercent, calls } = load;
  const first = firstKey(load);
  let sum = 0;
  for (let i = 0; i < calls; i++) {
    const index = order[i] ?? 0;
    if (i % 100 < readsPercent) sum = taken(sum, store.get(keyOf(first + index)), i);
    else store.set(keyOf(first + index), made[index % VALUES] ?? '');
  }
  return sum;
}

function wait(gate: Int32Array): void {
  Atomics.add(gate, 0, 1);
  Atomics.wait(gate, 1, 0);
}

parentPort?.on('message', ({ load, gate }: ThreadOrder) => {
  const order = drawIndices('uniform', load.keys, load.calls, 6);
  const store: Store = load.apart ? new Map<string, string>() : keyspace;
  fill(store, load);
  callStore(store, { ...load, calls: Math.floor(load.calls / 5) }, order);
  wait(gate);
  // The clock of all threads: performance.now counts from the start of each.
  const startedAt = performance.timeOrigin + performance.now();
  const sum = callStore(store, load, order);
  const endedAt = performance.timeOrigin + performance.now();
  parentPort?.postMessage({ startedAt, endedAt, sum } satisfies ThreadReport);
});
