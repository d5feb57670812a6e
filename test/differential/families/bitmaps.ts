import type { Vocabulary } from '../vocabulary.js';
import type { Family } from './family.js';

const OFFSETS = ['0', '1', '7', '8', '9', '63', '64', '100', '1000', '-1', '4294967296'];
const TYPES = ['u1', 'u4', 'u8', 'u63', 'i1', 'i5', 'i8', 'i16', 'i33', 'i64', 'u64', 'i65', 'x8'];
const VALUES = [
  '0',
  '1',
  '-1',
  '100',
  '-128',
  '255',
  '4294967296',
  '9223372036854775807',
  '-9223372036854775808',
];

/** Mostly small offsets, so that fields overlap. */
const offset = (w: Vocabulary): string =>
  w.random.once(3) ? w.pick(...OFFSETS) : String(w.random.below(200));

/** Of a field; `#` counts fields. */
const place = (w: Vocabulary): string =>
  w.random.once(4) ? `#${w.pick('0', '1', '5', '20', '-1', 'x')}` : offset(w);

const type = (w: Vocabulary): string =>
  w.random.once(2) ? w.pick(...TYPES) : `${w.pick('i', 'u')}${1 + w.random.below(63)}`;

const unit = (w: Vocabulary): string[] => w.maybe(w.pick('BIT', 'BYTE', 'bit', 'x'));

function step(w: Vocabulary): string[] {
  const overflow = w.maybe('OVERFLOW', w.pick('WRAP', 'SAT', 'FAIL', 'fail', 'x'));
  const value = w.random.once(3) ? w.pick(...VALUES) : String(w.random.below(400) - 200);
  const written = [w.pick('SET', 'INCRBY'), type(w), place(w), value];
  return [...overflow, ...(w.random.once(3) ? ['GET', type(w), place(w)] : written)];
}

const steps = (w: Vocabulary): string[] => w.random.some(1, 4, () => step(w)).flat();

/** Strings of bits. */
export const bitmaps: Family = {
  name: 'bitmaps',
  rows: [
    { make: (w) => ['SETBIT', w.key(), offset(w), w.pick('0', '1', '1', '2')], weight: 2 },
    (w) => ['GETBIT', w.key(), offset(w)],
    (w) => ['BITCOUNT', w.key()],
    (w) => ['BITCOUNT', w.key(), w.number(), w.number(), ...unit(w)],
    (w) => ['BITPOS', w.key(), w.pick('0', '1')],
    (w) => ['BITPOS', w.key(), w.pick('0', '1'), w.number()],
    (w) => ['BITPOS', w.key(), w.pick('0', '1', '2'), w.number(), w.number(), ...unit(w)],
    (w) => ['BITOP', w.pick('AND', 'OR', 'XOR', 'or'), w.key(), ...w.keys(1, 3)],
    (w) => ['BITOP', w.pick('NOT', 'NAND'), w.key(), ...w.keys(1, 1)],
    { make: (w) => ['BITFIELD', w.key(), ...steps(w)], weight: 3 },
    (w) => ['BITFIELD_RO', w.key(), 'GET', type(w), place(w), 'GET', type(w), place(w)],
    (w) => ['SET', w.key(), w.word()],
    (w) => ['SETRANGE', w.key(), w.pick('0', '5', '20'), w.word()],
    (w) => ['GET', w.key()],
    (w) => ['DEL', w.key()],
  ],
};
