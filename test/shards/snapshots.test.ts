/** The order of taking, sending, receiving and loading snapshots, with a host and a store that only take note. */
import { mkdtempSync, readdirSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import type { SnapshotMark } from '../../src/raft/types.js';
import { FrameKind } from '../../src/replication/frame.js';
import {
  decodeSnapshotAck,
  decodeSnapshotOffer,
  encodeSnapshotAck,
  encodeSnapshotChunk,
  encodeSnapshotOffer,
  type SnapshotAck,
} from '../../src/replication/snapshot-codec.js';
import { Snapshots, type SnapshotsParts } from '../../src/shards/snapshots.js';

const HEADER_BYTES = 12;
const bodyOf = (frame: Uint8Array): Buffer => Buffer.from(frame).subarray(HEADER_BYTES);

let dir = '';
/** Ends what a test has set up. What it held up goes on. */
const ends: (() => Promise<void>)[] = [];
beforeEach(() => {
  dir = mkdtempSync(join(tmpdir(), 'holdfast-test-'));
});
afterEach(async () => {
  for (const end of ends.splice(0)) await end();
  rmSync(dir, { recursive: true, force: true });
});

/** A gate that work waits at. */
const gate = () => {
  let open: () => void = () => {};
  const passed = new Promise<void>((resolve) => {
    open = resolve;
  });
  return { passed, open };
};

const setUp = (overrides: { applied?: number; logBytes?: number; leads?: boolean } = {}) => {
  const { applied = 5, logBytes = 0, leads = false } = overrides;
  const events: string[] = [];
  const frames: { to: number; kind: number; body: Buffer }[] = [];
  const saving = gate();
  const loading = gate();
  const state = { nowMs: 0, applied, mark: { index: leads ? 5 : 0, term: leads ? 1 : 0 } };
  const role = leads ? 'leader' : 'follower';
  const status = {
    id: 1,
    role,
    term: 1,
    leader: 2,
    commit: 5,
    applied: 5,
    lastIndex: 5,
    barrierUntil: 0,
  } as const;
  const note = (text: string) => {
    events.push(text);
  };
  const file = join(dir, 'sent.rdb');
  writeFileSync(file, 'the bytes of a snapshot');
  const parts: SnapshotsParts = {
    ...{ shard: 0, self: 1, logBytesMax: 100 },
    host: {
      holdApply: () => note('hold'),
      releaseApply: () => note('release'),
      compact: () => note('compact'),
      snapshotLoaded: () => note('loaded'),
      raft: {
        status: () => status,
        snapshotChunk: (now, to, mark) => ({
          ...({ type: 'snapshotChunk', from: 1, to, term: 1, mark, sentAt: now } as const),
        }),
        snapshotSent: () => note('sent'),
        snapshotFailed: () => note('failed'),
        installSnapshot: (_, mark) => {
          note('offer to the protocol');
          return mark.index > state.applied ? 'dropLog' : 'refused';
        },
        snapshotAbandoned: () => note('abandoned'),
      },
    },
    machine: {
      id: 1,
      get applied() {
        return state.applied;
      },
      appliedTerm: 1,
      save: () => ({ stampMs: 0, sessions: Buffer.alloc(0) }),
      restore: () => {},
    },
    log: {
      bytes: logBytes,
      get mark() {
        return state.mark;
      },
      drained: async () => {},
      setMark: async (mark: SnapshotMark) => {
        note(`mark ${mark.index}`);
        state.mark = mark;
      },
      compact: () => {},
    },
    store: {
      pathOf: () => (leads ? file : undefined),
      draftPath: () => join(dir, 'draft'),
      save: async (_, describe) => {
        const { mark } = describe();
        note('save');
        await saving.passed;
        note('saved');
        return { mark, path: file };
      },
      load: async () => {
        note('load');
        await loading.passed;
        return { stampMs: 0, sessions: Buffer.alloc(0) };
      },
      publish: async (draft) => draft,
      keepOnly: async () => {},
      close: async () => {},
    },
    transport: {
      isUp: () => true,
      message: () => {},
      snapshot: (to, frame) => {
        frames.push({ to, kind: Buffer.from(frame).readUInt8(5), body: bodyOf(frame) });
        return true;
      },
    },
    clock: { now: () => state.nowMs, wall: () => 0, random32: () => 0 },
    fault: ({ message }) => note(`fault: ${message}`),
    guard: (work) => work(),
  };
  const snapshots = new Snapshots(parts);
  ends.push(() => {
    saving.open();
    loading.open();
    return snapshots.close();
  });
  const offer = (transfer: number, index: number, sizeBytes: number, { from = 2, term = 1 } = {}) => {
    const mark = { index, term };
    const frame = encodeSnapshotOffer(0, {
      ...{ transfer, from, term, mark, sizeBytes, header: new Uint8Array() },
    });
    snapshots.frame(from, FrameKind.snapshotOffer, bodyOf(frame));
  };
  const chunk = (transfer: number, offset: number, text: string, last: boolean) => {
    const frame = encodeSnapshotChunk(0, { transfer, offset, last, data: Buffer.from(text) });
    snapshots.frame(2, FrameKind.snapshotChunk, bodyOf(frame));
  };
  const acks = (from?: number): SnapshotAck[] =>
    frames
      .filter(({ to, kind }) => kind === FrameKind.snapshotAck && (from === undefined || to === from))
      .map(({ body }) => decodeSnapshotAck(body));
  return { snapshots, events, frames, acks, state, saving, loading, offer, chunk };
};

const until = async (reached: () => boolean): Promise<void> => {
  while (!reached()) await new Promise((resolve) => setTimeout(resolve, 1));
};
const aWhile = () => new Promise((resolve) => setTimeout(resolve, 30));

describe('snapshots', () => {
  it('are not loaded while one is being taken of what they replace', async () => {
    const { snapshots, events, saving, loading, offer, chunk, acks } = setUp({ logBytes: 1_000 });
    snapshots.tick();
    offer(1, 20, 4);
    chunk(1, 0, 'RDB!', true);
    await aWhile();
    expect(events).toEqual(['save']);
    saving.open();
    loading.open();
    await until(() => acks().at(-1)?.state === 'done');
    expect(events).toEqual([
      ...['save', 'saved', 'mark 5', 'compact'],
      ...['offer to the protocol', 'hold', 'load', 'mark 20', 'loaded', 'release'],
    ]);
  });

  it('are loaded to the end though their sender is gone, and none is taken meanwhile', async () => {
    const { snapshots, events, loading, saving, offer, chunk } = setUp({ logBytes: 1_000 });
    saving.open();
    offer(1, 20, 4);
    chunk(1, 0, 'RDB!', true);
    await until(() => events.includes('load'));
    snapshots.peerDown(2);
    snapshots.tick();
    await aWhile();
    expect(events).not.toContain('save');
    loading.open();
    await until(() => events.includes('loaded'));
    expect(events).toContain('release');
  });

  it('are given up when their sender falls silent', async () => {
    const { snapshots, events, state, offer, chunk, acks } = setUp({ logBytes: 1_000 });
    offer(1, 20, 100);
    chunk(1, 0, 'RDB!', false);
    snapshots.tick();
    expect(events).toEqual([]);
    state.nowMs = 40_000;
    snapshots.tick();
    expect(acks().at(-1)?.state).toBe('refused');
    expect(events).toEqual(['save']);
  });

  it('are given up when the log has brought as much', () => {
    const { snapshots, state, offer, acks } = setUp();
    offer(1, 20, 100);
    state.applied = 21;
    snapshots.tick();
    expect(acks().at(-1)?.state).toBe('refused');
  });

  it('that are not newer are answered by the protocol, which says how far this peer is', () => {
    const { events, offer, acks } = setUp();
    offer(1, 5, 100);
    expect(events).toEqual(['offer to the protocol']);
    expect(acks().at(-1)?.state).toBe('refused');
  });

  it('go on though a leader of an earlier term offers one late', async () => {
    const { events, loading, offer, chunk, acks } = setUp();
    loading.open();
    offer(7, 20, 4);
    offer(1, 19, 4, { from: 3, term: 0 });
    expect(acks(3).map(({ transfer, state }) => [transfer, state])).toEqual([[1, 'refused']]);
    chunk(7, 0, 'RDB!', true);
    await until(() => events.includes('loaded'));
  });

  it('that give way to those of another leader are refused to their sender, who waits', () => {
    const { offer, chunk, acks } = setUp();
    offer(7, 20, 100);
    offer(1, 21, 100, { from: 3, term: 2 });
    const last = (from: number) => acks(from).at(-1);
    expect([last(2)?.state, last(2)?.transfer, last(3)?.state]).toEqual(['refused', 7, 'going']);
    const refusals = acks(2).length;
    chunk(7, 0, 'RDB!', true);
    expect(acks(2).length).toBe(refusals + 1);
    expect(last(3)?.state).toBe('going');
  });

  it('leave the directory alone once they are closed, whatever was given up before', async () => {
    const { snapshots, state, offer, chunk } = setUp();
    offer(1, 20, 100);
    chunk(1, 0, 'RDB!', false);
    snapshots.peerDown(2);
    offer(2, 21, 100);
    state.applied = 22;
    snapshots.tick();
    await snapshots.close();
    const changedNs = () => statSync(dir, { bigint: true }).mtimeNs;
    const [left, changed] = [readdirSync(dir), changedNs()];
    await aWhile();
    expect(left).toEqual(['sent.rdb']);
    expect(changedNs()).toBe(changed);
  });

  it('that are wanted again while a transfer is not over are wanted again when it is', async () => {
    const { snapshots, events, frames } = setUp({ leads: true });
    snapshots.send(2);
    await until(() => frames.length > 0);
    const { transfer, sizeBytes } = decodeSnapshotOffer(frames[0]?.body ?? Buffer.alloc(0));
    const ack = (offset: number, state: SnapshotAck['state']) => {
      const answer = { transfer, offset, creditBytes: 1_000_000, state, reason: '' };
      snapshots.frame(2, FrameKind.snapshotAck, bodyOf(encodeSnapshotAck(0, answer)));
    };
    ack(0, 'going');
    await until(() => events.includes('sent'));
    snapshots.send(2);
    ack(sizeBytes, 'done');
    await until(() => events.includes('failed'));
    expect(events).toEqual(['sent', 'failed']);
  });

  it('are wanted again at once though the follower never says that it has the one before', async () => {
    const { snapshots, events, frames } = setUp({ leads: true });
    snapshots.send(2);
    await until(() => frames.length > 0);
    const { transfer } = decodeSnapshotOffer(frames[0]?.body ?? Buffer.alloc(0));
    const going = { transfer, offset: 0, creditBytes: 1_000_000, state: 'going', reason: '' } as const;
    snapshots.frame(2, FrameKind.snapshotAck, bodyOf(encodeSnapshotAck(0, going)));
    await until(() => events.includes('sent'));
    await aWhile();
    snapshots.send(2);
    await until(() => events.includes('failed'));
    snapshots.send(2);
    await until(() => frames.filter(({ kind }) => kind === FrameKind.snapshotOffer).length === 2);
  });
});
