/**
 * The snapshots of one shard: taken when the log has grown, sent to followers that the log no longer reaches, received
 * from a leader. A snapshot is an RDB file with the place in the log, the clock and the sessions in AUX fields (rules S1
 * to S4, X5). While one is loaded, committed entries wait; the protocol goes on.
 */
import { type FileHandle, open, rm } from 'node:fs/promises';
import { HoldfastError } from '../errors.js';
import type { Raft } from '../raft/raft.js';
import type { MemberId, SnapshotMark } from '../raft/types.js';
import { FrameKind } from '../replication/frame.js';
import {
  decodeSnapshotAck,
  decodeSnapshotChunk,
  decodeSnapshotOffer,
  encodeSnapshotAck,
  encodeSnapshotChunk,
  encodeSnapshotOffer,
  type SnapshotAck,
  type SnapshotChunk,
  type SnapshotOffer,
} from '../replication/snapshot-codec.js';
import type { Clock, ShardHost } from './host.js';
import type { Failure, ShardId } from './protocol.js';
import type { ShardLog } from './shard-log.js';
import type { SnapshotStore } from './snapshot-store.js';
import type { MachineState, StateMachine } from './state-machine.js';
import type { ShardTransport } from './transport.js';

const CHUNK_BYTES = 256 * 1024;
/** What may be on its way to a follower, or waiting there for its disk. */
const CREDIT_BYTES = 8 * CHUNK_BYTES;
/** A follower that says nothing for so long has gone, or its disk has. */
const ACK_TIMEOUT_MS = 30_000;
/** How long to wait when the connection is full. */
const FULL_WAIT_MS = 5;

/** What they need of the shard's host. */
export interface SnapshotsHost
  extends Pick<ShardHost, 'holdApply' | 'releaseApply' | 'compact' | 'snapshotLoaded'> {
  readonly raft: Pick<
    Raft,
    'status' | 'snapshotChunk' | 'snapshotSent' | 'snapshotFailed' | 'installSnapshot' | 'snapshotAbandoned'
  >;
}

/** What the snapshots of a shard need of their surroundings. */
export interface SnapshotsParts {
  readonly shard: ShardId;
  readonly self: MemberId;
  readonly host: SnapshotsHost;
  readonly machine: Pick<StateMachine, 'id' | 'applied' | 'appliedTerm' | 'save' | 'restore'>;
  readonly log: Pick<ShardLog, 'bytes' | 'mark' | 'drained' | 'setMark' | 'compact'>;
  readonly store: Pick<
    SnapshotStore,
    'pathOf' | 'draftPath' | 'save' | 'load' | 'publish' | 'keepOnly' | 'close'
  >;
  readonly transport: Pick<ShardTransport, 'isUp' | 'message' | 'snapshot'>;
  readonly clock: Clock;
  /** Bytes of log, above which a snapshot is taken. */
  readonly logBytesMax: number;
  readonly fault: (failure: Failure) => void;
  /** Runs what nobody else guards: an exception faults the store. */
  readonly guard: (work: () => void) => void;
}

/** One transfer to a follower, from the leader's end. */
class Outgoing {
  readonly transfer: number;
  #ack: SnapshotAck | undefined;
  #wake: (() => void) | undefined;
  #ended = false;
  #out = false;

  constructor(transfer: number) {
    this.transfer = transfer;
  }

  /** The follower's word. */
  acknowledged(ack: SnapshotAck): void {
    if (ack.transfer !== this.transfer) return;
    this.#ack = ack;
    this.#wake?.();
  }

  /** The follower is gone. */
  end(): void {
    this.#ended = true;
    this.#wake?.();
  }

  /** Waits until the bytes up to `offset` may be sent. False: the transfer is over. */
  async mayReach(offset: number): Promise<boolean> {
    return this.#until((ack) => offset <= ack.offset + ack.creditBytes);
  }

  /** Whether all bytes are out, and only the follower's last word is awaited. */
  get isOut(): boolean {
    return this.#out;
  }

  /** All bytes are out: waits until the follower has everything durable. False: the transfer is over without that. */
  async done(): Promise<boolean> {
    this.#out = true;
    return (await this.#until((ack) => ack.state === 'done')) && this.#ack?.state === 'done';
  }

  async #until(reached: (ack: SnapshotAck) => boolean): Promise<boolean> {
    while (!this.#ended && this.#ack?.state !== 'refused') {
      if (this.#ack !== undefined && reached(this.#ack)) return true;
      const said = await new Promise<boolean>((resolve) => {
        const timer = setTimeout(() => resolve(false), ACK_TIMEOUT_MS);
        this.#wake = () => {
          clearTimeout(timer);
          resolve(true);
        };
      });
      if (!said) return false;
    }
    return false;
  }
}

