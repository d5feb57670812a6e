//! The notation of templates: see the module above.

use super::Request;
use holdfast::random::Rng;

/// How often a repeated part comes at most, and how often once in a while.
const REPEATED: usize = 4;
const REPEATED_OFTEN: usize = 200;
const OFTEN_ONCE_IN: usize = 25;

#[derive(Debug)]
enum Part {
    Literal(String),
    Kind(String),
    /// One of these; or none, if `optional`.
    Choice {
        of: Vec<Template>,
        optional: bool,
    },
    Group(Template),
    Repeated(Box<Part>),
}

/// A sequence of parts.
#[derive(Debug)]
pub struct Template(Vec<Part>);

/// Fills in a word of a kind: more than one, if the kind says so.
pub type Fill<'a> = dyn FnMut(&mut Rng, &str) -> Vec<Vec<u8>> + 'a;

struct Parser<'a> {
    text: &'a str,
    at: usize,
}

impl Parser<'_> {
    fn peek(&self) -> Option<char> {
        self.text[self.at..].chars().next()
    }

    fn take(&mut self, wanted: char) -> bool {
        let found = self.peek() == Some(wanted);
        if found {
            self.at += wanted.len_utf8();
        }
        found
    }

    fn until(&mut self, ends: &[char]) -> String {
        let rest = &self.text[self.at..];
        let length = rest.find(ends).unwrap_or(rest.len());
        self.at += length;
        rest[..length].to_string()
    }

    fn sequence(&mut self) -> Template {
        let mut parts = Vec::new();
        while let Some(next) = self.peek() {
            match next {
                ' ' => self.at += 1,
                '|' | ']' | '}' | ')' => break,
                _ => parts.push(self.part()),
            }
        }
        Template(parts)
    }

    fn part(&mut self) -> Part {
        let part = if self.take('<') {
            let kind = self.until(&['>']);
            assert!(self.take('>'), "a kind has no end: {}", self.text);
            Part::Kind(kind)
        } else if self.take('[') {
            self.choice(']', true)
        } else if self.take('{') {
            self.choice('}', false)
        } else if self.take('(') {
            let group = self.sequence();
            assert!(self.take(')'), "a group has no end: {}", self.text);
            Part::Group(group)
        } else {
            return Part::Literal(self.until(&[' ', '|', ']', '}', ')', '<', '[', '{']));
        };
        if self.take('+') {
            Part::Repeated(Box::new(part))
        } else {
            part
        }
    }

    fn choice(&mut self, end: char, optional: bool) -> Part {
        let mut of = vec![self.sequence()];
        while self.take('|') {
            of.push(self.sequence());
        }
        assert!(self.take(end), "a choice has no end: {}", self.text);
        Part::Choice { of, optional }
    }
}

impl Template {
    /// Reads the notation. Panics if it is wrong.
    pub fn parse(text: &str) -> Template {
        let mut parser = Parser { text, at: 0 };
        let template = parser.sequence();
        assert_eq!(parser.at, text.len(), "more ends than beginnings: {text}");
        template
    }

    /// Appends a request of this form.
    pub fn write(&self, rng: &mut Rng, fill: &mut Fill<'_>, out: &mut Request) {
        for part in &self.0 {
            part.write(rng, fill, out);
        }
    }
}

impl Part {
    fn write(&self, rng: &mut Rng, fill: &mut Fill<'_>, out: &mut Request) {
        match self {
            Part::Literal(text) => out.push(text.clone().into_bytes()),
            Part::Kind(kind) => out.extend(fill(rng, kind)),
            Part::Choice { optional: true, .. } if rng.below(2) == 0 => {}
            Part::Choice { of, .. } => of[rng.below(of.len())].write(rng, fill, out),
            Part::Group(group) => group.write(rng, fill, out),
            Part::Repeated(part) => {
                let often = rng.below(OFTEN_ONCE_IN) == 0;
                for _ in 0..=rng.below(if often { REPEATED_OFTEN } else { REPEATED }) {
                    part.write(rng, fill, out);
                }
            }
        }
    }
}
