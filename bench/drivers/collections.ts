/** What drivers of collections offer: the commands of the same names, as far as the trials use them. */
import type { Driver } from '../trial.js';

/** Hashes, sorted sets, lists and counters by key. A Keyspace is one as it is. */
export interface Collections {
  hset(key: string, field: string, value: string): unknown;
  hget(key: string, field: string): string | null | undefined;
  zadd(key: string, score: number, member: string): unknown;
  zscore(key: string, member: string): number | null | undefined;
  lpush(key: string, value: string): unknown;
  rpop(key: string): string | null | undefined;
  incr(key: string): number;
  close(): void;
}

/** Opens one. */
export interface CollectionDriver extends Driver {
  open(): Promise<Collections>;
}
