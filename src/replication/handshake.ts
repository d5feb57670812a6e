/**
 * How two processes prove to each other that they know the same secret, without saying it. No I/O here.
 *
 *     dialer   -> hello { role, nonce, hello }
 *     acceptor -> hello { role, nonce, hello }
 *     dialer   -> auth  HMAC-SHA256(secret, 'dialer', both hello frames)
 *     acceptor -> auth  HMAC-SHA256(secret, 'acceptor', both hello frames)
 *
 * The proofs cover both nonces, both Hellos and the role of the connection, so none of them can be replayed,
 * reflected, or used for another role. Without a secret the key is empty: the handshake then only tells the two who
 * they are.
 */

import { createHmac, randomBytes, timingSafeEqual } from 'node:crypto';
import { HoldfastError } from '../errors.js';
import type { MemberId } from '../raft/types.js';
import { encodeFrame, type Frame, FrameKind, noShard } from './frame.js';
import { decodeFarewell, decodeJson, encodeJson } from './json-body.js';
import { protocolError } from './protocol-error.js';

/** Who a process says it is (CONSENSUS rules I1-I3). */
export interface Hello {
  /** 32 hex digits; all zero before the cluster is founded. */
  readonly clusterId: string;
  readonly name: string;
  /** 0 for a client. */
  readonly memberId: MemberId;
  /** 32 hex digits, made with the data directory. */
  readonly incarnation: string;
  /** 32 hex digits, made by each start of a process. */
  readonly runId: string;
  /** Version of the messages. */
  readonly protocol: number;
  readonly shards: number;
  /** Equal on all peers that have the same peer list. */
  readonly peersDigest: string;
  /** Equal on all peers that have the same timers. */
  readonly timersDigest: string;
  /** Limits of collections by their names. */
  readonly limits: Readonly<Record<string, number>>;
}

/**
 * `control`: beats, votes, reads, status. `bulk`: appends, requests, snapshots. `client`: status requests only. `data`: a
 * client's restores and backups, and nothing else.
 */
export type ConnectionRole = (typeof ROLES)[number];

/** 128 bits of nothing, as hex: the cluster id before founding, the identity of a client. */
export const zeroId = '0'.repeat(32);

/** What a client that is no peer says of itself. */
export function clientHello(name: string): Hello {
  return {
    clusterId: zeroId,
    name,
    memberId: 0,
    incarnation: zeroId,
    runId: randomBytes(16).toString('hex'),
    protocol: 1,
    shards: 0,
    peersDigest: '',
    timersDigest: '',
    limits: {},
  };
}

/** What one side brings to a handshake. */
export interface HandshakeOptions {
  readonly secret: string | undefined;
  readonly hello: Hello;
  /** Given by the dialer; the acceptor learns it. */
  readonly dial: ConnectionRole | undefined;
}

/** Where a handshake stands after a frame. */
export interface HandshakeStep {
  /** To be sent. */
  readonly reply: Buffer | undefined;
  /** Set when the other side has proved itself. */
  readonly proved: { readonly role: ConnectionRole; readonly hello: Hello } | undefined;
}

interface Greeting {
  readonly role: ConnectionRole;
  readonly secret: boolean;
  readonly hello: Hello;
}

const ROLES = ['control', 'bulk', 'client', 'data'] as const;
const NONCE_BYTES = 32;
const NAME_LENGTH_MAX = 255;
const DIGEST_LENGTH_MAX = 128;

/** One side of one handshake. */
export class Handshake {
  readonly #secret: string;
  readonly #dialer: boolean;
  readonly #hello: Hello;
  readonly #nonce = randomBytes(NONCE_BYTES).toString('hex');
  #role: ConnectionRole | undefined;
  #ownHello: Buffer | undefined;
  #otherHello: Buffer | undefined;
  #other: Greeting | undefined;

  constructor({ secret, hello, dial }: HandshakeOptions) {
    this.#secret = secret ?? '';
    this.#hello = hello;
    this.#dialer = dial !== undefined;
    this.#role = dial;
  }

  /** What the other side said about itself; not proved before {@link HandshakeStep.proved} is set. */
  get claimed(): Hello | undefined {
    return this.#other?.hello;
  }

  /** The dialer's first frame. */
  start(): Buffer {
    return this.#greet(this.#role ?? 'client');
  }

