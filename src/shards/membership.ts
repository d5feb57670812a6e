/**
 * Who belongs to the cluster, and how a cluster comes to be (rules I1 to I3, and the last row of the restart matrix).
 *
 * A cluster is founded once, by roll call: when the peer with the smallest id is connected to all others and nobody, itself
 * included, belongs to a cluster, it writes the founding record: a cluster id, and which incarnation of which peer is
 * which member. It stores the record before it sends it, everybody stores it before using it, and nobody votes without
 * it. A peer that comes back as another incarnation has lost what it acknowledged, and is refused.
 */

import type { MemberId } from '../raft/types.js';
import type { Hello } from '../replication/handshake.js';
import { zeroId } from '../replication/handshake.js';
import { differingLimit, type FoundingLimits, type FoundingRecord } from '../replication/identity.js';

/** A member as the configuration names it. */
export interface Member {
  readonly id: MemberId;
  readonly name: string;
  readonly address: string;
}

/** Why a peer may not take part. */
export interface Refusal {
  readonly code: 'FOREIGN' | 'AMNESIAC';
  readonly message: string;
}

/** What membership needs of its surroundings. */
export interface MembershipParts {
  readonly self: Member;
  /** All members, ascending by id. */
  readonly members: readonly Member[];
  readonly incarnation: string;
  readonly runId: string;
  readonly shards: number;
  /** Equal where the list of peers is. */
  readonly peersDigest: string;
  /** Equal where the timers are. */
  readonly timersDigest: string;
  /** Limits of collections by their names. */
  readonly limits: FoundingLimits;
  /** What the directory knows already. */
  readonly founding: FoundingRecord | undefined;
  /** Makes a founding record for these incarnations. */
  readonly found: (incarnations: ReadonlyMap<MemberId, string>) => FoundingRecord;
  /** Makes the record durable. Throws if it cannot. */
  readonly store: (founding: FoundingRecord) => void;
  readonly send: (to: MemberId, founding: FoundingRecord) => void;
  /** The cluster exists from now on, and this process belongs to it. */
  readonly founded: (founding: FoundingRecord) => void;
}

const PROTOCOL = 1;

/** One process's view of the cluster's members. */
export class Membership {
  readonly #parts: MembershipParts;
  readonly #connected = new Map<MemberId, Hello>();
  #founding: FoundingRecord | undefined;

  constructor(parts: MembershipParts) {
    this.#parts = parts;
    this.#founding = parts.founding;
  }

  /** The record, if there is a cluster. */
  get founding(): FoundingRecord | undefined {
    return this.#founding;
  }

  /** Names of the members without a connection. */
  get missing(): string[] {
    const { members, self } = this.#parts;
    return members.filter(({ id }) => id !== self.id && !this.#connected.has(id)).map(({ name }) => name);
  }

  /** Who this process is, for a handshake that begins now. */
  hello(): Hello {
    const { self, incarnation, runId, shards, peersDigest, timersDigest, limits } = this.#parts;
    const clusterId = this.#founding?.clusterId ?? zeroId;
    const { name, id: memberId } = self;
    return {
      clusterId,
      name,
      memberId,
      incarnation,
      runId,
      protocol: PROTOCOL,
      shards,
      peersDigest,
      timersDigest,
      limits,
    };
  }

  /** Whether the peer that says this of itself may take part. */
  judge(hello: Hello): Refusal | undefined {
    return this.#judgeConfiguration(hello) ?? this.#judgeIdentity(hello);
  }

  /** A peer that was not refused is connected. */
  up(hello: Hello): void {
    this.#connected.set(hello.memberId, hello);
    if (this.#founding === undefined) this.#rollCall();
    else if (hello.clusterId === zeroId) this.#parts.send(hello.memberId, this.#founding);
  }

  /** A peer is gone. */
  down(peer: MemberId): void {
    this.#connected.delete(peer);
  }

  /** Begins a cluster of one, or does nothing. */
  start(): void {
    if (this.#founding === undefined) this.#rollCall();
  }

  /** A peer sent the record. Why it cannot be taken, if so. */
  received(founding: FoundingRecord): Refusal | undefined {
    if (this.#founding !== undefined) {
      if (this.#founding.clusterId === founding.clusterId) return undefined;
      return { code: 'FOREIGN', message: 'another cluster was founded with this peer' };
    }
    const own = founding.members.find(({ id }) => id === this.#parts.self.id);
    if (own?.incarnation !== this.#parts.incarnation) return amnesiac(this.#parts.self.name);
    this.#adopt(founding);
    return undefined;
  }

  #judgeConfiguration(hello: Hello): Refusal | undefined {
    const { members, shards, peersDigest, timersDigest, limits } = this.#parts;
    const member = members.find(({ id }) => id === hello.memberId);
    if (hello.protocol !== PROTOCOL)
      return foreign(hello, `speaks version ${hello.protocol} of the protocol, not ${PROTOCOL}`);
    if (hello.peersDigest !== peersDigest) return foreign(hello, 'has another list of peers');
    if (member?.name !== hello.name)
      return foreign(hello, `is not the peer of its number, ${member?.name ?? 'nobody'}`);
    if (hello.shards !== shards) return foreign(hello, `has ${hello.shards} shards, not ${shards}`);
    if (hello.timersDigest !== timersDigest) return foreign(hello, 'has other timers');
    const differing = differingLimit(hello.limits, limits);
    if (differing === undefined) return undefined;
    const { name, left, right } = differing;
    return foreign(hello, `has limits.${name}: ${left}, not ${right}`);
  }

  #judgeIdentity(hello: Hello): Refusal | undefined {
    const founding = this.#founding;
    if (founding === undefined) return undefined;
    if (hello.clusterId !== zeroId && hello.clusterId !== founding.clusterId) {
      return foreign(hello, 'belongs to another cluster');
    }
    const member = founding.members.find(({ id }) => id === hello.memberId);
    return member?.incarnation === hello.incarnation ? undefined : amnesiac(hello.name);
  }

  #rollCall(): void {
    const { self, members, incarnation, found } = this.#parts;
    const coordinator = Math.min(...members.map(({ id }) => id));
    if (self.id !== coordinator || this.missing.length > 0) return;
    const incarnations = new Map<MemberId, string>([[self.id, incarnation]]);
    for (const hello of this.#connected.values()) {
      if (hello.clusterId !== zeroId) return;
      incarnations.set(hello.memberId, hello.incarnation);
    }
    this.#adopt(found(incarnations));
  }

  /** Stored first: whoever uses the record, or sends it, has it after a crash. */
  #adopt(founding: FoundingRecord): void {
    this.#parts.store(founding);
    this.#founding = founding;
    for (const { memberId, clusterId } of this.#connected.values()) {
      if (clusterId === zeroId) this.#parts.send(memberId, founding);
    }
    this.#parts.founded(founding);
  }
}

function foreign(hello: Hello, reason: string): Refusal {
  return { code: 'FOREIGN', message: `peer ${hello.name} ${reason}` };
}

function amnesiac(name: string): Refusal {
  const message =
    `peer ${name} came back without the data that it has acknowledged (memory only, or a new or another directory), ` +
    'and may not vote as its old self; start it with its own directory, or start all peers anew';
  return { code: 'AMNESIAC', message };
}
