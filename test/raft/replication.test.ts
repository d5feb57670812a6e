import { describe, expect, it } from 'vitest';
import { InvariantError } from '../../src/raft/invariant.js';
import { TIMERS } from '../../src/raft/limits.js';
import type { Append, Entry, Message } from '../../src/raft/types.js';
import { between, Cluster, from, ofType, to, without } from './cluster.js';

function led(options: ConstructorParameters<typeof Cluster>[0] = {}): Cluster {
  const cluster = new Cluster(options);
  cluster.elect(1);
  cluster.run(60);
  return cluster;
}

function entries(...terms: readonly number[]): Entry[] {
  return terms.map((term, at) => ({ index: at + 1, term, kind: 'batch', data: new Uint8Array(1) }));
}

function append(term: number, prev: Entry | undefined, tail: readonly Entry[]): Append {
  const prevIndex = prev?.index ?? 0;
  return {
    type: 'append',
    from: 1,
    to: 2,
    term,
    prevIndex,
    prevTerm: prev?.term ?? 0,
    commit: 0,
    sentAt: 1,
    entries: tail,
  };
}

function acks(messages: readonly Message[]): (number | string)[] {
  return messages.flatMap((message) =>
    message.type === 'appendReply' ? [message.ok ? message.index : `refused ${message.index}`] : [],
  );
}

describe('appending', () => {
  it('keeps what it has when a shorter or doubled frame of the term comes late (R1; TR5)', () => {
    const cluster = new Cluster();
    const all = entries(1, 1, 1, 1);
    cluster.give(append(1, undefined, all));
    cluster.give(append(1, undefined, all.slice(0, 2)));
    cluster.give(append(1, all[0], all.slice(1, 3)));
    expect(cluster.log(2)).toBe('1 1 1 1');
    // Each ack says how far the logs are known to be equal, no more.
    expect(acks(cluster.wire)).toEqual([4, 2, 3]);
  });

  it('truncates only where the logs differ (R1)', () => {
    const cluster = new Cluster();
    cluster.give(append(1, undefined, entries(1, 1, 1, 1)));
    const other = entries(1, 1, 2);
    cluster.give(append(2, other[0], other.slice(1)));
    expect(cluster.log(2)).toBe('1 1 2');
    expect(cluster.member(2).entries.map(({ term }) => term)).toEqual([1, 1, 2]);
  });

  it('does not replace what is committed: that is a broken invariant (R1)', () => {
    const cluster = new Cluster();
    cluster.give({ ...append(1, undefined, entries(1, 1)), commit: 2 });
    expect(() => cluster.give(append(2, undefined, entries(2)))).toThrow(InvariantError);
  });

  it('acknowledges only what is durable in the present log, however writes and truncations cross (R7)', () => {
    const cluster = new Cluster();
    cluster.member(2).autoSync = false;
    const old = entries(1, 1, 1);
    cluster.give(append(1, undefined, old));
    const grown = entries(1, 2, 2);
    cluster.give(append(2, grown[0], grown.slice(1)));
    cluster.sync(2, 1);
    const second = cluster.wire.filter((message) => message.term === 2);
    expect(acks(second)).toEqual([]);
    cluster.sync(2);
    expect(acks(cluster.wire.filter((message) => message.term === 2))).toEqual([3]);
  });

  it('commits through the followers when the own disk is slow (R4)', () => {
    const cluster = led();
    cluster.member(1).autoSync = false;
    cluster.propose(1, 'x');
    cluster.deliver();
    expect(cluster.member(1).applied).toEqual(['x']);
    expect(cluster.member(1).entries).toHaveLength(1);
  });

  it('does not count itself before its disk has it (R4; TR9)', () => {
    const cluster = led();
    cluster.member(1).autoSync = false;
    cluster.propose(1, 'x');
    cluster.deliver(without(3));
    expect(cluster.raft(1).status().commit).toBe(1);
    cluster.sync(1);
    expect(cluster.raft(1).status().commit).toBe(2);
  });

  it('commits no entry of an earlier term by count (R5; thesis 3.6.2)', () => {
    const cluster = new Cluster({ peers: 5, limits: { appendBytesMax: 1 } });
    cluster.elect(1);
    cluster.run(60);
    cluster.propose(1, 'old');
    cluster.deliver(between(1, 2));
    cluster.drop();
    cluster.do(5, (raft) => raft.campaign(cluster.now));
    cluster.deliver(
      (message) =>
        ![1, 2].includes(message.from) && ![1, 2].includes(message.to) && message.type !== 'append',
    );
    expect(cluster.raft(5).status()).toMatchObject({ role: 'leader', term: 2 });
    cluster.drop();
    cluster.do(1, (raft) => raft.stepDown(cluster.now, 'test'));
    // 1 leads again; its old entry reaches a majority, its no-op does not.
    cluster.do(1, (raft) => raft.campaign(cluster.now));
    cluster.deliver((message) => without(5)(message) && ofType('vote', 'voteReply')(message));
    cluster.do(1, (raft) => raft.campaign(cluster.now));
    cluster.deliver((message) => without(5)(message) && ofType('vote', 'voteReply')(message));
    expect(cluster.raft(1).status().role).toBe('leader');
    const noop = cluster.raft(1).status().lastIndex;
    cluster.pass(TIMERS.promiseMs * 1.3, [1]);
    cluster.deliver((message) => {
      const carriesNoop = message.type === 'append' && message.entries.some(({ index }) => index === noop);
      return without(5)(message) && !carriesNoop;
    });
    expect(
      cluster
        .raft(1)
        .followers()
        .filter(({ match }) => match >= 2 && match < noop).length,
    ).toBeGreaterThanOrEqual(2);
    expect(cluster.raft(1).status().commit).toBe(1);
  });

  it('caps what is uncommitted, and comes back to zero (R8; TR7)', () => {
    const cluster = led({ limits: { uncommittedBytesMax: 10 } });
    cluster.propose(1, '12345');
    cluster.propose(1, '12345');
    expect(cluster.propose(1, '1')).toBe('busy');
    cluster.deliver();
    expect(cluster.propose(1, '1234567890')).toBe(4);
    cluster.deliver();
    expect(cluster.propose(1, 'larger than the cap')).toBe(5);
    expect(cluster.propose(2, 'x')).toBe('notLeader');
  });
});

