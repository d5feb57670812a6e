import { describe, expect, test } from 'vitest';
import { failure, misuse, type Open, useSubject, wrong } from './subject.js';

const PALERMO = { member: 'Palermo', longitude: 13.361389, latitude: 38.115556 };
const CATANIA = { member: 'Catania', longitude: 15.087269, latitude: 37.502669 };
const HERE = { longitude: 15, latitude: 37 };

export function describeGeo(open: Open): void {
  describe('geo', () => {
    const on = useSubject(open);

    test('members have places', async () => {
      expect(await on.db.geoadd('Sicily', [PALERMO, CATANIA])).toBe(2);
      expect(await on.db.geoadd('Sicily', PALERMO)).toBe(0);
      const [palermo, none] = await on.db.geopos('Sicily', ['Palermo', 'none']);
      expect(palermo?.longitude).toBeCloseTo(PALERMO.longitude, 5);
      expect(palermo?.latitude).toBeCloseTo(PALERMO.latitude, 5);
      expect(none).toBeNull();
      expect(await on.db.geohash('Sicily', ['Palermo', 'Catania', 'none'])).toEqual([
        'sqc8b49rny0',
        'sqdtr74hyu0',
        null,
      ]);
      expect(await on.db.zscore('Sicily', 'Palermo')).toBe(3479099956230698);
    });

    test('geoadd with nx, xx and ch', async () => {
      await on.db.geoadd('Sicily', PALERMO);
      const moved = { ...PALERMO, longitude: 14 };
      expect(await on.db.geoadd('Sicily', moved, { nx: true, ch: true })).toBe(0);
      expect(await on.db.geoadd('Sicily', [moved, CATANIA], { xx: true, ch: true })).toBe(1);
      expect(await on.db.zcard('Sicily')).toBe(1);
    });

    test('distances', async () => {
      await on.db.geoadd('Sicily', [PALERMO, CATANIA]);
      expect(await on.db.geodist('Sicily', 'Palermo', 'Catania')).toBe(166274.1516);
      expect(await on.db.geodist('Sicily', 'Palermo', 'Catania', 'km')).toBe(166.2742);
      expect(await on.db.geodist('Sicily', 'Palermo', 'Catania', 'mi')).toBe(103.3182);
      expect(await on.db.geodist('Sicily', 'Palermo', 'none')).toBeNull();
    });

    test('searches around a place or a member, in a circle or a box', async () => {
      await on.db.geoadd('Sicily', [PALERMO, CATANIA]);
      const circle = { radius: 200, unit: 'km' } as const;
      expect(await on.db.geosearch('Sicily', HERE, circle, { sort: 'asc' })).toEqual(['Catania', 'Palermo']);
      expect(await on.db.geosearch('Sicily', HERE, circle, { count: 1 })).toEqual(['Catania']);
      expect(await on.db.geosearch('Sicily', HERE, circle, { count: 1, any: true })).toHaveLength(1);
      expect(await on.db.geosearch('Sicily', 'Palermo', { radius: 100_000 })).toEqual(['Palermo']);
      const box = { width: 400, height: 400, unit: 'km' } as const;
      expect(await on.db.geosearch('Sicily', HERE, box, { sort: 'desc' })).toEqual(['Palermo', 'Catania']);
      expect(await on.db.geosearch('nothing', HERE, circle)).toEqual([]);
      expect(await on.bytes.geosearch('Sicily', 'Palermo', { radius: 0 })).toEqual([Buffer.from('Palermo')]);
    });

    test('searches tell as much as is asked for', async () => {
      await on.db.geoadd('Sicily', [PALERMO, CATANIA]);
      const circle = { radius: 100, unit: 'km' } as const;
      expect(await on.db.geosearch('Sicily', HERE, circle, { withDist: true })).toEqual([
        { member: 'Catania', distance: 56.4413 },
      ]);
      expect(
        await on.db.geosearch('Sicily', HERE, circle, { withDist: true, withHash: true, withCoord: true }),
      ).toEqual([
        {
          member: 'Catania',
          distance: 56.4413,
          hash: 3479447370796909,
          longitude: 15.087267458438873,
          latitude: 37.50266842333162,
        },
      ]);
    });

    test('results are stored', async () => {
      await on.db.geoadd('Sicily', [PALERMO, CATANIA]);
      const circle = { radius: 200, unit: 'km' } as const;
      expect(await on.db.geosearchstore('to', 'Sicily', HERE, circle, { count: 1 })).toBe(1);
      expect(await on.db.zscore('to', 'Catania')).toBe(3479447370796909);
      expect(await on.db.geosearchstore('to', 'Sicily', HERE, circle, { storeDist: true })).toBe(2);
      expect(await on.db.zscore('to', 'Catania')).toBeCloseTo(56.4412578701582, 9);
      expect(await on.db.geosearchstore('to', 'nothing', HERE, circle)).toBe(0);
      expect(await on.db.exists('to')).toBe(0);
    });

    test('the old commands can be called', async () => {
      await on.db.geoadd('Sicily', [PALERMO, CATANIA]);
      expect(await on.db.call('GEORADIUS', 'Sicily', 15, 37, 100, 'km')).toEqual(['Catania']);
      expect(await on.db.call('GEORADIUSBYMEMBER', 'Sicily', 'Palermo', 1, 'm', 'STORE', 'to')).toBe(1);
      expect(await on.db.zrange('to', 0, -1)).toEqual(['Palermo']);
    });

    test('what is no place is refused', async () => {
      await on.db.geoadd('Sicily', PALERMO);
      expect(await failure(() => on.db.geoadd('Sicily', { ...PALERMO, latitude: 90 }))).toMatchObject({
        code: 'ERR',
        message: expect.stringContaining('invalid longitude,latitude pair'),
      });
      expect(await failure(() => on.db.geosearch('Sicily', 'none', { radius: 1 }))).toMatchObject({
        message: expect.stringContaining('could not decode requested zset member'),
      });
      expect(await failure(() => on.db.geosearch('Sicily', HERE, { radius: -1 }))).toMatchObject({
        message: expect.stringContaining('radius cannot be negative'),
      });
      await on.db.set('text', 'x');
      expect(await failure(() => on.db.geopos('text', 'm'))).toMatchObject({ code: 'WRONGTYPE' });
    });

    test('misuse is thrown at once and names the argument', () => {
      expect(misuse(() => on.db.geoadd('k', [])).message).toContain('members');
      expect(misuse(() => on.db.geoadd('k', wrong({ member: 'm', lon: 1, lat: 2 }))).message).toContain(
        "'lon'",
      );
      expect(misuse(() => on.db.geoadd('k', { ...PALERMO, longitude: Number.NaN })).message).toContain(
        'longitude of members[0]',
      );
      expect(misuse(() => on.db.geodist('k', 'a', 'b', wrong('yd'))).message).toContain('m, km, ft, mi');
      expect(misuse(() => on.db.geosearch('k', wrong(5), { radius: 1 })).message).toContain('from');
      expect(misuse(() => on.db.geosearch('k', 'a', wrong({ radius: 1, width: 2 }))).message).toContain(
        "'width'",
      );
      expect(misuse(() => on.db.geosearch('k', 'a', wrong({}))).message).toContain('width');
      expect(
        misuse(() => on.db.geosearch('k', 'a', { radius: 1 }, wrong({ order: 'asc' }))).message,
      ).toContain("'order'");
    });
  });
}
