/** The commands of a connection between MULTI and EXEC. */
import type { Request } from '../commands/executor.js';
import { limits } from '../limits.js';

export class TransactionQueue {
  readonly requests: Request[] = [];
  /** Whether a command could not be queued, so that EXEC will run none. */
  refused = false;
  #bytes = 0;

  /** Whether any of them writes. */
  get writes(): boolean {
    return this.requests.some(({ command }) => command.write);
  }

  /** Queues a command; false if there is no room. */
  add(words: readonly Buffer[], command: Request['command']): boolean {
    this.#bytes += words.reduce((sum, word) => sum + word.length + limits.respWordBytes, 0);
    if (this.#bytes > limits.respTransactionBytesMax) return false;
    this.requests.push({ words, command });
    return true;
  }
}
