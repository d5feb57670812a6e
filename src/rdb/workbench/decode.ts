/** Facts of a file, put together to keys. */
import { HoldfastError } from '../../errors.js';
import { FACT, FactReader, KEY_FLAG } from './facts.js';
import type {
  RdbBytes,
  RdbConsumer,
  RdbField,
  RdbGroup,
  RdbKey,
  RdbKeyHead,
  RdbMember,
  RdbModule,
  RdbOmittedKey,
  RdbPlace,
  RdbStream,
  RdbStreamEntry,
  RdbType,
} from './shapes.js';

/** What becomes of a value that is longer than may be held. */
export type Oversized = 'error' | 'omit' | 'parts';

/** How to put keys together. */
export interface DecodeForm<B extends RdbBytes> {
  bytesOf(bytes: Buffer): B;
  valueBytesMax: number;
  oversized: Oversized;
}

/** What stands around the keys. */
export interface FileFacts {
  format: 'REDIS' | 'VALKEY' | undefined;
  version: number | undefined;
  checksum: 'right' | 'disabled' | 'none' | undefined;
  aux: [string, string][];
  functions: string[];
}

/** What is told of a value that has begun. */
interface Current<B extends RdbBytes> {
  head: RdbKeyHead<B> & RdbPlace & { type: RdbType };
  /** What of the value has come since the last part. */
  value: Collected<B>;
  bytes: number;
  /** Parts that were handed out. */
  parts: number;
  isOmitted: boolean;
}

interface Collected<B extends RdbBytes> {
  text?: B;
  elements: B[];
  fields: RdbField<B>[];
  members: RdbMember<B>[];
  stream: RdbStream<B>;
  module?: RdbModule;
}

/** Metadata and libraries that are kept. */
const FILE_FACTS_MAX = 10_000;
/** What an element costs beside its bytes. */
const ELEMENT_OVERHEAD_BYTES = 64;
const CHECKSUMS = ['right', 'disabled', 'none'] as const;

/** Takes facts, gives keys. */
export class Decoder<B extends RdbBytes> {
  readonly file: FileFacts = {
    format: undefined,
    version: undefined,
    checksum: undefined,
    aux: [],
    functions: [],
  };
  readonly #form: DecodeForm<B>;
  #current: Current<B> | undefined;
  #entry: RdbStreamEntry<B> | undefined;
  #group: RdbGroup<B> | undefined;
  #consumer: RdbConsumer<B> | undefined;

  constructor(form: DecodeForm<B>) {
    this.#form = form;
  }

  /** The keys, or parts of them, that these facts complete. */
  *keys(facts: Buffer): Generator<RdbKey<B> | RdbOmittedKey<B>> {
    const reader = new FactReader(facts);
    while (!reader.isAtEnd) {
      const tag = reader.u8();
      if (tag === FACT.endKey) {
        const key = this.#endKey();
        if (key !== undefined) yield key;
        continue;
      }
      this.#fact(tag, reader);
      const part = this.#partIfFull();
      if (part !== undefined) yield part;
    }
  }

  #fact(tag: number, reader: FactReader): void {
    switch (tag) {
      case FACT.header:
        this.file.format = reader.u8() === 1 ? 'VALKEY' : 'REDIS';
        this.file.version = reader.u32();
        return;
      case FACT.aux: {
        const field: [string, string] = [reader.text(), reader.text()];
        if (this.file.aux.length < FILE_FACTS_MAX) this.file.aux.push(field);
        return;
      }
      case FACT.function: {
        const source = reader.text();
        if (this.file.functions.length < FILE_FACTS_MAX) this.file.functions.push(source);
        return;
      }
      case FACT.end:
        this.file.checksum = CHECKSUMS[reader.u8()];
        return;
      case FACT.key:
        this.#current = this.#beginKey(reader);
        return;
      default:
        if (this.#current !== undefined) this.#element(tag, reader, this.#current);
    }
  }

