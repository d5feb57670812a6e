/** INFO and ROLE, in the words of Redis, of which clients and monitors pick what they know. */

import type { StoreStatus } from '../engine/engine.js';
import { native } from '../keyspace/native.js';
import type { Surroundings } from './client.js';
import { array, bulk, integer } from './encode.js';

/** The version of Redis whose commands, replies and error texts these are. */
export const REDIS_VERSION = '7.2.0';

type Field = readonly [string, string | number];
type Section = (around: Surroundings, status: StoreStatus) => readonly Field[];

/** Host and port of a peer: where the other peers reach it, not its clients. */
function placeOf(address: string): { host: string; port: string } {
  const colon = address.lastIndexOf(':');
  return { host: address.slice(0, colon).replace(/^\[|\]$/g, ''), port: address.slice(colon + 1) };
}

/**
 * This peer as Redis would see it: the leader of the first shard is the master, the others are its replicas, which take
 * writes all the same.
 */
export interface RedisRole {
  readonly master: boolean;
  /** Of the leader; empty while there is none. */
  readonly leaderHost: string;
  readonly leaderPort: string;
  /** Applied index. */
  readonly offset: number;
  readonly replicas: readonly { host: string; port: string; up: boolean }[];
}

/** The role of the peer with this status. */
export function roleOf(status: StoreStatus): RedisRole {
  const [shard] = status.shards;
  const leader = status.peers.find(({ name }) => name === shard?.leader);
  const { host, port } = placeOf(leader?.address ?? ':0');
  const others = status.peers.filter(({ name }) => name !== status.name);
  return {
    master: shard?.role === 'leader',
    leaderHost: host,
    leaderPort: port,
    offset: shard?.applied ?? 0,
    replicas: others.map(({ address, up }) => ({ ...placeOf(address), up })),
  };
}

/** The reply to ROLE. */
export function roleReply(status: StoreStatus): string {
  const { master, leaderHost, leaderPort, offset, replicas } = roleOf(status);
  if (!master) {
    const state = leaderHost === '' ? 'connect' : 'connected';
    return array([
      ...[bulk('slave'), bulk(leaderHost), integer(Number(leaderPort))],
      ...[bulk(state), integer(offset)],
    ]);
  }
  const connected = replicas.filter(({ up }) => up);
  const entries = connected.map(({ host, port }) => array([bulk(host), bulk(port), bulk(String(offset))]));
  return array([bulk('master'), integer(offset), array(entries)]);
}

function server({ nowMs, startedAtMs, port }: Surroundings, { name }: StoreStatus): Field[] {
  const uptimeSeconds = Math.floor((nowMs() - startedAtMs) / 1000);
  return [
    ['redis_version', REDIS_VERSION],
    ['redis_mode', 'standalone'],
    ['server_name', 'holdfast'],
    ['holdfast_peer', name],
    ['os', `${process.platform} ${process.arch}`],
    ['arch_bits', 64],
    ['process_id', process.pid],
    ['tcp_port', port],
    ['uptime_in_seconds', uptimeSeconds],
    ['uptime_in_days', Math.floor(uptimeSeconds / 86_400)],
  ];
}

const sum = (numbers: readonly number[]): number => numbers.reduce((total, n) => total + n, 0);

function memory({ keyspaces, settings }: Surroundings): Field[] {
  const all = keyspaces.map((id) => native.statistics(id));
  return [
    ['used_memory', sum(all.map(({ memoryBytes }) => memoryBytes))],
    ['maxmemory', settings.get('maxmemory') ?? 0],
    ['maxmemory_policy', settings.get('maxmemory-policy') ?? 'noeviction'],
  ];
}

function persistence({ settings }: Surroundings, { shards }: StoreStatus): Field[] {
  return [
    ['loading', shards.every(({ ready }) => ready) ? 0 : 1],
    ['rdb_bgsave_in_progress', 0],
    ['aof_enabled', settings.get('appendonly') === 'yes' ? 1 : 0],
  ];
}

function stats({ counts, keyspaces }: Surroundings): Field[] {
  const { commandsProcessed, connectionsReceived } = counts();
  const all = keyspaces.map((id) => native.statistics(id));
  return [
    ['total_connections_received', connectionsReceived],
    ['total_commands_processed', commandsProcessed],
    ['expired_keys', sum(all.map(({ expiredKeys }) => expiredKeys))],
    ['evicted_keys', sum(all.map(({ evictedKeys }) => evictedKeys))],
  ];
}

function replication(_: Surroundings, status: StoreStatus): Field[] {
  const { master, leaderHost, leaderPort, offset, replicas } = roleOf(status);
  if (!master) {
    return [
      ['role', 'slave'],
      ['master_host', leaderHost],
      ['master_port', leaderPort],
      ['master_link_status', leaderHost === '' ? 'down' : 'up'],
      ['master_last_io_seconds_ago', Math.floor((status.shards[0]?.silentMs ?? 0) / 1000)],
      ['master_sync_in_progress', 0],
      ['slave_repl_offset', offset],
      ['slave_read_only', 0],
      ['connected_slaves', 0],
      ['master_repl_offset', offset],
    ];
  }
  const connected = replicas.filter(({ up }) => up);
  const entries = connected.map(
    ({ host, port }, i): Field => [
      `slave${i}`,
      `ip=${host},port=${port},state=online,offset=${offset},lag=0`,
    ],
  );
  return [
    ['role', 'master'],
    ['connected_slaves', connected.length],
    ...entries,
    ['master_repl_offset', offset],
  ];
}

function keyspace({ keyspaces }: Surroundings): Field[] {
  const all = keyspaces.map((id) => native.statistics(id));
  const keys = sum(all.map((one) => one.keys));
  const expires = sum(all.map((one) => one.expires));
  return keys === 0 ? [] : [['db0', `keys=${keys},expires=${expires},avg_ttl=0`]];
}

function clientCounts({ clients }: Surroundings): readonly Field[] {
  const blocked = [...clients.values()].filter(({ unblock }) => unblock !== undefined);
  return [
    ['connected_clients', clients.size],
    ['blocked_clients', blocked.length],
  ];
}

const SECTIONS: ReadonlyMap<string, Section> = new Map<string, Section>([
  ['Server', server],
  ['Clients', clientCounts],
  ['Memory', memory],
  ['Persistence', persistence],
  ['Stats', stats],
  ['Replication', replication],
  ['Cluster', () => [['cluster_enabled', 0]]],
  ['Keyspace', keyspace],
]);

const EVERYTHING = ['all', 'default', 'everything'];

/** The text of INFO: these sections, or all. Unknown ones are left out, as in Redis. */
export async function infoText(around: Surroundings, wanted: readonly string[]): Promise<string> {
  const status = await around.status();
  const names = wanted.map((name) => name.toLowerCase());
  const all = names.length === 0 || names.some((name) => EVERYTHING.includes(name));
  const chosen = [...SECTIONS].filter(([title]) => all || names.includes(title.toLowerCase()));
  const texts = chosen.map(([title, section]) => {
    const lines = section(around, status).map(([name, value]) => `${name}:${value}\r\n`);
    return `# ${title}\r\n${lines.join('')}`;
  });
  return texts.join('\r\n');
}
