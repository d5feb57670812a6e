/** holdfast's keyspace, called in this thread. */
import { Keyspace } from 'holdfast';
import type { CollectionDriver } from './collections.js';
import type { KeyValueDriver } from './key-value.js';

/** A Keyspace as strings by key. */
export const keyspaceDriver: KeyValueDriver = {
  name: 'holdfast',
  async open() {
    const store = new Keyspace();
    return { store, batch: (writes) => writes(), close: async () => store.close() };
  },
};

/** A Keyspace as collections by key. */
export const keyspaceCollectionDriver: CollectionDriver = {
  name: 'holdfast',
  async open() {
    return new Keyspace();
  },
};
