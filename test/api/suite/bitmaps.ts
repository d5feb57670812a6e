import { describe, expect, test } from 'vitest';
import { failure, misuse, type Open, useSubject, wrong } from './subject.js';

export function describeBitmaps(open: Open): void {
  describe('bitmaps', () => {
    const on = useSubject(open);

    test('setbit answers the bit before, getbit the bit now', async () => {
      expect(await on.db.setbit('visits', 7, 1)).toBe(0);
      expect(await on.db.setbit('visits', 7, 1)).toBe(1);
      expect(await on.db.getbit('visits', 7)).toBe(1);
      expect(await on.db.getbit('visits', 6)).toBe(0);
      expect(await on.db.getbit('visits', 100_000)).toBe(0);
      expect(await on.bytes.get('visits')).toEqual(Buffer.from([1]));
      expect(await on.db.setbit('visits', 7, 0)).toBe(1);
      expect(await on.db.getbit('nothing', 0)).toBe(0);
    });

    test('a bit far away makes a long string, and one farther is refused', async () => {
      expect(await on.db.setbit('far', 8_000_000, 1)).toBe(0);
      expect(await on.db.strlen('far')).toBe(1_000_001);
      expect(await on.db.bitcount('far')).toBe(1);
      expect(await on.db.bitpos('far', 1)).toBe(8_000_000);
      expect(await failure(() => on.db.setbit('far', 2 ** 32, 1))).toMatchObject({
        code: 'ERR',
        message: expect.stringContaining('bit offset is not an integer or out of range'),
      });
    });

    test('bitcount counts in all, in bytes or in bits', async () => {
      await on.db.set('k', 'foobar');
      expect(await on.db.bitcount('k')).toBe(26);
      expect(await on.db.bitcount('k', { start: 1, end: 1 })).toBe(6);
      expect(await on.db.bitcount('k', { start: -2, end: -1, unit: 'byte' })).toBe(7);
      expect(await on.db.bitcount('k', { start: 5, end: 30, unit: 'bit' })).toBe(17);
      expect(await on.db.bitcount('nothing')).toBe(0);
    });

    test('bitpos finds the first bit of a value', async () => {
      await on.bytes.set('k', Buffer.from([0, 0xff, 0xf0]));
      expect(await on.db.bitpos('k', 1)).toBe(8);
      expect(await on.db.bitpos('k', 1, { start: 2 })).toBe(16);
      expect(await on.db.bitpos('k', 0, { start: 1, end: -1 })).toBe(20);
      expect(await on.db.bitpos('k', 0, { start: 8, end: 19, unit: 'bit' })).toBe(-1);
      await on.bytes.set('ones', Buffer.from([0xff]));
      expect(await on.db.bitpos('ones', 0)).toBe(8);
      expect(await on.db.bitpos('ones', 0, { end: -1 })).toBe(-1);
      expect(await on.db.bitpos('nothing', 0)).toBe(0);
      expect(await on.db.bitpos('nothing', 1)).toBe(-1);
    });

    test('bitop joins strings', async () => {
      await on.db.mset({ a: 'foobar', b: 'abcdef' });
      expect(await on.db.bitop('and', 'to', ['a', 'b'])).toBe(6);
      expect(await on.db.get('to')).toBe('`bc`ab');
      expect(await on.db.bitop('xor', 'to', ['a', 'a'])).toBe(6);
      expect(await on.bytes.get('to')).toEqual(Buffer.alloc(6));
      expect(await on.db.bitop('or', 'to', ['nothing', 'b'])).toBe(6);
      expect(await on.db.get('to')).toBe('abcdef');
      expect(await on.db.bitop('not', 'to', 'a')).toBe(6);
      expect(await on.db.bitop('or', 'to', 'nothing')).toBe(0);
      expect(await on.db.exists('to')).toBe(0);
      expect(await failure(() => on.db.bitop('not', 'to', ['a', 'b']))).toMatchObject({
        message: expect.stringContaining('BITOP NOT must be called with a single source key'),
      });
    });

    test('bitfield reads and writes integers of any width', async () => {
      expect(
        await on.db.bitfield('k', [
          { incrby: 'i5', at: 100, by: 1 },
          { get: 'u4', at: 0 },
        ]),
      ).toEqual([1, 0]);
      expect(await on.db.bitfield('k', { set: 'u8', at: '#2', value: 200 })).toEqual([0]);
      expect(await on.db.bitfield_ro('k', { get: 'u8', at: 16 })).toEqual([200]);
      expect(await on.db.bitfield_ro('k', [{ get: 'i8', at: 16 }])).toEqual([-56]);
      expect(await on.db.bitfield('k', { set: 'i64', at: 0, value: -(2n ** 63n) })).toEqual([200 * 2 ** 40]);
      expect(await on.db.bitfield_ro('k', { get: 'i64', at: 0 })).toEqual([-(2 ** 63)]);
    });

    test('each step of bitfield has its own way with an overflow', async () => {
      const steps = [
        { incrby: 'u2', at: 100, by: 1 },
        { incrby: 'u2', at: 102, by: 1, overflow: 'sat' },
        { incrby: 'u2', at: 104, by: 1, overflow: 'fail' },
        { incrby: 'u2', at: 106, by: 1 },
      ] as const;
      for (const expected of [1, 2, 3]) {
        expect(await on.db.bitfield('k', steps)).toEqual([expected, expected, expected, expected]);
      }
      expect(await on.db.bitfield('k', steps)).toEqual([0, 3, null, 0]);
    });

    test('a key of another type is refused', async () => {
      await on.db.rpush('list', 'a');
      const calls = [
        () => on.db.getbit('list', 0),
        () => on.db.setbit('list', 0, 1),
        () => on.db.bitcount('list'),
        () => on.db.bitpos('list', 1),
        () => on.db.bitop('and', 'to', 'list'),
        () => on.db.bitfield('list', { get: 'u8', at: 0 }),
        () => on.db.bitfield_ro('list', { get: 'u8', at: 0 }),
      ];
      for (const call of calls)
        expect(await failure(call), String(call)).toMatchObject({ code: 'WRONGTYPE' });
    });

    test('misuse is thrown at once and names the argument', async () => {
      expect(misuse(() => on.db.setbit('k', 0, wrong(2))).message).toContain('bit must be 0 or 1');
      expect(misuse(() => on.db.setbit('k', -1, 1)).message).toContain('offset');
      expect(misuse(() => on.db.bitpos('k', wrong('1')))).toBeInstanceOf(TypeError);
      expect(misuse(() => on.db.bitcount('k', wrong({ start: 0 }))).message).toContain("'end'");
      expect(misuse(() => on.db.bitcount('k', wrong({ from: 0 }))).message).toContain("'from'");
      expect(misuse(() => on.db.bitpos('k', 1, { unit: 'bit' })).message).toContain("needs 'end'");
      expect(misuse(() => on.db.bitop(wrong('AND'), 'to', 'k')).message).toContain('and, or, xor, not');
      expect(misuse(() => on.db.bitop('and', 'to', [])).message).toContain('keys');
      expect(misuse(() => on.db.bitfield('k', [])).message).toContain('steps');
      expect(misuse(() => on.db.bitfield('k', wrong({ get: 'u8' }))).message).toContain('at of steps[0]');
      expect(misuse(() => on.db.bitfield('k', wrong({ got: 'u8', at: 0 }))).message).toContain("'got'");
      expect(misuse(() => on.db.bitfield('k', { set: 'u8', at: 0, value: 0.5 })).message).toContain('value');
      expect(await failure(() => on.db.bitfield('k', { get: 'u64', at: 0 }))).toMatchObject({
        message: expect.stringContaining('Invalid bitfield type'),
      });
    });
  });
}
