/** Writes and reads of a replicated store: three peers on the loopback, load from one of them. */
import {
  Cluster,
  followerDriver,
  leaderDriver,
  type PeerProcess,
  type PlaceDriver,
} from '../drivers/cluster.js';
import type { LoadResult } from '../drivers/peer-process.js';
import { defineTrial, type Figure, type RunResult, type Scale, type Trial } from '../trial.js';
import { hashOf } from '../workload.js';

/** Writes, by how many are under way at a time. */
const WRITES: Readonly<Record<Scale, ReadonlyMap<number, number>>> = {
  real: new Map([
    [1, 2_000],
    [64, 40_000],
    [1_000, 100_000],
  ]),
  tiny: new Map([
    [1, 5],
    [64, 100],
    [1_000, 1_200],
  ]),
};
const READS = {
  real: { keys: 10_000, promised: 50_000, synchronous: 1_000_000, inFlight: [1, 64] },
  tiny: { keys: 100, promised: 100, synchronous: 2_000, inFlight: [1, 64] },
} as const;
const FILL_IN_FLIGHT = 1_000;

function figuresOf(what: string, { perSecond, p50Us, p99Us }: LoadResult): Figure[] {
  return [
    { metric: what, unit: 'ops/s', value: perSecond },
    { metric: `${what}, p50`, unit: 'us', value: p50Us },
    { metric: `${what}, p99`, unit: 'us', value: p99Us },
  ];
}

async function measureWrites(cluster: Cluster, peer: PeerProcess, scale: Scale): Promise<RunResult> {
  const figures: Figure[] = [];
  await peer.ask('write', { calls: Math.max(...WRITES[scale].values()) / 5, inFlight: 64 });
  for (const [inFlight, calls] of WRITES[scale]) {
    const what = `set, ${inFlight} in flight`;
    const cpuUs = await cluster.cpuUs();
    figures.push(...figuresOf(what, await peer.ask('write', { calls, inFlight })));
    await cluster.settledDigest();
    figures.push({ metric: `${what}, CPU`, unit: 'us', value: ((await cluster.cpuUs()) - cpuUs) / calls });
  }
  return { figures, hash: await cluster.settledDigest() };
}

async function measureReads(cluster: Cluster, peer: PeerProcess, scale: Scale): Promise<RunResult> {
  const { keys, promised, synchronous, inFlight } = READS[scale];
  const figures: Figure[] = [];
  const sums: number[] = [];
  await peer.ask('write', { calls: keys, inFlight: FILL_IN_FLIGHT });
  for (const width of inFlight) {
    const result = await peer.ask('read', { calls: promised, inFlight: width }, keys);
    sums.push(result.sum);
    figures.push(...figuresOf(`await get, ${width} in flight`, result));
  }
  const leads = (await peer.ask('leader')) === peer.name;
  for (const mode of leads ? (['local', 'leased'] as const) : (['local'] as const)) {
    const value = await peer.ask('readNow', mode, synchronous, keys);
    figures.push({ metric: `${mode}.get`, unit: 'ns', value });
  }
  return { figures, hash: `${await cluster.settledDigest()}-${hashOf(sums)}` };
}

function clusterTrial(
  name: string,
  about: string,
  durable: boolean,
  measure: (cluster: Cluster, peer: PeerProcess, scale: Scale) => Promise<RunResult>,
): Trial {
  return defineTrial<PlaceDriver>({
    name,
    about,
    drivers: [leaderDriver, followerDriver],
    async measure(driver, { scale, scratch }) {
      await using cluster = await Cluster.open(durable ? scratch : undefined);
      return await measure(cluster, await driver.peerOf(cluster), scale);
    },
  });
}

/** Writes that a majority has in memory, writes that a majority has on disk, and reads. */
export const clusterTrials: readonly Trial[] = [
  clusterTrial(
    'quorum-memory',
    'writes acknowledged by a majority of three peers, in memory',
    false,
    measureWrites,
  ),
  clusterTrial(
    'quorum-disk',
    'writes acknowledged by a majority of three peers, synced to disk',
    true,
    measureWrites,
  ),
  clusterTrial(
    'reads',
    'linearizable, leased and local reads on a leader and on a follower',
    false,
    measureReads,
  ),
];
