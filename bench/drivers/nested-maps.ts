/** Collections as a program without a store would hold them: objects of the language in a Map. */
import type { CollectionDriver, Collections } from './collections.js';

/** Entry `key` of `map`, made if it is missing. */
function entry<T>(map: Map<string, T>, key: string, make: () => T): T {
  const found = map.get(key);
  if (found !== undefined) return found;
  const made = make();
  map.set(key, made);
  return made;
}

/** Maps of Maps. The sorted set has no order: only its scores by member are compared. */
class NestedMaps implements Collections {
  readonly #hashes = new Map<string, Map<string, string>>();
  readonly #scores = new Map<string, Map<string, number>>();
  readonly #lists = new Map<string, string[]>();
  readonly #counters = new Map<string, number>();

  hset(key: string, field: string, value: string): void {
    entry(this.#hashes, key, () => new Map<string, string>()).set(field, value);
  }

  hget(key: string, field: string): string | undefined {
    return this.#hashes.get(key)?.get(field);
  }

  zadd(key: string, score: number, member: string): void {
    entry(this.#scores, key, () => new Map<string, number>()).set(member, score);
  }

  zscore(key: string, member: string): number | undefined {
    return this.#scores.get(key)?.get(member);
  }

  lpush(key: string, value: string): void {
    entry(this.#lists, key, (): string[] => []).push(value);
  }

  rpop(key: string): string | undefined {
    return this.#lists.get(key)?.shift();
  }

  incr(key: string): number {
    const next = (this.#counters.get(key) ?? 0) + 1;
    this.#counters.set(key, next);
    return next;
  }

  close(): void {
    for (const map of [this.#hashes, this.#scores, this.#lists, this.#counters]) map.clear();
  }
}

/** Maps of Maps and arrays. */
export const nestedMapsDriver: CollectionDriver = {
  name: 'map',
  async open() {
    return new NestedMaps();
  },
};
