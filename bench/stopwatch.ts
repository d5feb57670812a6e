/** Timing of many short calls: in blocks, so that reading the clock costs nothing beside them. */

/** Calls between two looks at the clock. */
export const BLOCK_CALLS = 1_000;

const NS_PER_MS = 1e6;

/** Runs `call(from, to)` over all calls in blocks, with `prepare(from, to)` untimed before each. Answers nanoseconds a call. */
export function timeBlocks(
  calls: number,
  call: (from: number, to: number) => void,
  prepare: (from: number, to: number) => void = () => {},
): number {
  let ms = 0;
  for (let from = 0; from < calls; from += BLOCK_CALLS) {
    const to = Math.min(calls, from + BLOCK_CALLS);
    prepare(from, to);
    const start = performance.now();
    call(from, to);
    ms += performance.now() - start;
  }
  return (ms * NS_PER_MS) / calls;
}
