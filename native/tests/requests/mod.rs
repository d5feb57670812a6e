//! Random requests from templates: one line for each command, in the notation of a usage text.
//!
//! `<name>` is a random word of that kind, `[a|b]` one of these or nothing, `{a|b}` one of these, `(...)` a group, and a
//! `+` right behind a word or a group repeats it. Everything else stands for itself.

// Every program that includes this uses a part of it.
#![allow(dead_code)]

mod grammar;
mod templates;
mod words;

use holdfast::command::{FAMILIES, Spec};
use holdfast::random::Rng;
use std::collections::HashMap;

use grammar::Template;
pub use words::Scene;

/// A request in words.
pub type Request = Vec<Vec<u8>>;

/// A command of the table with its template.
pub struct Row {
    /// Its facts.
    pub spec: &'static Spec,
    /// Whose keys it names most of the time.
    pool: &'static str,
    template: Template,
}

/// All commands that have a template.
pub struct Requests {
    pub rows: Vec<Row>,
}

impl Requests {
    /// Reads the templates. Panics if a command that writes has none, and if a template is for no command.
    pub fn new() -> Requests {
        let mut templates: HashMap<&str, (&str, &str)> = HashMap::new();
        for (pool, commands) in templates::ALL {
            for (name, text) in *commands {
                let before = templates.insert(name, (pool, text));
                assert!(before.is_none(), "{name} has two templates");
            }
        }
        let mut rows = Vec::new();
        for spec in FAMILIES.iter().copied().flatten() {
            let Some((pool, text)) = templates.remove(spec.name) else {
                assert!(
                    !spec.write,
                    "{} writes and has no template: give it one line in tests/requests/templates.rs",
                    spec.name
                );
                continue;
            };
            let template = Template::parse(text);
            rows.push(Row { spec, pool, template });
        }
        Requests { rows }
    }

    /// A request of this row.
    pub fn make(&self, row: usize, rng: &mut Rng, scene: &Scene<'_>) -> Request {
        let Row { spec, pool, template } = &self.rows[row];
        let mut request = vec![spec.name.to_ascii_uppercase().into_bytes()];
        template.write(
            rng,
            &mut |rng, kind| words::word(kind, pool, rng, scene),
            &mut request,
        );
        request
    }

    /// Positions of the rows that `choose` wants.
    pub fn chosen(&self, choose: impl Fn(&Spec) -> bool) -> Vec<usize> {
        (0..self.rows.len())
            .filter(|&row| choose(self.rows[row].spec))
            .collect()
    }
}

/// A request for a reader.
pub fn printed(request: &Request) -> String {
    let words = request
        .iter()
        .take(24)
        .map(|word| format!("{:?}", String::from_utf8_lossy(word)));
    let cut = if request.len() > 24 { " ..." } else { "" };
    words.collect::<Vec<_>>().join(" ") + cut
}
