import { describe, expect, it } from 'vitest';
import { TIMERS } from '../../src/raft/limits.js';
import type { Message } from '../../src/raft/types.js';
import { Elections } from '../sim/checkers/elections.js';
import { Logs } from '../sim/checkers/logs.js';
import { between, Cluster, from, ofType, to, without } from './cluster.js';

const VOTE = { type: 'vote', term: 1, lastIndex: 0, lastTerm: 0, transfer: false } as const;
const BEAT = { type: 'beat', commit: 0, readRound: 0, leased: false, echoAt: 0 } as const;

function grants(messages: readonly Message[]): number[] {
  return messages.flatMap((message) => (message.type === 'voteReply' && message.granted ? [message.to] : []));
}

describe('voting', () => {
  it('gives one vote per term, however frames are doubled and mixed (E2; TE3)', () => {
    const cluster = new Cluster();
    const ask = (candidate: number): void => cluster.give({ ...VOTE, from: candidate, to: 1 });
    const preAsk = (candidate: number): void =>
      cluster.give({ ...VOTE, type: 'preVote', term: 5, round: 1, from: candidate, to: 1 });
    for (const act of [
      () => ask(2),
      () => preAsk(3),
      () => ask(3),
      () => ask(2),
      () => preAsk(2),
      () => ask(3),
    ])
      act();
    expect(new Set(grants(cluster.wire))).toEqual(new Set([2]));
  });

  it('makes a vote durable before it leaves, and keeps it over a crash (2.11; TE1)', () => {
    const cluster = new Cluster();
    cluster.member(1).autoSync = false;
    cluster.give({ ...VOTE, from: 2, to: 1 });
    expect(cluster.wire).toEqual([]);
    cluster.sync(1);
    expect(grants(cluster.wire)).toEqual([2]);
    cluster.crash(1);
    cluster.restart(1);
    cluster.member(1).autoSync = true;
    cluster.drop();
    cluster.give({ ...VOTE, from: 3, to: 1 });
    expect(cluster.wire).toMatchObject([{ type: 'voteReply', granted: false, to: 3 }]);
  });

  it('asks for votes, and counts its own, only when that is durable (E2)', () => {
    const cluster = new Cluster({ peers: 1 });
    cluster.member(1).autoSync = false;
    cluster.pass(5);
    expect(cluster.raft(1).status()).toMatchObject({ role: 'candidate', term: 1 });
    cluster.sync(1);
    expect(cluster.raft(1).status().role).toBe('leader');
    const three = new Cluster();
    three.member(1).autoSync = false;
    three.do(1, (raft) => raft.campaign(three.now));
    expect(three.wire).toEqual([]);
    three.sync(1);
    expect(three.wire.filter(ofType('vote'))).toHaveLength(2);
  });

  it('refuses a candidate whose log is shorter (E2)', () => {
    const cluster = new Cluster();
    cluster.elect(1);
    cluster.propose(1, 'x');
    cluster.deliver(without(3));
    cluster.drop();
    cluster.do(3, (raft) => raft.campaign(cluster.now));
    cluster.deliver(between(2, 3));
    expect(cluster.raft(3).status().role).not.toBe('leader');
  });

  it('answers an empty beat of a new term only when the term is durable (2.11; TE4)', () => {
    const cluster = new Cluster();
    cluster.member(3).autoSync = false;
    cluster.give({ ...BEAT, from: 1, to: 3, term: 4, sentAt: cluster.now });
    expect(cluster.wire).toEqual([]);
    cluster.crash(3);
    cluster.restart(3);
    expect(cluster.raft(3).status().term).toBe(0);
    cluster.give({ ...BEAT, from: 1, to: 3, term: 4, sentAt: cluster.now });
    cluster.sync(3);
    expect(cluster.wire).toMatchObject([{ type: 'beatReply', term: 4 }]);
    cluster.crash(3);
    cluster.restart(3);
    cluster.drop();
    const late = {
      type: 'append',
      from: 2,
      to: 3,
      term: 3,
      prevIndex: 0,
      prevTerm: 0,
      commit: 0,
      sentAt: 0,
    } as const;
    cluster.give({ ...late, entries: [{ index: 1, term: 3, kind: 'noop', data: new Uint8Array() }] });
    expect(cluster.wire).toMatchObject([{ type: 'beatReply', term: 4 }]);
    expect(cluster.raft(3).status().lastIndex).toBe(0);
  });
});

