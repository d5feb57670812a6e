import { TransactionError } from 'holdfast';
import { describe, expect, test } from 'vitest';
import { failure, misuse, type Open, useSubject, wrong } from './subject.js';

export function describeTransactions(open: Open): void {
  describe('transactions', () => {
    const on = useSubject(open);

    test('commands run as one, and their answers come in order', async () => {
      await on.db.set('stock:7', '3');
      const transaction = on.db.multi().decr('stock:7').rpush('orders', '42').hset('cart', { sku: '1' });
      expect(transaction.length).toBe(3);
      expect(await on.db.get('stock:7')).toBe('3');
      expect(await transaction.exec()).toEqual([2, 1, 1]);
      expect(await on.db.get('stock:7')).toBe('2');
    });

    test('answers have the shapes of the methods', async () => {
      const [set, got, missing, all, ranged, popped, expired, called] = await on.db
        .multi()
        .set('k', 'v', { nx: true })
        .get('k')
        .get('nothing')
        .hgetall('nothing')
        .zrange('nothing', 0, -1, { withScores: true })
        .lpop('nothing', 2)
        .expire('k', 100)
        .call('strlen', 'k')
        .exec();
      expect(set).toBe(true);
      expect(got).toBe('v');
      expect(missing).toBeNull();
      expect(all).toEqual({});
      expect(ranged).toEqual([]);
      expect(popped).toEqual([]);
      expect(expired).toBe(true);
      expect(called).toBe(1);
    });

    test('Buffers on the surface of bytes', async () => {
      const [, value] = await on.bytes
        .multi()
        .set('k', Buffer.from([0xff]))
        .get('k')
        .exec();
      expect(value).toEqual(Buffer.from([0xff]));
    });

    test('nothing noted, nothing done', async () => {
      expect(await on.db.multi().exec()).toEqual([]);
    });

    test('a refused command does not hold up the others, and is told', async () => {
      await on.db.set('s', 'v');
      const error = await failure(() =>
        on.db.multi().set('a', '1').incr('s').lpush('s', 'x').set('b', '2').exec(),
      );
      expect(error).toBeInstanceOf(TransactionError);
      expect(error).toMatchObject({
        code: 'ERR',
        mayTakeEffect: true,
        replies: ['OK', { code: 'ERR' }, { code: 'WRONGTYPE' }, 'OK'],
        message: expect.stringContaining('command 2 of 4'),
      });
      expect(await on.db.mget(['a', 'b'])).toEqual(['1', '2']);
    });

    test('a command that cannot be right stops the transaction before it begins', async () => {
      expect(await failure(() => on.db.multi().set('a', '1').call('GET').exec())).toMatchObject({
        code: 'EXECABORT',
      });
      expect(await on.db.exists('a')).toBe(0);
      expect(await failure(() => on.db.multi().call('NOSUCH'))).toMatchObject({ code: 'ERR' });
      const thrown = misuse(() =>
        on.db
          .multi()
          .set('a', '1')
          .set('b', 'v', wrong({ pxx: 1 })),
      );
      expect(thrown.message).toContain("'pxx'");
    });

    test('a transaction is run once', async () => {
      const transaction = on.db.multi().incr('n');
      await transaction.exec();
      expect(misuse(() => transaction.exec()).message).toContain('has been executed');
      expect(misuse(() => transaction.incr('n')).message).toContain('has been executed');
      expect(await on.db.get('n')).toBe('1');
    });
  });
}
