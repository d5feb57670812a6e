/** A thread that writes as fast as it can, and takes note of its longest calls. */
import { setImmediate as nextTurn } from 'node:timers/promises';
import { parentPort, workerData } from 'node:worker_threads';
import { Keyspace } from 'holdfast';
import { CollectionWatch, LongCalls } from '../long-calls.js';
import { drawIndices, keyOf, ValueMaker } from '../workload.js';
import {
  BEGUN,
  CALLS,
  ELEMENTS,
  FIELDS,
  LONGEST_MS,
  LONGEST_OUTSIDE_MS,
  OWN,
  PERIOD,
  PLACES,
  STOP,
  TOLD,
  type WriterData,
} from './saving.js';

const { keyspaceId, data, amounts, writer, shared }: WriterData = workerData;
const state = new Float64Array(shared);
const keyspace = Keyspace.attach(keyspaceId);
const maker = new ValueMaker();
const VALUES = 1_000;
const DRAWS = 1 << 20;
/** Calls between two notes of their number. */
const CALLS_PER_LOOK = 64;
/** How long it writes before it lets the engine tell of its collections of garbage. */
const TURN_MS = 20;
const values = Array.from({ length: VALUES }, (_, i) => maker.make(i, 1));
const indices = drawIndices('uniform', amounts[data === 'strings' ? 'strings' : 'hashes'], DRAWS, 6 + writer);

function writeString(i: number, index: number): void {
  keyspace.set(keyOf(index), values[i % VALUES] ?? '');
}

function writeMixed(i: number, index: number): void {
  const turn = i % 10;
  if (turn < 6) keyspace.hset(`hash:${index}`, `field:${i % FIELDS}`, `value:${i}`);
  else if (turn < 9) {
    const key = `list:${index % amounts.lists}`;
    if (keyspace.rpush(key, `element:${i}`) > ELEMENTS) keyspace.lpop(key);
  } else keyspace.zadd(`zset:${index % amounts.zsets}`, i, `member:${i % amounts.members}`);
}

const write = data === 'strings' ? writeString : writeMixed;
const at = OWN + PLACES * writer;

/** Writes until it is told that another period has begun; tells what was longest then. Calls so far, in and out. */
async function writeFor(period: number, calls: number): Promise<number> {
  const [long, watch] = [new LongCalls(), new CollectionWatch()];
  let [i, longestMs] = [calls, 0];
  state[at + BEGUN] = period;
  while (state[PERIOD] === period && state[STOP] === 0) {
    let startMs = performance.now();
    const turnMs = startMs + TURN_MS;
    for (; state[PERIOD] === period && startMs < turnMs; i++) {
      write(i, indices[i & (DRAWS - 1)] ?? 0);
      const nowMs = performance.now();
      long.note(startMs, nowMs);
      longestMs = Math.max(longestMs, nowMs - startMs);
      startMs = nowMs;
      if (i % CALLS_PER_LOOK === 0) state[at + CALLS] = i;
    }
    await nextTurn();
  }
  state[at + LONGEST_MS] = longestMs;
  state[at + LONGEST_OUTSIDE_MS] = long.longestOutside(await watch.pauses());
  watch.stop();
  state[at + TOLD] = period;
  return i;
}

parentPort?.postMessage('started');
for (let calls = 0; state[STOP] === 0; ) calls = await writeFor(state[PERIOD] ?? 0, calls);
keyspace.close();
