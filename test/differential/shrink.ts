/** Makes the requests that lead to a difference few. */
import type { Request } from './families/family.js';

/** Whether the difference is still there after these requests. */
export type Differs = (requests: readonly Request[]) => Promise<boolean>;

const sharesWord = (a: Request, words: ReadonlySet<string>): boolean =>
  a.slice(1).some((word) => words.has(String(word)));

/**
 * A short sequence of requests after which `last` still differs: parts are left out, halves first, then smaller ones, for
 * as long as `timeoutMs` allows.
 */
export async function shrink(
  requests: readonly Request[],
  last: Request,
  differs: Differs,
  timeoutMs: number,
): Promise<readonly Request[]> {
  const words = new Set(last.slice(1).map(String));
  const related = requests.filter((request) => sharesWord(request, words));
  let kept = (await differs(related)) ? related : requests;
  const end = performance.now() + timeoutMs;
  for (let size = Math.ceil(kept.length / 2); size >= 1; size = size === 1 ? 0 : Math.ceil(size / 2)) {
    // From the end: what is late is needed more often, and what is early is then tried with fewer left.
    for (let from = Math.floor((kept.length - 1) / size) * size; from >= 0; from -= size) {
      if (performance.now() > end) return kept;
      const fewer = [...kept.slice(0, from), ...kept.slice(from + size)];
      if (fewer.length < kept.length && (await differs(fewer))) kept = fewer;
    }
  }
  return kept;
}
