/**
 * Calls that wait for keys. A waiter takes a ticket, tries, and tries again each time it is called, until there is something
 * for it, its time is over, or it is told to stop.
 *
 * An attempt that may take something away is not given up once it has left the process: what it takes belongs to the waiter. So a
 * waiter that is to stop while it tries ends with the outcome of the attempt, and stops only if that found nothing. An attempt that
 * has not left yet, because there is no leader to send it to, is withdrawn; one that only reads is not waited for.
 */
import { HoldfastError } from '../errors.js';
import { bell, type TicketOwner } from '../keyspace/bell.js';
import { type NativeHandle, native, type ReplyValue } from '../keyspace/native.js';
import { unwatchAbort, watchAbort } from './abort-watch.js';
import { Attempt, type Request } from './executor.js';
import { requestOf } from './surface.js';
import { type Ask, type Wait, waitOf } from './wait.js';

/** The longest delay that a timer takes. */
const TIMER_MS_MAX = 2 ** 31 - 1;

/** How waiters of a surface try. */
export interface WaitWay<T> {
  /** Any handle of the keyspaces. */
  readonly handle: NativeHandle;
  /** The answer of a waiter whose time is over. */
  readonly nothing: T;
  /** Makes an attempt, at once or not. */
  run(request: Request): T | Promise<T>;
  /** Whether the attempt found nothing. */
  isNothing(reply: T): boolean;
  /** The reply as a value; throws a refusal. */
  valueOf(reply: T): ReplyValue;
}

/** The way of a surface whose replies are values. */
export function replyWay(
  handle: NativeHandle,
  run: (request: Request) => ReplyValue | Promise<ReplyValue>,
): WaitWay<ReplyValue> {
  return { handle, nothing: null, run, isNothing: (reply) => reply === null, valueOf: (reply) => reply };
}

/** What makes a waiter stop. */
export interface WaitEnd {
  /** Milliseconds; `undefined`: it waits for ever. */
  readonly timeoutMs?: number | undefined;
  readonly signal?: AbortSignal | undefined;
}

/** A waiter, for the room that it is in. */
interface Stoppable {
  stop(error: HoldfastError): void;
}

class Waiter<T> implements TicketOwner, Stoppable {
  readonly promise: Promise<T>;
  readonly #wait: Wait;
  readonly #way: WaitWay<T>;
  /** Whether what an attempt finds is taken away. */
  readonly #takes: boolean;
  readonly #signal: AbortSignal | undefined;
  readonly #onGone: (waiter: Stoppable) => void;
  #resolve: (reply: T) => void = () => {};
  #reject: (error: unknown) => void = () => {};
  #ticket: number | undefined;
  #timer: NodeJS.Timeout | undefined;
  /** The attempt under way. */
  #attempt: Attempt | undefined;
  /** How it ends if the attempt under way finds nothing. */
  #end: (() => void) | undefined;

  constructor(
    wait: Wait,
    way: WaitWay<T>,
    takes: boolean,
    signal: AbortSignal | undefined,
    onGone: (waiter: Stoppable) => void,
  ) {
    this.#wait = wait;
    this.#way = way;
    this.#takes = takes;
    this.#signal = signal;
    this.#onGone = onGone;
    this.promise = new Promise((resolve, reject) => {
      this.#resolve = resolve;
      this.#reject = reject;
    });
  }

