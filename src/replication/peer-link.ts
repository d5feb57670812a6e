import { connect } from 'node:net';
import { HoldfastError } from '../errors.js';
import { limits } from '../limits.js';
import type { Beat, BeatReply, MemberId } from '../raft/types.js';
import { type Address, formatAddress } from './address.js';
import { BeatCollector } from './beat-collector.js';
import type { Connection, Traffic } from './connection.js';
import { type Frame, FrameKind } from './frame.js';
import { greet } from './greet.js';
import type { ConnectionRole, Hello } from './handshake.js';
import { decodeFarewell } from './json-body.js';
import { protocolError } from './protocol-error.js';

/** Which of the two connections of a pair. */
export type PeerConnection = Exclude<ConnectionRole, 'client' | 'data'>;

/** The waits and bounds of a link; defaults in `limits`. */
export type LinkLimits = Pick<
  { readonly [K in keyof typeof limits]: number },
  | 'frameBytesMax'
  | 'linkQueueBytesMax'
  | 'linkBeatGatherMs'
  | 'linkEarlyFramesMax'
  | 'linkHandshakeMs'
  | 'linkHandshakesMax'
  | 'linkClientsMax'
  | 'dataClientsMax'
  | 'dataBatchesMax'
  | 'dataWindowBytesMax'
  | 'dataIdleMs'
  | 'linkRetryMsMin'
  | 'linkRetryMsMax'
  | 'linkRefusedRetryMs'
  | 'linkPingMs'
  | 'linkSilenceMs'
  | 'linkCloseMs'
>;

/** What a {@link PeerLink} needs of the link it belongs to. */
export interface PeerLinkHost {
  readonly limits: LinkLimits;
  readonly secret: string | undefined;
  readonly random: () => number;
  hello(): Hello;
  judge(hello: Hello): { readonly code: string; readonly message: string } | undefined;
  onFrame(from: MemberId, frame: Frame): void;
  onUp(peer: MemberId, hello: Hello): void;
  onDown(peer: MemberId, reason: HoldfastError | undefined): void;
  onRefused(peer: MemberId | undefined, error: HoldfastError): void;
  onDrain(peer: MemberId, connection: PeerConnection): void;
}

/** Counts of one peer since the link was made. */
export interface PeerStatistics extends Readonly<Traffic> {
  readonly up: boolean;
  /** How many times the pair came up again. */
  readonly reconnects: number;
  /** Frames and beats refused because the peer was down or too much was waiting. */
  readonly dropped: number;
  /** Beats and beat replies that a newer one of the same shard replaced before they left. */
  readonly beatsReplaced: number;
  /** Bytes that wait in this process now. */
  readonly queuedBytes: number;
  /** Why the last attempt or connection failed. */
  readonly lastError: string | undefined;
}

/**
 * The two connections to one peer. They live and die together: the pair is up when both have finished their
 * handshake, and when one ends, the other is closed.
 */
export class PeerLink {
  readonly id: MemberId;
  readonly name: string;
  readonly #address: Address;
  readonly #host: PeerLinkHost;
  readonly #dials: boolean;
  readonly #beats: BeatCollector;
  readonly #gone: Traffic = { bytesSent: 0, bytesReceived: 0, framesSent: 0, framesReceived: 0 };
  #control: Connection | undefined;
  #bulk: Connection | undefined;
  /** Connections on which a frame was refused because too much was waiting. */
  readonly #starved = new Set<PeerConnection>();
  #up = false;
  #closed = false;
  #runId: string | undefined;
  /** Of this side's refusals, until their last frame has left. */
  readonly #leaving = new Set<Promise<void>>();
  #lastError: string | undefined;
  readonly #supersededRuns: string[] = [];
  /** Came in on `control` before `bulk` was there. */
  #early: Frame[] = [];
  #greeting: Connection | undefined;
  #retry: NodeJS.Timeout | undefined;
  #failures = 0;
  #ups = 0;
  #dropped = 0;

  constructor(id: MemberId, name: string, address: Address, dials: boolean, host: PeerLinkHost) {
    this.id = id;
    this.name = name;
    this.#address = address;
    this.#dials = dials;
    this.#host = host;
    this.#beats = new BeatCollector(host.limits.linkBeatGatherMs);
  }

  get up(): boolean {
    return this.#up;
  }

