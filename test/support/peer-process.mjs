// One peer in a process of its own, for tests that kill, stop and restart it. Told what to do over the IPC channel.
import { open } from 'holdfast';
import { startClients } from '../chaos/clients.mjs';

let store;
let hammer;
let stopClients;
let pushing;
const lines = new Map();
const waits = new Map();
const failovers = [];

const pause = (ms) => new Promise((resolve) => setTimeout(resolve, ms));

// Waits in `line` again and again, until it is served 'stop'.
async function standInLine(line, keys) {
  for (;;) {
    const place = line.places++;
    const { key, item } = await store.blpop(keys);
    if (item === 'stop') return;
    line.served.push({ place, key, item });
  }
}

const answers = {
  async open(options) {
    store = await open({ ...options, on: { failover: (event) => failovers.push(event) } });
  },
  call: (name, ...words) => store.call(name, ...words),
  local: (name, ...words) => store.local.call(name, ...words),
  async leased(name, ...words) {
    return store.leased.call(name, ...words);
  },
  status: () => store.status(),
  digest: () => store.digest(),
  failovers: () => failovers,
  close: () => store.close(),
  // Increments `key` and pushes what was acknowledged on `list`, with `width` calls under way, until `stopHammer`.
  startHammer({ key, list, width, tag }) {
    hammer = {
      stopped: false,
      acknowledged: [],
      unknown: [],
      refused: [],
      gaps: [],
      lastMs: performance.now(),
    };
    const lane = async (n) => {
      for (let i = 0; !hammer.stopped; i++) {
        const id = `${tag}:${n}:${i}`;
        try {
          await store.multi().incr(key).rpush(list, id).exec();
          hammer.acknowledged.push(id);
          const now = performance.now();
          hammer.gaps.push(now - hammer.lastMs);
          hammer.lastMs = now;
        } catch (error) {
          (error.mayTakeEffect ? hammer.unknown : hammer.refused).push(`${id} ${error.code}`);
        }
      }
    };
    hammer.lanes = Array.from({ length: width }, (_, n) => lane(n));
  },
  async stopHammer() {
    hammer.stopped = true;
    await Promise.all(hammer.lanes);
    const { acknowledged, unknown, refused, gaps } = hammer;
    return { acknowledged, unknown, refused, longestMs: Math.max(0, ...gaps) };
  },
  // Stands `count` waiters in a line for `keys`; each joins it again when it was served.
  startLine(name, { keys, count }) {
    const line = { places: 0, served: [] };
    line.over = Promise.all(Array.from({ length: count }, () => standInLine(line, keys)));
    line.over.catch(() => {});
    lines.set(name, line);
  },
  async endOfLine(name) {
    const { over, served } = lines.get(name);
    await over;
    return served;
  },
  // Pushes on each of `keys`, and in the same transaction on the key's ledger, which keeps the order; tells what was
  // acknowledged at once, since the process may not live long.
  startPushing({ keys, tag }) {
    pushing = { stopped: false };
    const lane = async (key) => {
      for (let i = 0; !pushing.stopped; i++) {
        const id = `${tag}:${key}:${i}`;
        await store.multi().rpush(key, id).rpush(`ledger:${key}`, id).exec();
        process.send({ records: [id] });
        if (i % 8 === 0) await pause(i % 3);
      }
    };
    pushing.lanes = Promise.all(keys.map(lane));
    pushing.lanes.catch(() => {});
  },
  async stopPushing() {
    pushing.stopped = true;
    await pushing.lanes;
  },
  // Begins any promised call, and answers when the call has been made.
  begin(name, method, ...args) {
    const wait = store[method](...args);
    wait.catch(() => {});
    waits.set(name, wait);
  },
  outcome: (name) => waits.get(name),
  transfer: (shard) => store.transfer(shard),
  startClients(options) {
    stopClients = startClients(store, options, (records) => process.send({ records }));
  },
  stopClients: () => stopClients(),
  // What the very first leased reads say after the process was stopped for a while.
  leasedNow(key, times) {
    const seen = [];
    for (let i = 0; i < times; i++) {
      try {
        seen.push(store.leased.get(key));
      } catch (error) {
        seen.push(error.code);
      }
    }
    return seen;
  },
};

process.on('message', async ({ id, method, args }) => {
  try {
    process.send({ id, value: await answers[method](...args) });
  } catch (error) {
    process.send({ id, error: { code: error.code, message: error.message } });
  }
});
process.on('disconnect', () => process.exit());
