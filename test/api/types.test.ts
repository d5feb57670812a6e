/**
 * What the compiler knows about the command surface. The functions below are compiled (by the linter's run of `tsc`) and
 * never called.
 */
import {
  type AsyncCommands,
  type Bit,
  Keyspace,
  type LcsMatches,
  type RankedScore,
  type ReadOnlyCommands,
  type ReplyValue,
  type ScoredMember,
  type SyncCommands,
} from 'holdfast';
import { expect, expectTypeOf, test } from 'vitest';

function synchronous(db: Keyspace): void {
  expectTypeOf(db.get('k')).toEqualTypeOf<string | null>();
  expectTypeOf(db.set('k', 'v')).toEqualTypeOf<boolean>();
  expectTypeOf(db.set('k', 1n, { nx: true })).toEqualTypeOf<boolean>();
  expectTypeOf(db.set('k', 'v', { px: 5, get: true })).toEqualTypeOf<string | null>();
  expectTypeOf(db.mset({ a: 1 })).toEqualTypeOf<void>();
  expectTypeOf(db.mget(['a', 'b'])).toEqualTypeOf<(string | null)[]>();
  expectTypeOf(db.hgetall('h')).toEqualTypeOf<Record<string, string>>();
  expectTypeOf(db.hset('h', 'f', 1)).toEqualTypeOf<number>();
  expectTypeOf(db.lpop('l')).toEqualTypeOf<string | null>();
  expectTypeOf(db.lpop('l', 2)).toEqualTypeOf<string[]>();
  expectTypeOf(db.spop('s')).toEqualTypeOf<string | null>();
  expectTypeOf(db.zrange('z', 0, -1)).toEqualTypeOf<string[]>();
  expectTypeOf(db.zrange('z', 0, -1, { rev: true })).toEqualTypeOf<string[]>();
  expectTypeOf(db.zrange('z', 0, -1, { withScores: true })).toEqualTypeOf<ScoredMember<string>[]>();
  expectTypeOf(db.zpopmin('z')).toEqualTypeOf<ScoredMember<string> | null>();
  expectTypeOf(db.zpopmin('z', 2)).toEqualTypeOf<ScoredMember<string>[]>();
  expectTypeOf(db.zrank('z', 'm')).toEqualTypeOf<number | null>();
  expectTypeOf(db.zrank('z', 'm', { withScore: true })).toEqualTypeOf<RankedScore | null>();
  expectTypeOf(db.zincrby('z', 1, 'm')).toEqualTypeOf<number>();
  expectTypeOf(db.zincrby('z', 1, 'm', { gt: true })).toEqualTypeOf<number | null>();
  expectTypeOf(db.zrandmember('z')).toEqualTypeOf<string | null>();
  expectTypeOf(db.zrandmember('z', 2, { withScores: true })).toEqualTypeOf<ScoredMember<string>[]>();
  expectTypeOf(db.zunion('z', { aggregate: 'max' })).toEqualTypeOf<string[]>();
  expectTypeOf(db.zdiff('z', { withScores: true })).toEqualTypeOf<ScoredMember<string>[]>();
  expectTypeOf(db.sort_ro('l')).toEqualTypeOf<string[]>();
  expectTypeOf(db.sort_ro('l', { get: 'x:*' })).toEqualTypeOf<(string | null)[]>();
  expectTypeOf(db.sort('l', { get: ['#', 'x:*'] })).toEqualTypeOf<(string | null)[][]>();
  expectTypeOf(db.sort('l', { get: '#', store: 'd' })).toEqualTypeOf<number>();
  expectTypeOf(db.type('k')).toEqualTypeOf<'none' | 'string' | 'hash' | 'list' | 'set' | 'zset' | 'stream'>();
  expectTypeOf(db.lcs('a', 'b')).toEqualTypeOf<string>();
  expectTypeOf(db.lcs('a', 'b', { len: true })).toEqualTypeOf<number>();
  expectTypeOf(db.lcs('a', 'b', { idx: true, minMatchLen: 2 })).toEqualTypeOf<LcsMatches>();
  expectTypeOf(db.setbit('k', 7, 1)).toEqualTypeOf<Bit>();
  expectTypeOf(db.bitfield('k', { incrby: 'u8', at: '#1', by: 1n })).toEqualTypeOf<(number | null)[]>();
  expectTypeOf(db.geosearch('g', 'm', { radius: 1 }, { count: 2 })).toEqualTypeOf<string[]>();
  const matches = db.geosearch('g', 'm', { width: 1, height: 2 }, { withDist: true, withCoord: true });
  expectTypeOf(matches.map((match) => match.distance + match.longitude)).toEqualTypeOf<number[]>();
  expectTypeOf(matches.map(({ member }) => member)).toEqualTypeOf<string[]>();
  expectTypeOf(db.scan(0)).toEqualTypeOf<{ cursor: string; keys: string[] }>();
  expectTypeOf(db.scanIterator()).toEqualTypeOf<Generator<string, void, undefined>>();
  expectTypeOf(db.call('GET', 'k')).toEqualTypeOf<ReplyValue>();
}

