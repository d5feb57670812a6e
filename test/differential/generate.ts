/** Random requests for the comparison with Redis: mostly sensible, some of them spoilt. */
import type { SeededRandom } from '../support/random.js';
import type { Family, Make, Request } from './families/family.js';
import { SHARED_KEYS, Vocabulary } from './vocabulary.js';

/** A name that no command has. */
export const UNKNOWN = /^nosuch$/i;

/** Number of keys that a family has of its own, unless it names them. */
const OWN_KEYS = 3;

/** Commands that are told how long a key has to live. */
const TIMED = /^(P?EXPIRE|P?SETEX|GETEX|SET|RESTORE)$/i;

/** A life that may end while the two are asked one after the other, if it counts milliseconds, or before the seed is done. */
function isShortLife(word: string | Buffer): boolean {
  const n = Number(String(word));
  return n >= 1 && n <= 500_000;
}

interface Kind {
  readonly make: Make;
  readonly fixed: boolean;
}

/** A family, ready to make requests: each kind stands in `kinds` as often as it counts. */
interface Source {
  readonly words: Vocabulary;
  readonly kinds: readonly Kind[];
}

const ownKeys = ({ name, keys }: Family): readonly string[] =>
  keys ?? Array.from({ length: OWN_KEYS }, (_, i) => `${name}:${i}`);

function repeated<T>(item: T, times: number): T[] {
  return Array.from({ length: times }, () => item);
}

/** Makes requests from a seed. */
export class Generator {
  readonly #random: SeededRandom;
  /** Each family as often as it counts. */
  readonly #sources: readonly Source[];

  constructor(random: SeededRandom, families: readonly Family[]) {
    this.#random = random;
    const common = [...SHARED_KEYS, ...families.filter(({ apart }) => !apart).flatMap(ownKeys)];
    this.#sources = families.flatMap((family) => repeated(this.#source(family, common), family.weight ?? 1));
  }

  #source(family: Family, common: readonly string[]): Source {
    const words = new Vocabulary(this.#random, ownKeys(family), family.apart ? [] : common);
    const kinds = family.rows.flatMap((row) => {
      const { make, weight = 1, fixed = false } = typeof row === 'function' ? { make: row } : row;
      return repeated({ make, fixed }, weight);
    });
    return { words, kinds };
  }

  /** The next request. */
  next(): Request {
    const { words, kinds } = this.#random.pick(this.#sources);
    const { make, fixed } = this.#random.pick(kinds);
    const request = make(words);
    const spoilt = fixed ? request : this.#spoilt(request, words);
    const isNewLife = (word: string | Buffer, i: number) => i > 1 && word !== request[i] && isShortLife(word);
    return TIMED.test(String(request[0])) && spoilt.some(isNewLife) ? request : spoilt;
  }

  #spoilt(made: Request, words: Vocabulary): Request {
    const random = this.#random;
    let request = made;
    if (random.once(60)) request = request.slice(0, Math.max(1, request.length - 1));
    if (random.once(80)) request = [...request, words.word()];
    if (random.once(40)) request = request.map((word, i) => (i > 0 && random.once(3) ? words.odd() : word));
    if (random.once(10)) request = [this.#cased(String(request[0])), ...request.slice(1)];
    return request;
  }

  #cased(name: string): string {
    return this.#random.once(2) ? name.toLowerCase() : name[0] + name.slice(1).toLowerCase();
  }
}
