/** Generators of protocol messages for property tests. */
import fc from 'fast-check';
import type { Beat, BeatReply, Entry, Message } from '../../src/raft/types.js';

const count = fc.maxSafeNat();
const time = fc.double({ noNaN: true, noDefaultInfinity: true }).map((value) => value + 0);
const member = fc.integer({ min: 1, max: 0xffff });
const envelope = { from: member, to: member, term: count };
const bytes = fc.uint8Array({ maxLength: 200 }).map((data) => Buffer.from(data));

export const entries: fc.Arbitrary<Entry[]> = fc
  .tuple(
    fc.nat(),
    fc.array(
      fc.record({ term: count, kind: fc.constantFrom('noop' as const, 'batch' as const), data: bytes }),
      {
        maxLength: 8,
      },
    ),
  )
  .map(([first, list]) => list.map((entry, i) => ({ index: first + i, ...entry })));

export const beat: fc.Arbitrary<Beat> = fc.record({
  type: fc.constant('beat' as const),
  ...envelope,
  commit: count,
  sentAt: time,
  readRound: count,
  leased: fc.boolean(),
  echoAt: time,
});

export const beatReply: fc.Arbitrary<BeatReply> = fc.record({
  type: fc.constant('beatReply' as const),
  ...envelope,
  sentAt: time,
  readRound: count,
  repliedAt: time,
});

export const message: fc.Arbitrary<Message> = fc.oneof(
  beat,
  beatReply,
  fc.record({
    type: fc.constant('preVote' as const),
    ...envelope,
    lastIndex: count,
    lastTerm: count,
    round: count,
  }),
  fc.record({ type: fc.constant('preVoteReply' as const), ...envelope, granted: fc.boolean(), round: count }),
  fc.record({
    type: fc.constant('vote' as const),
    ...envelope,
    lastIndex: count,
    lastTerm: count,
    transfer: fc.boolean(),
  }),
  fc.record({
    type: fc.constant('voteReply' as const),
    ...envelope,
    granted: fc.boolean(),
    promiseRemaining: time,
  }),
  fc.record({
    type: fc.constant('append' as const),
    ...envelope,
    prevIndex: count,
    prevTerm: count,
    commit: count,
    sentAt: time,
    entries,
  }),
  fc.record({
    type: fc.constant('appendReply' as const),
    ...envelope,
    ok: fc.boolean(),
    index: count,
    hintIndex: count,
    hintTerm: count,
    sentAt: time,
  }),
  fc.record({
    type: fc.constant('snapshotChunk' as const),
    ...envelope,
    mark: fc.record({ index: count, term: count }),
    sentAt: time,
  }),
  fc.record({
    type: fc.constant('snapshotReply' as const),
    ...envelope,
    ok: fc.boolean(),
    index: count,
    sentAt: time,
  }),
  fc.record({ type: fc.constant('timeoutNow' as const), ...envelope }),
  fc.record({ type: fc.constant('readIndex' as const), ...envelope, id: count }),
  fc.record({
    type: fc.constant('readIndexReply' as const),
    ...envelope,
    id: count,
    index: fc.integer({ min: -1, max: 1_000_000 }),
  }),
);
