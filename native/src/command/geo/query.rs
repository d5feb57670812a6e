//! The words of a search. They are checked in Redis's order, which looks for the source, and for the member in the middle, on
//! the way: what is wrong first decides which refusal is given.

use super::{position, unit};
use crate::command::Args;
use crate::command::args::{float, int, is_option};
use crate::status::Status;
use crate::structure::geohash::{self, Position, Shape};
use crate::value::ZSetValue;

const NO_MEMBER: Status = Status::Text("ERR could not decode requested zset member");

/// Which command of the family is asked.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Form {
    /// `GEORADIUS key longitude latitude radius unit`; with STORE and STOREDIST, unless it only reads.
    Radius {
        /// Whether the result may be stored.
        stores: bool,
    },
    /// `GEORADIUSBYMEMBER key member radius unit`, as above.
    RadiusByMember {
        /// Whether the result may be stored.
        stores: bool,
    },
    /// `GEOSEARCH key`.
    Search,
    /// `GEOSEARCHSTORE destination key`.
    SearchStore,
}

/// The order of the results.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Order {
    /// Nearest first.
    Ascending,
    /// Farthest first.
    Descending,
}

/// What is searched for, and what is told about it.
#[derive(Debug, Default)]
pub struct Query<'a> {
    /// Where the search begins; anywhere, if there is no source.
    pub middle: Position,
    shape: Option<Shape>,
    /// Meters of the unit in which distances are told.
    pub unit: f64,
    /// WITHDIST.
    pub with_distance: bool,
    /// WITHHASH.
    pub with_hash: bool,
    /// WITHCOORD.
    pub with_position: bool,
    /// ASC, DESC; by cells, if neither is given.
    pub order: Option<Order>,
    /// COUNT.
    pub count: Option<usize>,
    /// ANY: the first matches that are found are enough.
    pub any: bool,
    /// Where to store the result.
    pub destination: Option<&'a [u8]>,
    /// Whether distances are stored, instead of positions.
    pub store_distance: bool,
    from_member: bool,
    from_position: bool,
}

/// A length that is not negative.
fn length(word: &[u8], missing: &'static str, negative: &'static str) -> Result<f64, Status> {
    let length = float(word).map_err(|_| Status::Text(missing))?;
    if length < 0.0 {
        return Err(Status::Text(negative));
    }
    Ok(length)
}

