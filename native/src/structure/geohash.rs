//! Positions on the earth as numbers of 52 bits, and the cells that such numbers fall into.
//!
//! Longitude and latitude are cut in halves 26 times each, and the bits of both are interleaved. Positions with the same leading
//! bits lie in one cell of a grid of 2^step by 2^step, so everything in a cell is one range of numbers.
//!
//! Sines come from a library of its own and not from the machine's, because distances may be stored, and every peer has to store
//! the same ones.

use std::ops::Range;

/// Cuts of a position that is stored.
pub const STEP_MAX: u32 = 26;
/// Degrees east, from and to.
pub const LONGITUDE: (f64, f64) = (-180.0, 180.0);
/// Degrees north, from and to: the square of the Web Mercator projection.
pub const LATITUDE: (f64, f64) = (-85.051_128_78, 85.051_128_78);

const EARTH_RADIUS_METERS: f64 = 6_372_797.560_856;
const MERCATOR_MAX_METERS: f64 = 20_037_726.37;
/// Bits of the latitude among the interleaved ones; those of the longitude are the others.
const LATITUDE_BITS: u64 = 0x5555_5555_5555_5555;

/// A place on the earth.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct Position {
    /// Degrees east.
    pub longitude: f64,
    /// Degrees north.
    pub latitude: f64,
}

/// A cell of the grid of this many cuts.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Cell {
    bits: u64,
    step: u32,
}

/// What a cell covers.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Bounds {
    /// Degrees east, from and to.
    pub longitude: (f64, f64),
    /// Degrees north, from and to.
    pub latitude: (f64, f64),
}

/// Puts the bits of a number on the even places.
fn spread(number: u32) -> u64 {
    let mut bits = u64::from(number);
    bits = (bits | bits << 16) & 0x0000_ffff_0000_ffff;
    bits = (bits | bits << 8) & 0x00ff_00ff_00ff_00ff;
    bits = (bits | bits << 4) & 0x0f0f_0f0f_0f0f_0f0f;
    bits = (bits | bits << 2) & 0x3333_3333_3333_3333;
    (bits | bits << 1) & LATITUDE_BITS
}

/// The number whose bits stand on the even places.
fn gather(bits: u64) -> u32 {
    let mut bits = bits & LATITUDE_BITS;
    bits = (bits | bits >> 1) & 0x3333_3333_3333_3333;
    bits = (bits | bits >> 2) & 0x0f0f_0f0f_0f0f_0f0f;
    bits = (bits | bits >> 4) & 0x00ff_00ff_00ff_00ff;
    bits = (bits | bits >> 8) & 0x0000_ffff_0000_ffff;
    (bits | bits >> 16) as u32
}

/// Interleaved bits of a position that lies within these degrees.
fn interleave(at: Position, longitude: (f64, f64), latitude: (f64, f64), step: u32) -> u64 {
    let scaled = |degrees: f64, (min, max): (f64, f64)| {
        ((degrees - min) / (max - min) * f64::from(1u32 << step)) as u32
    };
    spread(scaled(at.latitude, latitude)) | spread(scaled(at.longitude, longitude)) << 1
}

/// The number to store for a position.
pub fn encode(at: Position) -> u64 {
    interleave(at, LONGITUDE, LATITUDE, STEP_MAX)
}

/// The position that a stored number stands for: the middle of its cell. Numbers that no position has give some position.
pub fn decode(score: f64) -> Position {
    let cell = Cell {
        bits: truncate(score),
        step: STEP_MAX,
    };
    let middle = |(from, to): (f64, f64), (min, max): (f64, f64)| ((from + to) / 2.0).clamp(min, max);
    let Bounds { longitude, latitude } = cell.bounds();
    Position {
        longitude: middle(longitude, LONGITUDE),
        latitude: middle(latitude, LATITUDE),
    }
}

/// The whole part of a score as a PC's processor gives it for an unsigned number of 64 bits, numbers included that have none.
fn truncate(score: f64) -> u64 {
    const HALF: f64 = (1u64 << 63) as f64;
    let signed = |value: f64| {
        if (-HALF..HALF).contains(&value) {
            value as i64 as u64
        } else {
            1 << 63
        }
    };
    if score < HALF {
        signed(score)
    } else {
        signed(score - HALF) ^ 1 << 63
    }
}

