import { describe, expect, it } from 'vitest';
import { type PeerStatus, parseAnswer, pictureOf } from '../../src/cli/status-picture.js';
import { HoldfastError } from '../../src/errors.js';

const peers = ['a', 'b', 'c'].map((name, n) => ({ name, address: `10.0.0.${n + 1}:7600` }));

function status(name: string, shard: Partial<PeerStatus['shards'][number]>): PeerStatus {
  const defaults = { shard: 0, role: 'follower', leader: 'a', term: 4, commit: 90, applied: 90 };
  return { name, peers, shards: [{ ...defaults, ...shard }] };
}

describe('picture of the cluster', () => {
  it('shows roles, and how far each peer is behind the furthest', () => {
    const picture = pictureOf([
      { address: '10.0.0.1:7600', status: status('a', { role: 'leader', commit: 100, applied: 100 }) },
      { address: '10.0.0.2:7600', status: status('b', { applied: 80 }) },
      { address: '10.0.0.3:7600', failure: new HoldfastError('IO', 'connection refused') },
    ]);
    expect(picture.shards).toEqual([
      {
        shard: 0,
        leader: 'a',
        term: 4,
        replicas: [
          { peer: 'a', role: 'leader', commit: 100, applied: 100, lag: 0 },
          { peer: 'b', role: 'follower', commit: 90, applied: 80, lag: 20 },
        ],
      },
    ]);
    expect(picture.peers.map(({ name, up, reason }) => ({ name, up, reason }))).toEqual([
      { name: 'a', up: true, reason: undefined },
      { name: 'b', up: true, reason: undefined },
      { name: 'c', up: false, reason: 'connection refused' },
    ]);
  });

  it('believes the newest term', () => {
    const answers = (terms: [number, string | undefined][]) =>
      terms.map(([term, leader], n) => ({
        address: `10.0.0.${n + 1}:7600`,
        status: status('x', { term, leader }),
      }));
    const leaderOf = (terms: [number, string | undefined][]) => pictureOf(answers(terms)).shards[0]?.leader;
    expect(
      leaderOf([
        [4, 'a'],
        [5, 'b'],
      ]),
    ).toBe('b');
    expect(
      leaderOf([
        [5, 'b'],
        [4, 'a'],
      ]),
    ).toBe('b');
    expect(
      leaderOf([
        [5, undefined],
        [4, 'a'],
      ]),
    ).toBeUndefined();
    expect(
      leaderOf([
        [5, 'b'],
        [5, undefined],
      ]),
    ).toBe('b');
  });
});

describe('answer of a peer', () => {
  const sent = {
    name: 'a',
    members: peers.map((peer, n) => ({ id: n + 1, ...peer })),
    shards: [{ shard: 0, role: 'follower', leader: 2, term: 4, commit: 90, applied: 90, silentMs: 12.5 }],
  };

  it('names peers in place of ids', () => {
    expect(parseAnswer('10.0.0.1:7600', sent)).toEqual({
      name: 'a',
      peers,
      shards: [{ shard: 0, role: 'follower', leader: 'b', term: 4, commit: 90, applied: 90 }],
    });
  });

  it('knows no leader where there is none, or one that has long been silent', () => {
    for (const fields of [{ leader: 0 }, { silentMs: 2_001 }]) {
      const leaderless = { ...sent, shards: [{ ...sent.shards[0], ...fields }] };
      expect(parseAnswer('10.0.0.1:7600', leaderless).shards[0]?.leader).toBeUndefined();
    }
  });

  it.each([
    null,
    7,
    {},
    { ...sent, name: 7 },
    { ...sent, members: 'a' },
    { ...sent, shards: [7] },
    { ...sent, shards: [{ ...sent.shards[0], term: '4' }] },
  ])('is refused if it is no status: %j', (value) => {
    expect(() => parseAnswer('10.0.0.1:7600', value)).toThrow('the peer at 10.0.0.1:7600');
  });
});
