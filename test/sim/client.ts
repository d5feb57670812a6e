import type { Operation } from './checkers/linearizability.js';
import type { Command } from './machine.js';
import type { Peer } from './peer.js';
import type { World } from './world.js';

/** A client with a session: one request at a time, tried again with its number until it is answered (X3). */
export class Client {
  readonly #world: World;
  readonly #session: number;
  #home: Peer;
  #seq = 0;
  #values = 0;
  /** Counts requests and answers: what belongs to an earlier one is void. */
  #turn = 0;
  busy = false;
  finished = 0;

  constructor(world: World, session: number) {
    this.#world = world;
    this.#session = session;
    this.#home = world.random.pick(world.peers);
  }

  start(): void {
    const { scheduler, random, swarm } = this.#world;
    scheduler.after(random.around(swarm.thinkMs), () => this.#next());
  }

  #next(): void {
    if (this.#world.calm) return;
    const { random } = this.#world;
    if (random.chance(0.02)) this.#home = random.pick(this.#world.peers);
    const what = random.next();
    if (what < 0.5) this.#write();
    else if (what < 0.8) this.#leased();
    else this.#indexed();
  }

  #begin(kind: Operation['kind'], key: number, value?: number): Operation {
    this.busy = true;
    this.#turn++;
    const { history, scheduler } = this.#world;
    return history.begin(key, { kind, start: scheduler.now, end: Number.POSITIVE_INFINITY, value });
  }

  #end(operation: Operation, value: number): void {
    operation.end = this.#world.scheduler.now;
    operation.value = value;
    this.#done();
  }

  #done(): void {
    this.busy = false;
    this.finished++;
    this.#turn++;
    this.start();
  }

  #write(): void {
    const { random, commands, swarm } = this.#world;
    const kind = random.chance(0.5) ? 'put' : 'increment';
    const key = random.int(1, swarm.keys);
    const value = this.#session * 1_000_000 + ++this.#values;
    const command = commands.add({ session: this.#session, seq: ++this.#seq, kind, key, value });
    const operation = this.#begin(kind, key, kind === 'put' ? value : undefined);
    this.#submit(command, operation);
  }

  #submit(command: Command, operation: Operation): void {
    const turn = this.#turn;
    const world = this.#world;
    this.#home.write(command, (answer) => {
      if (turn !== this.#turn) return;
      world.acknowledged(command);
      this.#end(operation, answer);
    });
    this.#patience(command, operation, turn, world.random.int(2, 6));
  }

  /** No answer yet: ask the same process to try again, and after a while another one. */
  #patience(command: Command, operation: Operation, turn: number, tries: number): void {
    const { scheduler, random, peers } = this.#world;
    scheduler.after(random.between(100, 600), () => {
      if (turn !== this.#turn) return;
      if (tries > 0 && this.#home.alive) {
        this.#home.retry(command);
        this.#patience(command, operation, turn, tries - 1);
        return;
      }
      this.#home = random.pick(peers.filter((peer) => peer.alive).concat(this.#home));
      this.#submit(command, operation);
    });
  }

  /** On whatever peer believes in its lease, the client's own or any. */
  #leased(): void {
    const { random, swarm, peers } = this.#world;
    const key = random.int(1, swarm.keys);
    const holders = peers.filter((peer) => peer.alive && peer.now < peer.leaseUntil);
    if (holders.length === 0) {
      this.start();
      return;
    }
    const operation = this.#begin('get', key);
    const turn = this.#turn;
    const taken = random.pick(holders).leased(key, (value) => {
      if (turn === this.#turn) this.#end(operation, value);
    });
    if (!taken) this.#done();
    else if (this.busy) this.#giveUp(turn, 1_000);
  }

  #indexed(): void {
    const { random, swarm } = this.#world;
    const key = random.int(1, swarm.keys);
    const operation = this.#begin('get', key);
    const turn = this.#turn;
    this.#giveUp(turn, 1_000);
    this.#home.indexed(key, (value) => {
      if (turn !== this.#turn) return;
      if (value === undefined) this.#done();
      else this.#end(operation, value);
    });
  }

  #giveUp(turn: number, ms: number): void {
    this.#world.scheduler.after(ms, () => {
      if (turn !== this.#turn) return;
      if (!this.#home.alive) this.#home = this.#world.random.pick(this.#world.peers);
      this.#done();
    });
  }
}
