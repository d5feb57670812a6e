import { describe, expect, test } from 'vitest';
import { failure, misuse, type Open, useSubject, wrong } from './subject.js';

export function describeHyperloglogs(open: Open): void {
  describe('HyperLogLog', () => {
    const on = useSubject(open);

    test('different elements are counted', async () => {
      expect(await on.db.pfadd('k', ['a', 'b', 'c', 'd', 'e', 'f', 'g'])).toBe(true);
      expect(await on.db.pfadd('k', ['a', 'g'])).toBe(false);
      expect(await on.db.pfcount('k')).toBe(7);
      expect(await on.db.pfadd('k', 5)).toBe(true);
      expect(await on.db.pfadd('k', Buffer.from('5'))).toBe(false);
      expect(await on.db.pfcount(['k', 'nothing'])).toBe(8);
      expect(await on.db.pfcount('nothing')).toBe(0);
      expect(await on.db.type('k')).toBe('string');
    });

    test('a key can be made without elements', async () => {
      expect(await on.db.pfadd('k')).toBe(true);
      expect(await on.db.pfadd('k', [])).toBe(false);
      expect(await on.db.exists('k')).toBe(1);
      expect(await on.db.pfcount('k')).toBe(0);
    });

    test('many elements are counted within a few percent, in 12 KiB', async () => {
      for (let i = 0; i < 20; i++) {
        await on.db.pfadd(
          'k',
          Array.from({ length: 1000 }, (_, j) => i * 1000 + j),
        );
      }
      const counted = await on.db.pfcount('k');
      expect(Math.abs(counted - 20_000)).toBeLessThan(600);
      expect(await on.db.strlen('k')).toBe(12_304);
    });

    test('keys are merged', async () => {
      await on.db.pfadd('one', ['foo', 'bar', 'zap', 'a']);
      await on.db.pfadd('two', ['a', 'b', 'c', 'foo']);
      expect(await on.db.pfmerge('to', ['one', 'two'])).toBeUndefined();
      expect(await on.db.pfcount('to')).toBe(6);
      expect(await on.db.pfcount(['one', 'two'])).toBe(6);
      await on.db.pfmerge('to', 'nothing');
      expect(await on.db.pfcount('to')).toBe(6);
    });

    test('counting changes nothing', async () => {
      await on.db.pfadd('k', ['a', 'b']);
      const before = await on.bytes.get('k');
      await on.db.pfcount('k');
      expect(await on.bytes.get('k')).toEqual(before);
    });

    test('what holds none is refused', async () => {
      await on.db.set('text', 'hello');
      await on.db.rpush('list', 'a');
      await on.bytes.set('broken', Buffer.from('HYLL\x01\0\0\0\0\0\0\0\0\0\0\x80\x40', 'latin1'));
      for (const key of ['text', 'list']) {
        expect(await failure(() => on.db.pfadd(key, 'a'))).toMatchObject({ code: 'WRONGTYPE' });
        expect(await failure(() => on.db.pfcount(key))).toMatchObject({ code: 'WRONGTYPE' });
        expect(await failure(() => on.db.pfmerge('to', key))).toMatchObject({ code: 'WRONGTYPE' });
      }
      expect(await failure(() => on.db.pfcount('broken'))).toMatchObject({ code: 'INVALIDOBJ' });
      expect(await on.db.get('text')).toBe('hello');
    });

    test('misuse is thrown at once and names the argument', () => {
      expect(misuse(() => on.db.pfadd('k', [wrong({})])).message).toContain('elements[0]');
      expect(misuse(() => on.db.pfcount([])).message).toContain('keys');
      expect(misuse(() => on.db.pfmerge('to', [])).message).toContain('sources');
    });
  });
}