impl<'a> Query<'a> {
    /// Reads the words of a request whose number of words fits. `source` is the set to search, if there is one.
    ///
    /// # Errors
    /// What Redis gives.
    pub fn parse(words: Args<'a>, form: Form, source: Option<&ZSetValue>) -> Result<Query<'a>, Status> {
        let mut query = Query {
            unit: 1.0,
            ..Query::default()
        };
        let options = match form {
            Form::Radius { .. } => {
                query.middle = position(words[2], words[3])?;
                query.radius(words[4], words[5])?;
                &words[6..]
            }
            Form::RadiusByMember { .. } => {
                if let Some(source) = source {
                    query.member(words[2], source)?;
                    query.radius(words[3], words[4])?;
                }
                &words[5..]
            }
            Form::Search => &words[2..],
            Form::SearchStore => {
                query.destination = Some(words[1]);
                &words[3..]
            }
        };
        query.options(options, form, source)?;
        query.check(words[0], form)?;
        Ok(query)
    }

    /// The shape that is searched; [`Query::parse`] has seen to it that there is one, unless there is no source.
    pub fn shape(&self) -> Shape {
        self.shape.unwrap_or(Shape::Circle(0.0))
    }

    fn member(&mut self, member: &[u8], source: &ZSetValue) -> Result<(), Status> {
        let score = source.score(member).ok_or(NO_MEMBER)?;
        self.middle = geohash::decode(score);
        Ok(())
    }

    fn radius(&mut self, radius: &[u8], name: &[u8]) -> Result<(), Status> {
        let radius = length(radius, "ERR need numeric radius", "ERR radius cannot be negative")?;
        self.unit = unit(name)?;
        self.shape = Some(Shape::Circle(radius * self.unit));
        Ok(())
    }

    fn rectangle(&mut self, width: &[u8], height: &[u8], name: &[u8]) -> Result<(), Status> {
        // Both have to be numbers before either may be refused for its sign.
        let width = float(width).map_err(|_| Status::Text("ERR need numeric width"))?;
        let negative = "ERR height or width cannot be negative";
        let height = length(height, "ERR need numeric height", negative)?;
        if width < 0.0 {
            return Err(Status::Text(negative));
        }
        self.unit = unit(name)?;
        self.shape = Some(Shape::Rectangle {
            width: width * self.unit,
            height: height * self.unit,
        });
        Ok(())
    }

    fn options(
        &mut self,
        mut rest: &[&'a [u8]],
        form: Form,
        source: Option<&ZSetValue>,
    ) -> Result<(), Status> {
        while let [word, behind @ ..] = rest {
            let left = if self.flag(word) {
                Some(behind)
            } else if let [number, left @ ..] = behind
                && is_option(word, "COUNT")
            {
                self.count = Some(count(number)?);
                Some(left)
            } else {
                match form {
                    Form::Radius { stores } | Form::RadiusByMember { stores } => {
                        self.store(word, behind, stores)
                    }
                    Form::SearchStore if is_option(word, "STOREDIST") => {
                        self.store_distance = true;
                        Some(behind)
                    }
                    Form::Search | Form::SearchStore => self.place(word, behind, source)?,
                }
            };
            rest = left.ok_or(Status::Syntax)?;
        }
        Ok(())
    }

    /// Takes an option of one word.
    fn flag(&mut self, word: &[u8]) -> bool {
        match word {
            _ if is_option(word, "WITHDIST") => self.with_distance = true,
            _ if is_option(word, "WITHHASH") => self.with_hash = true,
            _ if is_option(word, "WITHCOORD") => self.with_position = true,
            _ if is_option(word, "ANY") => self.any = true,
            _ if is_option(word, "ASC") => self.order = Some(Order::Ascending),
            _ if is_option(word, "DESC") => self.order = Some(Order::Descending),
            _ => return false,
        }
        true
    }

    /// Takes STORE and STOREDIST, and gives the words behind.
    fn store<'w>(&mut self, word: &[u8], behind: &'w [&'a [u8]], stores: bool) -> Option<&'w [&'a [u8]]> {
        let by_distance = is_option(word, "STOREDIST");
        let [key, left @ ..] = behind else { return None };
        if !stores || !(by_distance || is_option(word, "STORE")) {
            return None;
        }
        self.destination = Some(key);
        self.store_distance = by_distance;
        Some(left)
    }

    /// Takes what GEOSEARCH says of the middle and the shape, and gives the words behind; `None` for any other word.
    fn place<'w>(
        &mut self,
        word: &[u8],
        behind: &'w [&'a [u8]],
        source: Option<&ZSetValue>,
    ) -> Result<Option<&'w [&'a [u8]]>, Status> {
        let round = matches!(self.shape, None | Some(Shape::Circle(_)));
        let square = matches!(self.shape, None | Some(Shape::Rectangle { .. }));
        match behind {
            [member, left @ ..] if is_option(word, "FROMMEMBER") && !self.from_position => {
                if let Some(source) = source {
                    self.member(member, source)?;
                }
                self.from_member = true;
                Ok(Some(left))
            }
            [longitude, latitude, left @ ..] if is_option(word, "FROMLONLAT") && !self.from_member => {
                self.middle = position(longitude, latitude)?;
                self.from_position = true;
                Ok(Some(left))
            }
            [radius, name, left @ ..] if is_option(word, "BYRADIUS") && round => {
                self.radius(radius, name)?;
                Ok(Some(left))
            }
            [width, height, name, left @ ..] if is_option(word, "BYBOX") && square => {
                self.rectangle(width, height, name)?;
                Ok(Some(left))
            }
            _ => Ok(None),
        }
    }

    /// Refuses what does not fit together.
    fn check(&self, name: &[u8], form: Form) -> Result<(), Status> {
        let told = self.with_distance || self.with_hash || self.with_position;
        if self.destination.is_some() && told {
            return Err(Status::Text(if form == Form::SearchStore {
                "ERR GEOSEARCHSTORE is not compatible with WITHDIST, WITHHASH and WITHCOORD options"
            } else {
                "ERR STORE option in GEORADIUS is not compatible with WITHDIST, WITHHASH and WITHCOORD options"
            }));
        }
        if matches!(form, Form::Search | Form::SearchStore) {
            let name = String::from_utf8_lossy(name);
            let one_of = |pair| {
                Err(Status::Owned(format!(
                    "ERR exactly one of {pair} can be specified for {name}"
                )))
            };
            if !self.from_member && !self.from_position {
                return one_of("FROMMEMBER or FROMLONLAT");
            }
            if self.shape.is_none() {
                return one_of("BYRADIUS and BYBOX");
            }
        }
        if self.any && self.count.is_none() {
            return Err(Status::Text("ERR the ANY argument requires COUNT argument"));
        }
        Ok(())
    }
}

fn count(word: &[u8]) -> Result<usize, Status> {
    match int(word)? {
        n if n > 0 => Ok(usize::try_from(n).unwrap_or(usize::MAX)),
        _ => Err(Status::Text("ERR COUNT must be > 0")),
    }
}
