import { describe, expect, test } from 'vitest';
import { about, failure, GONE_WITHIN_MS, misuse, type Open, useSubject, wrong } from './subject.js';

export function describeKeys(open: Open): void {
  describe('keys', () => {
    const on = useSubject(open);

    test('del, unlink, exists, type, dbsize', async () => {
      await on.db.mset({ a: '1', b: '2', c: '3' });
      await on.db.hset('h', 'f', 'v');
      await on.db.rpush('l', 'v');
      await on.db.sadd('s', 'v');
      await on.db.zadd('z', 1, 'v');
      expect(await on.db.dbsize()).toBe(7);
      expect(await on.db.exists('a')).toBe(1);
      expect(await on.db.exists(['a', 'a', 'x', 'h'])).toBe(3);
      expect(await on.db.exists('x')).toBe(0);
      expect(await on.db.touch(['a', 'x', 'h'])).toBe(2);
      const types = ['a', 'h', 'l', 's', 'z', 'x'].map(async (key) => on.db.type(key));
      expect(await Promise.all(types)).toEqual(['string', 'hash', 'list', 'set', 'zset', 'none']);
      expect(await on.db.del('a')).toBe(1);
      expect(await on.db.del(['a', 'b', 'h'])).toBe(2);
      expect(await on.db.unlink(['c', 'l', 'nothing'])).toBe(2);
      expect(await on.db.dbsize()).toBe(2);
    });

    test('a key is gone when its time is over', async () => {
      await on.db.set('k', 'v');
      await on.db.hset('h', 'f', 'v');
      // A life of milliseconds may be over before the next call is made: what lives on is asked with a long one.
      expect(await on.db.pexpire('k', 100_000)).toBe(true);
      expect(await on.db.get('k')).toBe('v');
      expect(await on.db.pexpire('k', 30)).toBe(true);
      expect(await on.db.pexpire('h', 30)).toBe(true);
      await expect.poll(() => on.db.exists(['k', 'h']), { timeout: GONE_WITHIN_MS }).toBe(0);
      expect(await on.db.get('k')).toBeNull();
      expect(await on.db.hget('h', 'f')).toBeNull();
      expect(await on.db.exists(['k', 'h'])).toBe(0);
      expect(await on.db.pttl('k')).toBe(-2);
      expect(await on.db.keys('*')).toEqual([]);
      expect(await on.db.incr('k')).toBe(1);
      expect(await on.db.ttl('k')).toBe(-1);
    });

    test('expiries in every unit', async () => {
      await on.db.set('k', 'v');
      expect(await on.db.ttl('k')).toBe(-1);
      expect(await on.db.ttl('nothing')).toBe(-2);
      expect(await on.db.expire('k', 100)).toBe(true);
      expect(about(await on.db.ttl('k'))).toBe(100);
      expect(await on.db.pttl('k')).toBeGreaterThan(90_000);
      expect(await on.db.expire('nothing', 100)).toBe(false);
      expect(await on.db.expireat('k', 4102444800)).toBe(true);
      expect(await on.db.expiretime('k')).toBe(4102444800);
      expect(await on.db.expireat('k', new Date('2099-01-01T00:00:00.999Z'))).toBe(true);
      expect(await on.db.expiretime('k')).toBe(4070908800);
      expect(await on.db.pexpireat('k', 4102444800000)).toBe(true);
      expect(await on.db.expiretime('k')).toBe(4102444800);
      expect(await on.db.pexpiretime('k')).toBe(4102444800000);
      expect(await on.db.persist('k')).toBe(true);
      expect(await on.db.persist('k')).toBe(false);
      expect(await on.db.expiretime('k')).toBe(-1);
      expect(await on.db.expiretime('nothing')).toBe(-2);
    });

    test('an expiry that is past removes the key', async () => {
      await on.db.mset({ a: '1', b: '2', c: '3' });
      expect(await on.db.expire('a', 0)).toBe(true);
      expect(await on.db.expire('b', -1)).toBe(true);
      expect(await on.db.pexpireat('c', new Date(0))).toBe(true);
      expect(await on.db.dbsize()).toBe(0);
    });

    test('expiry with a condition', async () => {
      await on.db.set('k', 'v');
      expect(await on.db.expire('k', 100, 'XX')).toBe(false);
      expect(await on.db.expire('k', 100, 'GT')).toBe(false);
      expect(await on.db.expire('k', 100, 'NX')).toBe(true);
      expect(await on.db.expire('k', 50, 'NX')).toBe(false);
      expect(await on.db.expire('k', 50, 'GT')).toBe(false);
      expect(await on.db.expire('k', 50, 'LT')).toBe(true);
      expect(await on.db.expire('k', 70, 'XX')).toBe(true);
      expect(about(await on.db.ttl('k'))).toBe(70);
    });

    test('an expiry beyond all time is refused', async () => {
      await on.db.set('k', 'v');
      expect(await failure(() => on.db.call('EXPIRE', 'k', 2n ** 63n - 1n))).toMatchObject({
        message: expect.stringContaining("invalid expire time in 'expire' command"),
      });
      expect(await on.db.ttl('k')).toBe(-1);
    });

    test('rename, renamenx, copy', async () => {
      await on.db.set('a', '1', { ex: 100 });
      await on.db.set('b', '2');
      await on.db.rename('a', 'b');
      expect(await on.db.get('b')).toBe('1');
      expect(about(await on.db.ttl('b'))).toBe(100);
      expect(await on.db.exists('a')).toBe(0);
      await on.db.rename('b', 'b');
      expect(await on.db.get('b')).toBe('1');
      expect(await failure(() => on.db.rename('nothing', 'x'))).toMatchObject({
        message: expect.stringContaining('no such key'),
      });
      await on.db.set('c', '3');
      expect(await on.db.renamenx('b', 'c')).toBe(false);
      expect(await on.db.renamenx('b', 'd')).toBe(true);
      expect(await on.db.copy('d', 'c')).toBe(false);
      expect(await on.db.copy('d', 'c', { replace: true })).toBe(true);
      expect(await on.db.get('c')).toBe('1');
      expect(about(await on.db.ttl('c'))).toBe(100);
      expect(await on.db.copy('nothing', 'e')).toBe(false);
      await on.db.hset('h', { a: '1' });
      expect(await on.db.copy('h', 'h2')).toBe(true);
      await on.db.hset('h2', { a: '2' });
      expect(await on.db.hget('h', 'a')).toBe('1');
    });

    test('keys, randomkey', async () => {
      expect(await on.db.randomkey()).toBeNull();
      await on.db.mset({ 'user:1': 'a', 'user:2': 'b', 'user:10': 'c', übung: 'd', 'a*': 'e' });
      expect((await on.db.keys('user:?')).sort()).toEqual(['user:1', 'user:2']);
      expect((await on.db.keys('user:[1-9]*')).sort()).toEqual(['user:1', 'user:10', 'user:2']);
      expect(await on.db.keys('a\\*')).toEqual(['a*']);
      expect(await on.db.keys('üb*')).toEqual(['übung']);
      expect(await on.db.keys('x*')).toEqual([]);
      expect(await on.db.exists((await on.db.randomkey()) ?? '')).toBe(1);
    });

    test('scans give every key, whatever is written meanwhile', async () => {
      const staying = Array.from({ length: 500 }, (_, i) => `stays:${i}`);
      await on.db.mset(staying.map((key): [string, string] => [key, 'v']));
      const seen = new Set<string>();
      let turn = 0;
      for await (const key of on.db.scanIterator({ match: 'stays:*', count: 20 })) {
        seen.add(key);
        await on.db.set(`comes:${turn}`, 'v');
        await on.db.del(`comes:${turn - 5}`);
        turn += 1;
      }
      expect([...seen].sort()).toEqual([...staying].sort());
    });

    test('scan by type', async () => {
      await on.db.mset({ a: '1', b: '2' });
      await on.db.sadd('s', 'm');
      expect(await on.db.scan(0, { type: 'set', count: 1000 })).toEqual({ cursor: '0', keys: ['s'] });
      expect(await on.db.scan('0', { type: 'list', count: 1000 })).toEqual({ cursor: '0', keys: [] });
      expect(await failure(() => on.db.scan('x'))).toMatchObject({
        message: expect.stringContaining('invalid cursor'),
      });
    });

    test('flushall leaves nothing', async () => {
      await on.db.mset({ a: '1', b: '2' });
      await on.db.flushall();
      expect(await on.db.dbsize()).toBe(0);
      expect(await on.db.get('a')).toBeNull();
    });

    test('misuse is thrown at once and names the argument', () => {
      expect(misuse(() => on.db.del([])).message).toContain('keys');
      expect(misuse(() => on.db.del(wrong(true))).message).toContain('key');
      expect(misuse(() => on.db.exists(['a', wrong(true)])).message).toContain('keys[1]');
      expect(misuse(() => on.db.expire('k', 1.5)).message).toContain('seconds');
      expect(misuse(() => on.db.expire('k', wrong('1'))).message).toContain('seconds');
      expect(misuse(() => on.db.pexpire('k', Number.NaN)).message).toContain('milliseconds');
      expect(misuse(() => on.db.expire('k', 1, wrong('nx'))).message).toContain('condition');
      expect(misuse(() => on.db.scan(0, wrong({ counts: 1 }))).message).toContain("'counts'");
      expect(misuse(() => on.db.copy('a', 'b', wrong({ force: true }))).message).toContain("'force'");
    });
  });
}
