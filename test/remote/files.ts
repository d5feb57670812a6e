/** RDB files with a bit of everything in them. */
import { createHash } from 'node:crypto';
import { Keyspace } from 'holdfast';

/** What {@link writeSample} writes. */
export interface Sample {
  readonly path: string;
  /** Digest of the keys, as that of a store with one shard that holds them and nothing else. */
  readonly digest: string;
  readonly keys: number;
}

/** Length of the value of `shop:big`. */
export const BIG_CHARS = 3_000_000;
const FAR_MS = 4_000_000_000_000;

/** Text that cannot be compressed, always the same. */
function noise(chars: number): string {
  const random = createHash('shake256', { outputLength: Math.ceil((chars * 3) / 4) }).update('noise');
  return random.digest('base64').slice(0, chars);
}

/** Fills a keyspace with keys of every type, some of which expire. */
export function fill(keyspace: Keyspace, count: number): void {
  for (let i = 0; i < count; i++) {
    const key = `user:${i}`;
    switch (i % 6) {
      case 0:
        keyspace.set(key, `value ${i} ${'x'.repeat(i % 50)}`);
        break;
      case 1:
        keyspace.hset(key, { field: String(i), other: `v${i}` });
        break;
      case 2:
        keyspace.rpush(key, ['a', String(i), 'c']);
        break;
      case 3:
        keyspace.sadd(key, ['m', `n${i}`]);
        break;
      case 4:
        keyspace.zadd(key, { one: i, two: -0.5 });
        break;
      default:
        keyspace.xadd(key, { field: String(i) }, { id: `${i}-1` });
    }
    if (i % 5 === 0) keyspace.pexpireat(key, FAR_MS + i);
  }
  keyspace.set('shop:big', noise(BIG_CHARS));
  keyspace.set('shop:small', 'S');
}

/** Writes a file with about so many keys. */
export async function writeSample(path: string, count: number): Promise<Sample> {
  using keyspace = new Keyspace();
  fill(keyspace, count);
  const { keys } = await keyspace.save(path);
  return { path, digest: await keyspace.digest(), keys };
}
