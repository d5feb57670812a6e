/** JavaScript's own Map: the floor for strings by key inside of a process. */
import type { KeyValueDriver } from './key-value.js';

/** A Map of strings. */
export const mapDriver: KeyValueDriver = {
  name: 'map',
  async open() {
    const store = new Map<string, string>();
    return { store, batch: (writes) => writes(), close: async () => store.clear() };
  },
};
