import { describe, expect, it } from 'vitest';
import { TIMERS } from '../../src/raft/limits.js';
import { Rules } from '../../src/raft/rules.js';
import { between, Cluster, from, ofType, without } from './cluster.js';

const LEASE_MS = new Rules().leaseLength(TIMERS);

/** Peer 1 leads, has a lease, and everything is delivered. */
function led(peers = 3): Cluster {
  const cluster = new Cluster({ peers });
  cluster.elect(1);
  cluster.run(100);
  expect(cluster.leased(1)).toBe(true);
  return cluster;
}

describe('lease', () => {
  it('counts from the sending of a frame, not from its ack (E8; TL2)', () => {
    const cluster = led();
    cluster.drop();
    cluster.pass(60, [1]);
    cluster.deliver(ofType('beat'));
    const sentAt = Math.max(
      ...cluster.wire.filter(ofType('beatReply')).map((m) => ('sentAt' in m ? m.sentAt : 0)),
    );
    cluster.pass(0.9 * TIMERS.promiseMs, []);
    cluster.deliver(ofType('beatReply'));
    expect(cluster.member(1).leaseUntil).toBeCloseTo(
      Math.max(0, sentAt + LEASE_MS) <= cluster.now ? 0 : sentAt + LEASE_MS,
    );
    expect(cluster.member(1).leaseUntil).toBeLessThan(cluster.now + 0.1 * TIMERS.promiseMs);
  });

  it('needs a majority: one voter of four others is not enough (E8)', () => {
    const cluster = led(5);
    const until = cluster.member(1).leaseUntil;
    for (let step = 0; step < 80; step++) {
      cluster.pass(5, [1]);
      cluster.deliver(between(1, 2));
      cluster.drop();
    }
    expect(cluster.member(1).leaseUntil).toBeLessThanOrEqual(until + 50);
    expect(cluster.leased(1)).toBe(false);
  });

  it('is shorter than the promise at any pair of clock rates', () => {
    const { promiseMs, drift } = TIMERS;
    expect(LEASE_MS / (1 - drift)).toBeLessThan(promiseMs / (1 + drift));
  });

  it('serves nothing before the no-op of the term is applied (E8; TL5)', () => {
    const cluster = led();
    cluster.propose(1, 'x');
    cluster.deliver();
    cluster.crash(1);
    cluster.disconnect(1);
    cluster.member(2).autoApply = false;
    cluster.do(2, (raft) => raft.campaign(cluster.now));
    cluster.run(1_000, [2, 3]);
    const { role, commit, applied } = cluster.raft(2).status();
    expect({ role, behind: commit > applied }).toEqual({ role: 'leader', behind: true });
    expect(cluster.leased(2)).toBe(false);
    cluster.do(2, (raft) => raft.readIndex(cluster.now, 1));
    cluster.run(100, [2, 3]);
    expect(cluster.member(2).reads).toEqual([]);
    cluster.apply(2);
    cluster.run(100, [2, 3]);
    expect(cluster.leased(2)).toBe(true);
    expect(cluster.member(2).reads).toEqual([{ id: 1, index: commit }]);
  });

  it('defers commit behind the barrier: nothing is acknowledged before, everything at once after (E7; TL12)', () => {
    const cluster = led();
    cluster.run(50);
    const promised = cluster.now;
    cluster.crash(1);
    cluster.elect(2);
    for (let write = 0; write < 1_000; write++) cluster.propose(2, `w${write}`);
    cluster.deliver();
    const { barrierUntil } = cluster.raft(2).status();
    expect(barrierUntil).toBeGreaterThan(promised + TIMERS.promiseMs - 60);
    const before = cluster.raft(2).status().commit;
    while (cluster.now + 5 < barrierUntil) {
      cluster.run(5, [2, 3]);
      expect(cluster.raft(2).status().commit).toBe(before);
      expect(cluster.leased(2)).toBe(false);
      expect(cluster.member(3).applied).toEqual([]);
    }
    cluster.run(10, [2, 3]);
    expect(cluster.member(2).applied).toHaveLength(1_000);
    expect(cluster.member(3).applied).toHaveLength(1_000);
  });

  it('reports what earlier leaders may believe, over several terms (E4, E5)', () => {
    const cluster = led();
    cluster.drop();
    const heard = cluster.now;
    cluster.pass(40, []);
    // Terms go by without a leader: the promise to the first leader stands.
    for (const _ of [1, 2, 3]) {
      cluster.do(2, (raft) => raft.campaign(cluster.now));
      cluster.drop();
    }
    cluster.do(2, (raft) => raft.campaign(cluster.now));
    cluster.deliver(between(2, 3));
    const { role, barrierUntil } = cluster.raft(2).status();
    expect(role).toBe('leader');
    expect(barrierUntil).toBeGreaterThan(heard + LEASE_MS);
  });

  it('treats a restarted voter as bound by a promise that it forgot, a new one not (E5)', () => {
    const cluster = led();
    cluster.crash(3);
    cluster.restart(3);
    cluster.pass(100, []);
    cluster.do(3, (raft) => raft.campaign(cluster.now));
    cluster.deliver(without(1));
    const reported = cluster.raft(3).status().barrierUntil - cluster.now;
    expect(reported).toBeGreaterThanOrEqual((TIMERS.promiseMs - 100) * 1.2);
    const fresh = new Cluster();
    fresh.elect(1);
    expect(fresh.raft(1).status().barrierUntil).toBeLessThanOrEqual(fresh.now);
  });

  it('announces a commit only after it is applied here (R6; TL6)', () => {
    const cluster = led();
    cluster.member(1).autoApply = false;
    cluster.propose(1, 'x');
    cluster.run(100);
    expect(cluster.raft(1).status().commit).toBe(2);
    expect(cluster.member(2).applied).toEqual([]);
    cluster.apply(1);
    cluster.deliver();
    expect(cluster.member(2).applied).toEqual(['x']);
  });
});

