import type { Vocabulary } from '../vocabulary.js';
import { type Comparable, type Family, isRefusal } from './family.js';

const GROUPS = ['g', 'h'];
const CONSUMERS = ['ann', 'bob'];
/** Created by name only: others are created by 7.2 where 7.0 does not, and one is left out that has nothing pending. */
const CREATED = 'cid';
/** Far apart, so that it does not matter that the two read their clocks one after the other. */
const IDLE_MS = '500000';
const MIN_IDLE_MS = ['0', '0', '0', '250000'];

/** Greater than any that is given. */
const LAST_ID = '18446744073709551614-7';

const ms = (w: Vocabulary): string => String(1 + w.random.below(60));
const id = (w: Vocabulary): string => w.pick(ms(w), `${ms(w)}-${w.random.below(3)}`, '0', '0-0', w.number());
const newId = (w: Vocabulary): string =>
  w.pick(`${ms(w)}-*`, `${ms(w)}-*`, `${50 + w.random.below(30)}-*`, id(w));
const start = (w: Vocabulary): string => w.pick('-', '-', id(w), `(${id(w)}`);
const end = (w: Vocabulary): string => w.pick('+', '+', id(w), `(${id(w)}`);
const ids = (w: Vocabulary): string[] => w.random.some(1, 4, () => id(w));
const group = (w: Vocabulary): string => w.pick(...GROUPS);
const consumer = (w: Vocabulary): string => w.pick(...CONSUMERS);
const ofStreams = (w: Vocabulary, last: () => string): string[] => {
  const keys = w.keys(1, 2);
  return ['STREAMS', ...keys, ...keys.map(last)];
};

function trimming(w: Vocabulary): string[] {
  const threshold = w.pick(['MAXLEN', w.pick('0', '3', '10', '100', '150', w.number())], ['MINID', id(w)]);
  const [name = '', value = ''] = threshold;
  return w.random.once(2)
    ? [name, '~', value, ...w.maybe('LIMIT', w.pick('0', '50', '100', '1000'))]
    : [name, ...w.maybe('='), value];
}

/** Times read from clocks, and what 7.0 does not tell or a radix tree only has. */
const LEFT_OUT = ['radix-tree-nodes', 'seen-time', 'active-time', 'idle', 'inactive'];

/** Whether a consumer, told as pairs, has nothing pending. */
function isBare(told: Comparable): boolean {
  if (!Array.isArray(told)) return false;
  const after = (name: string): Comparable | undefined => told[told.indexOf(name) + 1];
  if (told.includes('pel-count')) return told.includes('seen-time') && after('pel-count') === '0';
  return told.includes('idle') && after('pending') === '0';
}

function infoForm(reply: Comparable): Comparable {
  if (typeof reply === 'string' && /^1[6-9]\d{11}$/.test(reply)) return 'a time';
  if (!Array.isArray(reply)) return reply;
  const kept: Comparable[] = [];
  for (let i = 0; i < reply.length; i++) {
    const item = reply[i] ?? null;
    if (typeof item === 'string' && LEFT_OUT.includes(item)) i++;
    else if (item === 'consumers' && typeof reply[i + 1] === 'string') i++;
    else if (!isBare(item)) kept.push(infoForm(item));
  }
  return kept;
}

/** Streams and what was read of them: the client has a flat array, the keyspace pairs. */
function readForm(reply: Comparable): Comparable {
  return Array.isArray(reply) && reply.every((item) => Array.isArray(item)) ? reply.flat() : reply;
}

function pendingForm(reply: Comparable): Comparable {
  if (!Array.isArray(reply)) return reply;
  return reply.map((row) => {
    if (!Array.isArray(row) || row.length !== 4) return row;
    const [entry = null, owner = null, idleMs = null, deliveries = null] = row;
    return [entry, owner, String(Math.min(Math.round(Number(idleMs) / 1e5), 1e6)), deliveries];
  });
}

