/** Dumps of a Redis server, or of every master of a Redis Cluster, as one file. */
import { HoldfastError } from '../errors.js';
import { inspectRdb, joinFiles, type Report } from '../rdb/index.js';
import type { ByteSource, ReachOptions } from './byte-source.js';
import type { Output } from './output.js';
import { type RedisAddress, redisLabel } from './redis-address.js';
import { mastersOf, type SlotRange, slotRanges } from './redis-slots.js';
import { connectedTo, type DumpOptions, patiently, serverError, takeDump } from './replica.js';

/** Replies that nest deeper, or are longer, are none that was asked for. */
const DEPTH_MAX = 8;
const ITEMS_MAX = 1_000_000;
const TEXT_BYTES_MAX = 16 * 1024 * 1024;

/** Takes the dumps; what they are together is in `output` then. */
export async function dumpRedis(
  address: RedisAddress,
  output: Output,
  options: DumpOptions,
): Promise<{ report: Report; sources: number }> {
  const { signal } = options;
  const watched = signal === undefined ? {} : { signal };
  const before = await clusterOf(address, options);
  if (before.length === 0 && address.db === undefined) {
    await takeDump(address, output.temporary, options);
    return { report: await inspectRdb(output.temporary, watched), sources: 1 };
  }
  const servers = before.length === 0 ? [redisLabel(address)] : mastersOf(before);
  const totals = servers.map(() => 0);
  const parts = await Promise.all(
    servers.map(async (server, i) => {
      const path = output.part();
      const onProgress = (done: number): void => {
        totals[i] = done;
        options.onProgress(
          totals.reduce((sum, bytes) => sum + bytes, 0),
          undefined,
        );
      };
      await takeDump(at(address, server), path, { ...options, onProgress });
      return path;
    }),
  );
  await unchanged(address, before, options);
  const reports = await Promise.all(parts.map((part) => inspectRdb(part, watched)));
  const filter = address.db === undefined ? {} : { db: address.db };
  await joinFiles(parts, reports, output.temporary, { ...watched, filter, aux: auxOf(reports) });
  return { report: await inspectRdb(output.temporary, watched), sources: parts.length };
}

/** What all of the files say alike. */
function auxOf(reports: readonly Report[]): [string, string][] {
  const [first, ...others] = reports.map(({ aux }) => aux.filter(([name]) => KEPT_AUX.has(name)));
  return (first ?? []).filter(([name, value]) =>
    others.every((aux) => aux.some(([other, also]) => other === name && also === value)),
  );
}

const KEPT_AUX: ReadonlySet<string> = new Set(['redis-ver', 'valkey-ver', 'redis-bits', 'aof-base']);

/** Slots that moved while the dumps were taken may be in both, or in none of two. */
async function unchanged(
  address: RedisAddress,
  before: readonly SlotRange[],
  options: DumpOptions,
): Promise<void> {
  if (before.length === 0) return;
  const text = (ranges: readonly SlotRange[]): string =>
    ranges
      .map(({ first, last, master }) => `${first}-${last} ${master}`)
      .sort()
      .join();
  const after = await clusterOf(address, options);
  if (text(after) === text(before)) return;
  throw new HoldfastError('TRYAGAIN', `${redisLabel(address)}: slots moved while the dumps were taken`);
}

/** The masters and their slots; none where there is no cluster. */
function clusterOf(address: RedisAddress, options: DumpOptions): Promise<SlotRange[]> {
  return patiently(options, async () => {
    const source = await connectedTo(address, options);
    try {
      const ranges = await slotRanges((...words) => ask(source, words), address);
      for (const master of mastersOf(ranges)) await settled(at(address, master), options);
      return ranges;
    } finally {
      source.close();
    }
  });
}

/** Refuses a master that is giving or taking slots now. */
async function settled(address: RedisAddress, options: ReachOptions): Promise<void> {
  const source = await connectedTo(address, options);
  try {
    const nodes = String(await ask(source, ['CLUSTER', 'NODES']));
    const own = nodes.split('\n').find((line) => line.includes('myself'));
    if (own?.includes('[') !== true) return;
    throw new HoldfastError('TRYAGAIN', `${source.label}: slots are on the move`);
  } finally {
    source.close();
  }
}

/** Another server of the same cluster. */
function at(address: RedisAddress, server: string): RedisAddress {
  const colon = server.lastIndexOf(':');
  const host = server.slice(0, colon).replace(/^\[|\]$/g, '');
  return { ...address, host, port: Number(server.slice(colon + 1)) };
}

async function ask(source: ByteSource, words: readonly string[]): Promise<unknown> {
  source.send(words);
  return reply(source, 0);
}

async function reply(source: ByteSource, depth: number): Promise<unknown> {
  const line = await source.line();
  const rest = line.slice(1);
  const length = Number(rest);
  switch (line[0]) {
    case '+':
      return rest;
    case '-':
      throw serverError(source.label, rest);
    case ':':
      return length;
    case '$':
      if (length < 0) return null;
      if (length <= TEXT_BYTES_MAX) return (await source.exactly(length + 2)).toString('utf8', 0, length);
      break;
    case '*':
      if (length < 0) return null;
      if (length <= ITEMS_MAX && depth < DEPTH_MAX) {
        const items: unknown[] = [];
        for (let i = 0; i < length; i++) items.push(await reply(source, depth + 1));
        return items;
      }
  }
  throw new HoldfastError('PROTOCOL', `${source.label}: ${JSON.stringify(line.slice(0, 80))} is no reply`);
}
