/**
 * Sizes up to which collections are held in their compact forms. They decide how much memory collections take, how fast
 * they are, in which order the members of a set come, and what `OBJECT ENCODING` answers.
 */
/** Limits of collections, named as Redis's options of the same meaning. All entries and values are inclusive. */
export interface CollectionLimits {
  /** Fields of a hash in one listpack, 0 to 32,767. Default: 512. */
  readonly hashMaxListpackEntries: number;
  /** Bytes of a field or a value of such a hash, 0 to 16,384. Default: 64. */
  readonly hashMaxListpackValue: number;
  /** Members of a set of integers in one sorted array, 0 to 1,073,741,823. Default: 512. */
  readonly setMaxIntsetEntries: number;
  /** Members of a set in one listpack, 0 to 32,767. Default: 128. */
  readonly setMaxListpackEntries: number;
  /** Bytes of a member of such a set, 0 to 16,384. Default: 64. */
  readonly setMaxListpackValue: number;
  /** Members of a sorted set in one listpack, 0 to 32,767. Default: 128. */
  readonly zsetMaxListpackEntries: number;
  /** Bytes of a member of such a sorted set, 0 to 16,384. Default: 64. */
  readonly zsetMaxListpackValue: number;
  /** A node of a list: -1 to -5 for 4, 8, 16, 32 or 64 KiB; 1 to 32,767 for so many elements. Default: -2. */
  readonly listMaxListpackSize: number;
  /** Bytes of a HyperLogLog in the sparse form, 0 to 16,000. Default: 3,000. */
  readonly hllSparseMaxBytes: number;
  /** Bytes of a node of a stream, 0 to 1,048,576; 0: 1,048,576. Default: 4,096. */
  readonly streamNodeMaxBytes: number;
  /** Entries of a node of a stream, 0 to 32,767; 0: any number. Default: 100. */
  readonly streamNodeMaxEntries: number;
}

type Name = keyof CollectionLimits;

interface Range {
  readonly byDefault: number;
  readonly min: number;
  readonly max: number;
}

const entries = (byDefault: number): Range => ({ byDefault, min: 0, max: 32_767 });
const value: Range = { byDefault: 64, min: 0, max: 16_384 };

const RANGES: Readonly<Record<Name, Range>> = {
  hashMaxListpackEntries: entries(512),
  hashMaxListpackValue: value,
  setMaxIntsetEntries: { byDefault: 512, min: 0, max: 2 ** 30 - 1 },
  setMaxListpackEntries: entries(128),
  setMaxListpackValue: value,
  zsetMaxListpackEntries: entries(128),
  zsetMaxListpackValue: value,
  listMaxListpackSize: { byDefault: -2, min: -5, max: 32_767 },
  hllSparseMaxBytes: { byDefault: 3_000, min: 0, max: 16_000 },
  streamNodeMaxBytes: { byDefault: 4_096, min: 0, max: 2 ** 20 },
  streamNodeMaxEntries: entries(100),
};

const NAMES = Object.keys(RANGES) as readonly Name[];

/** Redis's name of a limit: `hash-max-listpack-entries` for `hashMaxListpackEntries`. */
export function redisNameOf(limit: string): string {
  return limit.replaceAll(/[A-Z]/g, (letter) => `-${letter.toLowerCase()}`);
}

/** The limits by Redis's names. */
export const LIMITS_BY_REDIS_NAME: ReadonlyMap<string, Name> = new Map(
  NAMES.map((name) => [redisNameOf(name), name]),
);

function checkLimit(name: Name, given: unknown): number {
  const { byDefault, min, max } = RANGES[name];
  if (given === undefined) return byDefault;
  if (typeof given !== 'number') throw new TypeError(`limits.${name} must be a number`);
  const isSize = name !== 'listMaxListpackSize' || given !== 0;
  if (Number.isInteger(given) && given >= min && given <= max && isSize) return given;
  const but = name === 'listMaxListpackSize' ? ', and not 0' : '';
  throw new RangeError(`limits.${name} must be a whole number from ${min} to ${max}${but}, not ${given}`);
}

/** Makes limits complete. Throws `TypeError` or `RangeError`, naming the limit. */
export function checkLimits(given: Partial<CollectionLimits> | undefined): CollectionLimits {
  if (given !== undefined && (typeof given !== 'object' || given === null)) {
    throw new TypeError('limits must be an object');
  }
  for (const name of Object.keys(given ?? {})) {
    if (!Object.hasOwn(RANGES, name)) {
      throw new TypeError(`unknown limit ${JSON.stringify(name)}; known are ${NAMES.join(', ')}`);
    }
  }
  const checked = NAMES.map((name): [Name, number] => [name, checkLimit(name, given?.[name])]);
  return Object.fromEntries(checked) as Record<Name, number>;
}
