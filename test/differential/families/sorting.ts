import type { Vocabulary } from '../vocabulary.js';
import { type Comparable, type Family, isRefusal, type Make, nameOf, type Request } from './family.js';

const ELEMENTS = ['1', '2', '3', '10', '-7', '0.5', 'a', 'b', 'l', ''];

const element = (w: Vocabulary): string => w.pick(...ELEMENTS);

const elements = (w: Vocabulary): string[] => w.random.some(1, 6, () => element(w));

const pattern = (w: Vocabulary): string =>
  w.pick('sort:*', 'sort:*->f', 'sort:*->', 's*rt:1', '*', '#', 'nosort', 'x*->f', '');

const options = (w: Vocabulary): string[] => [
  ...w.maybe('LIMIT', w.number(), w.number()),
  ...w.maybe('GET', pattern(w)),
  ...w.maybe('GET', pattern(w)),
  ...w.maybe(w.pick('ASC', 'DESC', 'desc')),
];

const has = (request: Request, word: string): boolean =>
  request.some((one) => String(one).toUpperCase() === word);

/** Unsorted elements of a set come in any order, and so do those of equal text. */
const inAnyOrder = (request: Request): boolean => has(request, 'NOSORT') && !has(request, 'STORE');

const made: readonly Make[] = [
  (w) => ['RPUSH', w.key(), ...elements(w)],
  (w) => ['SADD', w.key(), ...elements(w)],
  (w) => ['ZADD', w.key(), ...elements(w).flatMap((member) => [w.float(), member])],
  (w) => ['SET', w.key(), element(w)],
  (w) => ['HSET', w.key(), 'f', element(w)],
  (w) => ['DEL', ...w.keys(1, 2)],
  (w) => [w.pick('SORT', 'SORT_RO'), w.key(), ...options(w)],
  (w) => [w.pick('SORT', 'SORT_RO'), w.key(), 'BY', w.pick('sort:*', 'sort:*->f'), ...options(w)],
  (w) => [w.pick('SORT', 'sort_ro'), w.key(), 'ALPHA', ...options(w)],
  (w) => ['SORT', w.key(), 'BY', 'nosort', ...w.maybe('DESC')],
  (w) => ['SORT', w.key(), 'BY', 'nosort', 'STORE', w.key(), ...options(w)],
  (w) => ['SORT', w.key(), 'STORE', w.key(), 'ALPHA', ...options(w)],
  (w) => ['SORT_RO', w.key(), 'STORE', w.key()],
  (w) => ['SORT', w.key(), 'ALPHA', 'LIMIT', w.odd(), w.odd()],
  (w) => ['SORT', w.key(), w.pick('LIMIT', 'GET', 'BY', 'STORE', 'x')],
];

/** Sorting. By number without `STORE` only, because of the first difference below. Redis makes a sorted set large when it is sorted; these keys are
 * apart, and no request is spoilt, so that the encodings of all others count. */
export const sorting: Family = {
  name: 'sorting',
  keys: ['sort:l', 'sort:m', 'sort:s', 'sort:z', 'sort:1', 'sort:2', 'sort:3', 'sort:a', 'sort:b', 'sort:'],
  apart: true,
  rows: made.map((make) => ({ make, fixed: true })),
  replies: {
    SORT: (reply: Comparable, request) =>
      Array.isArray(reply) && inAnyOrder(request) ? [...reply].sort() : reply,
  },
  meant: [
    {
      reason: 'Redis takes texts that differ only behind a zero byte for equal when it sorts by text',
      applies: (request, redis, ours) =>
        nameOf(request).startsWith('SORT') &&
        has(request, 'ALPHA') &&
        JSON.stringify([redis, ours]).includes('\\u0000'),
    },
    {
      reason: '7.0 takes a number beyond all doubles in an earlier request for one among the elements',
      applies: (request, redis, ours) =>
        nameOf(request).startsWith('SORT') &&
        isRefusal(redis) &&
        redis.error.includes("can't be converted into double") &&
        !isRefusal(ours),
    },
    {
      reason: 'Redis makes a sorted set large when it is sorted, which changes nothing here',
      applies: (request, redis, ours) =>
        nameOf(request) === 'OBJECT' &&
        String(request[2]).startsWith('sort:') &&
        redis === 'skiplist' &&
        ours === 'listpack',
    },
  ],
};