/** Streams. Ids and times are given, since the two read their clocks one after the other. */
export const streams: Family = {
  name: 'streams',
  rows: [
    { weight: 6, make: (w) => ['XADD', w.key(), newId(w), ...w.words(2, 2)] },
    { weight: 2, make: (w) => ['XADD', w.key(), newId(w), 'field', w.word(), 'other', w.word()] },
    (w) => ['XADD', w.key(), ...w.maybe('NOMKSTREAM'), ...trimming(w), newId(w), 'field', w.word()],
    (w) => ['XTRIM', w.key(), ...trimming(w)],
    (w) => ['XDEL', w.key(), ...ids(w)],
    (w) => ['XLEN', w.key()],
    (w) => ['XRANGE', w.key(), start(w), end(w), ...w.maybe('COUNT', w.number())],
    (w) => ['XREVRANGE', w.key(), end(w), start(w), ...w.maybe('COUNT', w.number())],
    (w) => ['XREAD', ...w.maybe('COUNT', w.number()), ...ofStreams(w, () => w.pick(id(w), '0', '$'))],
    // 7.0 takes ids that 7.2 refuses, but for those that are greater than all.
    { fixed: true, make: (w) => ['XSETID', w.key(), LAST_ID, ...w.maybe('ENTRIESADDED', w.number())] },
    { fixed: true, make: (w) => ['XSETID', w.key(), LAST_ID, 'MAXDELETEDID', id(w)] },
    { weight: 2, make: (w) => ['DEL', w.key()] },
    {
      weight: 2,
      make: (w) => [
        ...['XGROUP', 'CREATE', w.key(), group(w), w.pick('0', '$', id(w))],
        ...w.maybe('MKSTREAM'),
        ...w.maybe('ENTRIESREAD', w.pick('0', '-1', w.number())),
      ],
    },
    (w) => [
      'XGROUP',
      'SETID',
      w.key(),
      group(w),
      w.pick('0', '$', id(w)),
      ...w.maybe('ENTRIESREAD', w.number()),
    ],
    (w) => ['XGROUP', w.pick('CREATECONSUMER', 'DELCONSUMER'), w.key(), group(w), CREATED],
    (w) => ['XGROUP', 'DELCONSUMER', w.key(), group(w), consumer(w)],
    (w) => (w.random.once(3) ? ['XGROUP', 'DESTROY', w.key(), group(w)] : ['XINFO', 'STREAM', w.key()]),
    {
      weight: 4,
      make: (w) => [
        ...['XREADGROUP', 'GROUP', group(w), consumer(w), 'COUNT', w.pick('1', '3', '10', w.number())],
        ...w.maybe('NOACK'),
        ...ofStreams(w, () => w.pick('>', '>', '>', '0', id(w))),
      ],
    },
    (w) => ['XACK', w.key(), group(w), ...ids(w)],
    (w) => ['XPENDING', w.key(), group(w)],
    (w) => [
      ...['XPENDING', w.key(), group(w), ...w.maybe('IDLE', w.pick('0', '250000')), start(w), end(w)],
      ...[w.pick('10', w.number()), ...w.maybe(consumer(w))],
    ],
    {
      weight: 2,
      make: (w) => [
        ...['XCLAIM', w.key(), group(w), consumer(w), w.pick(...MIN_IDLE_MS), ...ids(w)],
        ...w.maybe('IDLE', w.pick('0', IDLE_MS)),
        ...w.maybe('TIME', w.pick('1000', '99999999999999')),
        ...w.maybe('RETRYCOUNT', w.number()),
        ...w.maybe('FORCE'),
        ...w.maybe('JUSTID'),
        ...w.maybe('LASTID', id(w)),
      ],
    },
    (w) => [
      ...['XAUTOCLAIM', w.key(), group(w), consumer(w), w.pick(...MIN_IDLE_MS), w.pick('0', '-', id(w))],
      ...w.maybe('COUNT', w.number()),
      ...w.maybe('JUSTID'),
    ],
    (w) => ['XINFO', 'STREAM', w.key(), ...w.maybe('FULL', 'COUNT', w.number())],
    (w) => ['XINFO', 'GROUPS', w.key()],
    (w) => ['XINFO', 'CONSUMERS', w.key(), group(w)],
    { fixed: true, make: (w) => ['XREAD', 'BLOCK', w.pick('-1', 'x'), ...ofStreams(w, () => '0')] },
  ],
  replies: { XINFO: infoForm, XPENDING: pendingForm, XREAD: readForm, XREADGROUP: readForm },
  state: {
    stream: (key) => [
      ['XINFO', 'STREAM', key, 'FULL', 'COUNT', '0'],
      ['XINFO', 'GROUPS', key],
    ],
  },
  meant: [
    {
      reason: '7.2 names XREADGROUP where the list of streams has odd length, and quotes the name',
      applies: (_request, redis, ours) =>
        [redis, ours].every((reply) => isRefusal(reply) && reply.error.startsWith('ERR Unbalanced ')),
    },
  ],
};