  #beginKey(reader: FactReader): Current<B> {
    const [flags, rdbType, freq] = [reader.u8(), reader.u8(), reader.u8()];
    const db = Number(reader.count());
    const offset = Number(reader.count());
    const [expireAtMs, idleS] = [reader.i64(), reader.count()];
    const key = this.#form.bytesOf(reader.bytes());
    const type = reader.text() as RdbType;
    const encoding = reader.text();
    const head = {
      ...{ db, key, type, encoding, rdbType, offset },
      ...(flags & KEY_FLAG.expiry && { expireAtMs }),
      ...(flags & KEY_FLAG.idle && { idleS }),
      ...(flags & KEY_FLAG.freq && { freq }),
    };
    return { head, value: collected(), bytes: 0, parts: 0, isOmitted: false };
  }

  #element(tag: number, reader: FactReader, current: Current<B>): void {
    const { value } = current;
    const bytes = (): B => {
      const read = reader.bytes();
      current.bytes += read.length + ELEMENT_OVERHEAD_BYTES;
      return this.#form.bytesOf(read);
    };
    switch (tag) {
      case FACT.string:
        value.text = bytes();
        return;
      case FACT.element:
        value.elements.push(bytes());
        return;
      case FACT.pair: {
        const [field, text] = [bytes(), bytes()];
        if (current.head.type === 'stream') this.#entry?.fields.push([field, text]);
        else value.fields.push({ field, value: text });
        return;
      }
      case FACT.expiringPair: {
        const expireAtMs = Number(reader.count());
        const pair = { field: bytes(), value: bytes() };
        value.fields.push(expireAtMs === 0 ? pair : { ...pair, expireAtMs });
        return;
      }
      case FACT.scored: {
        const score = reader.f64();
        value.members.push({ member: bytes(), score });
        return;
      }
      case FACT.module:
        this.#module(reader, current);
        return;
      default:
        current.bytes += ELEMENT_OVERHEAD_BYTES;
        this.#streamFact(tag, reader, value.stream, bytes);
    }
  }

  #module(reader: FactReader, current: Current<B>): void {
    const version = reader.u16();
    const length = Number(reader.count());
    const name = reader.text();
    const raw = Buffer.from(reader.bytes());
    current.bytes += length;
    current.value.module = { name, version, raw };
  }

  #streamFact(tag: number, reader: FactReader, stream: RdbStream<B>, bytes: () => B): void {
    switch (tag) {
      case FACT.entry:
        this.#entry = { id: reader.id(), fields: [] };
        return;
      case FACT.endEntry:
        if (this.#entry !== undefined) stream.entries.push(this.#entry);
        this.#entry = undefined;
        return;
      case FACT.streamHead:
        streamHead(reader, stream);
        return;
      case FACT.group: {
        const [lastId, entriesRead] = [reader.id(), reader.signedCount()];
        this.#group = { name: bytes(), lastId, entriesRead, pending: [], consumers: [] };
        stream.groups.push(this.#group);
        return;
      }
      case FACT.pending: {
        const [id, deliveredAtMs, deliveries] = [reader.id(), reader.i64(), reader.count()];
        this.#group?.pending.push({ id, deliveredAtMs, deliveries });
        return;
      }
      case FACT.consumer: {
        const [seenAtMs, activeAtMs] = [reader.i64(), reader.i64()];
        this.#consumer = { name: bytes(), seenAtMs, activeAtMs, pending: [] };
        this.#group?.consumers.push(this.#consumer);
        return;
      }
      case FACT.owned:
        this.#consumer?.pending.push(reader.id());
        return;
      default:
        throw new HoldfastError('FAULTED', `the RDB reader said something unknown: ${tag}`);
    }
  }

  /** A part of the key at hand, if as much of it is held as may be. */
  #partIfFull(): RdbKey<B> | undefined {
    const current = this.#current;
    if (current === undefined || current.bytes <= this.#form.valueBytesMax) return undefined;
    const { oversized } = this.#form;
    if (oversized === 'error') throw this.#tooLong(current);
    const { type } = current.head;
    const hasParts = type === 'list' || type === 'set' || type === 'hash' || type === 'zset';
    if (oversized === 'parts' && !hasParts) throw this.#tooLong(current);
    const key = keyOf(current);
    current.value = collected();
    current.bytes = 0;
    if (oversized === 'omit') {
      current.isOmitted = true;
      return undefined;
    }
    return { ...key, part: current.parts++, more: true };
  }

  #tooLong({ head }: Current<B>): HoldfastError {
    const { key, offset } = head;
    const shown = typeof key === 'string' ? key : key.toString('latin1');
    return new HoldfastError(
      'TOO_LARGE',
      `key ${JSON.stringify(shown)} at offset ${offset}: its value takes more than ${this.#form.valueBytesMax} bytes`,
    );
  }

  #endKey(): RdbKey<B> | RdbOmittedKey<B> | undefined {
    const current = this.#current;
    this.#current = undefined;
    if (current === undefined) return undefined;
    if (current.isOmitted) return { ...current.head, omitted: true };
    const key = keyOf(current);
    return current.parts === 0 ? key : { ...key, part: current.parts, more: false };
  }
}

function streamHead(reader: FactReader, stream: RdbStream): void {
  reader.count();
  stream.lastId = reader.id();
  if (reader.u8() === 0) return;
  reader.id();
  stream.maxDeletedId = reader.id();
  stream.entriesAdded = reader.count();
}

function collected<B extends RdbBytes>(): Collected<B> {
  return { elements: [], fields: [], members: [], stream: { entries: [], lastId: '0-0', groups: [] } };
}

function keyOf<B extends RdbBytes>({ head, value }: Current<B>): RdbKey<B> {
  const { type, ...rest } = head;
  switch (type) {
    case 'list':
    case 'set':
      return { ...rest, type, value: value.elements };
    case 'hash':
      return { ...rest, type, value: value.fields };
    case 'zset':
      return { ...rest, type, value: value.members };
    case 'stream':
      return { ...rest, type, value: value.stream };
    case 'module':
      return { ...rest, type, value: value.module ?? { name: '', version: 0, raw: Buffer.alloc(0) } };
    case 'string':
      return { ...rest, type, value: value.text as B };
  }
}