  get statistics(): PeerStatistics {
    const sum = { ...this.#gone };
    for (const { traffic } of this.#connections()) add(sum, traffic);
    return {
      ...sum,
      up: this.#up,
      reconnects: Math.max(0, this.#ups - 1),
      dropped: this.#dropped,
      beatsReplaced: this.#beats.replaced,
      lastError: this.#lastError,
      queuedBytes: this.#connections().reduce((bytes, { queuedBytes }) => bytes + queuedBytes, 0),
    };
  }

  /** Queues a frame; false: refused, nothing was queued. */
  send(role: PeerConnection, frame: Uint8Array): boolean {
    const connection = role === 'control' ? this.#control : this.#bulk;
    const queued = connection?.queuedBytes ?? 0;
    const full = queued > 0 && queued + frame.length > this.#host.limits.linkQueueBytesMax;
    if (full) this.#starved.add(role);
    if (!this.#up || connection === undefined || full) {
      this.#dropped += 1;
      return false;
    }
    connection.send(frame);
    return true;
  }

  sendBeat(shard: number, message: Beat | BeatReply): boolean {
    if (this.#up) this.#beats.add(shard, message);
    else this.#dropped += 1;
    return this.#up;
  }

  /** Starts dialling, if this side dials, and keeps at it until {@link close}. */
  dial(): void {
    if (!this.#dials || this.#closed || this.#up || this.#greeting !== undefined) return;
    clearTimeout(this.#retry);
    this.#dialOne(this.#control === undefined ? 'control' : 'bulk');
  }

  #dialOne(role: PeerConnection): void {
    const { host, port } = this.#address;
    const { limits: bounds, secret } = this.#host;
    const socket = connect({
      host,
      port,
      noDelay: true,
      keepAlive: true,
      keepAliveInitialDelay: bounds.linkPingMs,
    });
    this.#greeting = greet(socket, {
      secret,
      hello: this.#host.hello(),
      dial: role,
      label: `${this.#label} at ${formatAddress(this.#address)}`,
      timeoutMs: bounds.linkHandshakeMs,
      leaveMs: bounds.linkCloseMs,
      accept: (_role, hello) => this.accept(hello),
      onReady: (connection, _role, hello) => {
        this.#greeting = undefined;
        this.adopt(role, connection, hello);
        if (role === 'control') this.dial();
      },
      onLeaving: (left) => {
        this.#leaving.add(left);
        void left.then(() => this.#leaving.delete(left));
      },
      onFailed: (error) => {
        this.#greeting = undefined;
        this.#lastError = error.message;
        if (this.#closed) return;
        if (error.code !== 'IO') this.#host.onRefused(this.id, error);
        this.#drop(undefined);
        this.#dialLater(error.code === 'IO' ? this.#backoffMs() : bounds.linkRefusedRetryMs);
      },
    });
  }

  /** Why the process that says `hello` is not this peer, or is not welcome. */
  accept(hello: Hello): HoldfastError | undefined {
    if (hello.memberId !== this.id || hello.name !== this.name) {
      const expected = `member ${this.id} is ${this.name} here`;
      return new HoldfastError('FOREIGN', `is ${hello.name} (member ${hello.memberId}); ${expected}`);
    }
    if (this.#supersededRuns.includes(hello.runId)) {
      return new HoldfastError('FOREIGN', `a newer process of peer ${this.name} has been seen`);
    }
    const refusal = this.#host.judge(hello);
    return refusal && new HoldfastError(refusal.code, refusal.message);
  }

  /** Takes over a connection whose other end proved to be this peer. */
  adopt(role: PeerConnection, connection: Connection, hello: Hello): void {
    // A new control connection means that the other side has given up the pair before it, even if this side never saw
    // it end.
    if (role === 'control') this.#drop(undefined);
    const fits = this.#control !== undefined && this.#bulk === undefined && this.#runId === hello.runId;
    const misfit = role === 'bulk' && !fits;
    if (this.#closed || misfit) {
      connection.handOver(unowned, this.#label, limits.handshakeFrameBytesMax);
      connection.destroy();
      if (this.#dials) this.#dialLater(this.#backoffMs());
      return;
    }
    connection.handOver(this.#owner(connection), this.#label, this.#host.limits.frameBytesMax);
    if (role === 'control') {
      this.#control = connection;
      this.#startedRun(hello.runId);
    } else {
      this.#bulk = connection;
      this.#cameUp(hello);
    }
  }

  #owner(connection: Connection): Parameters<Connection['handOver']>[0] {
    return {
      frame: (frame) => this.#receive(frame),
      closed: (error) => this.#lost(connection, error),
      drained: () => {
        const role = connection === this.#control ? 'control' : 'bulk';
        if (this.#up && this.#starved.delete(role)) this.#host.onDrain(this.id, role);
      },
    };
  }

  #startedRun(runId: string): void {
    if (this.#runId !== undefined && this.#runId !== runId) {
      this.#supersededRuns.push(this.#runId);
      if (this.#supersededRuns.length > limits.linkSupersededRunsMax) this.#supersededRuns.shift();
    }
    this.#runId = runId;
  }

  #cameUp(hello: Hello): void {
    this.#up = true;
    this.#ups += 1;
    this.#failures = 0;
    this.#beats.attach(this.#control);
    this.#host.onUp(this.id, hello);
    const early = this.#early;
    this.#early = [];
    for (const frame of early) if (this.#up) this.#host.onFrame(this.id, frame);
  }

  #receive(frame: Frame): void {
    if (frame.kind === FrameKind.hello || frame.kind === FrameKind.auth)
      throw protocolError('a second handshake');
    if (frame.kind === FrameKind.bye) {
      const { code, message } = decodeFarewell(frame.body);
      const refused =
        code === 'CLOSING' ? undefined : new HoldfastError(code, `${this.#label} refuses: ${message}`);
      if (refused !== undefined) this.#host.onRefused(this.id, refused);
      this.#lost(this.#control, refused);
    } else if (this.#up) {
      this.#host.onFrame(this.id, frame);
    } else if (this.#early.length < this.#host.limits.linkEarlyFramesMax) {
      this.#early.push(frame);
    } else {
      this.#dropped += 1;
    }
  }

  #lost(connection: Connection | undefined, error: HoldfastError | undefined): void {
    if (connection === undefined || (connection !== this.#control && connection !== this.#bulk)) return;
    if (error?.code === 'PROTOCOL') this.#host.onRefused(this.id, error);
    this.#lastError = error?.message ?? this.#lastError;
    this.#drop(error);
    const quick = error === undefined || error.code === 'IO';
    this.#dialLater(quick ? this.#backoffMs() : this.#host.limits.linkRefusedRetryMs);
  }

  /** Ends both connections; tells the owner if the pair was up. */
  #drop(reason: HoldfastError | undefined): void {
    const connections = this.#connections();
    this.#control = undefined;
    this.#bulk = undefined;
    this.#early = [];
    this.#starved.clear();
    this.#beats.attach(undefined);
    for (const connection of connections) {
      connection.destroy();
      add(this.#gone, connection.traffic);
    }
    if (!this.#up) return;
    this.#up = false;
    this.#host.onDown(this.id, reason);
  }

  #connections(): Connection[] {
    return [this.#control, this.#bulk].filter((connection) => connection !== undefined);
  }

  #backoffMs(): number {
    const { linkRetryMsMin, linkRetryMsMax } = this.#host.limits;
    const most = Math.min(linkRetryMsMax, linkRetryMsMin * 2 ** this.#failures);
    this.#failures = Math.min(this.#failures + 1, 16);
    return most * (0.5 + this.#host.random() / 2);
  }

  #dialLater(waitMs: number): void {
    if (!this.#dials || this.#closed) return;
    clearTimeout(this.#retry);
    this.#retry = setTimeout(() => this.dial(), waitMs);
  }

  /** To be called every `linkPingMs`; `late`: this process was stopped meanwhile, so that silence proves nothing. */
  tick(late: boolean): void {
    const { linkPingMs, linkSilenceMs } = this.#host.limits;
    for (const connection of this.#connections()) {
      connection.pingIfIdle(linkPingMs / 2);
      if (late || connection.silentMs < linkSilenceMs) continue;
      connection.destroy(new HoldfastError('IO', `${this.#label}: silent for ${linkSilenceMs} ms`));
    }
  }

  /** Says goodbye and ends everything. */
  async close(farewell: Uint8Array): Promise<void> {
    this.#closed = true;
    clearTimeout(this.#retry);
    this.#greeting?.destroy();
    const leaving = this.#connections().map((connection) =>
      connection.leave(farewell, this.#host.limits.linkCloseMs),
    );
    this.#drop(undefined);
    await Promise.all([...leaving, ...this.#leaving]);
  }

  get #label(): string {
    return `peer ${this.name}`;
  }
}

const unowned = { frame: () => {}, closed: () => {}, drained: () => {} };

function add(sum: Traffic, { bytesSent, bytesReceived, framesSent, framesReceived }: Traffic): void {
  sum.bytesSent += bytesSent;
  sum.bytesReceived += bytesReceived;
  sum.framesSent += framesSent;
  sum.framesReceived += framesReceived;
}
