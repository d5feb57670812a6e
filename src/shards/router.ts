/** Which shard a request belongs to: that of its keys, which must be one (Redis Cluster's rule, with shards for slots). */
import { HoldfastError } from '../errors.js';
import { type CommandFact, native, type Word } from '../keyspace/native.js';
import type { ShardId } from './protocol.js';

/** Hash slots, as in Redis Cluster. */
const SLOTS = 16_384;

/** One shard; `any`: the request names no key; `all`: it may touch every key. */
export type Route = ShardId | 'any' | 'all';

/** The shard of a slot: contiguous ranges. */
export function shardOfSlot(slot: number, shards: number): ShardId {
  return Math.floor((slot * shards) / SLOTS);
}

/** Where a command has to run. Throws `CROSSSLOT` if its keys live in several shards. */
export function routeOf(words: readonly Word[], command: CommandFact, shards: number): Route {
  if (command.keys === 'all') return shards === 1 ? 0 : 'all';
  if (command.keys === 'none') return 'any';
  if (shards === 1) return 0;
  let route: ShardId | undefined;
  for (const slot of slotsOf(words, command.keys)) {
    const shard = shardOfSlot(slot, shards);
    if (route !== undefined && route !== shard) throw crossSlot();
    route = shard;
  }
  return route ?? 'any';
}

/** Where a transaction has to run: in the one shard of all of its keys. */
export function routeOfAll(routes: readonly Route[]): ShardId {
  const shards = new Set(routes.filter((route) => route !== 'any'));
  const [only] = shards;
  if (shards.size > 1 || only === 'all') throw crossSlot();
  return only ?? 0;
}

function slotsOf(words: readonly Word[], keys: Exclude<CommandFact['keys'], 'all' | 'none'>): number[] {
  if (keys !== 'found') {
    return keysOf(words, keys).map((key) => native.slotOf(typeof key === 'object' ? key : String(key)));
  }
  const slots = native.slotsOf(words);
  if (slots === null) throw anySlot();
  return slots;
}

function keysOf(words: readonly Word[], keys: Exclude<CommandFact['keys'], string>): readonly Word[] {
  if ('counted' in keys) {
    const first = keys.counted + 1;
    return words.slice(first, first + Number(words[keys.counted]));
  }
  const last = keys.last < 0 ? words.length + keys.last : keys.last;
  return words.filter((_, i) => i >= keys.first && i <= last && (i - keys.first) % keys.step === 0);
}

function crossSlot(): HoldfastError {
  const text = "CROSSSLOT Keys in request don't hash to the same slot";
  return new HoldfastError('CROSSSLOT', `${text}: with several shards they need a common {hash tag}`);
}

function anySlot(): HoldfastError {
  const text = 'CROSSSLOT A pattern in request may name keys of any slot';
  return new HoldfastError('CROSSSLOT', `${text}: it is refused with several shards`);
}