describe('pre-vote', () => {
  it('changes nothing, not even what is remembered of a leader (E1; TE5)', () => {
    const cluster = new Cluster();
    cluster.elect(1);
    cluster.run(50);
    cluster.crash(1);
    const asked = {
      ...VOTE,
      type: 'preVote',
      term: 2,
      round: 1,
      from: 3,
      to: 2,
      lastIndex: 1,
      lastTerm: 1,
    } as const;
    for (let waited = 0; waited < 2 * TIMERS.electionMs + 50; waited += 50) {
      cluster.give(asked);
      cluster.pass(50, [2]);
    }
    expect(cluster.wire.some((message) => message.type === 'preVote' && message.from === 2)).toBe(true);
    expect(cluster.raft(2).status().term).toBe(1);
  });

  it('counts only grants of its own round (E1; TE7)', () => {
    const cluster = new Cluster();
    const grant = { type: 'preVoteReply', from: 2, to: 1, term: 1, granted: true } as const;
    cluster.pass(2 * TIMERS.electionMs, [1]);
    cluster.drop();
    cluster.pass(2 * TIMERS.electionMs, [1]);
    cluster.give({ ...grant, round: 1 });
    expect(cluster.raft(1).status().role).toBe('follower');
    cluster.give({ ...grant, round: 2 });
    expect(cluster.raft(1).status().role).toBe('candidate');
  });

  it('is refused while a leader is heard, and granted when its links are closed (E1)', () => {
    const cluster = new Cluster();
    cluster.elect(1);
    cluster.run(100);
    const asked = {
      ...VOTE,
      type: 'preVote',
      term: 2,
      round: 1,
      from: 3,
      to: 2,
      lastIndex: 1,
      lastTerm: 1,
    } as const;
    cluster.give(asked);
    cluster.do(2, (raft) => raft.peerDown(cluster.now, 1));
    cluster.give(asked);
    const answers = cluster.wire.filter(ofType('preVoteReply'));
    expect(answers.map((answer) => 'granted' in answer && answer.granted)).toEqual([false, true]);
  });
});

