import { describe, expect, test } from 'vitest';
import { failure, misuse, type Open, useSubject, wrong } from './subject.js';

export function describeStreams(open: Open): void {
  describe('streams', () => {
    const on = useSubject(open);

    const fill = async (key: string, entries: number): Promise<void> => {
      for (let i = 1; i <= entries; i++) await on.db.xadd(key, { f: i }, { id: `${i}-0` });
    };
    const entry = (i: number) => ({ id: `${i}-0`, fields: [['f', String(i)]] });

    test('entries are added and read in their order', async () => {
      const first = await on.db.xadd('s', { temperature: 20, city: 'Turin' });
      const second = await on.db.xadd(
        's',
        [
          ['b', 1],
          ['a', 2],
          ['b', 3],
        ],
        { id: '9999999999999-*' },
      );
      expect(first).toMatch(/^\d{13}-0$/);
      expect(second).toBe('9999999999999-0');
      expect(await on.db.xlen('s')).toBe(2);
      expect(await on.db.xrange('s', '-', '+')).toEqual([
        {
          id: first,
          fields: [
            ['temperature', '20'],
            ['city', 'Turin'],
          ],
        },
        {
          id: second,
          fields: [
            ['b', '1'],
            ['a', '2'],
            ['b', '3'],
          ],
        },
      ]);
      expect(await on.db.xrevrange('s', '+', '-', { count: 1 })).toMatchObject([{ id: second }]);
      expect(await on.db.xrange('nothing', '-', '+')).toEqual([]);
      expect(await on.db.xrange('s', '-', '+', { count: 0 })).toEqual([]);
      expect(await on.db.type('s')).toBe('stream');
      expect(await failure(() => on.db.xadd('s', { a: 1 }, { id: '1-1' }))).toMatchObject({
        code: 'ERR',
        message: expect.stringContaining('equal or smaller than the target stream top item'),
      });
    });

    test('ids are found in intervals', async () => {
      await fill('s', 5);
      expect(await on.db.xrange('s', '2', '(4-0')).toEqual([entry(2), entry(3)]);
      expect(await on.db.xrevrange('s', '3', '(1')).toEqual([entry(3), entry(2)]);
      expect(await failure(() => on.db.xrange('s', 'x', '+'))).toMatchObject({
        message: 'ERR Invalid stream ID specified as stream command argument',
      });
    });

    test('a stream is trimmed as entries come, or by itself', async () => {
      await fill('s', 10);
      expect(await on.db.xtrim('s', { maxLen: 7 })).toBe(3);
      expect(await on.db.xtrim('s', { minId: '6' })).toBe(2);
      expect(await on.db.xtrim('s', { maxLen: 1, approximate: true, limit: 100 })).toBe(0);
      await on.db.xadd('s', { f: 11 }, { id: '11-0', maxLen: 2 });
      expect(await on.db.xrange('s', '-', '+')).toEqual([entry(10), entry(11)]);
      expect(await on.db.xdel('s', ['10-0', '11-0', '12-0'])).toBe(2);
      expect(await on.db.exists('s')).toBe(1);
      expect(await on.db.xadd('none', { f: 1 }, { nomkstream: true })).toBeNull();
      expect(await on.db.exists('none')).toBe(0);
    });

    test('several streams are read at once', async () => {
      await fill('a', 3);
      await fill('b', 1);
      expect(await on.db.xread({ a: '1', b: '0-0', c: '0' })).toEqual([
        { key: 'a', entries: [entry(2), entry(3)] },
        { key: 'b', entries: [entry(1)] },
      ]);
      expect(await on.db.xread(new Map([['a', '0']]), { count: 1 })).toEqual([
        { key: 'a', entries: [entry(1)] },
      ]);
      expect(await on.db.xread([['a', '$']])).toEqual([]);
      expect(await on.db.xread({ a: '+' })).toEqual([{ key: 'a', entries: [entry(3)] }]);
    });

    test('a group shares entries among its consumers', async () => {
      await fill('s', 4);
      await on.db.xgroupCreate('s', 'g', '0');
      expect(await on.db.xreadgroup('g', 'ann', { s: '>' }, { count: 2 })).toEqual([
        { key: 's', entries: [entry(1), entry(2)] },
      ]);
      expect(await on.db.xreadgroup('g', 'bob', { s: '>' })).toEqual([
        { key: 's', entries: [entry(3), entry(4)] },
      ]);
      expect(await on.db.xreadgroup('g', 'bob', { s: '>' })).toEqual([]);
      expect(await on.db.xack('s', 'g', ['1-0', '3-0', '9-9'])).toBe(2);
      expect(await on.db.xpending('s', 'g')).toEqual({
        count: 2,
        first: '2-0',
        last: '4-0',
        consumers: [
          { name: 'ann', count: 1 },
          { name: 'bob', count: 1 },
        ],
      });
      await on.db.xdel('s', '2-0');
      expect(await on.db.xreadgroup('g', 'ann', { s: '0' })).toEqual([
        { key: 's', entries: [{ id: '2-0', fields: [] }] },
      ]);
      expect(await on.db.xreadgroup('g', 'cid', { s: '0' })).toEqual([{ key: 's', entries: [] }]);
      expect(await failure(() => on.db.xreadgroup('h', 'ann', { s: '>' }))).toMatchObject({
        code: 'NOGROUP',
      });
    });

    test('pending entries are listed and change hands', async () => {
      await fill('s', 3);
      await on.db.xgroupCreate('s', 'g', '0');
      await on.db.xreadgroup('g', 'ann', { s: '>' });
      const range = { start: '-', end: '+', count: 10 };
      const [first, ...others] = await on.db.xpending('s', 'g', range);
      expect(first).toEqual({ id: '1-0', consumer: 'ann', idleMs: expect.any(Number), deliveries: 1 });
      expect(others).toHaveLength(2);
      expect(await on.db.xpending('s', 'g', { ...range, consumer: 'bob', idle: 0 })).toEqual([]);
      expect(await on.db.xclaim('s', 'g', 'bob', 0, '1-0', { retryCount: 7 })).toEqual([entry(1)]);
      expect(await on.db.xclaim('s', 'g', 'bob', 100_000, ['2-0'], { justId: true })).toEqual([]);
      await on.db.xdel('s', '2-0');
      expect(await on.db.xautoclaim('s', 'g', 'bob', 0, '0', { count: 2, justId: true })).toEqual({
        next: '3-0',
        claimed: ['1-0'],
        deleted: ['2-0'],
      });
      expect(await on.db.xautoclaim('s', 'g', 'bob', 0, '3-0')).toEqual({
        next: '0-0',
        claimed: [entry(3)],
        deleted: [],
      });
      expect(await on.db.xpending('s', 'g', range)).toMatchObject([
        { id: '1-0', consumer: 'bob', deliveries: 7 },
        { id: '3-0', consumer: 'bob', deliveries: 2 },
      ]);
    });

    test('groups and consumers come and go', async () => {
      await on.db.xgroupCreate('s', 'g', '$', { mkstream: true });
      expect(await failure(() => on.db.xgroupCreate('s', 'g', '0'))).toMatchObject({ code: 'BUSYGROUP' });
      expect(await failure(() => on.db.xgroupCreate('none', 'g', '0'))).toMatchObject({ code: 'ERR' });
      expect(await on.db.xgroupCreateConsumer('s', 'g', 'ann')).toBe(true);
      expect(await on.db.xgroupCreateConsumer('s', 'g', 'ann')).toBe(false);
      await fill('s', 2);
      await on.db.xgroupSetId('s', 'g', '1', { entriesRead: 1 });
      expect(await on.db.xreadgroup('g', 'ann', { s: '>' }, { noack: true })).toEqual([
        { key: 's', entries: [entry(2)] },
      ]);
      expect(await on.db.xinfoGroups('s')).toEqual([
        { name: 'g', consumers: 1, pending: 0, lastDeliveredId: '2-0', entriesRead: 2, lag: 0 },
      ]);
      expect(await on.db.xinfoConsumers('s', 'g')).toEqual([
        { name: 'ann', pending: 0, idleMs: expect.any(Number), inactiveMs: -1 },
      ]);
      expect(await on.db.xgroupDelConsumer('s', 'g', 'ann')).toBe(0);
      expect(await on.db.xgroupDestroy('s', 'g')).toBe(true);
      expect(await on.db.xgroupDestroy('s', 'g')).toBe(false);
    });

    test('a stream tells about itself', async () => {
      await fill('s', 3);
      await on.db.xdel('s', '2');
      await on.db.xsetid('s', '9-9', { entriesAdded: 50, maxDeletedId: '2-0' });
      expect(await on.db.xinfoStream('s')).toEqual({
        length: 2,
        radixTreeKeys: 1,
        radixTreeNodes: 2,
        lastGeneratedId: '9-9',
        maxDeletedEntryId: '2-0',
        entriesAdded: 50,
        recordedFirstEntryId: '1-0',
        groups: 0,
        firstEntry: entry(1),
        lastEntry: entry(3),
      });
      expect(await failure(() => on.db.xinfoStream('none'))).toMatchObject({ message: 'ERR no such key' });
      await on.db.set('text', 'x');
      expect(await failure(() => on.db.xlen('text'))).toMatchObject({ code: 'WRONGTYPE' });
    });

    test('bytes come back as they went in', async () => {
      const odd = Buffer.from([0, 255, 13, 10]);
      const id = await on.bytes.xadd(odd, [[odd, odd]]);
      const fields = [[odd, odd]];
      expect(await on.bytes.xrange(odd, '-', '+')).toEqual([{ id, fields }]);
      await on.bytes.xgroupCreate(odd, odd, '0');
      const read = await on.bytes.xreadgroup(odd, odd, [[odd, '>']]);
      expect(read).toEqual([{ key: odd, entries: [{ id, fields }] }]);
      expect(await on.bytes.xread([[odd, '0']])).toEqual(read);
    });

    test('in transactions, too', async () => {
      const [id, read, length] = await on.db
        .multi()
        .xadd('s', { f: 1 }, { id: '1-0' })
        .xread({ s: '0' })
        .xlen('s')
        .exec();
      expect([id, read, length]).toEqual(['1-0', [{ key: 's', entries: [entry(1)] }], 1]);
    });

    test('refuses misuse by name', () => {
      expect(misuse(() => on.db.xadd('s', {})).message).toBe('fields must not be empty');
      expect(misuse(() => on.db.xadd('s', { f: wrong(null) })).message).toContain('fields["f"]');
      expect(misuse(() => on.db.xadd('s', { f: 1 }, { maxlen: 5 } as never)).message).toContain(
        "option 'maxlen'",
      );
      expect(misuse(() => on.db.xadd('s', { f: 1 }, { approximate: true })).message).toContain(
        'maxLen or minId',
      );
      expect(misuse(() => on.db.xtrim('s', { maxLen: -1 })).message).toContain("option 'maxLen'");
      expect(misuse(() => on.db.xread({})).message).toBe('streams must not be empty');
      expect(misuse(() => on.db.xread({ s: wrong(0) })).message).toContain('streams["s"]');
      expect(misuse(() => on.db.xack('s', 'g', [])).message).toBe('ids must not be empty');
      expect(misuse(() => on.db.xclaim('s', 'g', 'c', 1.5, '1')).message).toContain('minIdleMs');
    });
  });
}
