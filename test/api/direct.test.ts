/** The entry points of hot commands against the general one: the same replies, refusals and state. */
import { Keyspace } from 'holdfast';
import { expect, test } from 'vitest';
import { type NativeHandle, native } from '../../dist/keyspace/native.js';
import { SeededRandom } from '../support/random.js';

const REQUESTS = 10_000;
/** Functions of a handle that are not one command. */
const GENERAL = ['call', 'transaction', 'callEncoded', 'transactionEncoded', 'enter', 'panic', 'release'];

type Word = string | number | Buffer;
type Draw = (random: SeededRandom) => Word;

const TEXTS = ['', 'a', 'b', 'c', '1', '-5', '007', 'ü', 'ключ', 'x'.repeat(70), 'y'.repeat(300)];
const text: Draw = (random) =>
  random.once(6)
    ? Buffer.from(random.some(0, 6, () => random.below(256)))
    : random.pick(random.once(2) ? TEXTS : [String(random.below(300))]);
const word: Draw = (random) => (random.once(5) ? random.below(2000) - 1000 : text(random));
const integer: Draw = (random) => random.pick([0, 1, -1, 7, 1000, 2 ** 40, -(2 ** 53 - 1), 2 ** 53 - 1]);
const rank: Draw = (random) => random.pick([0, 1, -1, 3, 10, -4, 1000]);
const score: Draw = (random) => random.pick([0, -0, 1, -1, 0.5, 1e17, 0.1, Infinity, -Infinity]);
const ms: Draw = (random) => random.pick([1e9, 2e9, 0, -1]);

/** What follows the key, by function; and the words of the same request, where they are not name, key and arguments. */
const DIRECT: Readonly<Record<string, readonly Draw[]>> = {
  get: [],
  set: [word],
  del: [],
  exists: [],
  strlen: [],
  incrby: [integer],
  pexpire: [ms],
  pttl: [],
  hset: [text, word],
  hget: [text],
  hdel: [text],
  hexists: [text],
  hlen: [],
  lpush: [word],
  rpush: [word],
  lpop: [],
  rpop: [],
  llen: [],
  sadd: [word],
  srem: [word],
  sismember: [word],
  scard: [],
  zadd: [score, text],
  zincrby: [score, text],
  zscore: [text],
  zrank: [text],
  zcard: [],
  zrem: [text],
  hgetall: [],
  smembers: [],
  lrange: [rank, rank],
  zrange: [rank, rank],
  zrevrange: [rank, rank],
  zrangeScored: [rank, rank],
  zrevrangeScored: [rank, rank],
};

function wordsOf(name: string, args: readonly Word[]): Word[] {
  if (name.endsWith('Scored')) return [name.replace('Scored', '').toUpperCase(), ...args, 'WITHSCORES'];
  return [name.toUpperCase(), ...args];
}

/** A reply or refusal in one form: collections flat, `OK` as nothing. A record has an order of its own. */
function plain(reply: unknown): unknown {
  if (reply instanceof Error) return { refused: reply.message };
  if (reply === 'OK' || reply === undefined) return null;
  if (typeof reply === 'number' || typeof reply === 'bigint') return String(reply);
  if (Buffer.isBuffer(reply)) return reply.toString('latin1');
  if (reply instanceof Map) return [...reply].map((pair) => pair.map(plain).join('=')).toSorted();
  if (reply instanceof Set) return [...reply].map(plain);
  if (Array.isArray(reply)) return reply.flatMap((one) => plain(one));
  if (typeof reply === 'object' && reply !== null && 'score' in reply) return Object.values(reply).map(plain);
  return typeof reply === 'object' && reply !== null ? plain(new Map(Object.entries(reply))) : reply;
}

function answered(ask: () => unknown): unknown {
  try {
    return plain(ask());
  } catch (error) {
    return plain(error);
  }
}

test.each([false, true])('they are the same commands, as Buffers: %s', (asBuffers) => {
  using left = new Keyspace();
  using right = new Keyspace();
  const attach = ({ id }: Keyspace): NativeHandle =>
    asBuffers ? native.attach([id], 'plain', true) : native.attach([id], 'plain', false);
  const direct = attach(left);
  const general = attach(right);
  const random = new SeededRandom(1);
  const names = Object.keys(direct).filter((name) => !GENERAL.includes(name));
  expect(names.toSorted()).toEqual(Object.keys(DIRECT).toSorted());
  for (let n = 0; n < REQUESTS; n++) {
    const name = random.pick(names);
    const key = `${random.pick(['a', 'b', 'c', 'ключ', ''])}${random.below(4)}`;
    const args = [
      random.once(4) ? Buffer.from(key) : key,
      ...(DIRECT[name] ?? []).map((draw) => draw(random)),
    ];
    const found = answered(() => Reflect.apply(Reflect.get(direct, name), undefined, args));
    const expected = answered(() => general.call(wordsOf(name, args)));
    if (name === 'pttl') expect(Math.abs(Number(found) - Number(expected))).toBeLessThan(5000);
    else expect(found, `request ${n}: ${name} ${args.join(' ')}`).toEqual(expected);
  }
  const expiring = (keyspace: Keyspace): string[] =>
    keyspace.keys('*').filter((key) => keyspace.pttl(key) > 0);
  expect(expiring(left).toSorted()).toEqual(expiring(right).toSorted());
  for (const keyspace of [left, right]) for (const key of expiring(keyspace)) keyspace.persist(key);
  expect(left.digest()).toBe(right.digest());
  direct.release();
  general.release();
});
