/** The words that random requests are made of: few keys, so that types and edges meet, and numbers at the limits. */
import type { SeededRandom } from '../support/random.js';

/** Keys that all families use. */
export const SHARED_KEYS = ['a', 'b', 'c', 'd', 'e', 'f', 'g', 'h', 'ключ', ''];

const NUMBERS = ['0', '1', '-1', '2', '3', '10', '100', '-5', '7'];
const ODD_NUMBERS = ['9223372036854775807', '-9223372036854775808', '9223372036854775808', '1.5', 'x', '+1'];
const FLOATS = ['0', '1', '-1', '0.5', '3.25', '1e3', '100', '-2.75', 'inf', '-inf', '0.1', '1e17', '0x1p3'];
/** Without empty and indented ones, which the C library's parser takes for numbers here and there. */
const ODD_FLOATS = [
  'nan',
  'x',
  '1e400',
  '+5',
  '.5',
  '5.',
  '-0X.8',
  '0x1.00000000000008p0',
  '0x1p',
  '0x1p-1080',
];
const WORDS = [
  '',
  'a',
  'b',
  'c',
  'x',
  'y',
  'foo',
  'bar',
  '1',
  '2',
  '3',
  '10',
  '-7',
  '007',
  'ü',
  'hello world',
];

/** Draws words from a seed, for the requests of one family. */
export class Vocabulary {
  readonly random: SeededRandom;
  readonly #ownKeys: readonly string[];
  readonly #otherKeys: readonly string[];

  /** `otherKeys` are drawn as often as `ownKeys`; there may be none. */
  constructor(random: SeededRandom, ownKeys: readonly string[], otherKeys: readonly string[]) {
    this.random = random;
    this.#ownKeys = ownKeys;
    this.#otherKeys = otherKeys;
  }

  /** A key of the family, or of any. */
  readonly key = (): string =>
    this.#otherKeys.length === 0 || this.random.once(2)
      ? this.random.pick(this.#ownKeys)
      : this.random.pick(this.#otherKeys);

  /** From `min` to `max` keys. */
  keys(min: number, max: number): string[] {
    return this.random.some(min, max, this.key);
  }

  /** An integer, seldom an odd one or none at all. */
  readonly number = (): string => this.random.pick(this.random.once(25) ? ODD_NUMBERS : NUMBERS);

  /** A double, seldom none. */
  readonly float = (): string => this.random.pick(this.random.once(25) ? ODD_FLOATS : FLOATS);

  /** A number that is hard to read, or no number. */
  readonly odd = (): string => this.random.pick(this.random.once(2) ? ODD_NUMBERS : ODD_FLOATS);

  /** Short words mostly; sometimes bytes, and sometimes words too long for a packed collection. */
  readonly word = (): string | Buffer => {
    const random = this.random;
    if (random.once(12)) return Buffer.from(random.some(1, 6, () => random.below(256)));
    if (random.once(20)) return 'long'.repeat(10 + random.below(20));
    if (random.once(3)) return String(random.below(300));
    return random.pick(WORDS);
  };

  /** A word of plain text, short. */
  readonly text = (): string => this.random.pick(WORDS);

  /** From `min` to `max` words. */
  words(min: number, max: number): (string | Buffer)[] {
    return this.random.some(min, max, this.word);
  }

  /** Many words now and then: enough to turn a packed collection into a table. */
  many(): (string | Buffer)[] {
    return this.random.once(15) ? this.words(100, 200) : this.words(1, 4);
  }

  /** One of these. */
  pick<T>(...choices: readonly T[]): T {
    return this.random.pick(choices);
  }

  /** These words once in three times, nothing else. */
  maybe(...words: string[]): string[] {
    return this.random.once(3) ? words : [];
  }

  /** A bound of a range by score. */
  bound(): string {
    return this.random.once(4) ? `(${this.float()}` : this.random.pick([...FLOATS, '-inf', '+inf']);
  }
}
