import { describe, expect, test } from 'vitest';
import { failure, misuse, type Open, useSubject, wrong } from './subject.js';

const MEGABYTE = 1024 * 1024;

export function describeCalls(open: Open): void {
  describe('call', () => {
    const on = useSubject(open);

    test('takes any command, in any case, and any kind of word', async () => {
      expect(await on.db.call('SET', 'k', 5)).toBe('OK');
      expect(await on.db.call('get', 'k')).toBe('5');
      expect(await on.db.call(Buffer.from('Append'), 'k', 6n)).toBe(2);
      expect(await on.bytes.call('GET', 'k')).toEqual(Buffer.from('56'));
      expect(await on.db.call('GET', 'nothing')).toBeNull();
      expect(await on.db.call('LPUSH', 'l', 'a', 'b')).toBe(2);
      expect(await on.db.call('LRANGE', 'l', 0, -1)).toEqual(['b', 'a']);
    });

    test.each([
      [['GET'], 'get'],
      [['GET', 'a', 'b'], 'get'],
      [['SET', 'k'], 'set'],
      [['HSET', 'h', 'f'], 'hset'],
      [['HSET', 'h', 'f', 'v', 'g'], 'hset'],
      [['MSET', 'a', '1', 'b'], 'mset'],
      [['LPUSH', 'l'], 'lpush'],
      [['ZSCORE', 'z'], 'zscore'],
      [['DBSIZE', 'x'], 'dbsize'],
    ])('refuses a wrong number of arguments: %j', async ([name = '', ...words], lower) => {
      expect(await failure(() => on.db.call(name, ...words))).toMatchObject({
        code: 'ERR',
        message: expect.stringContaining(`wrong number of arguments for '${lower}' command`),
      });
    });

    test('refuses what is no command', async () => {
      expect(await failure(() => on.db.call('NOSUCH', 'a', 'b'))).toMatchObject({
        code: 'ERR',
        message: expect.stringContaining("unknown command 'NOSUCH', with args beginning with: 'a' 'b'"),
      });
      expect(await failure(() => on.db.call(''))).toMatchObject({ code: 'ERR' });
    });

    test('refuses what is no word, at once', () => {
      expect(misuse(() => on.db.call('GET', wrong({})))).toBeInstanceOf(TypeError);
      expect(misuse(() => on.db.call('SET', 'k', wrong(null)))).toBeInstanceOf(TypeError);
      expect(misuse(() => on.db.call(wrong(5)))).toBeInstanceOf(TypeError);
    });

    test('arguments that are no numbers are refused in Redis words', async () => {
      expect(await failure(() => on.db.call('INCRBY', 'n', 'ten'))).toMatchObject({
        message: expect.stringContaining('value is not an integer or out of range'),
      });
      expect(await failure(() => on.db.call('ZADD', 'z', 'nan', 'm'))).toMatchObject({
        message: expect.stringContaining('value is not a valid float'),
      });
      expect(await failure(() => on.db.call('SET', 'k', 'v', 'PX', 'soon'))).toMatchObject({ code: 'ERR' });
      expect(await on.db.dbsize()).toBe(0);
    });

    test('a key over 512 MB is refused', { timeout: 60_000 }, async () => {
      await on.db.set('k', 'v');
      const huge = Buffer.alloc(512 * MEGABYTE + 1);
      const calls: (() => unknown)[] = [
        () => on.db.get(huge),
        () => on.db.set(huge, 'v'),
        () => on.db.hset('h', huge, 'v'),
        () => on.db.call('SET', huge, 'v'),
      ];
      for (const call of calls) {
        const error = await (async () => call())().catch((reason: unknown) => reason);
        expect(error, String(call)).toBeInstanceOf(Error);
      }
      expect(await on.db.get('k')).toBe('v');
      expect(await on.db.dbsize()).toBe(1);
    });
  });
}
