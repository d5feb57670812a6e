import type { LogIndex } from '../../../src/raft/types.js';
import type { Command, Outcome } from '../machine.js';
import { check } from './violation.js';

/** Exactly once: a request executes at one place of the log, on every peer, and never after its successor. */
export class Sessions {
  readonly #executed = new Map<string, LogIndex>();

  applied(index: LogIndex, outcome: Outcome): void {
    if (outcome.status !== 'executed') return;
    const key = this.#key(outcome.command);
    const before = this.#executed.get(key);
    check(
      before === undefined || before === index,
      'exactly once',
      () => `request ${key} executes at ${before} and at ${index}`,
    );
    this.#executed.set(key, index);
  }

  /** Where an acknowledged request took effect. */
  acknowledged(command: Command): LogIndex {
    const index = this.#executed.get(this.#key(command));
    check(
      index !== undefined,
      'exactly once',
      () => `request ${this.#key(command)} is acknowledged, not executed`,
    );
    return index;
  }

  #key(command: Command): string {
    return `${command.session}/${command.seq}`;
  }
}
