// One peer in a process of its own, for tests that kill, stop and restart it. Told what to do over the IPC channel.
import { open } from 'holdfast';
import { startClients } from '../chaos/clients.mjs';

let store;
let hammer;
let stopClients;
const failovers = [];

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
