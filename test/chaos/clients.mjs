// Clients of one peer in its own process: they write and read counters beside lists, and tell of each call when it has ended.
import { setTimeout as sleep } from 'node:timers/promises';

const RETRY_MS = 20;

// The machine's monotonic clock, the same for all processes.
const nowMs = () => Number(process.hrtime.bigint()) / 1e6;

/** Starts `width` lanes on a store; `tell` hears lists of records. Gives what ends them. */
export function startClients(store, { keys, tag, width }, tell) {
  let stopped = false;
  let records = [];
  const record = (one) => {
    if (records.push(one) > 1) return;
    setImmediate(() => {
      tell(records);
      records = [];
    });
  };
  const write = async (key, id) => {
    const beganMs = nowMs();
    try {
      const [value] = await store.multi().incr(`${key}count`).rpush(`${key}list`, id).exec();
      record({ kind: 'write', key, id, beganMs, endedMs: nowMs(), value });
    } catch ({ code, mayTakeEffect }) {
      record({ kind: mayTakeEffect ? 'unknown' : 'refused', key, id, code });
      await sleep(RETRY_MS);
    }
  };
  const read = async (kind, key) => {
    const beganMs = nowMs();
    try {
      const name = `${key}count`;
      const text = kind === 'leased' ? store.leased.get(name) : await store.get(name);
      record({ kind, key, id: '', beganMs, endedMs: nowMs(), value: Number(text) });
    } catch {
      // A read that fails shows nothing.
      await sleep(1);
    }
  };
  const lane = async (n) => {
    for (let i = 0; !stopped; i++) {
      const key = keys[(i + n) % keys.length];
      if (i % 3 === 0) await write(key, `${tag}:${n}:${i}`);
      else await read(i % 3 === 1 ? 'read' : 'leased', key);
      await sleep(i % 2);
    }
  };
  const lanes = Array.from({ length: width }, (_, n) => lane(n));
  return async () => {
    stopped = true;
    await Promise.all(lanes);
    await new Promise((resolve) => setImmediate(resolve));
  };
}
