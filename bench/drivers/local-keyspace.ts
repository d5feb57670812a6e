/** A keyspace of this process, for trials of what nothing else has. */
import { Keyspace } from 'holdfast';
import type { Driver } from '../trial.js';

/** Makes keyspaces. */
export interface LocalKeyspaceDriver extends Driver {
  make(): Keyspace;
}

/** holdfast. */
export const localKeyspaceDriver: LocalKeyspaceDriver = {
  name: 'holdfast',
  make: () => new Keyspace(),
};
