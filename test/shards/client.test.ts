import { describe, expect, it } from 'vitest';
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
