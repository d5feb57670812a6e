/** A shard's host on the real core and the real keyspace; time, peers and disk are the test's. */
import { afterEach, describe, expect, it } from 'vitest';
import { native } from '../../src/keyspace/native.js';
import { TIMERS } from '../../src/raft/limits.js';
import { Raft } from '../../src/raft/raft.js';
import type { MemberId, Message, Persist, ReadIndex } from '../../src/raft/types.js';
import { FrameKind } from '../../src/replication/frame.js';
import { decodeMessage } from '../../src/replication/message-codec.js';
import { RequestWriter } from '../../src/shards/batch.js';
import { DivergenceError, ShardHost } from '../../src/shards/host.js';
import type { FromWorker } from '../../src/shards/protocol.js';
import { Session } from '../../src/shards/session.js';
import { MemoryLog, type ShardLog } from '../../src/shards/shard-log.js';
import { StateMachine } from '../../src/shards/state-machine.js';
import { type Network, ShardTransport } from '../../src/shards/transport.js';

const HEADER_BYTES = 12;

/** A log whose disk is as slow as the test wants. */
class SlowLog extends MemoryLog implements ShardLog {
  override full = false;
  #waiting: Persist[] = [];
  slow = false;

  override append(persist: Persist): void {
    if (this.slow) this.#waiting.push(persist);
    else super.append(persist);
  }

  finish(): void {
    this.slow = false;
    this.full = false;
    for (const persist of this.#waiting.splice(0)) super.append(persist);
  }
}

const replicas: number[] = [];
afterEach(() => {
  for (const replica of replicas.splice(0)) native.replicaClose(replica);
});

const open = (voters: readonly MemberId[]) => {
  const replica = native.replicaCreate();
  replicas.push(replica);
  const machine = new StateMachine(replica);
  const posted: FromWorker[] = [];
  const sent: { kind: number; body: Buffer }[] = [];
  const network: Network = {
    isUp: () => true,
    send: (_to, _connection, frame) => {
      const bytes = Buffer.from(frame);
      sent.push({ kind: bytes.readUInt8(5), body: bytes.subarray(HEADER_BYTES) });
      return true;
    },
    sendBeat: () => true,
  };
  let nowMs = 1_000;
  const log = new SlowLog();
  const nothing = { index: 0, term: 0 };
  const raft = new Raft({
    ...{ id: 1, voters, timers: TIMERS, random: () => 0.5, now: nowMs, restarted: false, entries: [] },
    ...{ hardState: { term: 0, vote: 0 }, snapshot: nothing },
  });
  const host = new ShardHost({
    ...{ shard: 0, voters: voters.length, raft, machine, log, timeoutMs: 10_000, limited: false },
    session: new Session(() => 77),
    transport: new ShardTransport(0, network),
    clock: { now: () => nowMs, wall: () => 1_700_000_000_000, random32: () => 1 },
    post: (message) => posted.push(message),
    freshness: new Float64Array(1),
    sendSnapshot: () => {},
    guard: (work) => work(),
  });
  const tick = (ms: number) => {
    nowMs += ms;
    host.tick();
  };
  const messages = (): Message[] =>
    sent.filter(({ kind }) => kind === FrameKind.message).map(({ body }) => decodeMessage(body));
  return { host, raft, machine, log, posted, sent, tick, messages, now: () => nowMs };
};

/** A follower of member 2 in term 1. */
const follow = () => {
  const opened = open([1, 2, 3]);
  const { host, now } = opened;
  const envelope = { from: 2, to: 1, term: 1 } as const;
  host.message({
    ...{ type: 'beat', ...envelope, commit: 0, sentAt: now(), readRound: 0, leased: false, echoAt: 0 },
  });
  return { ...opened, envelope };
};

const request = (...words: string[]): Uint8Array => {
  const writer = new RequestWriter();
  writer.write(words);
  return writer.take();
};

const turn = () => new Promise((resolve) => setImmediate(resolve));
const outcomes = (posted: readonly FromWorker[]) => posted.filter(({ type }) => type === 'outcomes').length;
const barriers = (posted: readonly FromWorker[]) => posted.filter(({ type }) => type === 'barrier');

describe('a host', () => {
  it('lets a read go on that waited for what a snapshot brought', () => {
    const { host, raft, machine, posted, messages, envelope, now } = follow();
    host.barrier();
    const asked = messages().find((message): message is ReadIndex => message.type === 'readIndex');
    host.message({ type: 'readIndexReply', ...envelope, id: asked?.id ?? 0, index: 10 });
    expect(barriers(posted)).toEqual([]);
    const mark = { index: 10, term: 1 };
    host.holdApply();
    expect(raft.installSnapshot(now(), mark)).toBe('dropLog');
    machine.restore(mark, machine.save());
    host.snapshotLoaded(mark);
    host.releaseApply();
    expect(barriers(posted)).toEqual([{ type: 'barrier', shard: 0, failure: undefined }]);
  });

  it('asks again when the question of a read was lost', () => {
    const { host, messages, tick, envelope, now } = follow();
    const questions = () => messages().filter(({ type }) => type === 'readIndex').length;
    host.barrier();
    expect(questions()).toBe(1);
    for (let i = 0; i < 12; i++) {
      const beat = { ...envelope, commit: 0, sentAt: now(), readRound: 0, leased: false, echoAt: 0 };
      host.message({ type: 'beat', ...beat });
      tick(100);
    }
    expect(questions()).toBe(2);
  });

  it('takes a digest that was meant for a leader for nothing, and a verdict for what it is', () => {
    const { host } = follow();
    const report = { index: 5, digest: 'other' };
    host.compared(3, report);
    expect(() => host.compared(2, { ...report, differs: true })).toThrow(DivergenceError);
  });

  it('appends what waited for the disk when the disk has room', async () => {
    const { host, log, posted, tick } = open([1]);
    tick(10);
    tick(10);
    log.slow = true;
    log.full = true;
    host.requests(1, request('SET', 'k', 'v'));
    await turn();
    expect(host.raft.status().lastIndex).toBe(1);
    log.finish();
    tick(10);
    await turn();
    expect(outcomes(posted)).toBe(1);
  });

  it('does not let the clock fill a queue that is full', async () => {
    const { host, log, tick } = open([1]);
    tick(10);
    host.requests(1, request('SET', 'k', 'v', 'PX', '1'));
    await turn();
    const { lastIndex } = host.raft.status();
    log.full = true;
    for (let i = 0; i < 10; i++) tick(30);
    expect(host.raft.status().lastIndex).toBe(lastIndex);
    log.finish();
    tick(30);
    expect(host.raft.status().lastIndex).toBe(lastIndex + 1);
  });

  it('keeps the newest part of the log behind a snapshot', async () => {
    const { host, raft, tick } = open([1]);
    tick(10);
    for (let i = 0; i < 20; i++) {
      host.requests(1, request('SET', 'k', 'x'.repeat(1_000)));
      await turn();
    }
    const { lastIndex } = raft.status();
    expect(lastIndex).toBe(21);
    host.compact({ index: lastIndex, term: 1 }, 20_000);
    expect(raft.termAt(lastIndex - 3)).toBe(1);
    expect(raft.termAt(lastIndex - 10)).toBeUndefined();
  });
});
