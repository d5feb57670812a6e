/** Bitmap commands: strings as rows of bits, the most significant bit of a byte first. */
import type { Bytes, Word } from '../keyspace/native.js';
import { bytes, count, integer, type OneOrMore, pushAll } from './arguments.js';
import type { Definitions } from './definition.js';
import type { Bulk, Form, Reply, Sync } from './form.js';
import { checkNames, choice } from './options.js';
import * as shape from './shapes.js';

/** The value of a bit. */
export type Bit = 0 | 1;

/** What the ends of a range count. */
export type BitUnit = 'byte' | 'bit';

/** A part of a string for `bitcount`. Negative ends count from the string's end, -1 the last. */
export interface BitcountRange {
  /** Where it begins. */
  start: number;
  /** Where it ends, included. */
  end: number;
  /** What the ends count. Default: bytes. */
  unit?: BitUnit;
}

/** A part of a string for `bitpos`. Negative ends count from the string's end, -1 the last. */
export interface BitposRange {
  /** Where it begins. Default: 0. */
  start?: number;
  /** Where it ends, included. Without it, the string counts as followed by clear bits. */
  end?: number;
  /** What the ends count. Default: bytes. Needs `end`. */
  unit?: BitUnit;
}

/** How `bitop` joins strings. Shorter ones count as followed by clear bits. `not` takes one string. */
export type BitOperation = 'and' | 'or' | 'xor' | 'not';

/**
 * An integer inside of a string: `i1` to `i64` with a sign, `u1` to `u63` without. TypeScript cannot tell these from other
 * text; the command refuses what is no type.
 */
export type BitfieldType = `i${number}` | `u${number}`;

/** Where a field begins: an offset in bits, or `'#n'`: behind `n` fields of its own type. */
export type BitfieldOffset = number | `#${number}`;

/** Reads a field. The answer is its number. */
export interface BitfieldGet {
  /** The field's type. */
  get: BitfieldType;
  /** Where it begins. */
  at: BitfieldOffset;
}

/**
 * What becomes of a number that does not fit: `wrap` keeps its low bits, `sat` takes the nearest number that fits, `fail`
 * leaves the field as it is and answers `null`.
 */
export type BitfieldOverflow = 'wrap' | 'sat' | 'fail';

/** Writes a field. The answer is the number it held. */
export interface BitfieldSet {
  /** The field's type. */
  set: BitfieldType;
  /** Where it begins. */
  at: BitfieldOffset;
  /** The number to write. */
  value: number | bigint;
  /** What becomes of a number that does not fit. Default: `wrap`. */
  overflow?: BitfieldOverflow;
}

/** Adds to a field. The answer is the sum. */
export interface BitfieldIncrement {
  /** The field's type. */
  incrby: BitfieldType;
  /** Where it begins. */
  at: BitfieldOffset;
  /** The number to add. */
  by: number | bigint;
  /** What becomes of a sum that does not fit. Default: `wrap`. */
  overflow?: BitfieldOverflow;
}

/** One step of `bitfield`. */
export type BitfieldStep = BitfieldGet | BitfieldSet | BitfieldIncrement;

/** Bitmap commands that read. */
export interface BitmapReads<F extends Form> {
  /**
   * The bit at `offset`; 0 behind the end.
   *
   * Redis: `GETBIT`. O(1).
   * @throws HoldfastError `WRONGTYPE` if the key holds no string (so do all bitmap commands); `ERR` for an offset beyond
   * 2^32 - 1.
   */
  getbit(key: Bytes, offset: number): Reply<F, Bit>;
  /** How many bits are set, in the whole string or a part of it. Redis: `BITCOUNT`. O(n). */
  bitcount(key: Bytes, range?: BitcountRange): Reply<F, number>;
  /**
   * The offset of the first bit with this value, in the whole string or behind `start`, -1 if there is none. A string that is
   * not cut off by `end` goes on with clear bits.
   *
   * Redis: `BITPOS`. O(n).
   */
  bitpos(key: Bytes, bit: Bit, range?: BitposRange): Reply<F, number>;
  /**
   * As `bitfield`, for steps that read only: it runs on every surface that reads.
   *
   * Redis: `BITFIELD_RO`. O(1) for each step.
   */
  bitfield_ro(key: Bytes, steps: OneOrMore<BitfieldGet>): Reply<F, number[]>;
}

/** Bitmap commands that write. */
export interface BitmapWrites<F extends Form> {
  /**
   * Sets or clears a bit and answers the value it had. The string grows, with clear bits, as far as it must.
   *
   * Redis: `SETBIT`. O(1), amortized.
   * @throws HoldfastError `ERR` for an offset beyond 2^32 - 1.
   */
  setbit(key: Bytes, offset: number, bit: Bit): Reply<F, Bit>;
  /**
   * Joins strings bit by bit, stores the result at `destination`, whatever it held, and answers its bytes: those of the
   * longest string. Without any bytes, `destination` is removed.
   *
   * Redis: `BITOP`. O(n).
   */
  bitop(operation: BitOperation, destination: Bytes, keys: OneOrMore<Bytes>): Reply<F, number>;
  /**
   * Reads and writes integers of any width at any place of a string, one step after the other, and answers what each step
   * gives: beyond 2^53 the nearest number (`call` gives the exact one).
   *
   * Redis: `BITFIELD`. O(1) for each step.
   * @throws HoldfastError `ERR` for what is no type, and for an offset beyond 2^32 - 1.
   */
  bitfield(key: Bytes, steps: OneOrMore<BitfieldStep>): Reply<F, (number | null)[]>;
}

