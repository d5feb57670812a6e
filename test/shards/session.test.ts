import { describe, expect, it } from 'vitest';
import { RequestWriter } from '../../src/shards/batch.js';
import { Session } from '../../src/shards/session.js';

const requests = (...names: string[]): Uint8Array => {
  const writer = new RequestWriter();
  for (const name of names) writer.write([name]);
  return writer.take();
};

interface Run {
  session: number;
  firstSeq: number;
  lowestUnacked: number;
  names: string[];
}

/** Reads runs back, each request as its first word. */
const readRuns = (runs: readonly Uint8Array[]): Run[] =>
  runs.map((bytes) => {
    const run = Buffer.from(bytes);
    const names: string[] = [];
    let at = 28;
    for (let i = 0; i < run.readUInt32LE(24); i++) {
      const length = run.readUInt32LE(at);
      const words = run.toString('latin1', at + 4, at + 4 + length).split('\r\n');
      names.push(
        words
          .filter((_, n) => n % 2 === 0 && n > 0)
          .join(' ')
          .trim(),
      );
      at += 4 + length;
    }
    return {
      session: Number(run.readBigUInt64LE(0)),
      firstSeq: Number(run.readBigUInt64LE(8)),
      lowestUnacked: Number(run.readBigUInt64LE(16)),
      names,
    };
  });

const newSession = (): Session => {
  let next = 100;
  return new Session(() => next++);
};

const reply = (seq: number) => ({ kind: 'reply', seq, replyAt: 0, replyEnd: 0 }) as const;

