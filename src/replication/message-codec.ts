/**
 * The messages of the protocol (`raft/types.ts`) as bytes. Each message type has a layout, which the compiler checks
 * against the type: a field that is added there does not compile here until it has a place on the wire.
 */

import { limits } from '../limits.js';
import type { Beat, BeatReply, Entry, EntryKind, Message, SnapshotMark } from '../raft/types.js';
import { ByteReader, type ByteWriter } from './byte-cursor.js';
import { beginFrame, endFrame, FrameKind, noShard } from './frame.js';
import { protocolError } from './protocol-error.js';

type MessageType = Message['type'];
type MessageOf<T extends MessageType> = Extract<Message, { type: T }>;

/** `count`: 0 to 2^53 - 1. `countOrNone`: the same and -1. `time`: a double. */
type FieldCodec<V> = V extends boolean
  ? 'flag'
  : V extends number
    ? 'count' | 'countOrNone' | 'time'
    : V extends SnapshotMark
      ? 'mark'
      : 'entries';
type AnyCodec = 'flag' | 'count' | 'countOrNone' | 'time' | 'mark' | 'entries';
type Layout<M> = { readonly [K in Exclude<keyof M, 'type' | 'from' | 'to' | 'term'>]: FieldCodec<M[K]> };

/** The order of the fields is their order on the wire. */
const layouts: { readonly [T in MessageType]: Layout<MessageOf<T>> } = {
  preVote: { lastIndex: 'count', lastTerm: 'count', round: 'count' },
  preVoteReply: { granted: 'flag', round: 'count' },
  vote: { lastIndex: 'count', lastTerm: 'count', transfer: 'flag' },
  voteReply: { granted: 'flag', promiseRemaining: 'time' },
  beat: { commit: 'count', sentAt: 'time', readRound: 'count', leased: 'flag', echoAt: 'time' },
  beatReply: { sentAt: 'time', readRound: 'count', repliedAt: 'time' },
  append: { prevIndex: 'count', prevTerm: 'count', commit: 'count', sentAt: 'time', entries: 'entries' },
  appendReply: { ok: 'flag', index: 'count', hintIndex: 'count', hintTerm: 'count', sentAt: 'time' },
  snapshotChunk: { mark: 'mark', sentAt: 'time' },
  snapshotReply: { ok: 'flag', index: 'count', sentAt: 'time' },
  timeoutNow: {},
  readIndex: { id: 'count' },
  readIndexReply: { id: 'count', index: 'countOrNone' },
};

/** On the wire: never reuse a number. */
const typeCodes: { readonly [T in MessageType]: number } = {
  preVote: 1,
  preVoteReply: 2,
  vote: 3,
  voteReply: 4,
  beat: 5,
  beatReply: 6,
  append: 7,
  appendReply: 8,
  snapshotChunk: 9,
  snapshotReply: 10,
  timeoutNow: 11,
  readIndex: 12,
  readIndexReply: 13,
};

const entryKindCodes: { readonly [K in EntryKind]: number } = { noop: 1, batch: 2 };

interface WireLayout {
  readonly type: MessageType;
  readonly fields: readonly (readonly [name: string, codec: AnyCodec])[];
}

const layoutsByCode = new Map<number, WireLayout>();
const layoutsByType = new Map<MessageType, WireLayout>();
for (const [type, code] of Object.entries(typeCodes) as [MessageType, number][]) {
  const layout = { type, fields: Object.entries(layouts[type]) as [string, AnyCodec][] };
  layoutsByCode.set(code, layout);
  layoutsByType.set(type, layout);
}
const entryKindsByCode = new Map(
  (Object.entries(entryKindCodes) as [EntryKind, number][]).map(([kind, code]) => [code, kind]),
);

/** The wire and file number of an entry's kind. */
export function entryKindCode(kind: EntryKind): number {
  return entryKindCodes[kind];
}

/** The kind with that number, undefined if there is none. */
export function entryKindOf(code: number): EntryKind | undefined {
  return entryKindsByCode.get(code);
}

const ENVELOPE_BYTES = 1 + 2 + 2 + 8;
/** index, term, kind, length */
const ENTRY_HEADER_BYTES = 8 + 8 + 1 + 4;
const fixedBytes: { readonly [C in Exclude<AnyCodec, 'entries'>]: number } = {
  flag: 1,
  count: 8,
  countOrNone: 8,
  time: 8,
  mark: 16,
};

type Fields = Record<string, unknown>;

function entriesBytes(entries: readonly Entry[]): number {
  let sum = 4;
  for (const entry of entries) sum += ENTRY_HEADER_BYTES + entry.data.length;
  return sum;
}

function layoutOf(message: Message): WireLayout {
  const layout = layoutsByType.get(message.type);
  if (layout === undefined) throw new TypeError(`unknown message type ${String(message.type)}`);
  return layout;
}

function messageBytes(message: Message): number {
  let sum = ENVELOPE_BYTES;
  for (const [, codec] of layoutOf(message).fields) {
    sum += codec === 'entries' ? entriesBytes((message as MessageOf<'append'>).entries) : fixedBytes[codec];
  }
  return sum;
}

function writeMessage(writer: ByteWriter, message: Message): void {
  writer.u8(typeCodes[message.type]).u16(message.from).u16(message.to).count(message.term);
  const fields = message as Message & Fields;
  for (const [name, codec] of layoutOf(message).fields) writeField(writer, codec, fields[name]);
}

