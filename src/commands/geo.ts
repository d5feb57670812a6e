/** Geo commands: members of a sorted set that are places on the earth. */
import type { Bytes, ReplyValue, Word } from '../keyspace/native.js';
import { bytes, finite, type OneOrMore, pushAll } from './arguments.js';
import type { Definitions } from './definition.js';
import type { Bulk, Form, Reply, Sync } from './form.js';
import { checkNames, choice, countOption, flag, optionsOf } from './options.js';
import * as shape from './shapes.js';

/** A place on the earth. */
export interface GeoPosition {
  /** Degrees east, -180 to 180. */
  longitude: number;
  /** Degrees north, -85.05112878 to 85.05112878. */
  latitude: number;
}

/** A member with its place. */
export interface GeoMember extends GeoPosition {
  /** The member. */
  member: Bytes;
}

/** Meters, kilometers, feet, miles. */
export type GeoUnit = 'm' | 'km' | 'ft' | 'mi';

/** Where a search begins: at a member, or at a place. */
export type GeoFrom = Bytes | GeoPosition;

/** What a search covers: a circle, or a box of which `from` is the middle. `unit` is that of distances in the answer, too. */
export type GeoShape =
  | {
      /** The farthest distance. */
      radius: number;
      /** Default: meters. */
      unit?: GeoUnit;
    }
  | {
      /** From west to east. */
      width: number;
      /** From south to north. */
      height: number;
      /** Default: meters. */
      unit?: GeoUnit;
    };

/** Options of `geoadd`. */
export interface GeoaddOptions {
  /** Only add members that are new. */
  nx?: boolean;
  /** Only move members that are there. */
  xx?: boolean;
  /** Count the members that have moved, too. */
  ch?: boolean;
}

/** Which matches a search gives. */
export interface GeoLimit {
  /** `asc`: nearest first; `desc`: farthest first. Default: no order to rely on; with `count` and without `any`, `asc`. */
  sort?: 'asc' | 'desc';
  /** At most so many, the first ones in the order of `sort`. */
  count?: number;
  /** With `count`: the first ones that are found will do, which is faster. */
  any?: boolean;
}

/** Options of `geosearch`. */
export interface GeosearchOptions<
  Coord extends boolean = boolean,
  Dist extends boolean = boolean,
  Hash extends boolean = boolean,
> extends GeoLimit {
  /** Tell each match's place. */
  withCoord?: Coord;
  /** Tell each match's distance, in the unit of the shape. */
  withDist?: Dist;
  /** Tell each match's score. */
  withHash?: Hash;
}

/** Options of `geosearchstore`. */
export interface GeosearchstoreOptions extends GeoLimit {
  /** Store distances, in the unit of the shape, as scores. Default: places. */
  storeDist?: boolean;
}

/** A match with what was asked for. */
export type GeoMatch<Coord extends boolean, Dist extends boolean, Hash extends boolean, B extends Bulk> = {
  /** The member. */
  member: B;
} & (Coord extends true ? GeoPosition : unknown) &
  (Dist extends true ? { /** From the middle of the search. */ distance: number } : unknown) &
  (Hash extends true ? { /** The score: the interleaved bits of the place. */ hash: number } : unknown);

type Detailed<Coord extends boolean, Dist extends boolean, Hash extends boolean> = Coord extends true
  ? true
  : Dist extends true
    ? true
    : Hash;

/** Members; or matches, if anything was asked for beside them. */
export type GeoMatches<Coord extends boolean, Dist extends boolean, Hash extends boolean, B extends Bulk> =
  Detailed<Coord, Dist, Hash> extends infer Any
    ? Any extends true
      ? GeoMatch<Coord, Dist, Hash, B>[]
      : B[]
    : never;

/** Geo commands that read. */
export interface GeoReads<F extends Form> {
  /**
   * The places of members, in their order; `null` for a missing one. They are those of `geoadd` within half a meter.
   *
   * Redis: `GEOPOS`. O(n).
   * @throws HoldfastError `WRONGTYPE` if the key holds no sorted set; so do all geo commands.
   */
  geopos(key: Bytes, members: OneOrMore<Bytes>): Reply<F, (GeoPosition | null)[]>;
  /**
   * The distance of two members, or `null` if one is missing.
   *
   * Redis: `GEODIST`. O(1). The earth counts as a sphere, which is wrong by up to 0.5 %.
   */
  geodist(key: Bytes, one: Bytes, other: Bytes, unit?: GeoUnit): Reply<F, number | null>;
  /** The places of members as geohash text; `null` for a missing one. Redis: `GEOHASH`. O(n). */
  geohash(key: Bytes, members: OneOrMore<Bytes>): Reply<F, (string | null)[]>;
  /**
   * The members within a shape around a place, or around another member.
   *
   * Redis: `GEOSEARCH`. O(log n + members of up to nine cells that the shape reaches into).
   * @throws HoldfastError `ERR` if `from` is no member, or no place on the earth.
   */
  geosearch<Coord extends boolean = false, Dist extends boolean = false, Hash extends boolean = false>(
    key: Bytes,
    from: GeoFrom,
    by: GeoShape,
    options?: GeosearchOptions<Coord, Dist, Hash>,
  ): Reply<F, GeoMatches<Coord, Dist, Hash, F['bulk']>>;
}