describe('failover', () => {
  it('needs no timeout when the links of the leader close: well under 600 ms to the first commit', () => {
    for (const draw of [0, 0.3, 0.5, 0.99]) {
      const cluster = new Cluster({ draws: [draw, (draw + 0.4) % 1, (draw + 0.7) % 1] });
      cluster.elect(1);
      cluster.run(300);
      cluster.crash(1);
      cluster.disconnect(1);
      const crashed = cluster.now;
      const commit = cluster.raft(2).status().commit;
      const leads = (): number => [2, 3].find((id) => cluster.raft(id).status().commit > commit) ?? 0;
      while (leads() === 0 && cluster.now < crashed + 2_000) cluster.run(5, [2, 3]);
      expect(cluster.now - crashed).toBeLessThan(480);
    }
  });

  it('settles a split vote quickly', () => {
    const cluster = new Cluster({ draws: [0.1, 0.9, 0.4] });
    cluster.elect(1);
    cluster.run(100);
    cluster.crash(1);
    cluster.disconnect(1);
    cluster.do(2, (raft) => raft.campaign(cluster.now));
    cluster.do(3, (raft) => raft.campaign(cluster.now));
    cluster.run(200, [2, 3]);
    expect([2, 3].some((id) => cluster.raft(id).status().role === 'leader')).toBe(true);
  });

  it('comes at once when peers can reach each other again, however long they could not', () => {
    const cluster = new Cluster({ draws: [0.1, 0.5, 0.9] });
    for (const id of cluster.ids) cluster.disconnect(id);
    cluster.run(20_000);
    for (const id of cluster.ids) cluster.connect(id);
    cluster.run(150);
    expect(cluster.ids.filter((id) => cluster.raft(id).status().role === 'leader')).toHaveLength(1);
  });

  it('frees a peer that is a term ahead of a living leader (TE6)', () => {
    const cluster = new Cluster();
    cluster.elect(1);
    cluster.run(50);
    cluster.propose(1, 'x');
    cluster.deliver(without(3));
    cluster.drop();
    cluster.do(3, (raft) => raft.campaign(cluster.now));
    cluster.drop();
    cluster.run(10 * TIMERS.electionMs);
    const terms = cluster.ids.map((id) => cluster.raft(id).status().term);
    expect(new Set(terms).size).toBe(1);
    expect(cluster.ids.filter((id) => cluster.raft(id).status().role === 'leader')).toHaveLength(1);
    expect(cluster.member(3).applied).toEqual(['x']);
  });

  it('does not campaign while a snapshot is being loaded (E11; TE12)', () => {
    const cluster = new Cluster();
    expect(cluster.do(3, (raft) => raft.installSnapshot(cluster.now, { index: 9, term: 1 }))).toBe('dropLog');
    cluster.pass(5 * TIMERS.electionMs, [3]);
    cluster.do(3, (raft) => raft.campaign(cluster.now));
    expect(cluster.wire).toEqual([]);
    cluster.do(3, (raft) => raft.snapshotAbandoned(cluster.now));
    cluster.pass(3 * TIMERS.electionMs, [3]);
    expect(cluster.wire.some(ofType('preVote'))).toBe(true);
  });

  it('hears what waited before it campaigns, after a stall (G4)', () => {
    const cluster = new Cluster();
    cluster.elect(1);
    cluster.run(50);
    cluster.now += 3_000;
    cluster.do(2, (raft) => raft.tick(cluster.now));
    expect(cluster.wire.filter(from(2))).toEqual([]);
    cluster.give({ ...BEAT, from: 1, to: 2, term: 1, sentAt: cluster.now - 10 });
    cluster.pass(100, [2]);
    expect(cluster.wire.filter(from(2)).filter(ofType('preVote'))).toEqual([]);
  });

  it('leaves a stable leader alone when one link between two peers is cut (TE8)', () => {
    const cluster = new Cluster({ draws: [0.2, 0.6, 0.9] });
    cluster.elect(1);
    cluster.run(100);
    cluster.do(1, (raft) => raft.peerDown(cluster.now, 2));
    cluster.do(2, (raft) => raft.peerDown(cluster.now, 1));
    for (let step = 0; step < 1_000; step++) {
      cluster.pass(5);
      cluster.drop(between(1, 2));
      cluster.deliver((message) => !between(1, 2)(message));
    }
    expect(cluster.raft(1).status()).toMatchObject({ role: 'leader', term: 1 });
    expect(cluster.leased(1)).toBe(true);
  });

  it('ignores frames that are not for it, or of strangers', () => {
    const cluster = new Cluster();
    cluster.give({ ...VOTE, from: 9, to: 1, term: 7 });
    cluster.do(1, (raft) => raft.step(cluster.now, { ...VOTE, from: 2, to: 3, term: 7 }));
    expect(cluster.raft(1).status().term).toBe(0);
    expect(cluster.wire.filter(to(9))).toEqual([]);
  });
});

describe('the checkers', () => {
  it('accept a late winner of an older term (TE14)', () => {
    const elections = new Elections();
    const logs = new Logs();
    const entry = { index: 1, term: 3, kind: 'noop', data: new Uint8Array() } as const;
    elections.leads(1, 3);
    logs.applies(1, entry, undefined, { chain: 7, term: 3, before: 0 });
    elections.leads(2, 2);
    expect(() => logs.leads(2, 2, 0, () => undefined)).not.toThrow();
    expect(() => logs.leads(2, 4, 0, () => undefined)).toThrow('leader completeness');
    expect(() => elections.leads(3, 3)).toThrow('election safety');
  });
});
