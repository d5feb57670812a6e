import { describe, expect, it } from 'vitest';
import { Attempt } from '../../src/commands/executor.js';
import { RequestWriter } from '../../src/shards/batch.js';
import { PENDING_BYTES_MAX, ShardClient } from '../../src/shards/client.js';
import type { ToShard } from '../../src/shards/protocol.js';

const open = () => {
  const posted: ToShard[] = [];
  return { client: new ShardClient(0, (message) => posted.push(message)), posted };
};
const turn = () => new Promise((resolve) => setImmediate(resolve));

const encoded = (...words: string[]): Uint8Array => {
  const writer = new RequestWriter();
  writer.write(words);
  return writer.take();
};

describe('a client', () => {
  it('leaves nothing of a request behind that cannot be written', async () => {
    const { client, posted } = open();
    const noText = {
      get byteLength(): number {
        throw new Error('not a word');
      },
    };
    const good = client.request(['SET', 'k', 'v'], false);
    // @ts-expect-error what is checked above the client
    const bad = client.request(['SET', 'k', noText], false);
    client.request(['GET', 'k'], false).catch(() => {});
    good.catch(() => {});
    await expect(bad).rejects.toThrow('not a word');
    await turn();
    expect(posted).toEqual([
      {
        ...{ type: 'requests', shard: 0, count: 2 },
        requests: new Uint8Array([...encoded('SET', 'k', 'v'), ...encoded('GET', 'k')]),
      },
    ]);
  });

  it('tells of requests that are given up, together, behind their own way', async () => {
    const { client, posted } = open();
    const attempts = [new Attempt(), new Attempt(), new Attempt()];
    const calls = attempts.map((attempt) => client.request(['LPOP', 'q'], false, attempt));
    const outcomes = Promise.allSettled(calls);
    for (const attempt of attempts) attempt.withdraw();
    await turn();
    expect(posted.map(({ type }) => type)).toEqual(['requests', 'withdraw']);
    expect(posted[1]).toEqual({ type: 'withdraw', shard: 0, tickets: [1, 2, 3] });
    client.abandoned([{ firstTicket: 1, count: 2, code: 'WITHDRAWN', mayTakeEffect: false }]);
    attempts[0]?.withdraw();
    await turn();
    expect(posted.length).toBe(2);
    client.abandoned([{ firstTicket: 3, count: 1, code: 'TIMEOUT', mayTakeEffect: true }]);
    const codes = (await outcomes).map((outcome) => outcome.status === 'rejected' && outcome.reason.code);
    expect(codes).toEqual(['WITHDRAWN', 'WITHDRAWN', 'TIMEOUT']);
  });

  it('is busy when too many bytes wait, until they are answered', async () => {
    const { client } = open();
    const value = 'x'.repeat(64 * 1024 * 1024);
    for (let bytes = 0; bytes < PENDING_BYTES_MAX; bytes += value.length) {
      client.request(['SET', 'k', value], false).catch(() => {});
    }
    await expect(client.request(['GET', 'k'], false)).rejects.toMatchObject({ code: 'BUSY' });
    client.abandoned([{ firstTicket: 1, count: 1, code: 'TIMEOUT', mayTakeEffect: false }]);
    client.request(['GET', 'k'], false).catch(() => {});
    expect(client.pending).toBe(4);
  });
});