describe('hand-over', () => {
  it('takes no barrier, and the old leader has no lease when the token leaves (E9)', () => {
    const cluster = led();
    cluster.onSend = (message) => {
      if (message.type === 'timeoutNow') expect(cluster.member(1).leaseUntil).toBe(0);
    };
    expect(cluster.do(1, (raft) => raft.transfer(cluster.now, 2))).toBe(true);
    cluster.deliver();
    expect(cluster.raft(2).status()).toMatchObject({ role: 'leader', term: 2, barrierUntil: 0 });
    expect(cluster.leased(2)).toBe(true);
    expect(cluster.leased(1)).toBe(false);
  });

  it('never gives the lease back in that term; the old leader wins the next one instead (E9; TL3)', () => {
    const cluster = led();
    cluster.do(1, (raft) => raft.transfer(cluster.now, 2));
    cluster.drop(ofType('timeoutNow'));
    expect(cluster.propose(1, 'x')).toBe('busy');
    for (let step = 0; step < 160 && cluster.raft(1).status().term === 1; step++) {
      cluster.run(5);
      if (cluster.raft(1).status().term === 1) expect(cluster.leased(1)).toBe(false);
    }
    cluster.run(100);
    expect(cluster.raft(1).status()).toMatchObject({ role: 'leader', term: 2, barrierUntil: 0 });
    expect(cluster.leased(1)).toBe(true);
  });

  it('comes back to the old leader at once when the target is gone (E9)', () => {
    const cluster = led();
    cluster.do(1, (raft) => raft.transfer(cluster.now, 2));
    cluster.crash(2);
    cluster.disconnect(2);
    cluster.run(20, [1, 3]);
    expect(cluster.raft(1).status()).toMatchObject({ role: 'leader', term: 2, barrierUntil: 0 });
  });

  it('waits until the target has the whole log, and gives up while nothing is lost (E9)', () => {
    const cluster = led();
    cluster.propose(1, 'x');
    cluster.drop(between(1, 2));
    cluster.deliver(without(2));
    cluster.drop();
    cluster.do(1, (raft) => raft.transfer(cluster.now, 2));
    expect(cluster.wire.filter(ofType('timeoutNow'))).toEqual([]);
    for (let step = 0; step < 140; step++) {
      cluster.pass(5, [1]);
      cluster.deliver(without(2));
      cluster.drop();
    }
    expect(cluster.raft(1).status().role).toBe('leader');
    expect(cluster.propose(1, 'y')).toBe(3);
  });

  it('is refused before the own barrier ends (E9; TL4)', () => {
    const cluster = led();
    cluster.crash(1);
    cluster.elect(2);
    expect(cluster.raft(2).status().barrierUntil).toBeGreaterThan(cluster.now);
    expect(cluster.do(2, (raft) => raft.transfer(cluster.now, 3))).toBe(false);
    cluster.run(400, [2, 3]);
    expect(cluster.do(2, (raft) => raft.transfer(cluster.now, 3))).toBe(true);
  });

  it('uses a token for exactly the next term (E9)', () => {
    const cluster = led();
    cluster.do(1, (raft) => raft.transfer(cluster.now, 2));
    cluster.deliver(ofType('timeoutNow'));
    cluster.drop();
    // The campaign with the token found nobody; the next one has to wait for the promises.
    cluster.do(2, (raft) => raft.campaign(cluster.now));
    cluster.deliver(without(1));
    expect(cluster.raft(2).status()).toMatchObject({ role: 'leader', term: 3 });
    expect(cluster.raft(2).status().barrierUntil).toBeGreaterThan(cluster.now);
  });
});

describe('stepping down (E10)', () => {
  it('ends a leadership that nobody supports', () => {
    const cluster = led();
    cluster.pass(LEASE_MS + TIMERS.giveUpMs + 60, [1]);
    expect(cluster.raft(1).status()).toMatchObject({ role: 'follower', term: 1, leader: 0 });
    expect(cluster.member(1).leaseUntil).toBe(0);
  });

  it('ends a leadership that is acknowledged but commits nothing', () => {
    const cluster = led();
    for (const id of [2, 3]) cluster.member(id).autoSync = false;
    cluster.propose(1, 'x');
    cluster.run(4 * TIMERS.electionMs + 100);
    expect(cluster.raft(1).status().role).not.toBe('leader');
  });

  it('zeroes the lease when the host says so, and keeps the vote (E3)', () => {
    const cluster = led();
    cluster.do(1, (raft) => raft.stepDown(cluster.now, 'fsync failed'));
    expect(cluster.member(1).leaseUntil).toBe(0);
    const vote = { type: 'vote', to: 1, term: 1, lastIndex: 9, lastTerm: 1, transfer: false } as const;
    cluster.give({ ...vote, from: 3 });
    expect(cluster.wire.filter(from(1)).filter(ofType('voteReply'))).toMatchObject([{ granted: false }]);
  });
});