describe('a session', () => {
  it('opens itself before its first run, until it is known to be open', () => {
    const session = newSession();
    session.handIn(1, requests('A'), 1_000);
    const [open, run] = readRuns(session.takeRuns(0));
    expect(open).toMatchObject({ session: 0, names: ['HOLDFAST.SESSION OPEN 100'] });
    expect(run).toEqual({ session: 100, firstSeq: 1, lowestUnacked: 1, names: ['A'] });
    session.settle(reply(1));
    session.handIn(1, requests('B'), 1_000);
    expect(readRuns(session.takeRuns(0))).toEqual([
      { session: 100, firstSeq: 2, lowestUnacked: 2, names: ['B'] },
    ]);
  });

  it('sends what has no outcome again, under the same numbers, to a new leader', () => {
    const session = newSession();
    session.handIn(2, requests('A', 'B'), 1_000);
    session.handIn(1, requests('C'), 1_000);
    session.takeRuns(0);
    session.settle(reply(1));
    session.settle(reply(2));
    expect(session.takeRuns(0)).toEqual([]);
    session.resend();
    expect(readRuns(session.takeRuns(0))).toEqual([
      { session: 100, firstSeq: 3, lowestUnacked: 3, names: ['C'] },
    ]);
    expect(session.pending).toBe(1);
  });

  it('sends a batch whole again when only a part of it has an outcome', () => {
    const session = newSession();
    session.handIn(2, requests('A', 'B'), 1_000);
    session.takeRuns(0);
    session.settle(reply(1));
    session.resend();
    expect(readRuns(session.takeRuns(0))).toEqual([
      { session: 100, firstSeq: 1, lowestUnacked: 2, names: ['A', 'B'] },
    ]);
  });

  it('sends again after a gap', () => {
    const session = newSession();
    session.handIn(1, requests('A'), 1_000);
    session.takeRuns(0);
    session.settle({ kind: 'gap', seq: 1, replyAt: 0, replyEnd: 0 });
    expect(session.unsent).toBe(true);
  });

  it('says of an overdue request whether it may still take effect', () => {
    const session = newSession();
    session.handIn(1, requests('SENT'), 1_000);
    session.takeRuns(0);
    session.handIn(1, requests('KEPT'), 1_000);
    session.handIn(1, requests('LATER'), 2_000);
    expect(session.expire(999, 'NO_QUORUM')).toEqual([]);
    expect(session.expire(1_000, 'NO_QUORUM')).toEqual([
      { firstTicket: 1, count: 1, code: 'NO_QUORUM', mayTakeEffect: true },
      { firstTicket: 2, count: 1, code: 'NO_QUORUM', mayTakeEffect: false },
    ]);
    expect(session.expire(1_500, 'NO_QUORUM')).toEqual([]);
    session.resend();
    const [, run] = readRuns(session.takeRuns(0));
    expect(run?.names).toEqual(['SENT', 'PING', 'LATER']);
  });

  it('replaces what its callers gave up, unless it was sent', () => {
    const session = newSession();
    session.handIn(2, requests('SENT', 'TOO'), 1_000);
    session.takeRuns(0);
    session.handIn(3, requests('A', 'B', 'C'), 1_000);
    session.handIn(1, requests('D'), 1_000);
    session.handIn(1, requests('E'), 1_000);
    const withdrawn = { count: 1, code: 'WITHDRAWN', mayTakeEffect: false };
    expect(session.withdraw([7, 5, 2, 3, 99])).toEqual(
      [3, 5, 7].map((firstTicket) => ({ firstTicket, ...withdrawn })),
    );
    expect(session.withdraw([1])).toEqual([]);
    expect(readRuns(session.takeRuns(0)).at(-1)?.names).toEqual(['PING', 'B', 'PING', 'D', 'PING']);
    session.resend();
    expect(session.withdraw([6])).toEqual([]);
    session.settle(reply(7));
    expect([session.pending, session.pendingBytes]).toEqual([0, 0]);
  });

  it('begins a new life when the group has forgotten it', () => {
    const session = newSession();
    session.handIn(1, requests('A'), 1_000);
    session.takeRuns(0);
    session.settle(reply(1));
    session.handIn(2, requests('B', 'C'), 1_000);
    session.takeRuns(0);
    session.handIn(1, requests('D'), 1_000);
    expect(session.settle({ kind: 'expired', seq: 2, replyAt: 0, replyEnd: 0 })).toEqual([
      { firstTicket: 2, count: 2, code: 'SESSION_EXPIRED', mayTakeEffect: true },
    ]);
    const [open, run] = readRuns(session.takeRuns(0));
    expect(open?.names).toEqual(['HOLDFAST.SESSION OPEN 101']);
    expect(run).toEqual({ session: 101, firstSeq: 1, lowestUnacked: 1, names: ['D'] });
    expect(session.ticketOf(1)).toBe(4);
    session.settle(reply(1));
    expect(session.pending).toBe(0);
    expect(session.pendingBytes).toBe(0);
  });

  it('only opens again what was never seen open', () => {
    const session = newSession();
    session.handIn(1, requests('A'), 1_000);
    session.takeRuns(0);
    expect(session.settle({ kind: 'expired', seq: 1, replyAt: 0, replyEnd: 0 })).toEqual([]);
    expect(readRuns(session.takeRuns(0)).map((run) => run.names)).toEqual([
      ['HOLDFAST.SESSION OPEN 100'],
      ['A'],
    ]);
  });

  it('settles everything when it is closed', () => {
    const session = newSession();
    session.handIn(3, requests('A', 'B', 'C'), 1_000);
    expect(session.close()).toEqual([{ firstTicket: 1, count: 3, code: 'CLOSED', mayTakeEffect: false }]);
    expect(session.pending).toBe(0);
  });

  it('sends a leader no more than a window ahead of the outcomes', () => {
    const session = newSession();
    const large = (): Uint8Array => {
      const writer = new RequestWriter();
      writer.write(['SET', 'k', 'x'.repeat(1024 * 1024)]);
      return writer.take();
    };
    for (let i = 0; i < 20; i++) session.handIn(1, large(), 1_000);
    let sent = 0;
    while (session.unsent) {
      session.takeRuns(0);
      sent++;
    }
    expect(sent).toBe(7);
    session.settle(reply(1));
    expect(session.unsent).toBe(true);
    session.takeRuns(0);
    expect(session.unsent).toBe(false);
    const huge = newSession();
    huge.handIn(1, Buffer.alloc(10 * 1024 * 1024), 1_000);
    expect(huge.takeRuns(0)).toHaveLength(2);
  });

  it('sends only that again which found no room on the way', () => {
    const session = newSession();
    session.handIn(1, requests('A'), 1_000);
    session.takeRuns(0);
    session.handIn(1, requests('B'), 1_000);
    session.takeRuns(0);
    session.putBack();
    expect(readRuns(session.takeRuns(0)).at(-1)).toMatchObject({ firstSeq: 2, names: ['B'] });
    expect(session.unsent).toBe(false);
  });

  it('sends everything again once for a gap that several runs met', () => {
    const session = newSession();
    session.handIn(1, requests('A'), 1_000);
    session.takeRuns(0);
    session.settle({ kind: 'gap', seq: 1, replyAt: 0, replyEnd: 0 });
    session.takeRuns(0);
    session.settle({ kind: 'gap', seq: 1, replyAt: 0, replyEnd: 0 });
    expect(session.unsent).toBe(false);
    session.resend();
    session.takeRuns(0);
    session.settle({ kind: 'gap', seq: 1, replyAt: 0, replyEnd: 0 });
    expect(session.unsent).toBe(true);
  });

  it('does not pile up what was given up while there was no leader', () => {
    const session = newSession();
    session.handIn(1, requests('SENT'), 0);
    session.takeRuns(0);
    for (let i = 0; i < 5_000; i++) session.handIn(1, requests('KEPT'), i);
    session.handIn(1, requests('NEW'), 1e6);
    const abandoned = session.expire(10_000, 'NO_QUORUM');
    expect(abandoned.map(({ mayTakeEffect }) => mayTakeEffect)).toEqual([true, ...Array(5_000).fill(false)]);
    expect(session.pending).toBe(1);
    expect(readRuns(session.takeRuns(10_000))).toEqual([
      { session: 0, firstSeq: 0, lowestUnacked: 0, names: ['HOLDFAST.SESSION OPEN 101'] },
      { session: 101, firstSeq: 1, lowestUnacked: 1, names: ['NEW'] },
    ]);
    expect(session.ticketOf(1)).toBe(5_002);
  });

  it('keeps the place of what was given up while something that was sent is waited for', () => {
    const session = newSession();
    for (let i = 0; i < 2_000; i++) session.handIn(1, requests('A'), 0);
    session.handIn(1, requests('B'), 1e6);
    while (session.unsent) session.takeRuns(0);
    session.expire(10, 'TIMEOUT');
    expect(session.pending).toBe(2_001);
    expect(session.id).toBe(100);
  });

  it('does not open a session again that may have been opened and forgotten', () => {
    const session = newSession();
    session.handIn(1, requests('A'), 1e9);
    session.takeRuns(0);
    session.handIn(1, requests('B'), 1e9);
    session.resend();
    expect(session.renew(60_000)).toEqual([]);
    expect(session.renew(6 * 60_000)).toEqual([
      { firstTicket: 1, count: 1, code: 'SESSION_EXPIRED', mayTakeEffect: true },
    ]);
    expect(readRuns(session.takeRuns(6 * 60_000))).toMatchObject([
      { names: ['HOLDFAST.SESSION OPEN 101'] },
      { session: 101, firstSeq: 1, names: ['B'] },
    ]);
  });
});
