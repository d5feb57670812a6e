/** The command suites on stores: this process's memory, and a follower of three peers, whose calls go all the way. */
import { open, type Store } from 'holdfast';
import { describe } from 'vitest';
import { describeCommands } from '../api/suite/index.js';
import { type Subject, surfaceOf } from '../api/suite/subject.js';
import { TestCluster } from '../support/cluster.js';

function subjectOf(store: Store, close: () => Promise<void>): Subject {
  return { strings: surfaceOf(store), buffers: surfaceOf(store.bytes), close };
}

describe('a store that is memory', () => {
  describeCommands(async () => {
    const store = await open();
    return subjectOf(store, () => store.close());
  });
});

describe('a follower of three peers', () => {
  describeCommands(async () => {
    const cluster = await TestCluster.open();
    const [follower] = await cluster.followers();
    if (follower === undefined) throw new Error('there is no follower');
    return subjectOf(follower, () => cluster[Symbol.asyncDispose]());
  });
});
