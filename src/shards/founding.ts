/** The founding record on its way between peers, and in the memory of one without a directory. */
import { randomBytes } from 'node:crypto';
import type { MemberId, Timers } from '../raft/types.js';
import type { FoundingLimits, FoundingMember, FoundingRecord } from '../replication/identity.js';
import { protocolError } from '../replication/protocol-error.js';
import type { Member } from './membership.js';

/** 128 random bits, as ids are written. */
export function newId(): string {
  return randomBytes(16).toString('hex');
}

/** The record of a cluster that begins now. */
export function foundingOf(
  members: readonly Member[],
  { shards, timers, limits }: { shards: number; timers: Timers; limits: FoundingLimits },
  incarnations: ReadonlyMap<MemberId, string>,
): FoundingRecord {
  return {
    clusterId: newId(),
    members: members.map(({ id, name }) => ({ id, name, incarnation: incarnations.get(id) ?? '' })),
    ...{ shards, timers, limits },
  };
}

/** Checks a record that another peer sent. Throws `PROTOCOL`. */
export function readFounding(value: unknown): FoundingRecord {
  const { clusterId, members, shards, timers, limits } = fields(value);
  if (typeof clusterId !== 'string' || !Array.isArray(members) || typeof shards !== 'number')
    throw malformed();
  const { beatMs, promiseMs, electionMs, giveUpMs, drift } = fields(timers);
  return {
    ...{ clusterId, shards, members: members.map(readMember) },
    ...(limits === undefined ? {} : { limits: readLimits(limits) }),
    timers: {
      beatMs: number(beatMs),
      promiseMs: number(promiseMs),
      electionMs: number(electionMs),
      giveUpMs: number(giveUpMs),
      drift: number(drift),
    },
  };
}

function readMember(value: unknown): FoundingMember {
  const { id, name, incarnation } = fields(value);
  if (typeof name !== 'string' || typeof incarnation !== 'string') throw malformed();
  return { id: number(id), name, incarnation };
}

function readLimits(value: unknown): FoundingLimits {
  return Object.fromEntries(Object.entries(fields(value)).map(([name, limit]) => [name, number(limit)]));
}

function number(value: unknown): number {
  if (typeof value !== 'number') throw malformed();
  return value;
}

function fields(value: unknown): Readonly<Record<string, unknown>> {
  if (typeof value !== 'object' || value === null) throw malformed();
  return Object.fromEntries(Object.entries(value));
}

function malformed(): Error {
  return protocolError('a founding record that is none');
}
