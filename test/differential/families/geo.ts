import type { Vocabulary } from '../vocabulary.js';
import { type Comparable, type Family, nameOf } from './family.js';

const KEYS = ['geo:1', 'geo:2', 'geo:3'];
const DISTANCES = 'geo:distances';
const ODD_POSITIONS = ['0', '180', '-180', '85.05112878', '-85.05112878', '85.06', '181', 'x', 'inf', 'nan'];
const RADII = ['0', '1', '50', '200', '1000', '5000', '30000', '-1', 'x', 'inf'];

/** Few members, so that they move; many places, so that no two distances are the same. */
const member = (w: Vocabulary): string => (w.random.once(20) ? w.text() : `m${w.random.below(300)}`);

const degrees = (w: Vocabulary, most: number): string =>
  ((w.random.below(2_000_001) / 1e6 - 1) * most).toFixed(6);

/** All over the world, and crowded in one place. */
function place(w: Vocabulary): [string, string] {
  if (w.random.once(30)) return [degrees(w, 180), w.pick(...ODD_POSITIONS)];
  if (w.random.once(30)) return [w.pick(...ODD_POSITIONS), degrees(w, 85)];
  if (w.random.once(3)) return [degrees(w, 180), degrees(w, 85)];
  const near = (middle: number): string => (middle + w.random.below(4_000_001) / 1e6 - 2).toFixed(6);
  return [near(13), near(38)];
}

const radius = (w: Vocabulary): string[] => [w.pick(...RADII), w.pick('m', 'km', 'KM', 'ft', 'mi', 'yd')];

const limits = (w: Vocabulary): string[] => [
  ...w.maybe(w.pick('ASC', 'DESC', 'asc')),
  ...w.maybe('COUNT', w.pick('1', '3', '10', '0', 'x'), ...w.maybe('ANY')),
];

const told = (w: Vocabulary): string[] => [
  ...w.maybe('WITHCOORD'),
  ...w.maybe('WITHDIST'),
  ...w.maybe('WITHHASH'),
];

const from = (w: Vocabulary): string[] =>
  w.random.once(2) ? ['FROMMEMBER', member(w)] : ['FROMLONLAT', ...place(w)];

const by = (w: Vocabulary): string[] =>
  w.random.once(2) ? ['BYRADIUS', ...radius(w)] : ['BYBOX', w.pick(...RADII), ...radius(w)];

/**
 * Distances are stored where nothing is searched for: as places, they are all one. What stores them is never spoilt: no other
 * family may find them under an odd key.
 */
const store = (w: Vocabulary): string[] =>
  w.random.once(2) ? w.maybe('STORE', w.key()) : w.maybe('STOREDIST', DISTANCES);

const CLOSE = 1e-9;

/** Numbers that differ in their last digits only. */
function close(a: Comparable, b: Comparable): boolean {
  if (Array.isArray(a) && Array.isArray(b)) {
    return a.length === b.length && a.every((item, i) => close(item, b[i] ?? null));
  }
  if (a === b) return true;
  if (typeof a !== 'string' || typeof b !== 'string' || a === '' || b === '') return false;
  return Math.abs(Number(a) - Number(b)) <= CLOSE * Math.abs(Number(a));
}

/** Places and searches. Scores that are no places come from `ZADD`. */
export const geo: Family = {
  name: 'geo',
  apart: true,
  keys: KEYS,
  rows: [
    {
      make: (w) => ['GEOADD', w.key(), ...w.random.some(1, 8, () => [...place(w), member(w)]).flat()],
      weight: 3,
    },
    (w) => [
      'GEOADD',
      w.key(),
      ...w.maybe(w.pick('NX', 'XX')),
      ...w.maybe(w.pick('CH', 'nx')),
      ...place(w),
      member(w),
    ],
    (w) => ['GEOPOS', w.key(), ...w.random.some(0, 3, () => member(w))],
    (w) => ['GEOHASH', w.key(), ...w.random.some(0, 3, () => member(w))],
    (w) => ['GEODIST', w.key(), member(w), member(w), ...w.maybe(w.pick('m', 'KM', 'ft', 'mi', 'x'))],
    { make: (w) => ['GEOSEARCH', w.key(), ...from(w), ...by(w), ...limits(w), ...told(w)], weight: 4 },
    (w) => ['GEOSEARCHSTORE', w.key(), w.key(), ...from(w), ...by(w), ...limits(w)],
    {
      make: (w) => ['GEOSEARCHSTORE', DISTANCES, w.key(), ...from(w), ...by(w), ...limits(w), 'STOREDIST'],
      fixed: true,
    },
    () => ['ZRANGE', DISTANCES, '0', '-1', 'WITHSCORES'],
    {
      make: (w) => ['GEORADIUS', w.key(), ...place(w), ...radius(w), ...limits(w), ...told(w), ...store(w)],
      fixed: true,
    },
    (w) => ['GEORADIUS_RO', w.key(), ...place(w), ...radius(w), ...limits(w), ...told(w), ...store(w)],
    {
      make: (w) => [
        'GEORADIUSBYMEMBER',
        w.key(),
        member(w),
        ...radius(w),
        ...limits(w),
        ...told(w),
        ...store(w),
      ],
      fixed: true,
    },
    (w) => ['GEORADIUSBYMEMBER_RO', w.key(), member(w), ...radius(w), ...limits(w), ...told(w)],
    (w) => ['ZREM', w.key(), member(w)],
    (w) =>
      w.random.once(10) ? ['ZADD', w.key(), String(w.random.below(2 ** 32)), member(w)] : ['ZCARD', w.key()],
    (w) => (w.random.once(10) ? ['DEL', w.key()] : ['TYPE', w.key()]),
    (w) => (w.random.once(10) ? ['SET', w.key(), 'x'] : ['EXISTS', w.key()]),
  ],
  meant: [
    {
      reason:
        'distances are computed with the same sines on every machine, which are not those of the C library',
      applies: (request, redis, ours) => /^Z(RANGE|SCORE)$/.test(nameOf(request)) && close(redis, ours),
    },
  ],
};