describe('followers that are behind', () => {
  it('converge in rounds by the terms that differ, not by entries (R2; TR4)', () => {
    const cluster = new Cluster();
    const mine = entries(...Array.from({ length: 10_000 }, (_, at) => 2 * Math.floor(at / 250) + 1));
    const theirs = entries(...Array.from({ length: 10_000 }, (_, at) => 2 * Math.floor(at / 250) + 2));
    for (const [id, log] of [
      [1, mine],
      [2, theirs],
      [3, mine],
    ] as const) {
      const member = cluster.member(id);
      member.entries = [...log];
      member.hardState = { term: 80, vote: 0 };
      cluster.crash(id);
      cluster.restart(id);
    }
    cluster.member(1).entries = [...mine];
    cluster.do(1, (raft) => raft.campaign(cluster.now));
    cluster.deliver(between(1, 3));
    let refusals = 0;
    cluster.onSend = (message) => {
      if (message.type === 'appendReply' && !message.ok) refusals++;
    };
    cluster.run(2_000);
    expect(cluster.log(2)).toBe(cluster.log(1));
    expect(refusals).toBeLessThan(100);
  });

  it('get a snapshot when the log no longer reaches back, never an append without a place (TR3)', () => {
    const cluster = led();
    for (let write = 0; write < 5; write++) cluster.propose(1, `w${write}`);
    cluster.deliver(without(3));
    cluster.drop();
    const mark = cluster.compact(1);
    cluster.run(1_000);
    expect(cluster.member(1).snapshots).toEqual([3]);
    expect(
      cluster
        .raft(1)
        .followers()
        .find(({ id }) => id === 3)?.state,
    ).toBe('snapshot');
    expect(cluster.install(3, mark)).toBe('dropLog');
    cluster.do(1, (raft) => raft.snapshotSent(cluster.now, 3, mark));
    cluster.propose(1, 'after');
    cluster.run(200);
    expect(cluster.raft(3).status().applied).toBe(cluster.raft(1).status().applied);
    expect(cluster.member(3).applied).toEqual(['after']);
  });

  it('take a place that a snapshot covers for a match, with the commit index unknown (R1; TR2)', () => {
    const cluster = led();
    for (let write = 0; write < 5; write++) cluster.propose(1, `w${write}`);
    cluster.deliver();
    cluster.compact(2);
    cluster.propose(1, 'last');
    cluster.deliver();
    cluster.crash(2);
    cluster.restart(2);
    const before = cluster.log(2);
    cluster.drop();
    cluster.give({ ...append(1, { index: 2, term: 1, kind: 'batch', data: new Uint8Array() }, []) });
    expect(cluster.log(2)).toBe(before);
    expect(acks(cluster.wire)).toEqual([6]);
  });

  it('do not install a snapshot that they are past, and say where they are (S3; TR14)', () => {
    const cluster = led();
    for (let write = 0; write < 3; write++) cluster.propose(1, `w${write}`);
    cluster.deliver();
    cluster.drop();
    expect(cluster.install(2, { index: 2, term: 1 })).toBe('refused');
    expect(cluster.wire).toMatchObject([{ type: 'snapshotReply', ok: false, index: 4 }]);
    expect(cluster.install(1, { index: 99, term: 1 })).toBe('refused');
  });

  it('keep the log behind a snapshot that it continues (S3)', () => {
    const cluster = new Cluster();
    cluster.give(append(1, undefined, entries(1, 1, 1, 1)));
    expect(cluster.install(2, { index: 3, term: 1 })).toBe('keepLog');
    expect(cluster.raft(2).status()).toMatchObject({ lastIndex: 4, commit: 3, applied: 3 });
  });

  it('flow on after the window was full and flipped a thousand times (R3; TR6)', () => {
    const cluster = led({ limits: { inflightFramesMax: 2, appendBytesMax: 1 } });
    for (let flip = 0; flip < 1_000; flip++) {
      cluster.propose(1, 'x');
      if (flip % 3 === 0) cluster.drop(between(1, 2));
      if (flip % 7 === 0) {
        cluster.do(1, (raft) => raft.peerDown(cluster.now, 2));
        cluster.do(1, (raft) => raft.peerUp(cluster.now, 2));
      }
      cluster.run(5);
    }
    cluster.run(3 * TIMERS.electionMs);
    expect(
      cluster
        .raft(1)
        .followers()
        .map(({ match }) => match),
    ).toEqual([1_001, 1_001]);
  });

  it('are probed again when a probe was answered by an older ack (R3)', () => {
    const cluster = led();
    for (let write = 0; write < 4; write++) cluster.propose(1, `w${write}`);
    cluster.deliver(without(3));
    cluster.drop();
    const mark = cluster.compact(1);
    cluster.run(1_000);
    // While the snapshot is loaded the log goes on and is compacted again.
    cluster.do(3, (raft) => raft.installSnapshot(cluster.now, mark));
    cluster.do(1, (raft) => raft.snapshotSent(cluster.now, 3, mark));
    for (let write = 0; write < 4; write++) cluster.propose(1, `v${write}`);
    cluster.run(500);
    const newer = cluster.compact(1);
    cluster.run(500);
    cluster.do(3, (raft) => raft.snapshotInstalled(cluster.now, mark));
    cluster.run(500);
    expect(cluster.install(3, newer)).toBe('dropLog');
    cluster.do(1, (raft) => raft.snapshotSent(cluster.now, 3, newer));
    cluster.run(300);
    expect(cluster.raft(3).status().applied).toBe(cluster.raft(1).status().applied);
  });

  it('that lost what they acknowledged are found out and not counted (I4)', () => {
    const cluster = led();
    for (let write = 0; write < 3; write++) cluster.propose(1, `w${write}`);
    cluster.run(50);
    cluster.crash(3);
    cluster.member(3).entries = [];
    cluster.restart(3);
    cluster.do(1, (raft) => raft.peerDown(cluster.now, 3));
    cluster.do(1, (raft) => raft.peerUp(cluster.now, 3));
    cluster.run(200);
    expect(cluster.raft(1).followers()).toMatchObject([{ amnesiac: false }, { id: 3, amnesiac: true }]);
    cluster.drop(between(1, 2));
    const { commit } = cluster.raft(1).status();
    cluster.propose(1, 'x');
    cluster.drop(between(1, 2));
    cluster.deliver(from(3));
    expect(cluster.raft(1).status().commit).toBe(commit);
  });
});

