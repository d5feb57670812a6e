/** Random commands for the comparison with Redis: mostly sensible, on few keys, so that types and edges meet. */
import type { SeededRandom } from '../support/random.js';

/** A request in words. */
export type Request = readonly (string | Buffer)[];

const KEYS = ['a', 'b', 'c', 'd', 'e', 'f', 'g', 'h', 'ключ', ''];
const NUMBERS = ['0', '1', '-1', '2', '3', '10', '100', '-5', '7'];
const ODD_NUMBERS = ['9223372036854775807', '-9223372036854775808', '9223372036854775808', '1.5', 'x', '+1'];
const FLOATS = ['0', '1', '-1', '0.5', '3.25', '1e3', '100', '-2.75', 'inf', '-inf', '0.1', '1e17'];
/** Without hexadecimal, empty and indented ones, which the C library's parser takes for numbers here and there. */
const ODD_FLOATS = ['nan', 'x', '1e400', '+5', '.5', '5.'];
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

/**
 * Keys of sorted sets whose members all have the score 0: what a range by bytes gives for others is not specified, and so
 * no other command writes to these keys.
 */
const LEX_KEYS = ['lex:1', 'lex:2'];

/** A name that no command has. */
export const UNKNOWN = /^nosuch$/i;

/** Requests that mean something in their usual form only: a cursor that was given, all members instead of random ones. */
const isFixed = ([name, key]: Request): boolean =>
  /SCAN$|^SPOP|^SRANDMEMBER/.test(String(name)) || LEX_KEYS.includes(String(key));

/** Makes requests from a seed. */
export class Generator {
  readonly #random: SeededRandom;

  constructor(random: SeededRandom) {
    this.#random = random;
  }

  /** The next request. */
  next(): Request {
    const random = this.#random;
    const family = random.pick(this.#families);
    let request = random.pick(family)();
    if (isFixed(request)) return request;
    if (random.once(60)) request = request.slice(0, Math.max(1, request.length - 1));
    if (random.once(80)) request = [...request, this.#word()];
    if (random.once(40)) request = request.map((word, i) => (i > 0 && random.once(3) ? this.#odd() : word));
    if (random.once(10)) request = [this.#cased(String(request[0])), ...request.slice(1)];
    return request;
  }

  #cased(name: string): string {
    return this.#random.once(2) ? name.toLowerCase() : name[0] + name.slice(1).toLowerCase();
  }

  readonly #key = (): string => this.#random.pick(KEYS);

  readonly #number = (): string => this.#random.pick(this.#random.once(25) ? ODD_NUMBERS : NUMBERS);

  readonly #float = (): string => this.#random.pick(this.#random.once(25) ? ODD_FLOATS : FLOATS);

  readonly #odd = (): string => this.#random.pick(this.#random.once(2) ? ODD_NUMBERS : ODD_FLOATS);

  /** Short words mostly; sometimes bytes, and sometimes words too long for a packed collection. */
  readonly #word = (): string | Buffer => {
    const random = this.#random;
    if (random.once(12)) return Buffer.from(random.some(1, 6, () => random.below(256)));
    if (random.once(20)) return 'long'.repeat(10 + random.below(20));
    if (random.once(3)) return String(random.below(300));
    return random.pick(WORDS);
  };

  readonly #maybe = (...words: string[]): string[] => (this.#random.once(3) ? words : []);

  #words(min: number, max: number): (string | Buffer)[] {
    return this.#random.some(min, max, this.#word);
  }

  /** Many words now and then: enough to turn a packed collection into a table. */
  #many(): (string | Buffer)[] {
    return this.#random.once(15) ? this.#words(100, 200) : this.#words(1, 4);
  }

  #bound(): string {
    return this.#random.once(4) ? `(${this.#float()}` : this.#random.pick([...FLOATS, '-inf', '+inf']);
  }

