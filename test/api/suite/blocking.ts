import { setTimeout as sleep } from 'node:timers/promises';
import { describe, expect, test } from 'vitest';
import { failure, misuse, type Open, useSubject, wrong } from './subject.js';

/** For what must not happen: long enough that it would have. */
const QUIET_MS = 30;

/** How a promise stands now. */
async function state(promise: Promise<unknown>): Promise<'waits' | 'settled'> {
  await sleep(QUIET_MS);
  return Promise.race([
    promise.then(
      () => 'settled' as const,
      () => 'settled' as const,
    ),
    Promise.resolve('waits' as const),
  ]);
}

/** Commands that wait, and transactions and other commands around them. Each of the promises comes from the surface itself. */
export function describeBlocking(open: Open): void {
  describe('blocking commands', () => {
    const on = useSubject(open);

    test('take at once what is there, from the first key that has any', async () => {
      await on.db.rpush('b', ['1', '2', '3']);
      await on.db.rpush('c', '4');
      expect(await on.db.blpop(['a', 'b', 'c'])).toEqual({ key: 'b', item: '1' });
      expect(await on.db.brpop(['c', 'b'])).toEqual({ key: 'c', item: '4' });
      expect(await on.db.blmpop(['a', 'b'], 'left', { count: 5 })).toEqual({ key: 'b', items: ['2', '3'] });
      await on.db.zadd('z', { m: 1, n: 2, o: 3, p: 4 });
      expect(await on.db.bzpopmin(['y', 'z'])).toEqual({ key: 'z', member: 'm', score: 1 });
      expect(await on.db.bzpopmax('z')).toEqual({ key: 'z', member: 'p', score: 4 });
      expect(await on.db.bzmpop('z', 'max', { count: 2 })).toEqual({
        key: 'z',
        members: [
          { member: 'o', score: 3 },
          { member: 'n', score: 2 },
        ],
      });
    });

    test('wait until there is something', async () => {
      const waits = [on.db.blpop('l'), on.db.bzpopmin('z'), on.db.blmove('from', 'to', 'left', 'right')];
      expect(await state(Promise.race(waits))).toBe('waits');
      await on.db.rpush('l', 'a');
      await on.db.zadd('z', 2, 'm');
      await on.db.rpush('from', 'x');
      expect(await Promise.all(waits)).toEqual([
        { key: 'l', item: 'a' },
        { key: 'z', member: 'm', score: 2 },
        'x',
      ]);
      expect(await on.db.lrange('to', 0, -1)).toEqual(['x']);
      expect(await on.db.exists(['l', 'z', 'from'])).toBe(0);
    });

    test('first come, first served', async () => {
      const order: number[] = [];
      const waits = Array.from({ length: 200 }, (_, i) =>
        on.db.blpop('q').then((popped) => {
          order.push(i);
          return popped?.item;
        }),
      );
      const items = Array.from({ length: 200 }, (_, i) => `item ${i}`);
      await on.db.rpush('q', items.slice(0, 3));
      for (const item of items.slice(3, 10)) await on.db.rpush('q', item);
      await on.db.rpush('q', items.slice(10));
      expect(await Promise.all(waits)).toEqual(items);
      expect(order).toEqual(items.map((_, i) => i));
    });

    test('each key has its own line, and a caller stands in several', async () => {
      const first = on.db.blpop('b');
      const second = on.db.blpop(['b', 'a']);
      const third = on.db.brpop(['a', 'c']);
      await on.db.rpush('a', '1');
      expect(await second).toEqual({ key: 'a', item: '1' });
      expect(await state(first)).toBe('waits');
      await on.db.rpush('c', '2');
      expect(await third).toEqual({ key: 'c', item: '2' });
      await on.db.rpush('b', '3');
      expect(await first).toEqual({ key: 'b', item: '3' });
    });

    test('the first key in the order given wins, if several become ready as one', async () => {
      const popped = on.db.blpop(['a', 'b']);
      await on.db.multi().rpush('b', '1').rpush('a', '2').exec();
      expect(await popped).toEqual({ key: 'a', item: '2' });
      expect(await on.db.lrange('b', 0, -1)).toEqual(['1']);
    });

    test('one that finds something in line behind others does not overtake them', async () => {
      const first = on.db.blpop('q');
      await on.db.rpush('q', 'a');
      const second = on.db.blpop('q');
      await on.db.rpush('q', 'b');
      expect(await Promise.all([first, second])).toEqual([
        { key: 'q', item: 'a' },
        { key: 'q', item: 'b' },
      ]);
    });

    test('see a transaction when it is over', async () => {
      const popped = on.db.blpop('q');
      await on.db.multi().rpush('q', 'a').lpop('q').exec();
      expect(await state(popped)).toBe('waits');
      await on.db.multi().rpush('q', ['a', 'b']).lpop('q').exec();
      expect(await popped).toEqual({ key: 'q', item: 'b' });
    });

    test('every way in which a list appears serves', async () => {
      await on.db.rpush('source', ['a', 'b', 'c', 'd', 'e', 'f']);
      const ways = [
        () => on.db.copy('source', 'q'),
        () => on.db.lmove('source', 'q', 'left', 'left'),
        () => on.db.call('RPOPLPUSH', 'source', 'q'),
        () => on.db.rename('source', 'q'),
      ];
      for (const way of ways) {
        const popped = on.db.blpop('q');
        await way();
        expect(await popped).not.toBeNull();
        await on.db.del('q');
      }
    });

    test('a chain of moves', async () => {
      const last = on.db.blpop('c');
      const second = on.db.blmove('b', 'c', 'left', 'left');
      const first = on.db.brpoplpush('a', 'b');
      await on.db.rpush('a', 'x');
      expect(await Promise.all([first, second, last])).toEqual(['x', 'x', { key: 'c', item: 'x' }]);
    });

    test('null when the time is over', async () => {
      const startMs = performance.now();
      const nothing = [
        on.db.blpop('l', { timeoutMs: 40 }),
        on.db.bzmpop('z', 'min', { timeoutMs: 40 }),
        on.db.brpoplpush('a', 'b', { timeoutMs: 40 }),
      ];
      expect(await Promise.all(nothing)).toEqual([null, null, null]);
      expect(performance.now() - startMs).toBeGreaterThanOrEqual(39);
      await on.db.rpush('l', 'a');
      expect(await on.db.lrange('l', 0, -1)).toEqual(['a']);
    });

    test('one that gives up leaves its turn to the next', async () => {
      const impatient = on.db.blpop('q', { timeoutMs: 5 });
      const patient = on.db.blpop('q');
      const end = performance.now() + 20;
      while (performance.now() < end);
      await on.db.rpush('q', 'a');
      const popped = [await impatient, await Promise.race([patient, sleep(QUIET_MS, undefined)])];
      expect(popped.filter(Boolean)).toEqual([{ key: 'q', item: 'a' }]);
      await on.db.rpush('q', 'b');
      await patient;
    });

    test('a signal ends the wait', async () => {
      const reason = new Error('enough');
      expect(await on.db.blpop('q', { signal: AbortSignal.abort(reason) }).catch((e) => e)).toBe(reason);
      const controller = new AbortController();
      const waits = [
        on.db.blpop('q', { signal: controller.signal }),
        on.db.bzpopmin(['q', 'r'], { signal: controller.signal, timeoutMs: 60_000 }),
      ];
      const settled = Promise.allSettled(waits);
      await sleep(QUIET_MS);
      controller.abort(reason);
      expect(await settled).toEqual(waits.map(() => ({ status: 'rejected', reason })));
      await on.db.rpush('q', 'a');
      expect(await on.db.llen('q')).toBe(1);
    });

    test('an attempt under way is not given up', async () => {
      for (let round = 0; round < 20; round++) {
        const controller = new AbortController();
        await on.db.rpush('q', 'a');
        const popped = on.db.blpop('q', { signal: controller.signal }).catch(() => 'aborted');
        controller.abort();
        const outcome = await popped;
        expect(await on.db.llen('q')).toBe(outcome === 'aborted' ? 1 : 0);
        await on.db.del('q');
      }
    });

    test('a key of another type is refused at once, and later left alone', async () => {
      await on.db.set('s', 'v');
      expect((await failure(() => on.db.blpop(['none', 's']))).code).toBe('WRONGTYPE');
      expect((await failure(() => on.db.bzpopmin('s'))).code).toBe('WRONGTYPE');
      await on.db.rpush('from', 'x');
      expect((await failure(() => on.db.blmove('from', 's', 'left', 'left'))).code).toBe('WRONGTYPE');
      const popped = on.db.blpop('q');
      await on.db.set('q', 'v');
      await on.db.del('q');
      await on.db.zadd('q', 1, 'm');
      expect(await state(popped)).toBe('waits');
      await on.db.del('q');
      await on.db.rpush('q', 'a');
      expect(await popped).toEqual({ key: 'q', item: 'a' });
    });

    test('a refusal ends the wait of the one who is refused', async () => {
      const refused = on.db.blmove('from', 'to', 'left', 'left').catch((error) => error.code);
      const served = on.db.blpop('from');
      await on.db.set('to', 'v');
      await on.db.rpush('from', 'x');
      expect(await Promise.all([refused, served])).toEqual(['WRONGTYPE', { key: 'from', item: 'x' }]);
    });

    test('in a transaction they do not wait', async () => {
      await on.db.rpush('q', 'a');
      const replies = await on.db
        .multi()
        .call('BLPOP', 'q', 0)
        .call('BLPOP', 'q', 0)
        .call('BLMOVE', 'q', 'r', 'LEFT', 'LEFT', 0)
        .call('BZMPOP', 0, 1, 'z', 'MIN')
        .exec();
      expect(replies).toEqual([['q', 'a'], null, null, null]);
    });

    test('bytes', async () => {
      const popped = on.bytes.blpop(Buffer.from([0xff, 0]));
      const bytes = Buffer.from([0, 0x80, 0xff]);
      await on.bytes.rpush(Buffer.from([0xff, 0]), bytes);
      expect(await popped).toEqual({ key: Buffer.from([0xff, 0]), item: bytes });
    });

    test('readers of a stream are all served, in order', async () => {
      await on.db.xadd('s', { old: 1 }, { id: '1-0' });
      const old = [{ key: 's', entries: [{ id: '1-0', fields: [['old', '1']] }] }];
      expect(await on.db.xreadBlocking({ s: '0' })).toEqual(old);
      const order: number[] = [];
      const waits = [0, 1, 2].map((i) =>
        on.db.xreadBlocking({ s: '$', other: '$' }, { count: 1 }).finally(() => order.push(i)),
      );
      expect(await state(Promise.race(waits))).toBe('waits');
      await on.db.multi().xadd('s', { f: 'v' }, { id: '2-0' }).xadd('s', { f: 'w' }, { id: '3-0' }).exec();
      const read = { key: 's', entries: [{ id: '2-0', fields: [['f', 'v']] }] };
      expect(await Promise.all(waits)).toEqual([[read], [read], [read]]);
      expect(order).toEqual([0, 1, 2]);
      expect(await on.db.xreadBlocking({ s: '$' }, { timeoutMs: 20 })).toBeNull();
    });

    test('what comes right behind the call is not missed', async () => {
      const read = on.db.xreadBlocking({ s: '$' });
      await on.db.xadd('s', { f: 'v' }, { id: '5-0' });
      expect(await read).toMatchObject([{ key: 's', entries: [{ id: '5-0' }] }]);
    });

    test('consumers share what comes, first come, first served', async () => {
      await on.db.xgroupCreate('s', 'g', '$', { mkstream: true });
      const waits = ['a', 'b', 'c'].map((name) =>
        on.db.xreadgroupBlocking('g', name, { s: '>' }, { count: 1 }),
      );
      expect(await state(Promise.race(waits))).toBe('waits');
      for (const id of ['1-0', '2-0', '3-0']) await on.db.xadd('s', { f: id }, { id });
      const read = await Promise.all(waits);
      expect(read.map((streams) => streams?.[0]?.entries.map(({ id }) => id))).toEqual([
        ['1-0'],
        ['2-0'],
        ['3-0'],
      ]);
      expect((await on.db.xpending('s', 'g')).count).toBe(3);
      expect(await on.db.xreadgroupBlocking('g', 'a', { s: '>' }, { timeoutMs: 20 })).toBeNull();
      expect(await on.db.xreadgroupBlocking('g', 'a', { s: '0' })).toMatchObject([
        { entries: [{ id: '1-0' }] },
      ]);
    });

    test('the end of a group or stream ends the wait', async () => {
      const ends = [
        () => on.db.xgroupDestroy('s', 'g'),
        () => on.db.del('s'),
        () => on.db.rename('s', 'elsewhere'),
        () => on.db.flushall(),
        () => on.db.pexpire('s', 0),
      ];
      for (const end of ends) {
        await on.db.xgroupCreate('s', 'g', '$', { mkstream: true });
        const read = on.db.xreadgroupBlocking('g', 'a', { s: '>' }).catch((error) => error.code);
        await sleep(5);
        await end();
        expect(await read).toBe('NOGROUP');
        await on.db.flushall();
      }
      await on.db.xgroupCreate('s', 'g', '$', { mkstream: true });
      const read = on.db.xreadgroupBlocking('g', 'a', { s: '>' }).catch((error) => error.code);
      await on.db.set('s', 'v');
      expect(await read).toBe('WRONGTYPE');
      expect((await failure(() => on.db.xreadgroupBlocking('g', 'a', { none: '>' }))).code).toBe('NOGROUP');
    });

    test('misuse is thrown at once', () => {
      expect(misuse(() => on.db.blpop('q', { timeoutMs: 0 })).message).toContain('for ever');
      expect(misuse(() => on.db.blpop('q', { timeoutMs: 1.5 }))).toBeInstanceOf(RangeError);
      expect(misuse(() => on.db.blpop('q', { timeoutMs: wrong('1') }))).toBeInstanceOf(TypeError);
      expect(misuse(() => on.db.blpop('q', { signal: wrong({}) })).message).toContain('signal');
      expect(misuse(() => on.db.blpop('q', wrong({ timeout: 1 }))).message).toContain("'timeout'");
      expect(misuse(() => on.db.blpop([]))).toBeInstanceOf(RangeError);
      expect(misuse(() => on.db.blmove('a', 'b', wrong('up'), 'left')).message).toContain('from');
      expect(misuse(() => on.db.bzmpop('z', wrong('left'))).message).toContain('from');
      expect(misuse(() => on.db.blpop(wrong(1))).message).toContain('keys');
    });
  });
}
