/** Keys, values and the order in which they are used: the same for every driver, from fixed seeds. */

/** Bytes of every value. */
export const VALUE_BYTES = 100;

const INDEX_DIGITS = 8;
/** Relatively prime to every size that is used, so that multiples of it meet every key once. */
const STRIDE = 7919;
const ZIPF_EXPONENT = 0.99;

/** Which keys are used more than others. */
export type Distribution = 'uniform' | 'zipf';

/** A key, made anew with every call: its string has no hash yet, as a key that came with a request has none. */
export function keyOf(index: number): string {
  return `session:${index}`;
}

/** A source of numbers from 0 to 1 that is the same in every run (xorshift). */
function seeded(seed: number): () => number {
  let state = seed >>> 0 || 1;
  return () => {
    state ^= state << 13;
    state ^= state >>> 17;
    state ^= state << 5;
    return (state >>> 0) / 2 ** 32;
  };
}

/** Indices of keys in the order of their use, drawn beforehand so that drawing them costs a run nothing. */
export function drawIndices(
  distribution: Distribution,
  keys: number,
  count: number,
  seed: number,
): Uint32Array {
  const random = seeded(seed);
  if (distribution === 'uniform')
    return Uint32Array.from({ length: count }, () => Math.floor(random() * keys));
  const shares = zipfShares(keys);
  return Uint32Array.from({ length: count }, () => (rankAt(shares, random()) * STRIDE) % keys);
}

/** All indices once, in an order that is not that of the keys. */
export function allIndices(keys: number): Uint32Array {
  return Uint32Array.from({ length: keys }, (_, i) => (i * STRIDE) % keys);
}

/** By rank, the share of uses that goes to it and those before it. */
function zipfShares(keys: number): Float64Array {
  const shares = new Float64Array(keys);
  let sum = 0;
  for (let rank = 0; rank < keys; rank++) {
    sum += (rank + 1) ** -ZIPF_EXPONENT;
    shares[rank] = sum;
  }
  return shares.map((share) => share / sum);
}

function rankAt(shares: Float64Array, share: number): number {
  let low = 0;
  let high = shares.length - 1;
  while (low < high) {
    const middle = (low + high) >>> 1;
    if ((shares[middle] ?? 1) < share) low = middle + 1;
    else high = middle;
  }
  return low;
}

/** Makes values as they come from a socket: flat one-byte strings, each of its own. */
export class ValueMaker {
  readonly #bytes = Buffer.alloc(VALUE_BYTES, 'v');

  /** The value that the key of `index` has after `version` changes. */
  make(index: number, version: number): string {
    this.#bytes.write(String(index).padStart(INDEX_DIGITS, '0'), 0, 'latin1');
    this.#bytes.write(String(version % 10), INDEX_DIGITS, 'latin1');
    return this.#bytes.toString('latin1');
  }
}

/** Takes in a value so that neither the call that made it nor its bytes can be left out. */
export function taken(sum: number, value: string | null | undefined, at: number): number {
  if (value === null || value === undefined) return Math.imul(sum, 31);
  return (Math.imul(sum, 31) + value.charCodeAt(at % (INDEX_DIGITS + 1)) + value.length) | 0;
}

/** Takes in a number. */
export function takenNumber(sum: number, value: number): number {
  return (Math.imul(sum, 31) + value) | 0;
}

/** Sums as one hash. */
export function hashOf(sums: readonly number[]): string {
  return sums.map((sum) => (sum >>> 0).toString(16).padStart(8, '0')).join('');
}