  #lexBound(): string {
    const random = this.#random;
    return random.pick([
      '-',
      '+',
      `[${random.pick(WORDS)}`,
      `(${random.pick(WORDS)}`,
      `[${random.below(300)}`,
      'bad',
    ]);
  }

  readonly #strings = [
    (): Request => ['GET', this.#key()],
    (): Request => ['SET', this.#key(), this.#word()],
    (): Request => ['SET', this.#key(), this.#number()],
    (): Request => [
      'SET',
      this.#key(),
      this.#word(),
      ...this.#maybe(this.#random.pick(['NX', 'XX'])),
      ...this.#maybe('GET'),
    ],
    (): Request => [
      'SET',
      this.#key(),
      this.#word(),
      this.#random.pick(['KEEPTTL', 'NX', 'xx', 'GET']),
      ...this.#maybe('EX', '1000'),
    ],
    (): Request => ['SETNX', this.#key(), this.#word()],
    (): Request => ['GETDEL', this.#key()],
    (): Request => ['GETEX', this.#key(), ...this.#maybe('PERSIST'), ...this.#maybe('EX', '1000')],
    (): Request => ['MGET', ...this.#random.some(1, 4, this.#key)],
    (): Request => ['MSET', this.#key(), this.#word(), this.#key(), this.#word()],
    (): Request => ['MSETNX', this.#key(), this.#word(), this.#key(), this.#word()],
    (): Request => ['GETSET', this.#key(), this.#word()],
    (): Request => ['SETEX', this.#key(), this.#random.pick(['1000', '0', 'x']), this.#word()],
    (): Request => ['APPEND', this.#key(), this.#word()],
    (): Request => ['STRLEN', this.#key()],
    (): Request => ['GETRANGE', this.#key(), this.#number(), this.#number()],
    (): Request => [
      'SETRANGE',
      this.#key(),
      this.#random.pick(['0', '1', '5', '20', '-1', 'x']),
      this.#word(),
    ],
    (): Request => [this.#random.pick(['INCR', 'DECR']), this.#key()],
    (): Request => [this.#random.pick(['INCRBY', 'DECRBY']), this.#key(), this.#number()],
    (): Request => ['INCRBYFLOAT', this.#key(), this.#float()],
  ];

  readonly #hashes = [
    (): Request => ['HSET', this.#key(), this.#word(), this.#word()],
    (): Request => ['HSET', this.#key(), ...this.#many().flatMap((field) => [field, this.#word()])],
    (): Request => ['HSET', this.#key(), this.#word(), this.#number()],
    (): Request => ['HGET', this.#key(), this.#word()],
    (): Request => ['HMGET', this.#key(), ...this.#words(1, 3)],
    (): Request => ['HGETALL', this.#key()],
    (): Request => ['HDEL', this.#key(), ...this.#many()],
    (): Request => ['HEXISTS', this.#key(), this.#word()],
    (): Request => ['HLEN', this.#key()],
    (): Request => ['HINCRBY', this.#key(), this.#word(), this.#number()],
    (): Request => [this.#random.pick(['HKEYS', 'HVALS']), this.#key()],
    (): Request => ['HINCRBYFLOAT', this.#key(), this.#word(), this.#float()],
    (): Request => ['HSTRLEN', this.#key(), this.#word()],
    (): Request => ['HSETNX', this.#key(), this.#word(), this.#word()],
    (): Request => ['HSCAN', this.#key(), '0', 'COUNT', '100000', ...this.#maybe('MATCH', '[a-m1]*')],
  ];

  readonly #lists = [
    (): Request => [this.#random.pick(['LPUSH', 'RPUSH']), this.#key(), ...this.#many()],
    (): Request => [this.#random.pick(['LPOP', 'RPOP']), this.#key(), ...this.#maybe(this.#number())],
    (): Request => ['LLEN', this.#key()],
    (): Request => [this.#random.pick(['LPUSHX', 'RPUSHX']), this.#key(), this.#word()],
    (): Request => [
      'LPOS',
      this.#key(),
      this.#word(),
      ...this.#maybe('RANK', this.#number()),
      ...this.#maybe('COUNT', this.#number()),
    ],
    (): Request => ['RPOPLPUSH', this.#key(), this.#key()],
    (): Request => ['LRANGE', this.#key(), this.#number(), this.#number()],
    (): Request => ['LINDEX', this.#key(), this.#number()],
    (): Request => ['LSET', this.#key(), this.#number(), this.#word()],
    (): Request => ['LREM', this.#key(), this.#number(), this.#word()],
    (): Request => ['LTRIM', this.#key(), this.#number(), this.#random.pick(['-1', '-2', '50', '3'])],
    (): Request => [
      'LINSERT',
      this.#key(),
      this.#random.pick(['BEFORE', 'after', 'x']),
      this.#word(),
      this.#word(),
    ],
    (): Request => ['LMOVE', this.#key(), this.#key(), this.#end(), this.#end()],
  ];

  #end(): string {
    return this.#random.pick(['LEFT', 'RIGHT', 'left', 'right']);
  }

  readonly #sets = [
    (): Request => ['SADD', this.#key(), ...this.#many()],
    (): Request => ['SADD', this.#key(), ...this.#random.some(1, 8, () => String(this.#random.below(40)))],
    (): Request => ['SREM', this.#key(), ...this.#many()],
    (): Request => ['SISMEMBER', this.#key(), this.#word()],
    (): Request => ['SMISMEMBER', this.#key(), ...this.#words(1, 4)],
    (): Request => ['SMEMBERS', this.#key()],
    (): Request => ['SCARD', this.#key()],
    (): Request => [this.#random.pick(['SUNION', 'SINTER', 'SDIFF']), ...this.#random.some(1, 3, this.#key)],
    (): Request => [
      this.#random.pick(['SUNIONSTORE', 'SINTERSTORE', 'SDIFFSTORE']),
      this.#key(),
      this.#key(),
      this.#key(),
    ],
    (): Request => ['SINTERCARD', '2', this.#key(), this.#key(), ...this.#maybe('LIMIT', this.#number())],
    (): Request => ['SMOVE', this.#key(), this.#key(), this.#word()],
    (): Request => ['SPOP', this.#key(), '100000'],
    (): Request => ['SRANDMEMBER', this.#key(), '100000'],
    (): Request => ['SSCAN', this.#key(), '0', 'COUNT', '100000', ...this.#maybe('MATCH', '*1*')],
  ];

  readonly #sortedSets = [
    (): Request => ['ZADD', this.#key(), this.#float(), this.#word()],
    (): Request => ['ZADD', this.#key(), ...this.#many().flatMap((member) => [this.#float(), member])],
    (): Request => ['ZADD', this.#key(), ...this.#zaddOptions(), this.#float(), this.#word()],
    (): Request => ['ZREM', this.#key(), ...this.#many()],
    (): Request => ['ZSCORE', this.#key(), this.#word()],
    (): Request => ['ZMSCORE', this.#key(), ...this.#words(1, 3)],
    (): Request => ['ZINCRBY', this.#key(), this.#float(), this.#word()],
    (): Request => ['ZCARD', this.#key()],
    (): Request => ['ZCOUNT', this.#key(), this.#bound(), this.#bound()],
    (): Request => [this.#random.pick(['ZRANK', 'ZREVRANK']), this.#key(), this.#word()],
    (): Request => [
      'ZRANGE',
      this.#key(),
      this.#number(),
      this.#number(),
      ...this.#maybe('REV'),
      ...this.#maybe('WITHSCORES'),
    ],
    (): Request => ['ZRANGE', this.#key(), this.#bound(), this.#bound(), 'BYSCORE', ...this.#rangeOptions()],
    (): Request => [
      'ZRANGESTORE',
      this.#key(),
      this.#key(),
      this.#number(),
      this.#number(),
      ...this.#maybe('REV'),
    ],
    (): Request => ['ZRANGEBYSCORE', this.#key(), this.#bound(), this.#bound(), ...this.#maybe('WITHSCORES')],
    (): Request => ['ZREVRANGE', this.#key(), this.#number(), this.#number(), ...this.#maybe('WITHSCORES')],
    (): Request => [this.#random.pick(['ZPOPMIN', 'ZPOPMAX']), this.#key(), ...this.#maybe(this.#number())],
    (): Request => ['ZREMRANGEBYRANK', this.#key(), this.#number(), this.#number()],
    (): Request => ['ZREMRANGEBYSCORE', this.#key(), this.#bound(), this.#bound()],
    (): Request => ['ZSCAN', this.#key(), '0', 'COUNT', '100000'],
  ];

  #lexKey(): string {
    return this.#random.pick(LEX_KEYS);
  }

  readonly #lexRanges = [
    (): Request => ['ZADD', this.#lexKey(), ...this.#many().flatMap((member) => ['0', member])],
    (): Request => ['ZREM', this.#lexKey(), this.#word()],
    (): Request => [
      'ZRANGE',
      this.#lexKey(),
      this.#lexBound(),
      this.#lexBound(),
      'BYLEX',
      ...this.#rangeOptions(),
    ],
    (): Request => ['ZREMRANGEBYLEX', this.#lexKey(), this.#lexBound(), this.#lexBound()],
    (): Request => ['ZLEXCOUNT', this.#lexKey(), this.#lexBound(), this.#lexBound()],
    (): Request => ['ZRANGEBYLEX', this.#lexKey(), this.#lexBound(), this.#lexBound()],
    (): Request => ['ZREVRANGEBYLEX', this.#lexKey(), this.#lexBound(), this.#lexBound()],
    (): Request => ['DEL', this.#lexKey()],
  ];

  #zaddOptions(): string[] {
    return this.#random.some(0, 2, () => this.#random.pick(['NX', 'XX', 'GT', 'LT', 'CH', 'INCR']));
  }

  #rangeOptions(): string[] {
    return [
      ...this.#maybe('REV'),
      ...this.#maybe('LIMIT', this.#number(), this.#number()),
      ...this.#maybe('WITHSCORES'),
    ];
  }

  readonly #keyspace = [
    (): Request => [this.#random.pick(['DEL', 'UNLINK', 'EXISTS']), ...this.#random.some(1, 3, this.#key)],
    (): Request => ['TYPE', this.#key()],
    (): Request => ['OBJECT', 'ENCODING', this.#key()],
    (): Request => [
      'EXPIRE',
      this.#key(),
      this.#random.pick(['1000', '0', '-1', 'x', '9223372036854775807']),
      ...this.#maybe(this.#random.pick(['NX', 'XX', 'nx', 'ZZ'])),
    ],
    (): Request => ['PEXPIRE', this.#key(), this.#random.pick(['1000000', '-5']), ...this.#maybe('XX')],
    (): Request => [
      'EXPIREAT',
      this.#key(),
      this.#random.pick(['4102444800', '4102444801', '1']),
      ...this.#condition(),
    ],
    (): Request => ['PEXPIREAT', this.#key(), '4102444800000', ...this.#condition()],
    (): Request => ['TTL', this.#key()],
    (): Request => ['EXPIRETIME', this.#key()],
    (): Request => ['PERSIST', this.#key()],
    (): Request => [this.#random.pick(['RENAME', 'RENAMENX']), this.#key(), this.#key()],
    (): Request => ['COPY', this.#key(), this.#key(), ...this.#maybe('REPLACE')],
    (): Request => ['KEYS', this.#random.pick(['*', '[a-c]', '?', 'x*', '[^a]', '\\a'])],
    (): Request => [
      'SCAN',
      '0',
      'COUNT',
      '100000',
      ...this.#maybe('TYPE', this.#random.pick(['string', 'zset', 'list'])),
    ],
    (): Request => ['DBSIZE'],
    (): Request => ['NOSUCH', this.#key(), 'x'],
    (): Request => (this.#random.once(20) ? ['FLUSHALL'] : ['DBSIZE']),
  ];

  /** Only for absolute times: later or earlier than a relative one depends on the clock. */
  #condition(): string[] {
    return this.#maybe(this.#random.pick(['NX', 'XX', 'GT', 'LT', 'lt', 'ZZ']));
  }

  readonly #families = [
    this.#strings,
    this.#hashes,
    this.#lists,
    this.#sets,
    this.#sortedSets,
    this.#sortedSets,
    this.#lexRanges,
    this.#keyspace,
  ];
}