function withBuffers(db: SyncCommands<Buffer>): void {
  expectTypeOf(db.get('k')).toEqualTypeOf<Buffer | null>();
  expectTypeOf(db.hgetall('h')).toEqualTypeOf<Map<Buffer, Buffer>>();
  expectTypeOf(db.zrange('z', 0, 1, { withScores: true })).toEqualTypeOf<ScoredMember<Buffer>[]>();
}

function promised(db: AsyncCommands<string>): void {
  expectTypeOf(db.get('k')).toEqualTypeOf<Promise<string | null>>();
  expectTypeOf(db.set('k', 'v', { get: true })).toEqualTypeOf<Promise<string | null>>();
  expectTypeOf(db.zrange('z', 0, 1, { withScores: true })).toEqualTypeOf<Promise<ScoredMember<string>[]>>();
  expectTypeOf(db.sscanIterator('s')).toEqualTypeOf<AsyncGenerator<string, void, undefined>>();
}

function transactions(db: Keyspace, store: AsyncCommands<Buffer>): void {
  expectTypeOf(db.multi().exec()).toEqualTypeOf<[]>();
  expectTypeOf(db.multi().decr('stock:7').get('k').exec()).toEqualTypeOf<[number, string | null]>();
  expectTypeOf(db.multi().call('PING').set('k', 'v').exec()).toEqualTypeOf<[ReplyValue, boolean]>();
  expectTypeOf(store.multi().get('k').hlen('h').exec()).toEqualTypeOf<Promise<[Buffer | null, number]>>();
  // @ts-expect-error a transaction has no transactions
  db.multi().multi();
}

function mistakes(db: Keyspace, local: ReadOnlyCommands<string>): void {
  // @ts-expect-error a misspelled option
  db.set('k', 'v', { px: 5, nxx: true });
  // @ts-expect-error an object is no value
  db.set('k', {});
  // @ts-expect-error a key is no number
  db.get(5);
  // @ts-expect-error a condition in lower case
  db.expire('k', 5, 'nx');
  // @ts-expect-error `withscores` is spelled withScores
  db.zrange('z', 0, 1, { withscores: true });
  // @ts-expect-error scores were not asked for
  db.geosearch('g', 'm', { radius: 1 }, { withDist: true })[0]?.hash;
  // @ts-expect-error a bit is 0 or 1
  db.setbit('k', 0, 2);
  // @ts-expect-error a score is a number
  db.zadd('z', { member: 'm', score: '1' });
  // @ts-expect-error one field without a value
  db.hset('h', 'f');
  // @ts-expect-error there are no options
  new Keyspace({ shards: 3 });
  // @ts-expect-error a surface that reads does not write
  local.set('k', 'v');
  // @ts-expect-error nor has it transactions
  local.multi();
}

test('the compiler has seen the surface', () => {
  for (const compiled of [synchronous, withBuffers, promised, transactions, mistakes]) {
    expect(compiled).toBeTypeOf('function');
  }
});