  /** Throws what keeps it from waiting. */
  start(timeoutMs: number | undefined): void {
    const { kind, keys } = this.#wait;
    this.#ticket = bell.enter(this.#way.handle, kind, keys, this);
    if (this.#signal !== undefined) watchAbort(this.#signal, this.#aborted);
    if (timeoutMs !== undefined) this.#arm(native.boottimeMs() + timeoutMs);
    this.#try(true);
  }

  called(): void {
    if (this.#attempt === undefined) this.#try(false);
  }

  lost(error: HoldfastError): void {
    this.stop(error);
  }

  stop(error: HoldfastError): void {
    this.#stop(() => this.#reject(error));
  }

  readonly #aborted = (): void => this.#stop(() => this.#reject(this.#signal?.reason));

  #arm(deadlineMs: number): void {
    const leftMs = deadlineMs - native.boottimeMs();
    if (leftMs <= 0) this.#stop(() => this.#resolve(this.#way.nothing));
    else this.#timer = setTimeout(() => this.#arm(deadlineMs), Math.min(Math.ceil(leftMs), TIMER_MS_MAX));
  }

  #try(first: boolean): void {
    if (this.#ticket === undefined) return;
    const positions = native.ticketBegin(this.#ticket, first);
    if (positions.length === 0) {
      this.#missed();
      return;
    }
    try {
      const attempt = new Attempt();
      const reply = this.#way.run({ ...this.#wait.requestFor(positions), attempt });
      if (!(reply instanceof Promise)) {
        this.#answered(reply);
        return;
      }
      this.#attempt = attempt;
      reply.then(
        (value) => this.#answered(value),
        (error) => this.#failed(error),
      );
    } catch (error) {
      this.#settle(() => this.#reject(error));
    }
  }

  #answered(reply: T): void {
    this.#attempt = undefined;
    if (!this.#way.isNothing(reply)) this.#settle(() => this.#resolve(reply));
    else if (this.#end !== undefined) this.#settle(this.#end);
    else this.#missed();
  }

  #failed(error: unknown): void {
    const isWithdrawn = error instanceof HoldfastError && error.code === 'WITHDRAWN';
    this.#settle(isWithdrawn && this.#end !== undefined ? this.#end : () => this.#reject(error));
  }

  #missed(): void {
    // In another turn of the loop: a key that changes all the time must not keep the loop from everything else.
    if (this.#ticket !== undefined && native.ticketMissed(this.#ticket)) setImmediate(() => this.called());
  }

  #stop(end: () => void): void {
    if (this.#attempt === undefined || !this.#takes) {
      this.#settle(end);
      return;
    }
    this.#end ??= end;
    this.#attempt.withdraw();
  }

  #settle(end: () => void): void {
    if (this.#ticket === undefined) return;
    const ticket = this.#ticket;
    this.#ticket = undefined;
    clearTimeout(this.#timer);
    if (this.#signal !== undefined) unwatchAbort(this.#signal, this.#aborted);
    this.#onGone(this);
    bell.leave(ticket);
    end();
  }
}

/** Everything that waits in one keyspace or store, on one thread. */
export class WaitingRoom {
  readonly #waiters = new Set<Stoppable>();

  /**
   * Runs a blocking request. Rejects with whatever the request is refused with, with the signal's reason, or with what
   * {@link refuse} is given. `end`: what makes it stop, in the place of the request's own timeout.
   */
  async wait<T>(request: Request, way: WaitWay<T>, end?: WaitEnd): Promise<T> {
    end?.signal?.throwIfAborted();
    const given = waitOf(request);
    if (given === undefined) return way.run(request);
    const ask: Ask = (words) => {
      const reply = way.run(requestOf(words));
      return reply instanceof Promise ? reply.then(way.valueOf) : way.valueOf(reply);
    };
    // Without a pause, if there is nothing to ask: who calls first comes first.
    const wait = given.fixed === undefined ? given : await given.fixed(ask);
    end?.signal?.throwIfAborted();
    const { timeoutMs, signal } = end ?? { timeoutMs: wait.timeoutMs, signal: undefined };
    const waiter = new Waiter(wait, way, request.command.write, signal, (gone) => this.#waiters.delete(gone));
    this.#waiters.add(waiter);
    try {
      waiter.start(timeoutMs);
    } catch (error) {
      this.#waiters.delete(waiter);
      throw error;
    }
    return waiter.promise;
  }

  /** Ends every wait. An attempt under way is waited for. */
  refuse(error: HoldfastError): void {
    for (const waiter of [...this.#waiters]) waiter.stop(error);
  }
}