/// The usual text of a position: 10 digits of 5 bits, and a zero.
pub fn text(at: Position) -> [u8; 11] {
    const DIGITS: &[u8; 32] = b"0123456789bcdefghjkmnpqrstuvwxyz";
    // Text counts latitudes from pole to pole.
    let bits = interleave(at, LONGITUDE, (-90.0, 90.0), STEP_MAX);
    let mut text = [b'0'; 11];
    for (i, digit) in text[..10].iter_mut().enumerate() {
        *digit = DIGITS[(bits >> (52 - (i + 1) * 5)) as usize % 32];
    }
    text
}

impl Cell {
    /// The cell that a position lies in.
    pub fn of(at: Position, step: u32) -> Cell {
        Cell {
            bits: interleave(at, LONGITUDE, LATITUDE, step),
            step,
        }
    }

    /// What the cell covers.
    pub fn bounds(self) -> Bounds {
        let cells = f64::from(1u32 << self.step);
        let span = |number: u32, (min, max): (f64, f64)| {
            let edge = |number: u32| min + f64::from(number) / cells * (max - min);
            (edge(number), edge(number.wrapping_add(1)))
        };
        Bounds {
            longitude: span(gather(self.bits >> 1), LONGITUDE),
            latitude: span(gather(self.bits), LATITUDE),
        }
    }

    /// The cell so many cells to the east and to the north, around the edges of the grid. (The last longitude and the last
    /// latitude lie one cell beyond it, and stay there unless they are moved.)
    fn moved(self, east: i64, north: i64) -> Cell {
        let shifted = |number: u32, by: i64| match by {
            0 => number,
            by => (i64::from(number) + by) as u32 & ((1 << self.step) - 1),
        };
        let longitude = shifted(gather(self.bits >> 1), east);
        let latitude = shifted(gather(self.bits), north);
        Cell {
            bits: spread(latitude) | spread(longitude) << 1,
            step: self.step,
        }
    }

    /// The numbers of all positions in the cell.
    pub fn scores(self) -> Range<u64> {
        let shift = 2 * (STEP_MAX - self.step);
        self.bits << shift..(self.bits + 1) << shift
    }
}

fn radians(degrees: f64) -> f64 {
    degrees * (std::f64::consts::PI / 180.0)
}

fn degrees(radians: f64) -> f64 {
    radians / (std::f64::consts::PI / 180.0)
}

/// Meters along a meridian.
fn latitude_distance(a: f64, b: f64) -> f64 {
    EARTH_RADIUS_METERS * (radians(b) - radians(a)).abs()
}

/// Meters on a sphere (haversine formula).
pub fn distance(a: Position, b: Position) -> f64 {
    let v = libm::sin((radians(b.longitude) - radians(a.longitude)) / 2.0);
    if v == 0.0 {
        return latitude_distance(a.latitude, b.latitude);
    }
    let (latitude_a, latitude_b) = (radians(a.latitude), radians(b.latitude));
    let u = libm::sin((latitude_b - latitude_a) / 2.0);
    let chord = u * u + libm::cos(latitude_a) * libm::cos(latitude_b) * v * v;
    // Rounding may carry opposite places beyond the diameter.
    2.0 * EARTH_RADIUS_METERS * libm::asin(chord.sqrt().min(1.0))
}

/// What is searched for around a position. Lengths are meters, not negative.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Shape {
    /// Everything within a radius.
    Circle(f64),
    /// Everything within half a width to the east and west, and half a height to the north and south.
    Rectangle {
        /// From west to east.
        width: f64,
        /// From south to north.
        height: f64,
    },
}

impl Shape {
    /// The distance from the middle, if a place lies inside.
    pub fn distance_within(self, middle: Position, place: Position) -> Option<f64> {
        match self {
            Shape::Circle(radius) => Some(distance(middle, place)).filter(|distance| *distance <= radius),
            Shape::Rectangle { width, height } => {
                if latitude_distance(place.latitude, middle.latitude) > height / 2.0 {
                    return None;
                }
                let beside = Position {
                    longitude: middle.longitude,
                    ..place
                };
                (distance(place, beside) <= width / 2.0).then(|| distance(middle, place))
            }
        }
    }

