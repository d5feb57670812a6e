/** A thread that writes as fast as it can, and takes note of its longest call. */
import { parentPort, workerData } from 'node:worker_threads';
import { Keyspace } from 'holdfast';
import { drawIndices, keyOf, ValueMaker } from '../workload.js';
import { ELEMENTS, FIELDS, OWN, PERIOD, STOP, type WriterData } from './saving.js';

const { keyspaceId, data, amounts, writer, shared }: WriterData = workerData;
const state = new Float64Array(shared);
const keyspace = Keyspace.attach(keyspaceId);
const maker = new ValueMaker();
const VALUES = 1_000;
const DRAWS = 1 << 20;
/** Calls between two looks at what others say. */
const CALLS_PER_LOOK = 64;
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
const [count, longest] = [OWN + 2 * writer, OWN + 2 * writer + 1];
parentPort?.postMessage('started');
for (let i = 0, period = 0; state[STOP] === 0; ) {
  let [longestMs, startMs] = [0, performance.now()];
  for (const end = i + CALLS_PER_LOOK; i < end; i++) {
    write(i, indices[i & (DRAWS - 1)] ?? 0);
    const nowMs = performance.now();
    longestMs = Math.max(longestMs, nowMs - startMs);
    startMs = nowMs;
  }
  state[count] = (state[count] ?? 0) + CALLS_PER_LOOK;
  // What began before a period does not belong to it.
  if (state[PERIOD] === period) state[longest] = Math.max(state[longest] ?? 0, longestMs);
  period = state[PERIOD] ?? 0;
}
keyspace.close();
