/** The command suites on a keyspace of this process, on the promised surface over one, and on stores. */
import {
  AsyncCommands,
  Keyspace,
  type OpenOptions,
  open,
  type ReplyValue,
  type SyncCommands,
  TransactionError,
  type Word,
} from 'holdfast';
import { describe } from 'vitest';
import { temporaryDirectory } from '../support/cluster.js';
import { describeBlocking } from './suite/blocking.js';
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
    // Nothing is answered at once here: stores do that, where they may.
    reads: new Proxy({}, { get: () => () => undefined }),
    // Nor does anybody wait.
    room: { wait: (request: Request, way: { run(request: Request): unknown }) => way.run(request) },
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

async function openStore(options: OpenOptions): Promise<Subject> {
  const store = await open(options);
  return { strings: surfaceOf(store), buffers: surfaceOf(store.bytes), close: () => store.close() };
}

/** A store with a log, which writes go through. */
async function openLogged(): Promise<Subject> {
  const directory = temporaryDirectory();
  const subject = await openStore({ dir: directory.path, fsync: 'everysec' });
  const close = async (): Promise<void> => {
    await subject.close();
    directory.remove();
  };
  return { ...subject, close };
}

describe('Keyspace', () => {
  describeCommands(openKeyspace);
  describeBlocking(openKeyspace);
});

describe('AsyncCommands', () => {
  describeCommands(openPromised);
});

describe('Store in memory', () => {
  describeCommands(() => openStore({}));
  describeBlocking(() => openStore({}));
});

describe('Store with a log', () => {
  describeCommands(openLogged);
  describeBlocking(openLogged);
});