function writeField(writer: ByteWriter, codec: AnyCodec, value: unknown): void {
  switch (codec) {
    case 'flag':
      writer.u8(value === true ? 1 : 0);
      return;
    case 'count':
      writer.count(value as number);
      return;
    case 'countOrNone':
      writer.count((value as number) + 1);
      return;
    case 'time':
      writer.f64(value as number);
      return;
    case 'mark':
      writer.count((value as SnapshotMark).index).count((value as SnapshotMark).term);
      return;
    case 'entries':
      writeEntries(writer, value as readonly Entry[]);
  }
}

function writeEntries(writer: ByteWriter, entries: readonly Entry[]): void {
  if (entries.length > limits.appendEntriesMax)
    throw new RangeError(`${entries.length} entries in one append`);
  writer.u32(entries.length);
  for (const { index, term, kind, data } of entries) {
    writer.count(index).count(term).u8(entryKindCodes[kind]).u32(data.length).bytes(data);
  }
}

function readMessage(reader: ByteReader): Message {
  const code = reader.u8();
  const layout = layoutsByCode.get(code);
  if (layout === undefined) throw protocolError(`message type ${code} is unknown`);
  const message: Fields = { type: layout.type };
  message.from = reader.u16();
  message.to = reader.u16();
  message.term = reader.count();
  for (const [name, codec] of layout.fields) message[name] = readField(reader, codec);
  return message as Fields & Message;
}

function readField(reader: ByteReader, codec: AnyCodec): unknown {
  switch (codec) {
    case 'flag':
      return reader.flag();
    case 'count':
      return reader.count();
    case 'countOrNone':
      return reader.count() - 1;
    case 'time':
      return reader.f64();
    case 'mark':
      return { index: reader.count(), term: reader.count() };
    case 'entries':
      return readEntries(reader);
  }
}

function readEntries(reader: ByteReader): Entry[] {
  const length = reader.u32();
  if (length > limits.appendEntriesMax) throw protocolError(`${length} entries in one append`);
  const entries: Entry[] = [];
  for (let i = 0; i < length; i += 1) {
    const index = reader.count();
    const term = reader.count();
    const code = reader.u8();
    const kind = entryKindOf(code);
    if (kind === undefined) throw protocolError(`entry kind ${code} is unknown`);
    const previous = entries.at(-1);
    if (previous !== undefined && index !== previous.index + 1) {
      throw protocolError(`entry ${index} follows entry ${previous.index}`);
    }
    entries.push({ index, term, kind, data: reader.bytes(reader.u32()) });
  }
  return entries;
}

/** A frame with one message of a shard's group. The data of entries is copied into it. */
export function encodeMessage(shard: number, message: Message): Buffer {
  const writer = beginFrame(FrameKind.message, shard, messageBytes(message));
  writeMessage(writer, message);
  return endFrame(writer);
}

/**
 * The message in the body of a frame of kind `message`. The data of its entries are views of `body`.
 *
 * @throws HoldfastError `PROTOCOL`
 */
export function decodeMessage(body: Uint8Array): Message {
  const reader = new ByteReader(body);
  const message = readMessage(reader);
  reader.finish();
  return message;
}

/** A message and the shard whose group it belongs to. */
export interface ShardMessage<M extends Message> {
  readonly shard: number;
  readonly message: M;
}

/** One frame with the beats of several shards for one peer. */
export function encodeBeats(beats: readonly ShardMessage<Beat>[]): Buffer {
  return encodeCollected(FrameKind.beats, beats);
}

/** One frame with the beat replies of several shards for one peer. */
export function encodeBeatReplies(replies: readonly ShardMessage<BeatReply>[]): Buffer {
  return encodeCollected(FrameKind.beatReplies, replies);
}

/** @throws HoldfastError `PROTOCOL` */
export function decodeBeats(body: Uint8Array): ShardMessage<Beat>[] {
  return decodeCollected(body, (message) => (message.type === 'beat' ? message : undefined));
}

/** @throws HoldfastError `PROTOCOL` */
export function decodeBeatReplies(body: Uint8Array): ShardMessage<BeatReply>[] {
  return decodeCollected(body, (message) => (message.type === 'beatReply' ? message : undefined));
}

function encodeCollected(kind: FrameKind, messages: readonly ShardMessage<Message>[]): Buffer {
  let bodyBytes = 2;
  for (const { message } of messages) bodyBytes += 2 + messageBytes(message);
  const writer = beginFrame(kind, noShard, bodyBytes).u16(messages.length);
  for (const { shard, message } of messages) {
    writer.u16(shard);
    writeMessage(writer, message);
  }
  return endFrame(writer);
}

function decodeCollected<M extends Message>(
  body: Uint8Array,
  accept: (message: Message) => M | undefined,
): ShardMessage<M>[] {
  const reader = new ByteReader(body);
  const length = reader.u16();
  if (length > limits.shardsMax) throw protocolError(`${length} shards in one frame`);
  const messages: ShardMessage<M>[] = [];
  for (let i = 0; i < length; i += 1) {
    const shard = reader.u16();
    const message = readMessage(reader);
    const accepted = accept(message);
    if (accepted === undefined) throw protocolError(`a message of type ${message.type} among beats`);
    messages.push({ shard, message: accepted });
  }
  reader.finish();
  return messages;
}