    /// Half of the extent to the east and to the north, and the distance to the farthest point.
    fn extent(self) -> (f64, f64, f64) {
        match self {
            Shape::Circle(radius) => (radius, radius, radius),
            Shape::Rectangle { width, height } => {
                let (east, north) = (width / 2.0, height / 2.0);
                (east, north, (east * east + north * north).sqrt())
            }
        }
    }

    /// Degrees that hold the shape.
    fn bounds(self, middle: Position) -> Bounds {
        let (east, north, _) = self.extent();
        let Position { longitude, latitude } = middle;
        let up = degrees(north / EARTH_RADIUS_METERS);
        // Meridians are closest at the edge that is nearer to a pole.
        let edge = if latitude < 0.0 {
            latitude - up
        } else {
            latitude + up
        };
        let aside = degrees(east / EARTH_RADIUS_METERS / libm::cos(radians(edge)));
        Bounds {
            longitude: (longitude - aside, longitude + aside),
            latitude: (latitude - up, latitude + up),
        }
    }
}

/// The finest grid of which nine cells hold everything within this distance.
fn step_for(meters: f64, latitude: f64) -> u32 {
    if meters == 0.0 {
        return STEP_MAX;
    }
    let (mut reach, mut step) = (meters, 1i32);
    while reach < MERCATOR_MAX_METERS {
        reach *= 2.0;
        step += 1;
    }
    step -= 2;
    // Cells become narrow near the poles.
    step -= i32::from(latitude.abs() > 66.0) + i32::from(latitude.abs() > 80.0);
    step.clamp(1, STEP_MAX as i32) as u32
}

/// Neighbours of a cell in the order in which they are visited: cells to the east, cells to the north.
const NEIGHBOURS: [(i64, i64); 8] = [
    (0, 1),
    (0, -1),
    (1, 0),
    (-1, 0),
    (1, 1),
    (-1, 1),
    (1, -1),
    (-1, -1),
];

/// Whether four of the neighbours reach far enough.
fn reaches(cell: Cell, bounds: Bounds) -> bool {
    let neighbour = |east, north| cell.moved(east, north).bounds();
    neighbour(0, 1).latitude.1 >= bounds.latitude.1
        && neighbour(0, -1).latitude.0 <= bounds.latitude.0
        && neighbour(1, 0).longitude.1 >= bounds.longitude.1
        && neighbour(-1, 0).longitude.0 <= bounds.longitude.0
}

