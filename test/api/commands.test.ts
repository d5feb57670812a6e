/** The command suites on a keyspace of this process, and on the promised surface over one. */
import {
  AsyncCommands,
  Keyspace,
  type ReplyValue,
  type SyncCommands,
  TransactionError,
  type Word,
} from 'holdfast';
import { describe } from 'vitest';
import { describeCommands } from './suite/index.js';
import { type Subject, surfaceOf } from './suite/subject.js';

async function openKeyspace(): Promise<Subject> {
  const keyspace = new Keyspace();
  return {
    strings: surfaceOf(keyspace),
    buffers: surfaceOf(keyspace.bytes),
    close: async () => keyspace.close(),
  };
}

/** The promised surface over a synchronous one, as a store has it over its log. */
function promised(surface: SyncCommands<string> | SyncCommands<Buffer>, bytes: boolean): object {
  interface Request {
    readonly words: readonly [string, ...Word[]];
  }
  const executor = {
    async execute({ words }: Request): Promise<ReplyValue> {
      return surface.call(...words);
    },
    async transaction(requests: readonly Request[]): Promise<ReplyValue[]> {
      const transaction = surface.multi();
      for (const { words } of requests) transaction.call(...words);
      try {
        return transaction.exec();
      } catch (error) {
        if (error instanceof TransactionError) return [...error.replies];
        throw error;
      }
    },
  };
  return Reflect.construct(AsyncCommands, [executor, bytes]);
}

async function openPromised(): Promise<Subject> {
  const keyspace = new Keyspace();
  return {
    strings: surfaceOf(promised(keyspace, false)),
    buffers: surfaceOf(promised(keyspace.bytes, true)),
    close: async () => keyspace.close(),
  };
}

describe('Keyspace', () => {
  describeCommands(openKeyspace);
});

describe('AsyncCommands', () => {
  describeCommands(openPromised);
});
