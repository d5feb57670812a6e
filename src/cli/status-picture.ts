/** Puts together what several peers say of one cluster. */
import { HoldfastError } from '../errors.js';

/** What one peer says of itself. */
export interface PeerStatus {
  name: string;
  shards: {
    shard: number;
    role: string;
    leader: string | undefined;
    term: number;
    commit: number;
    applied: number;
  }[];
  peers: { name: string; address: string }[];
}

/** What became of asking one address. */
export interface Answer {
  address: string;
  status?: PeerStatus;
  failure?: HoldfastError;
}

/** The cluster as its peers describe it. */
export interface ClusterPicture {
  shards: {
    shard: number;
    leader: string | undefined;
    term: number;
    /** Lag: entries behind the furthest commit index that any peer told of. */
    replicas: { peer: string; role: string; commit: number; applied: number; lag: number }[];
  }[];
  peers: { name: string | undefined; address: string; up: boolean; reason: string | undefined }[];
}

/** A leader that a peer has not heard for so long counts as none: an election takes less. */
const LEADER_SILENT_MS_MAX = 2_000;

type Json = Record<string, unknown>;

const isObject = (value: unknown): value is Json => typeof value === 'object' && value !== null;

/** Checks an answer that came over the wire. */
export function parseAnswer(address: string, value: unknown): PeerStatus {
  const bad = (): HoldfastError =>
    new HoldfastError('IO', `the peer at ${address} answered something that is no status`);
  const text = (of: Json, name: string) => {
    const field = of[name];
    if (typeof field !== 'string') throw bad();
    return field;
  };
  const amount = (of: Json, name: string) => {
    const field = of[name];
    if (typeof field !== 'number' || !(field >= 0)) throw bad();
    return field;
  };
  const whole = (of: Json, name: string) => {
    const field = amount(of, name);
    if (!Number.isSafeInteger(field)) throw bad();
    return field;
  };
  const list = (of: Json, name: string) => {
    const field = of[name];
    if (!Array.isArray(field) || !field.every(isObject)) throw bad();
    return field as Json[];
  };
  if (!isObject(value)) throw bad();
  const members = list(value, 'members').map((member) => ({
    id: whole(member, 'id'),
    name: text(member, 'name'),
    address: text(member, 'address'),
  }));
  const leaderOf = (shard: Json) => {
    // 0, which is nobody's id, where no leader is known.
    const leader = whole(shard, 'leader');
    if (amount(shard, 'silentMs') > LEADER_SILENT_MS_MAX) return undefined;
    return members.find(({ id }) => id === leader)?.name;
  };
  return {
    name: text(value, 'name'),
    shards: list(value, 'shards').map((shard) => ({
      shard: whole(shard, 'shard'),
      role: text(shard, 'role'),
      leader: leaderOf(shard),
      term: whole(shard, 'term'),
      commit: whole(shard, 'commit'),
      applied: whole(shard, 'applied'),
    })),
    peers: members.map(({ name, address }) => ({ name, address })),
  };
}

/** One picture of all answers. In a disagreement the newest term is right. */
export function pictureOf(answers: readonly Answer[]): ClusterPicture {
  return { shards: shardsOf(answers), peers: peersOf(answers) };
}

function shardsOf(answers: readonly Answer[]): ClusterPicture['shards'] {
  const byShard = new Map<number, ClusterPicture['shards'][number]>();
  for (const { status } of answers) {
    for (const { shard, role, leader, term, commit, applied } of status?.shards ?? []) {
      const seen = byShard.get(shard) ?? { shard, leader: undefined, term: 0, replicas: [] };
      byShard.set(shard, seen);
      // A peer that knows of no leader does not speak against one that does, in the same term.
      if (term > seen.term || (term === seen.term && leader !== undefined))
        Object.assign(seen, { leader, term });
      seen.replicas.push({ peer: status?.name ?? '', role, commit, applied, lag: 0 });
    }
  }
  for (const { replicas } of byShard.values()) {
    const furthest = Math.max(...replicas.map(({ commit }) => commit));
    for (const replica of replicas) replica.lag = furthest - replica.applied;
  }
  return [...byShard.values()].sort((one, other) => one.shard - other.shard);
}

function peersOf(answers: readonly Answer[]): ClusterPicture['peers'] {
  const named = new Map(
    answers.flatMap(({ status }) => status?.peers ?? []).map((peer) => [peer.address, peer.name]),
  );
  return answers.map(({ address, status, failure }) => ({
    name: status?.name ?? named.get(address),
    address,
    up: status !== undefined,
    reason: failure?.message,
  }));
}