/// The cells, at most nine, that hold everything of a shape around a position, each once, the middle one first.
pub fn cells(shape: Shape, middle: Position) -> Vec<Cell> {
    let wanted = shape.bounds(middle);
    let mut cell = Cell::of(middle, step_for(shape.extent().2, middle.latitude));
    if cell.step > 1 && !reaches(cell, wanted) {
        cell = Cell::of(middle, cell.step - 1);
    }
    let here = cell.bounds();
    let needed = |&(east, north): &(i64, i64)| {
        // On the coarsest grid every neighbour is needed.
        cell.step < 2
            || !((north < 0 && here.latitude.0 < wanted.latitude.0)
                || (north > 0 && here.latitude.1 > wanted.latitude.1)
                || (east < 0 && here.longitude.0 < wanted.longitude.0)
                || (east > 0 && here.longitude.1 > wanted.longitude.1))
    };
    let mut cells = vec![cell];
    for (east, north) in NEIGHBOURS.iter().copied().filter(|by| needed(by)) {
        let neighbour = cell.moved(east, north);
        if !cells.contains(&neighbour) {
            cells.push(neighbour);
        }
    }
    cells
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::random::Rng;

    fn at(longitude: f64, latitude: f64) -> Position {
        Position { longitude, latitude }
    }

    fn random_position(rng: &mut Rng) -> Position {
        let mut degrees =
            |(min, max): (f64, f64)| min + (max - min) * rng.below(1 << 40) as f64 / (1u64 << 40) as f64;
        at(degrees(LONGITUDE), degrees(LATITUDE))
    }

    #[test]
    fn positions_have_the_numbers_of_redis() {
        let palermo = encode(at(13.361389, 38.115556));
        assert_eq!(palermo, 3_479_099_956_230_698);
        assert_eq!(encode(at(15.087269, 37.502669)), 3_479_447_370_796_909);
        let back = decode(palermo as f64);
        assert_eq!(back, at(13.361_389_338_970_184, 38.115_556_395_496_3));
        assert_eq!(&text(back), b"sqc8b49rny0");
    }

    #[test]
    fn a_position_survives_within_the_size_of_a_cell() {
        let mut rng = Rng::new(1);
        for _ in 0..1000 {
            let place = random_position(&mut rng);
            let back = decode(encode(place) as f64);
            assert!(distance(place, back) < 0.6, "{place:?}");
            let number = rng.next_u64() as u32;
            assert_eq!(gather(spread(number) | spread(!number) << 1), number);
        }
    }

    #[test]
    fn numbers_that_no_position_has_do_no_harm() {
        for score in [
            0.0,
            -0.0,
            -1.0,
            0.5,
            1e15,
            1e17,
            1e300,
            -1e300,
            f64::INFINITY,
            f64::NEG_INFINITY,
        ] {
            let Position { longitude, latitude } = decode(score);
            assert!((LONGITUDE.0..=LONGITUDE.1).contains(&longitude), "{score}");
            assert!((LATITUDE.0..=LATITUDE.1).contains(&latitude), "{score}");
        }
        assert_eq!((truncate(-1.0), truncate(1.9), truncate(1e300)), (u64::MAX, 1, 0));
    }

    #[test]
    fn distances() {
        let meters = distance(
            at(13.361_389_338_970_184, 38.115_556_395_496_3),
            at(15.087_267_458_438_873, 37.502_668_423_331_62),
        );
        assert_eq!(format!("{meters:.4}"), "166274.1516");
        assert_eq!(distance(at(3.0, 4.0), at(3.0, 4.0)), 0.0);
        assert!(!distance(at(-180.0, 0.0), at(0.0, 0.0)).is_nan());
        assert!(!distance(at(-90.0, -45.0), at(90.0, 45.0)).is_nan());
    }

    #[test]
    fn nine_cells_hold_everything_within() {
        let mut rng = Rng::new(2);
        for _ in 0..3000 {
            // Longitudes end at the date line, as in Redis.
            let middle = random_position(&mut rng);
            let middle = at(middle.longitude / 2.0, middle.latitude * 0.8);
            let meters = 10f64.powi(rng.below(6) as i32);
            let shape = if rng.below(2) == 0 {
                Shape::Circle(meters)
            } else {
                Shape::Rectangle {
                    width: meters,
                    height: meters * 2.0,
                }
            };
            let cells = cells(shape, middle);
            assert!((1..=9).contains(&cells.len()));
            let degrees = meters / 111_000.0;
            let mut aside = || degrees * (rng.below(2001) as f64 / 1000.0 - 1.0);
            let place = at(middle.longitude + aside(), middle.latitude + aside());
            let stored = encode(place);
            if shape.distance_within(middle, decode(stored as f64)).is_some() {
                assert!(
                    cells.iter().any(|cell| cell.scores().contains(&stored)),
                    "{middle:?} {shape:?} {place:?}"
                );
            }
        }
    }

    #[test]
    fn endless_shapes_have_cells() {
        for meters in [0.0, 1e-300, 1e300, f64::INFINITY] {
            for latitude in [LATITUDE.0, -70.0, 0.0, 81.0, LATITUDE.1] {
                assert!(!cells(Shape::Circle(meters), at(180.0, latitude)).is_empty());
                let shape = Shape::Rectangle {
                    width: meters,
                    height: meters,
                };
                assert!(!cells(shape, at(-180.0, latitude)).is_empty());
            }
        }
        assert_eq!(cells(Shape::Circle(f64::INFINITY), at(0.0, 0.0)).len(), 4);
    }
}
