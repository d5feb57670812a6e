import { describe, expect, it } from 'vitest';
import { between, Cluster, ofType, to, without } from './cluster.js';

function led(leaseReads = false): Cluster {
  const cluster = new Cluster({ leaseReads });
  cluster.elect(1);
  cluster.run(60);
  cluster.propose(1, 'x');
  cluster.run(60);
  cluster.drop();
  return cluster;
}

describe('reads by index (2.10)', () => {
  it('are answered when a majority has echoed a round that began after them', () => {
    const cluster = led();
    cluster.do(1, (raft) => raft.readIndex(cluster.now, 7));
    expect(cluster.member(1).reads).toEqual([]);
    cluster.deliver(between(1, 2));
    expect(cluster.member(1).reads).toEqual([{ id: 7, index: 2 }]);
  });

  it('never join a round that is out already', () => {
    const cluster = led();
    cluster.do(1, (raft) => raft.readIndex(cluster.now, 1));
    cluster.do(1, (raft) => raft.readIndex(cluster.now, 2));
    const beats = cluster.wire.filter(ofType('beat')).filter(to(2));
    expect(beats.map((beat) => 'readRound' in beat && beat.readRound)).toEqual([1]);
    cluster.deliver();
    expect(cluster.member(1).reads.map(({ id }) => id)).toEqual([1, 2]);
    cluster.do(1, (raft) => raft.readIndex(cluster.now, 3));
    for (const message of beats) cluster.give(message);
    cluster.drop(ofType('beat'));
    cluster.deliver(ofType('beatReply'));
    expect(cluster.member(1).reads.map(({ id }) => id)).toEqual([1, 2]);
  });

  it('are shared: many wait for one round', () => {
    const cluster = led();
    for (let id = 1; id <= 100; id++) cluster.raft(1).readIndex(cluster.now, id);
    cluster.drain(cluster.member(1));
    expect(cluster.wire.filter(ofType('beat'))).toHaveLength(2);
    cluster.deliver();
    expect(cluster.member(1).reads).toHaveLength(100);
  });

  it('go through the leader on a follower', () => {
    const cluster = led();
    cluster.do(3, (raft) => raft.readIndex(cluster.now, 9));
    cluster.deliver();
    expect(cluster.member(3).reads).toEqual([{ id: 9, index: 2 }]);
  });

  it('fail at once without a leader, when its links close, and when it is deposed', () => {
    const cluster = led();
    cluster.do(2, (raft) => raft.readIndex(cluster.now, 1));
    cluster.do(2, (raft) => raft.peerDown(cluster.now, 1));
    cluster.do(2, (raft) => raft.readIndex(cluster.now, 2));
    expect(cluster.member(2).reads).toEqual([
      { id: 1, index: -1 },
      { id: 2, index: -1 },
    ]);
    cluster.do(1, (raft) => raft.readIndex(cluster.now, 3));
    cluster.do(3, (raft) => raft.campaign(cluster.now));
    cluster.deliver(ofType('vote'));
    expect(cluster.member(1).reads).toEqual([{ id: 3, index: -1 }]);
  });

  it('are not answered by a leader that was deposed without knowing it', () => {
    const cluster = led();
    cluster.do(2, (raft) => raft.campaign(cluster.now));
    cluster.deliver(without(1));
    cluster.drop();
    cluster.do(1, (raft) => raft.readIndex(cluster.now, 1));
    cluster.deliver();
    expect(cluster.member(1).reads).toEqual([{ id: 1, index: -1 }]);
  });
});

describe('the age of a follower (2.6.4)', () => {
  it('is dated by its own clock, back to what the leader had heard of it', () => {
    const cluster = led();
    cluster.run(200);
    const { freshAt } = cluster.raft(2);
    expect(freshAt).toBeLessThan(cluster.now);
    expect(freshAt).toBeGreaterThan(cluster.now - 120);
    cluster.pass(500, [2]);
    expect(cluster.raft(2).freshAt).toBe(freshAt);
    expect(cluster.raft(1).freshAt).toBeGreaterThan(0);
  });
});

describe('reads by index while the lease holds', () => {
  it('are answered without a round, in one round trip from a follower', () => {
    const cluster = led(true);
    cluster.do(1, (raft) => raft.readIndex(cluster.now, 7));
    expect(cluster.member(1).reads).toEqual([{ id: 7, index: 2 }]);
    cluster.do(3, (raft) => raft.readIndex(cluster.now, 8));
    cluster.deliver(between(1, 3));
    expect(cluster.member(3).reads).toEqual([{ id: 8, index: 2 }]);
  });

  it('need a round again once the lease is over', () => {
    const cluster = led(true);
    cluster.now += 1_000;
    cluster.do(1, (raft) => raft.readIndex(cluster.now, 7));
    expect(cluster.member(1).reads).toEqual([]);
  });
});
