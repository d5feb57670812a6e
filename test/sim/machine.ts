import type { Entry } from '../../src/raft/types.js';

/** A request of a client session. `put` sets, `increment` adds one; both answer the new value. */
export interface Command {
  readonly id: number;
  readonly session: number;
  readonly seq: number;
  readonly kind: 'put' | 'increment';
  readonly key: number;
  readonly value: number;
}

/** `duplicate`: the answer remembered from the first execution. `gap`: an earlier request is missing. */
export interface Outcome {
  readonly command: Command;
  readonly status: 'executed' | 'duplicate' | 'gap';
  readonly value: number;
}

interface Session {
  readonly seq: number;
  readonly value: number;
}

/** Commands by the number that is all an entry holds of them. */
export class Commands {
  readonly #all: Command[] = [];

  add(command: Omit<Command, 'id'>): Command {
    const added = { ...command, id: this.#all.length };
    this.#all.push(added);
    return added;
  }

  encode(id: number, bytes: number): Uint8Array {
    const data = new Uint8Array(Math.max(4, bytes));
    data[0] = id;
    data[1] = id >>> 8;
    data[2] = id >>> 16;
    data[3] = id >>> 24;
    return data;
  }

  of(entry: Entry): Command | undefined {
    const { data } = entry;
    if (entry.kind === 'noop') return undefined;
    const id =
      ((data[0] ?? 0) | ((data[1] ?? 0) << 8) | ((data[2] ?? 0) << 16) | ((data[3] ?? 0) << 24)) >>> 0;
    return this.#all[id];
  }
}

/** The replicated state: values, sessions (X2) and a chain over everything applied. */
export class Machine {
  readonly #values: Map<number, number>;
  readonly #sessions: Map<number, Session>;
  readonly #dedup: boolean;
  applied: number;
  /** Equal on two peers iff they applied the same entries, each once and in order. */
  chain: number;

  constructor(dedup: boolean, from?: Machine) {
    this.#dedup = dedup;
    this.#values = new Map(from === undefined ? [] : from.#values);
    this.#sessions = new Map(from === undefined ? [] : from.#sessions);
    this.applied = from?.applied ?? 0;
    this.chain = from?.chain ?? 0;
  }

  copy(): Machine {
    return new Machine(this.#dedup, this);
  }

  forgetSessions(): void {
    this.#sessions.clear();
  }

  get(key: number): number {
    return this.#values.get(key) ?? 0;
  }

  apply(entry: Entry, command: Command | undefined): Outcome | undefined {
    this.applied = entry.index;
    this.chain = (Math.imul(this.chain ^ entry.index, 0x01000193) + (command?.id ?? -1) + entry.term) | 0;
    if (command === undefined) return undefined;
    const last = this.#sessions.get(command.session) ?? { seq: 0, value: 0 };
    if (this.#dedup && command.seq <= last.seq) return { command, status: 'duplicate', value: last.value };
    if (command.seq > last.seq + 1) return { command, status: 'gap', value: 0 };
    const value = command.kind === 'put' ? command.value : this.get(command.key) + 1;
    this.#values.set(command.key, value);
    this.#sessions.set(command.session, { seq: command.seq, value });
    return { command, status: 'executed', value };
  }
}
