/** Ways to cross between JavaScript and native code. */
import { createRequire } from 'node:module';
import { buildFloor, type FloorFunctions, loadFloor } from '../floor/build.js';
import type { Driver } from '../trial.js';

/** Gives functions that do nothing but cross. */
export interface BoundaryDriver extends Driver {
  functions(): FloorFunctions;
}

/** Node-API without any wrapper: what holdfast's hot commands use. */
export const plainDriver: BoundaryDriver = {
  name: 'node-api',
  unavailable: async () => buildFloor(),
  functions: () => loadFloor().plain,
};

/** The classes of node-addon-api. */
export const wrappedDriver: BoundaryDriver = {
  name: 'node-addon-api',
  get version() {
    const { version }: { version: string } = createRequire(import.meta.url)('node-addon-api/package.json');
    return version;
  },
  unavailable: async () => buildFloor(),
  functions: () => loadFloor().wrapped,
};
