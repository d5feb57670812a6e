/**
 * Reads that must not be older than what was acknowledged before them: one question to the leader at a time answers for
 * everybody who waited when it left (§2.10). Pure; asking and applying belong to the host.
 */

/** A question that has been answered is done when this process has applied so far. */
interface Answered {
  readonly index: number;
}

/** The barrier that the application's thread waits for: at most one at a time. */
export class Barriers {
  #nextId = 1;
  /** The question under way, if any. */
  #asked: number | undefined;
  #wanted = false;
  #answered: Answered | undefined;
  #deadlineMs = 0;

  /** Somebody waits from now on, until the deadline. */
  want(deadlineMs: number): void {
    this.#wanted = true;
    this.#deadlineMs = deadlineMs;
  }

  /** Whether a question is under way. */
  get asks(): boolean {
    return this.#asked !== undefined;
  }

  /** The id of a question to ask now; undefined if there is none to ask. */
  ask(): number | undefined {
    if (!this.#wanted || this.#asked !== undefined || this.#answered !== undefined) return undefined;
    this.#asked = this.#nextId++;
    return this.#asked;
  }

  /** The leader's word: an index, or -1 if it had none. An answer to an earlier question does not count. */
  answer(id: number, index: number): void {
    if (id !== this.#asked) return;
    this.#asked = undefined;
    if (index >= 0) this.#answered = { index };
  }

  /** The leader is another one, or the way to it may have lost the question: it is asked again. */
  reset(): void {
    this.#asked = undefined;
  }

  /** True once, when what was waited for has been applied. */
  passed(applied: number): boolean {
    if (this.#answered === undefined || applied < this.#answered.index) return false;
    this.#forget();
    return true;
  }

  /** True once, when the time is over. */
  expired(nowMs: number): boolean {
    if (!this.#wanted || nowMs < this.#deadlineMs) return false;
    this.#forget();
    return true;
  }

  #forget(): void {
    this.#wanted = false;
    this.#asked = undefined;
    this.#answered = undefined;
  }
}