/** One transfer from a leader, from the follower's end. */
interface Incoming {
  readonly from: MemberId;
  readonly offer: SnapshotOffer;
  readonly path: string;
  readonly file: Promise<FileHandle>;
  /** Bytes received, and bytes written. */
  received: number;
  written: number;
  /** The work on what has been received, in order. */
  work: Promise<void>;
  /** When something of it last came. */
  heardAtMs: number;
  /** The protocol has accepted it: it is loaded whatever becomes of its sender. */
  installing: boolean;
  over: boolean;
}

/** The snapshots of one shard. */
export class Snapshots {
  readonly #parts: SnapshotsParts;
  readonly #outgoing = new Map<MemberId, Outgoing>();
  /** Followers that were asked for again while a transfer to them was not over. */
  readonly #again = new Set<MemberId>();
  #incoming: Incoming | undefined;
  #transfers = 0;
  /** The snapshot being taken, if one is. */
  #taking: Promise<string> | undefined;
  /** What is under way: transfers, those given up included, until their files are closed. */
  readonly #works = new Set<Promise<void>>();
  #closed = false;
  readonly #closing = new AbortController();

  constructor(parts: SnapshotsParts) {
    this.#parts = parts;
  }

  /** Takes a snapshot if the log has grown enough. Not while another is on its way: it would replace what is saved. */
  tick(): void {
    const { log, logBytesMax, machine } = this.#parts;
    if (this.#closed) return;
    this.#giveUpStale();
    if (this.#taking !== undefined || this.#incoming !== undefined) return;
    if (log.bytes > logBytesMax && machine.applied > log.mark.index) this.#run(this.#take().then(() => {}));
  }

  /** A follower needs a snapshot. */
  send(to: MemberId): void {
    if (this.#closed) return;
    const before = this.#outgoing.get(to);
    if (before !== undefined) {
      this.#again.add(to);
      // The protocol has waited for the follower's last word for long enough.
      if (before.isOut) before.end();
      return;
    }
    const outgoing = new Outgoing(++this.#transfers);
    this.#outgoing.set(to, outgoing);
    this.#run(
      this.#send(to, outgoing).finally(() => {
        this.#outgoing.delete(to);
        if (this.#again.delete(to)) this.#guard(() => this.#failed(to));
      }),
    );
  }

  /** A frame about a snapshot came. */
  frame(from: MemberId, kind: FrameKind, body: Buffer): void {
    if (this.#closed) return;
    if (kind === FrameKind.snapshotAck) this.#outgoing.get(from)?.acknowledged(decodeSnapshotAck(body));
    else if (kind === FrameKind.snapshotOffer) this.#offered(from, decodeSnapshotOffer(body));
    else if (kind === FrameKind.snapshotChunk) this.#chunk(from, decodeSnapshotChunk(body));
  }

  /** A peer is gone, and transfers with it. */
  peerDown(peer: MemberId): void {
    this.#outgoing.get(peer)?.end();
    const incoming = this.#incoming;
    if (incoming?.from === peer && !incoming.installing) this.#abandon(incoming);
  }

  /** Ends every transfer. When it is over, nothing is read or written any more. */
  async close(): Promise<void> {
    this.#closed = true;
    this.#closing.abort(new HoldfastError('CLOSED', 'the store is closed'));
    for (const outgoing of this.#outgoing.values()) outgoing.end();
    if (this.#incoming !== undefined) this.#abandon(this.#incoming);
    while (this.#works.size > 0) await Promise.allSettled(this.#works);
    await this.#parts.store.close();
  }

  /** Keeps {@link Snapshots.close} waiting until the work is over. */
  #track(work: Promise<void>): void {
    const over = work.finally(() => this.#works.delete(over)).catch(() => {});
    this.#works.add(over);
  }

  /** Writes a snapshot of what is applied, and lets the log go by it. Answers its path. */
  #take(): Promise<string> {
    this.#taking ??= this.#takeNow().finally(() => {
      this.#taking = undefined;
    });
    return this.#taking;
  }

  async #takeNow(): Promise<string> {
    const { host, machine, log, store } = this.#parts;
    // Entries are applied by this thread, too: none comes between these and the snapshot.
    const describe = () => ({
      mark: { index: machine.applied, term: machine.appliedTerm },
      state: machine.save(),
    });
    const { mark, path } = await store.save(machine.id, describe, this.#closing.signal);
    await log.setMark(mark);
    host.compact(mark, this.#parts.logBytesMax);
    log.compact(mark.index);
    await store.keepOnly(mark);
    return path;
  }

  async #send(to: MemberId, outgoing: Outgoing): Promise<void> {
    const { log, store, host, clock } = this.#parts;
    let mark = log.mark;
    let sent = false;
    try {
      const path = store.pathOf(mark) ?? (await this.#take());
      mark = log.mark;
      sent = await this.#stream(to, outgoing, path, mark);
    } finally {
      this.#guard(() => {
        if (sent) host.raft.snapshotSent(clock.now(), to, mark);
        else this.#failed(to);
      });
    }
    if (sent) await outgoing.done();
  }

  /** The follower has no snapshot: the protocol asks where its log ends, and then perhaps for another. */
  #failed(to: MemberId): void {
    const { host, clock, log } = this.#parts;
    host.raft.snapshotFailed(clock.now(), to, log.mark);
  }

  async #stream(to: MemberId, outgoing: Outgoing, path: string, mark: SnapshotMark): Promise<boolean> {
    const { shard, self, host } = this.#parts;
    const { transfer } = outgoing;
    const file = await openIfThere(path);
    if (file === undefined) return false;
    try {
      const sizeBytes = (await file.stat()).size;
      const term = host.raft.status().term;
      const header = new Uint8Array();
      this.#parts.transport.snapshot(
        to,
        encodeSnapshotOffer(shard, { transfer, from: self, term, mark, sizeBytes, header }),
      );
      for (let offset = 0; offset < sizeBytes; ) {
        const { buffer, bytesRead } = await file.read(
          Buffer.allocUnsafeSlow(CHUNK_BYTES),
          0,
          CHUNK_BYTES,
          offset,
        );
        const end = offset + bytesRead;
        if (bytesRead === 0 || !(await outgoing.mayReach(end))) return false;
        const data = buffer.subarray(0, bytesRead);
        if (!(await this.#sendChunk(to, mark, { transfer, offset, last: end === sizeBytes, data })))
          return false;
        offset = end;
      }
      return true;
    } finally {
      await file.close();
    }
  }

  /** False: this peer does not lead any more, or the follower is gone. */
  async #sendChunk(to: MemberId, mark: SnapshotMark, chunk: SnapshotChunk): Promise<boolean> {
    const { shard, transport, host, clock } = this.#parts;
    const frame = encodeSnapshotChunk(shard, chunk);
    for (;;) {
      const sign = host.raft.snapshotChunk(clock.now(), to, mark);
      if (this.#closed || sign === undefined || !transport.isUp(to)) return false;
      transport.message(sign);
      if (transport.snapshot(to, frame)) return true;
      await new Promise((resolve) => setTimeout(resolve, FULL_WAIT_MS));
    }
  }

  /** A newer offer ends the transfer before it; while one is being loaded, another is refused. */
  #offered(from: MemberId, offer: SnapshotOffer): void {
    const { store, clock } = this.#parts;
    const before = this.#incoming;
    if (before !== undefined && before.received === before.offer.sizeBytes) {
      this.#refuse(from, offer.transfer, 'another snapshot is being loaded');
      return;
    }
    // What a leader of an earlier term had on its way may come late, and must not end the transfer of the present one.
    if (!this.#isNews(offer)) {
      this.#refuse(from, offer.transfer, 'it is not newer than what this peer has');
      return;
    }
    if (before !== undefined) this.#turnAway(before, 'a newer one is offered');
    const path = store.draftPath(offer.mark);
    const file = open(path, 'w');
    file.catch(() => {});
    this.#incoming = {
      from,
      offer,
      path,
      file,
      received: 0,
      written: 0,
      work: Promise.resolve(),
      heardAtMs: clock.now(),
      installing: false,
      over: false,
    };
    this.#acknowledge(this.#incoming, 'going');
  }

  /** A leader that offers what this peer has learns from the protocol's answer how far it is. */
  #isNews({ term, mark }: SnapshotOffer): boolean {
    const { host, machine, clock } = this.#parts;
    if (term < host.raft.status().term) return false;
    if (mark.index > machine.applied) return true;
    host.raft.installSnapshot(clock.now(), mark);
    return false;
  }

  /** A sender that is no leader any more falls silent, and what it sent may have come with the log meanwhile. */
  #giveUpStale(): void {
    const incoming = this.#incoming;
    if (incoming === undefined || incoming.received === incoming.offer.sizeBytes) return;
    const { machine, clock } = this.#parts;
    const silent = clock.now() - incoming.heardAtMs > ACK_TIMEOUT_MS;
    if (!silent && incoming.offer.mark.index > machine.applied) return;
    this.#turnAway(incoming, 'it came to nothing');
  }

  #chunk(from: MemberId, chunk: SnapshotChunk): void {
    const incoming = this.#incoming;
    if (incoming === undefined || incoming.from !== from || incoming.offer.transfer !== chunk.transfer) {
      this.#refuse(from, chunk.transfer, 'its offer was given up');
      return;
    }
    if (chunk.offset !== incoming.received) {
      this.#turnAway(incoming, `bytes from ${incoming.received} on are missing`);
      return;
    }
    // The bytes are a view of what the socket read, which is used again.
    const data = Buffer.from(chunk.data);
    incoming.received += data.length;
    incoming.heardAtMs = this.#parts.clock.now();
    incoming.work = incoming.work.then(async () => {
      if (incoming.over) return;
      await (await incoming.file).write(data);
      incoming.written += data.length;
      if (chunk.last) await this.#finish(incoming);
      else this.#acknowledge(incoming, 'going');
    });
    this.#track(incoming.work);
    incoming.work.catch((error) => this.#turnAway(incoming, String(error)));
  }

  /** All bytes are there: they become durable, then this peer's state, then the base of its log. */
  async #finish(incoming: Incoming): Promise<void> {
    const { host, log, store, clock } = this.#parts;
    const { mark } = incoming.offer;
    const file = await incoming.file;
    await file.sync();
    await file.close();
    // A snapshot that is being taken reads the keys that this one replaces.
    await this.#taking?.catch(() => {});
    if (incoming.over || host.raft.installSnapshot(clock.now(), mark) === 'refused') {
      this.#turnAway(incoming, 'the log reaches further');
      return;
    }
    incoming.installing = true;
    host.holdApply();
    try {
      await this.#install(incoming, mark);
    } finally {
      this.#incoming = undefined;
      this.#guard(() => host.releaseApply());
    }
    log.compact(mark.index);
    await store.keepOnly(mark);
    this.#acknowledge(incoming, 'done');
  }

  /** A file that cannot be loaded leaves everything as it was; what fails after that leaves a state that is no one's. */
  async #install({ path }: Incoming, mark: SnapshotMark): Promise<void> {
    const { host, log, store, machine, clock, fault } = this.#parts;
    let state: MachineState;
    try {
      await log.drained();
      state = await store.load(path, machine.id, mark);
    } catch (error) {
      this.#guard(() => host.raft.snapshotAbandoned(clock.now()));
      throw error;
    }
    try {
      await store.publish(path, mark);
      await log.setMark(mark);
      this.#guard(() => {
        machine.restore(mark, state);
        host.snapshotLoaded(mark);
      });
    } catch (error) {
      fault({ code: 'FAULTED', message: `a snapshot was loaded but could not be kept: ${String(error)}` });
      throw error;
    }
  }

  /** Gives a transfer up, and says so, for its sender waits. */
  #turnAway(incoming: Incoming, reason: string): void {
    this.#abandon(incoming);
    this.#refuse(incoming.from, incoming.offer.transfer, reason);
  }

  #abandon(incoming: Incoming): void {
    if (incoming.over) return;
    incoming.over = true;
    if (this.#incoming === incoming) this.#incoming = undefined;
    const remove = async () => {
      await (await incoming.file).close().catch(() => {});
      await rm(incoming.path, { force: true });
    };
    incoming.work = incoming.work.then(remove, remove).catch(() => {});
    this.#track(incoming.work);
  }

  #acknowledge({ from, offer, written }: Incoming, state: SnapshotAck['state']): void {
    const { transfer } = offer;
    const ack = { transfer, offset: written, creditBytes: CREDIT_BYTES, state, reason: '' };
    this.#parts.transport.snapshot(from, encodeSnapshotAck(this.#parts.shard, ack));
  }

  #refuse(to: MemberId, transfer: number, reason: string): void {
    const ack = { transfer, offset: 0, creditBytes: 0, state: 'refused' as const, reason };
    this.#parts.transport.snapshot(to, encodeSnapshotAck(this.#parts.shard, ack));
  }

  /** Failures of taking and sending are the disk's: the store cannot go on without its log. */
  #run(work: Promise<void>): void {
    this.#track(work);
    work.catch((error: unknown) => {
      if (this.#closed) return;
      const message = `a snapshot of shard ${this.#parts.shard}: ${error instanceof Error ? error.message : error}`;
      this.#parts.fault({ code: 'IO', message });
    });
  }

  #guard(work: () => void): void {
    if (!this.#closed) this.#parts.guard(work);
  }
}

/** A snapshot that was replaced by a newer one between the look and the opening is not there any more. */
async function openIfThere(path: string): Promise<FileHandle | undefined> {
  try {
    return await open(path, 'r');
  } catch (error) {
    if (error instanceof Error && 'code' in error && error.code === 'ENOENT') return undefined;
    throw error;
  }
}