  /**
   * Takes the next frame of the other side.
   *
   * @throws HoldfastError `PROTOCOL` for what does not belong here, `FOREIGN` when the secrets differ, or the code
   *   with which the
   *   other side refuses this one.
   */
  receive(frame: Frame): HandshakeStep {
    if (frame.kind === FrameKind.bye) throw refusalOf(frame);
    if (this.#other === undefined) return this.#receiveHello(frame);
    if (frame.kind !== FrameKind.auth)
      throw protocolError(`a frame of kind ${frame.kind} in place of a proof`);
    this.#verify(frame.body);
    const reply = this.#dialer ? undefined : this.#proof();
    return { reply, proved: { role: this.#other.role, hello: this.#other.hello } };
  }

  #receiveHello(frame: Frame): HandshakeStep {
    if (frame.kind !== FrameKind.hello)
      throw protocolError(`a frame of kind ${frame.kind} in place of a hello`);
    const other = readGreeting(frame.body);
    if (this.#dialer && other.role !== this.#role) throw protocolError(`a hello for role ${other.role}`);
    this.#other = other;
    this.#otherHello = frame.body;
    if (other.secret !== (this.#secret !== '')) {
      const names = [this.#hello.name, other.hello.name];
      const [has, lacks] = other.secret ? names.reverse() : names;
      throw new HoldfastError('FOREIGN', `${has} has a secret, ${lacks} has none`);
    }
    return { reply: this.#dialer ? this.#proof() : this.#greet(other.role), proved: undefined };
  }

  #greet(role: ConnectionRole): Buffer {
    const greeting = { role, secret: this.#secret !== '', nonce: this.#nonce, hello: this.#hello };
    this.#ownHello = Buffer.from(JSON.stringify(greeting));
    return encodeFrame(FrameKind.hello, noShard, this.#ownHello);
  }

  #proof(): Buffer {
    return encodeFrame(FrameKind.auth, noShard, this.#mac(this.#dialer ? 'dialer' : 'acceptor'));
  }

  #verify(proof: Buffer): void {
    const expected = this.#mac(this.#dialer ? 'acceptor' : 'dialer');
    if (proof.length === expected.length && timingSafeEqual(proof, expected)) return;
    throw new HoldfastError('FOREIGN', 'the secret differs');
  }

  #mac(prover: 'dialer' | 'acceptor'): Buffer {
    const hmac = createHmac('sha256', this.#secret).update(prover);
    const hellos = this.#dialer ? [this.#ownHello, this.#otherHello] : [this.#otherHello, this.#ownHello];
    for (const hello of hellos) {
      const bytes = hello ?? Buffer.alloc(0);
      hmac.update(`:${bytes.length}:`).update(bytes);
    }
    return hmac.digest();
  }
}

/** A `bye` that refuses the receiver, with the code and message of `error`. */
export function encodeRefusal(error: HoldfastError): Buffer {
  return encodeJson(FrameKind.bye, { code: error.code, message: error.message });
}

function refusalOf(frame: Frame): HoldfastError {
  const { code, message } = decodeFarewell(frame.body);
  return new HoldfastError(code, `refuses this peer: ${message}`);
}

function readGreeting(body: Uint8Array): Greeting {
  const { role, secret, nonce, hello } = fieldsOf(decodeJson(body));
  if (!isRole(role)) throw protocolError('a hello without a known role');
  if (typeof secret !== 'boolean') throw protocolError('a hello that does not say if there is a secret');
  if (!isHex(nonce, 2 * NONCE_BYTES)) throw protocolError('a hello without a nonce');
  return { role, secret, hello: readHello(hello) };
}

function isRole(value: unknown): value is ConnectionRole {
  return ROLES.some((role) => role === value);
}

function readHello(value: unknown): Hello {
  const fields = fieldsOf(value);
  return {
    clusterId: id(fields, 'clusterId'),
    name: text(fields, 'name', NAME_LENGTH_MAX),
    memberId: whole(fields, 'memberId'),
    incarnation: id(fields, 'incarnation'),
    runId: id(fields, 'runId'),
    protocol: whole(fields, 'protocol'),
    shards: whole(fields, 'shards'),
    peersDigest: text(fields, 'peersDigest', DIGEST_LENGTH_MAX),
    timersDigest: text(fields, 'timersDigest', DIGEST_LENGTH_MAX),
    limits: numbers(fields, 'limits'),
  };
}

/** Few numbers by name; the frame's size bounds how many. */
function numbers(fields: Record<string, unknown>, name: string): Record<string, number> {
  const found = Object.entries(fieldsOf(fields[name]));
  return Object.fromEntries(
    found.map(([key, value]) => {
      if (typeof value !== 'number') throw protocolError(`a hello whose ${name} are no numbers`);
      return [key, value];
    }),
  );
}

function fieldsOf(value: unknown): Record<string, unknown> {
  if (typeof value !== 'object' || value === null) throw protocolError('a hello that is no object');
  return value as Record<string, unknown>;
}

function isHex(value: unknown, length: number): value is string {
  return typeof value === 'string' && value.length === length && /^[0-9a-f]*$/.test(value);
}

function id(fields: Record<string, unknown>, name: string): string {
  const value = fields[name];
  if (!isHex(value, zeroId.length)) throw protocolError(`a hello whose ${name} is no id`);
  return value;
}

function text(fields: Record<string, unknown>, name: string, lengthMax: number): string {
  const value = fields[name];
  if (typeof value !== 'string' || value.length > lengthMax)
    throw protocolError(`a hello whose ${name} is no text`);
  return value;
}

function whole(fields: Record<string, unknown>, name: string): number {
  const value = fields[name];
  if (typeof value !== 'number' || !Number.isSafeInteger(value) || value < 0) {
    throw protocolError(`a hello whose ${name} is no number`);
  }
  return value;
}
