/**
 * Calls that wait for keys. A waiter takes a ticket, tries, and tries again each time it is called, until there is something
 * for it, its time is over, or it is told to stop.
 *
 * An attempt that may take something away is not given up once it has left the process: what it takes belongs to a waiter. So a
 * waiter that is to stop while it tries ends with the outcome of the attempt, and stops only if that found nothing. An attempt that
 * has not left yet, because there is no leader to send it to, is withdrawn; one that only reads is not waited for.
 *
 * Waiters that ask the same of the same keys try at the same time. An element that is pushed between two attempts is found by the
 * later one; it is given to the waiter that came first all the same, and the two exchange their attempts.
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
  /** What its replies look like. Ways of one keyspace that have this in common answer a request alike. */
  readonly form: string;
  /** The answer of a waiter whose time is over. */
  readonly nothing: T;
  /** Makes an attempt, at once or not. */
  run(request: Request): T | Promise<T>;
  /** Whether the attempt found nothing. */
  isNothing(reply: T): boolean;
  /** The reply as a value; throws a refusal. */
  valueOf(reply: T): ReplyValue;
}

/** The way of a surface whose replies are values, with their bulks as bytes or as strings. */
export function replyWay(
  handle: NativeHandle,
  bytes: boolean,
  run: (request: Request) => ReplyValue | Promise<ReplyValue>,
): WaitWay<ReplyValue> {
  const form = bytes ? 'bytes' : 'strings';
  return {
    handle,
    form,
    nothing: null,
    run,
    isNothing: (reply) => reply === null,
    valueOf: (reply) => reply,
  };
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

/** An attempt under way, and whose it is. */
class Trial<T> {
  readonly attempt = new Attempt();
  waiter: Waiter<T>;

  constructor(waiter: Waiter<T>) {
    this.waiter = waiter;
  }
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
  #trial: Trial<T> | undefined;
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
    const { kind, keys, asks } = this.#wait;
    const { handle, form } = this.#way;
    this.#ticket = bell.enter(handle, kind, keys, `${form} ${asks}`, this);
    if (this.#signal !== undefined) watchAbort(this.#signal, this.#aborted);
    if (timeoutMs !== undefined) this.#arm(native.boottimeMs() + timeoutMs);
    this.#try(true);
  }

  called(): void {
    if (this.#trial === undefined) this.#try(false);
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
      this.#over();
      return;
    }
    try {
      const trial = new Trial<T>(this);
      const reply = this.#way.run({ ...this.#wait.requestFor(positions), attempt: trial.attempt });
      if (!(reply instanceof Promise)) {
        this.#answered(reply);
        return;
      }
      this.#trial = trial;
      reply.then(
        (value) => trial.waiter.#answered(value),
        (error) => trial.waiter.#failed(error),
      );
    } catch (error) {
      this.#settle(() => this.#reject(error));
    }
  }

  #answered(reply: T): void {
    this.#trial = undefined;
    if (this.#way.isNothing(reply)) {
      this.#over();
      return;
    }
    const first = this.#firstToServe(reply);
    const trial = first.#trial;
    first.#trial = undefined;
    first.#settle(() => first.#resolve(reply));
    if (first === this) return;
    if (trial === undefined) this.#over();
    else this.#take(trial);
  }

  /** Whose it is what an attempt of this waiter has brought. A refusal is its own. */
  #firstToServe(reply: T): Waiter<T> {
    if (this.#ticket === undefined || !this.#takes) return this;
    const first = bell.owner(native.ticketFirst(this.#ticket));
    // Its replies have the same form: the room has made that a part of what is asked.
    return first instanceof Waiter && first !== this && !this.#isRefusal(reply) ? first : this;
  }

  #isRefusal(reply: T): boolean {
    try {
      this.#way.valueOf(reply);
      return false;
    } catch {
      return true;
    }
  }

  /** Makes another waiter's attempt its own. */
  #take(trial: Trial<T>): void {
    this.#trial = trial;
    trial.waiter = this;
    if (this.#end !== undefined) trial.attempt.withdraw();
  }

  /** An attempt is over, and there is nothing for this waiter. */
  #over(): void {
    if (this.#end !== undefined) this.#settle(this.#end);
    else if (this.#ticket !== undefined && native.ticketMissed(this.#ticket)) this.#tryLater();
  }

  /** In another turn of the loop: a key that changes all the time must not keep the loop from everything else. */
  #tryLater(): void {
    setImmediate(() => this.called());
  }

  #failed(error: unknown): void {
    this.#trial = undefined;
    if (!(error instanceof HoldfastError && error.code === 'WITHDRAWN'))
      this.#settle(() => this.#reject(error));
    else if (this.#end !== undefined) this.#settle(this.#end);
    // Withdrawn for the one whose attempt it was before.
    else this.#tryLater();
  }

  #stop(end: () => void): void {
    if (this.#trial === undefined || !this.#takes) {
      this.#settle(end);
      return;
    }
    this.#end ??= end;
    this.#trial.attempt.withdraw();
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