describe('pipelining', () => {
  it('puts the proposals of one turn into one frame', () => {
    const cluster = led();
    for (let write = 0; write < 10; write++) cluster.raft(1).propose(cluster.now, new Uint8Array(8));
    cluster.drain(cluster.member(1));
    const frames = cluster.wire.filter(to(2)).filter(ofType('append')) as Append[];
    expect(frames.map((frame) => frame.entries.length)).toEqual([10]);
  });

  it('keeps frames within the window (R3)', () => {
    const cluster = led({ limits: { inflightFramesMax: 4, appendBytesMax: 100, inflightBytesMax: 250 } });
    for (let write = 0; write < 20; write++) cluster.raft(1).propose(cluster.now, new Uint8Array(60));
    cluster.drain(cluster.member(1));
    expect(cluster.wire.filter(to(2)).filter(ofType('append'))).toHaveLength(4);
    cluster.deliver();
    expect(cluster.raft(1).status().commit).toBe(21);
  });

  it('lets several writes be under way, and acknowledges them together', () => {
    const cluster = led();
    cluster.member(2).autoSync = false;
    for (let write = 0; write < 3; write++) {
      cluster.propose(1, `w${write}`);
      cluster.deliver(between(1, 2));
    }
    expect(cluster.member(2).writes).toHaveLength(3);
    cluster.drop();
    cluster.sync(2);
    expect(acks(cluster.wire).at(-1)).toBe(4);
  });
});