/** Geo commands that write. */
export interface GeoWrites<F extends Form> {
  /**
   * Adds members with their places, or moves those that are there, and answers how many are new (with `ch`: new or moved).
   *
   * Redis: `GEOADD`. O(log n) for each member.
   * @throws HoldfastError `ERR` for a place that is none, and for `nx` with `xx`.
   */
  geoadd(key: Bytes, members: OneOrMore<GeoMember>, options?: GeoaddOptions): Reply<F, number>;
  /**
   * As `geosearch`, but the matches become the sorted set at `destination`; answers how many.
   *
   * Redis: `GEOSEARCHSTORE`. O(log n + members looked at).
   */
  geosearchstore(
    destination: Bytes,
    source: Bytes,
    from: GeoFrom,
    by: GeoShape,
    options?: GeosearchstoreOptions,
  ): Reply<F, number>;
}

const pushUnit = choice<GeoUnit>({ m: 'm', km: 'km', ft: 'ft', mi: 'mi' });
const limit = { sort: choice({ asc: 'ASC', desc: 'DESC' }), count: countOption, any: flag };
const pushGeoaddOptions = optionsOf<GeoaddOptions>('geoadd', { nx: flag, xx: flag, ch: flag });
const pushGeosearchOptions = optionsOf<GeosearchOptions>('geosearch', {
  ...limit,
  withCoord: flag,
  withDist: flag,
  withHash: flag,
});
const pushGeosearchstoreOptions = optionsOf<GeosearchstoreOptions>('geosearchstore', {
  ...limit,
  storeDist: flag,
});

function pushPosition(words: Word[], at: GeoPosition, name: string): void {
  words.push(finite(at.longitude, `longitude of ${name}`), finite(at.latitude, `latitude of ${name}`));
}

function pushFrom(words: Word[], from: GeoFrom): void {
  if (typeof from === 'string' || from instanceof Uint8Array) {
    words.push('FROMMEMBER', from);
    return;
  }
  checkNames('from', from, ['longitude', 'latitude']);
  words.push('FROMLONLAT');
  pushPosition(words, from, 'from');
}

function pushShape(words: Word[], by: GeoShape): void {
  checkNames('by', by, 'radius' in by ? ['radius', 'unit'] : ['width', 'height', 'unit']);
  if ('radius' in by) words.push('BYRADIUS', finite(by.radius, 'radius'));
  else words.push('BYBOX', finite(by.width, 'width'), finite(by.height, 'height'));
  pushUnit(words, by.unit ?? 'm', 'UNIT', 'unit');
}

function positionOf(reply: ReplyValue): GeoPosition {
  const [longitude = null, latitude = null] = shape.items(reply);
  return { longitude: shape.double(longitude), latitude: shape.double(latitude) };
}

/** A match is an array of the member, the distance, the score and the place, as far as they were asked for. */
function matchOf(reply: ReplyValue, { withCoord, withDist, withHash }: GeosearchOptions): { member: Bulk } {
  const [member = null, ...told] = shape.items(reply);
  let next = 0;
  const take = (): ReplyValue => told[next++] ?? null;
  return {
    member: shape.bulk(member),
    ...(withDist && { distance: shape.double(take()) }),
    ...(withHash && { hash: shape.integer(take()) }),
    ...(withCoord && positionOf(take())),
  };
}

/** The code of {@link GeoReads}. */
export const geoReads = {
  geopos: {
    encode: (key, members) => pushAll(['GEOPOS', bytes(key, 'key')], members, 'members', bytes),
    shape: shape.arrayOf((reply) => (reply === null ? null : positionOf(reply))),
  },
  geodist: {
    encode: (key, one, other, unit = 'm') => {
      const words: Word[] = ['GEODIST', bytes(key, 'key'), bytes(one, 'one'), bytes(other, 'other')];
      pushUnit(words, unit, 'UNIT', 'unit');
      return words;
    },
    shape: shape.doubleOrNull,
  },
  geohash: {
    encode: (key, members) => pushAll(['GEOHASH', bytes(key, 'key')], members, 'members', bytes),
    shape: shape.arrayOf((reply) => (reply === null ? null : shape.text(reply))),
  },
  geosearch: {
    encode: (key, from, by, options) => {
      const words: Word[] = ['GEOSEARCH', bytes(key, 'key')];
      pushFrom(words, from);
      pushShape(words, by);
      return pushGeosearchOptions(words, options);
    },
    shape: (reply, [, , , options = {}]) =>
      options.withCoord || options.withDist || options.withHash
        ? shape.items(reply).map((item) => matchOf(item, options))
        : shape.bulks(reply),
  },
} satisfies Definitions<GeoReads<Sync<Bulk>>>;

/** The code of {@link GeoWrites}. */
export const geoWrites = {
  geoadd: {
    encode: (key, members, options) => {
      const words = pushGeoaddOptions(['GEOADD', bytes(key, 'key')], options);
      const all = Array.isArray(members) ? members : [members];
      if (all.length === 0) throw new RangeError('members must not be empty');
      for (const [i, one] of all.entries()) {
        const name = `members[${i}]`;
        checkNames(name, one, ['member', 'longitude', 'latitude']);
        pushPosition(words, one, name);
        words.push(bytes(one.member, `member of ${name}`));
      }
      return words;
    },
    shape: shape.integer,
  },
  geosearchstore: {
    encode: (destination, source, from, by, options) => {
      const words: Word[] = ['GEOSEARCHSTORE', bytes(destination, 'destination'), bytes(source, 'source')];
      pushFrom(words, from);
      pushShape(words, by);
      return pushGeosearchstoreOptions(words, options);
    },
    shape: shape.integer,
  },
} satisfies Definitions<GeoWrites<Sync<Bulk>>>;
