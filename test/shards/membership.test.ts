import { describe, expect, it } from 'vitest';
import { TIMERS } from '../../src/raft/limits.js';
import type { Hello } from '../../src/replication/handshake.js';
import type { FoundingRecord } from '../../src/replication/identity.js';
import { Membership } from '../../src/shards/membership.js';

const MEMBERS = ['a', 'b', 'c'].map((name, i) => ({ id: i + 1, name, address: `127.0.0.1:${7600 + i}` }));
const hex = (digit: string): string => digit.repeat(32);

interface Peer {
  membership: Membership;
  stored: FoundingRecord[];
  founded: FoundingRecord[];
  sent: [number, FoundingRecord][];
}

const peer = (id: number, incarnation: string, founding?: FoundingRecord): Peer => {
  const self = MEMBERS[id - 1];
  if (self === undefined) throw new RangeError('no such member');
  const stored: FoundingRecord[] = [];
  const founded: FoundingRecord[] = [];
  const sent: [number, FoundingRecord][] = [];
  const membership = new Membership({
    ...{ self, members: MEMBERS, incarnation, runId: hex('9'), shards: 1 },
    ...{ peersDigest: 'p', timersDigest: 't', limits: { listMaxListpackSize: -2 }, founding },
    found: (incarnations) => ({
      clusterId: hex('c'),
      members: MEMBERS.map(({ id, name }) => ({ id, name, incarnation: incarnations.get(id) ?? '' })),
      shards: 1,
      timers: TIMERS,
    }),
    store: (record) => stored.push(record),
    send: (to, record) => {
      expect([...stored, founding]).toContain(record);
      sent.push([to, record]);
    },
    founded: (record) => {
      expect(stored).toContain(record);
      founded.push(record);
    },
  });
  return { membership, stored, founded, sent };
};

const hello = (of: Peer, change: Partial<Hello> = {}): Hello => ({ ...of.membership.hello(), ...change });

const foundedRecord = (): FoundingRecord => {
  const [a, b, c] = [peer(1, hex('1')), peer(2, hex('2')), peer(3, hex('3'))];
  a.membership.up(hello(b));
  a.membership.up(hello(c));
  const [record] = a.founded;
  if (record === undefined) throw new Error('not founded');
  return record;
};

describe('founding', () => {
  it('waits until everybody is there', () => {
    const [a, b, c] = [peer(1, hex('1')), peer(2, hex('2')), peer(3, hex('3'))];
    a.membership.up(hello(b));
    expect(a.founded).toEqual([]);
    expect(a.membership.missing).toEqual(['c']);
    a.membership.up(hello(c));
    expect(a.founded).toHaveLength(1);
    expect(a.sent.map(([to]) => to)).toEqual([2, 3]);
    expect(a.founded[0]?.members.map(({ incarnation }) => incarnation)).toEqual([
      hex('1'),
      hex('2'),
      hex('3'),
    ]);
  });

  it('is done by the peer with the smallest id only', () => {
    const [a, b, c] = [peer(1, hex('1')), peer(2, hex('2')), peer(3, hex('3'))];
    b.membership.up(hello(a));
    b.membership.up(hello(c));
    expect(b.founded).toEqual([]);
  });

  it('does not begin anew while one peer belongs to a cluster', () => {
    const record = foundedRecord();
    const [a, b, c] = [peer(1, hex('f')), peer(2, hex('2'), record), peer(3, hex('3'))];
    a.membership.up(hello(c));
    a.membership.up(hello(b));
    expect(a.founded).toEqual([]);
    expect(b.membership.judge(hello(a))?.code).toBe('AMNESIAC');
  });

  it('is passed on to a member that missed it', () => {
    const record = foundedRecord();
    const [b, c] = [peer(2, hex('2'), record), peer(3, hex('3'))];
    b.membership.up(hello(c));
    expect(b.sent).toEqual([[3, record]]);
    expect(c.membership.received(record)).toBeUndefined();
    expect(c.founded).toEqual([record]);
  });

  it('is refused by another incarnation, and by a member of another cluster', () => {
    const record = foundedRecord();
    expect(peer(3, hex('f')).membership.received(record)?.code).toBe('AMNESIAC');
    const other = { ...record, clusterId: hex('d') };
    expect(peer(3, hex('3'), other).membership.received(record)?.code).toBe('FOREIGN');
  });
});

describe('judging a peer', () => {
  const record = foundedRecord();
  const a = peer(1, hex('1'), record);
  const b = peer(2, hex('2'), record);

  it('takes a member as it was founded, blank or not', () => {
    expect(a.membership.judge(hello(b))).toBeUndefined();
    expect(a.membership.judge(hello(peer(2, hex('2'))))).toBeUndefined();
  });

  it.each([
    ['another list of peers', { peersDigest: 'x' }],
    ['another name for its number', { name: 'c' }],
    ['another number of shards', { shards: 3 }],
    ['other timers', { timersDigest: 'x' }],
    ['other limits', { limits: { listMaxListpackSize: -1 } }],
    ['another cluster', { clusterId: hex('d') }],
    ['another protocol', { protocol: 2 }],
  ])('refuses %s', (_, change) => {
    expect(a.membership.judge(hello(b, change))?.code).toBe('FOREIGN');
  });

  it('names the limit that differs, and both values', () => {
    const refusal = a.membership.judge(hello(b, { limits: { listMaxListpackSize: -1 } }));
    expect(refusal?.message).toContain('has limits.listMaxListpackSize: -1, not -2');
  });

  it('refuses a member that lost its memory, naming it', () => {
    const refusal = a.membership.judge(hello(b, { incarnation: hex('f') }));
    expect(refusal?.code).toBe('AMNESIAC');
    expect(refusal?.message).toContain('peer b');
  });
});
