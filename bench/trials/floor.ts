/** What it costs to cross between JavaScript and native code, without anything being done there. */
import { type BoundaryDriver, plainDriver, wrappedDriver } from '../drivers/boundary.js';
import type { FloorFunctions } from '../floor/build.js';
import { timeBlocks } from '../stopwatch.js';
import { defineTrial, type RunResult } from '../trial.js';
import { hashOf, keyOf, takenNumber, VALUE_BYTES } from '../workload.js';

const REAL_CALLS = 2_000_000;
const TINY_CALLS = 5_000;

type Crossing = (functions: FloorFunctions, from: number, to: number) => number;

const value = Buffer.alloc(VALUE_BYTES, 'v');
const collect = (...items: string[]): string[] => items;

const crossings: Readonly<Record<string, Crossing>> = {
  'empty call': ({ empty }, from, to) => {
    for (let i = from; i < to; i++) empty();
    return to;
  },
  'short string in': ({ stringIn }, from, to) => {
    let sum = 0;
    for (let i = from; i < to; i++) sum = takenNumber(sum, stringIn(keyOf(i)));
    return sum;
  },
  '100-byte string out': ({ stringOut }, from, to) => {
    let sum = 0;
    for (let i = from; i < to; i++) sum = takenNumber(sum, stringOut().charCodeAt(i % VALUE_BYTES));
    return sum;
  },
  '100-byte Buffer in': ({ bufferIn }, from, to) => {
    let sum = 0;
    for (let i = from; i < to; i++) sum = takenNumber(sum, bufferIn(value));
    return sum;
  },
  '100-byte Buffer out': ({ bufferOut }, from, to) => {
    let sum = 0;
    for (let i = from; i < to; i++) sum = takenNumber(sum, bufferOut()[i % VALUE_BYTES] ?? 0);
    return sum;
  },
  'array of 10 out, set one by one': ({ arraySet }, from, to) => {
    let sum = 0;
    for (let i = from; i < to; i++) sum = takenNumber(sum, arraySet().length);
    return sum;
  },
  'array of 10 out, made by a call': ({ arrayCalled }, from, to) => {
    let sum = 0;
    for (let i = from; i < to; i++) sum = takenNumber(sum, arrayCalled(collect).length);
    return sum;
  },
};

async function measure(driver: BoundaryDriver, calls: number): Promise<RunResult> {
  const functions = driver.functions();
  const sums: number[] = [];
  const figures = Object.entries(crossings).map(([metric, cross]) => {
    let sum = 0;
    const block = (from: number, to: number): void => {
      sum = takenNumber(sum, cross(functions, from, to));
    };
    timeBlocks(Math.floor(calls / 5), block);
    const figure = { metric, unit: 'ns', value: timeBlocks(calls, block) };
    sums.push(sum);
    return figure;
  });
  return { figures, hash: hashOf(sums) };
}

/** The floor of the boundary. */
export const floorTrial = defineTrial({
  name: 'floor',
  about: 'crossing between JavaScript and C++: an empty call, strings and Buffers in and out',
  drivers: [plainDriver, wrappedDriver],
  measure: (driver, { scale }) => measure(driver, scale === 'tiny' ? TINY_CALLS : REAL_CALLS),
});