const pushUnit = choice<BitUnit>({ byte: 'BYTE', bit: 'BIT' });
const pushOperation = choice<BitOperation>({ and: 'AND', or: 'OR', xor: 'XOR', not: 'NOT' });
const pushOverflow = choice<BitfieldOverflow>({ wrap: 'WRAP', sat: 'SAT', fail: 'FAIL' });

function bit(value: Bit, name: string): Bit {
  if (value === 0 || value === 1) return value;
  throw typeof value === 'number'
    ? new RangeError(`${name} must be 0 or 1, not ${value}`)
    : new TypeError(`${name} must be 0 or 1`);
}

function shapeBit(reply: Parameters<typeof shape.integer>[0]): Bit {
  return shape.integer(reply) === 0 ? 0 : 1;
}

function pushBitcountRange(words: Word[], range: BitcountRange | undefined): Word[] {
  if (range === undefined) return words;
  checkNames('bitcount', range, ['start', 'end', 'unit']);
  words.push(integer(range.start, "option 'start'"), integer(range.end, "option 'end'"));
  if (range.unit !== undefined) pushUnit(words, range.unit, 'UNIT', 'unit');
  return words;
}

function pushBitposRange(words: Word[], range: BitposRange | undefined): Word[] {
  if (range === undefined) return words;
  checkNames('bitpos', range, ['start', 'end', 'unit']);
  const { start = 0, end, unit } = range;
  words.push(integer(start, "option 'start'"));
  if (end !== undefined) words.push(integer(end, "option 'end'"));
  if (unit === undefined) return words;
  if (end === undefined) throw new TypeError("option 'unit' of bitpos needs 'end'");
  pushUnit(words, unit, 'UNIT', 'unit');
  return words;
}

function fieldOffset(value: BitfieldOffset, name: string): Word {
  return typeof value === 'number' ? count(value, name) : bytes(value, name);
}

const STEP_NAMES = ['get', 'set', 'incrby', 'at', 'value', 'by', 'overflow'];

/** Redis takes the mode of an overflow for all steps that follow; here each step has its own. */
function pushSteps(words: Word[], steps: OneOrMore<BitfieldStep>): Word[] {
  const all = Array.isArray(steps) ? steps : [steps];
  if (all.length === 0) throw new RangeError('steps must not be empty');
  let mode: BitfieldOverflow = 'wrap';
  for (const [i, step] of all.entries()) {
    const name = `steps[${i}]`;
    checkNames(name, step, STEP_NAMES);
    const { overflow = 'wrap' } = step;
    if (!('get' in step) && overflow !== mode) {
      words.push('OVERFLOW');
      pushOverflow(words, overflow, 'OVERFLOW', 'overflow');
      mode = overflow;
    }
    pushStep(words, step, name);
  }
  return words;
}

function pushStep(words: Word[], step: BitfieldStep, name: string): void {
  const at = fieldOffset(step.at, `at of ${name}`);
  if ('get' in step) {
    words.push('GET', bytes(step.get, `get of ${name}`), at);
  } else if ('set' in step) {
    words.push('SET', bytes(step.set, `set of ${name}`), at, integer(step.value, `value of ${name}`));
  } else {
    words.push('INCRBY', bytes(step.incrby, `incrby of ${name}`), at, integer(step.by, `by of ${name}`));
  }
}

/** The code of {@link BitmapReads}. */
export const bitmapReads = {
  getbit: {
    encode: (key, offset) => ['GETBIT', bytes(key, 'key'), count(offset, 'offset')],
    shape: shapeBit,
  },
  bitcount: {
    encode: (key, range) => pushBitcountRange(['BITCOUNT', bytes(key, 'key')], range),
    shape: shape.integer,
  },
  bitpos: {
    encode: (key, value, range) => pushBitposRange(['BITPOS', bytes(key, 'key'), bit(value, 'bit')], range),
    shape: shape.integer,
  },
  bitfield_ro: {
    encode: (key, steps) => pushSteps(['BITFIELD_RO', bytes(key, 'key')], steps),
    shape: shape.integers,
  },
} satisfies Definitions<BitmapReads<Sync<Bulk>>>;

/** The code of {@link BitmapWrites}. */
export const bitmapWrites = {
  setbit: {
    encode: (key, offset, value) => ['SETBIT', bytes(key, 'key'), count(offset, 'offset'), bit(value, 'bit')],
    shape: shapeBit,
  },
  bitop: {
    encode: (operation, destination, keys) => {
      const words: Word[] = ['BITOP'];
      pushOperation(words, operation, 'OPERATION', 'operation');
      words.push(bytes(destination, 'destination'));
      return pushAll(words, keys, 'keys', bytes);
    },
    shape: shape.integer,
  },
  bitfield: {
    encode: (key, steps) => pushSteps(['BITFIELD', bytes(key, 'key')], steps),
    shape: shape.arrayOf(shape.integerOrNull),
  },
} satisfies Definitions<BitmapWrites<Sync<Bulk>>>;
