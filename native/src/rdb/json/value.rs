//! Values as JSON. What has no order of its own is collected and sorted first.

use super::Form;
use super::writer::Writer;
use crate::rdb::event::{Event, ModuleEvent, StreamEvent, StreamHead, StreamId};
use crate::rdb::format;
use crate::value::Element;

/// What belongs to a member or field.
#[derive(Debug, Clone, PartialEq)]
enum Companion {
    None,
    Value(Vec<u8>),
    ExpiringValue(Vec<u8>, u64),
    Score(f64),
}

/// What of a stream has been opened and must be closed again.
#[derive(Debug, Default, Clone, Copy, PartialEq, PartialOrd)]
enum Open {
    #[default]
    Entries,
    Groups,
    GroupPending,
    Consumers,
    ConsumerPending,
}

/// The value at hand.
#[derive(Debug, Default)]
pub struct Collected {
    rows: Vec<(Vec<u8>, Companion)>,
    /// Whether elements are written at once: a list, or a stream's fields.
    is_ordered: bool,
    open: Open,
}

impl Collected {
    pub fn begin(&mut self, rdb_type: u8, writer: &mut Writer) {
        self.rows.clear();
        self.open = Open::Entries;
        self.is_ordered = false;
        match format::type_name(rdb_type) {
            Some("list") => {
                self.is_ordered = true;
                writer.open(b'[');
            }
            Some("stream") => {
                self.is_ordered = true;
                writer.open(b'{');
                writer.name("entries");
                writer.open(b'[');
            }
            _ => {}
        }
    }

    pub fn take(&mut self, event: Event<'_>, writer: &mut Writer) {
        match event {
            Event::String(value) => text(value, writer),
            Event::Element(element) if self.is_ordered => item(element, writer),
            Event::Element(element) => self.rows.push((element.to_vec(), Companion::None)),
            Event::Pair(field, value) if self.is_ordered => {
                item(field, writer);
                item(value, writer);
            }
            Event::Pair(field, value) => self.rows.push((field.to_vec(), Companion::Value(value.to_vec()))),
            Event::ExpiringPair {
                field,
                value,
                expire_at_ms,
            } => {
                self.rows.push((
                    field.to_vec(),
                    Companion::ExpiringValue(value.to_vec(), expire_at_ms),
                ));
            }
            Event::Scored(member, score) => self.rows.push((member.to_vec(), Companion::Score(score))),
            Event::Stream(event) => self.stream(event, writer),
            Event::Module(event) => module(event, writer),
            _ => {}
        }
    }

    pub fn end(&mut self, rdb_type: u8, form: Form, writer: &mut Writer) -> Result<(), String> {
        match format::type_name(rdb_type) {
            Some("string") => {}
            Some("list") => writer.close(b']'),
            Some("stream") => {
                self.close_to(Open::Groups, writer);
                writer.close(b']');
                writer.close(b'}');
            }
            Some("module") => {
                writer.close(b']');
                writer.close(b'}');
            }
            name => self.sorted(name == Some("set"), form, writer)?,
        }
        Ok(())
    }

    fn sorted(&mut self, is_set: bool, form: Form, writer: &mut Writer) -> Result<(), String> {
        self.rows.sort_unstable_by(|a, b| a.0.cmp(&b.0));
        if let Some(twins) = self.rows.windows(2).find(|pair| pair[0].0 == pair[1].0) {
            return Err(format!("'{}' comes twice", twins[0].0.escape_ascii()));
        }
        if form == Form::Canonical || is_set {
            writer.open(b'[');
            self.rows.iter().for_each(|row| canonical_row(row, writer));
            writer.close(b']');
            return Ok(());
        }
        self.rows.sort_by(|a, b| match (&a.1, &b.1) {
            (Companion::Score(a), Companion::Score(b)) => a.total_cmp(b),
            _ => std::cmp::Ordering::Equal,
        });
        writer.open(b'{');
        self.rows.iter().for_each(|row| plain_row(row, writer));
        writer.close(b'}');
        Ok(())
    }

    fn stream(&mut self, event: StreamEvent<'_>, writer: &mut Writer) {
        match event {
            StreamEvent::Entry(id) => {
                writer.item();
                writer.open(b'[');
                item_id(id, writer);
                writer.item();
                writer.open(b'[');
            }
            StreamEvent::EndEntry => {
                writer.close(b']');
                writer.close(b']');
            }
            StreamEvent::Head(head) => {
                writer.close(b']');
                stream_head(&head, writer);
                writer.name("groups");
                writer.open(b'[');
                self.open = Open::Groups;
            }
            StreamEvent::Group {
                name,
                last_id,
                entries_read,
            } => {
                self.close_to(Open::Groups, writer);
                self.group(name, last_id, entries_read, writer);
            }
            StreamEvent::Pending {
                id,
                delivered_at_ms,
                deliveries,
            } => {
                writer.item();
                writer.open(b'[');
                item_id(id, writer);
                writer.item();
                writer.number(delivered_at_ms);
                writer.item();
                writer.number(deliveries);
                writer.close(b']');
            }
            StreamEvent::Consumer {
                name,
                seen_at_ms,
                active_at_ms,
            } => {
                self.close_to(Open::Consumers, writer);
                self.consumer(name, seen_at_ms, active_at_ms, writer);
            }
            StreamEvent::Owned(id) => item_id(id, writer),
        }
    }

    fn group(
        &mut self,
        name: Element<'_>,
        last_id: StreamId,
        entries_read: Option<i64>,
        writer: &mut Writer,
    ) {
        writer.item();
        writer.open(b'{');
        writer.name("name");
        text(name, writer);
        named_id("last_id", last_id, writer);
        if let Some(count) = entries_read {
            writer.name("entries_read");
            writer.number(count);
        }
        writer.name("pel");
        writer.open(b'[');
        self.open = Open::GroupPending;
    }

    fn consumer(
        &mut self,
        name: Element<'_>,
        seen_at_ms: i64,
        active_at_ms: Option<i64>,
        writer: &mut Writer,
    ) {
        writer.item();
        writer.open(b'{');
        writer.name("name");
        text(name, writer);
        writer.name("seen");
        writer.number(seen_at_ms);
        if let Some(ms) = active_at_ms {
            writer.name("active");
            writer.number(ms);
        }
        writer.name("pel");
        writer.open(b'[');
        self.open = Open::ConsumerPending;
    }

    /// Closes what is open inside of `level`, opening a group's list of consumers where it is still missing.
    fn close_to(&mut self, level: Open, writer: &mut Writer) {
        if self.open == Open::GroupPending {
            writer.close(b']');
            writer.name("consumers");
            writer.open(b'[');
            self.open = Open::Consumers;
        }
        if self.open == Open::ConsumerPending {
            writer.close(b']');
            writer.close(b'}');
            self.open = Open::Consumers;
        }
        if self.open == Open::Consumers && level == Open::Groups {
            writer.close(b']');
            writer.close(b'}');
            self.open = Open::Groups;
        }
    }
}

fn canonical_row((name, companion): &(Vec<u8>, Companion), writer: &mut Writer) {
    writer.item();
    if *companion == Companion::None {
        return writer.text(name);
    }
    writer.open(b'[');
    writer.item();
    writer.text(name);
    writer.item();
    match companion {
        Companion::None => {}
        Companion::Value(value) => writer.text(value),
        Companion::Score(score) => writer.text(format!("{:016x}", score.to_bits()).as_bytes()),
        Companion::ExpiringValue(value, expire_at_ms) => {
            writer.text(value);
            writer.item();
            writer.number(expire_at_ms);
        }
    }
    writer.close(b']');
}

fn plain_row((name, companion): &(Vec<u8>, Companion), writer: &mut Writer) {
    writer.name_bytes(name);
    match companion {
        Companion::None => {}
        Companion::Value(value) | Companion::ExpiringValue(value, _) => writer.text(value),
        Companion::Score(score) if score.is_finite() => writer.number(score),
        Companion::Score(score) => writer.text(score.to_string().as_bytes()),
    }
}

fn stream_head(head: &StreamHead, writer: &mut Writer) {
    writer.name("length");
    writer.number(head.length);
    named_id("last_id", head.last_id, writer);
    if let Some(counters) = head.counters {
        named_id("first_id", counters.first_id, writer);
        named_id("max_deleted", counters.max_deleted_id, writer);
        writer.name("entries_added");
        writer.number(counters.entries_added);
    }
}

fn module(event: ModuleEvent<'_>, writer: &mut Writer) {
    if let ModuleEvent::Begin { name, version } = event {
        writer.open(b'{');
        writer.name("module");
        writer.text(name.as_bytes());
        writer.name("ver");
        writer.number(version);
        writer.name("ops");
        return writer.open(b'[');
    }
    writer.item();
    writer.open(b'[');
    writer.item();
    let mut piece = |kind: &str, shown: String| {
        writer.text(kind.as_bytes());
        writer.item();
        writer.number(shown);
    };
    match event {
        ModuleEvent::Begin { .. } => {}
        ModuleEvent::Int(n) => piece("i", n.to_string()),
        ModuleEvent::Uint(n) => piece("u", n.to_string()),
        ModuleEvent::Float(n) => piece("f", format!("\"{:08x}\"", n.to_bits())),
        ModuleEvent::Double(n) => piece("d", format!("\"{:016x}\"", n.to_bits())),
        ModuleEvent::Text(value) => {
            writer.text(b"str");
            item(value, writer);
        }
    }
    writer.close(b']');
}

fn text(element: Element<'_>, writer: &mut Writer) {
    writer.text(&element.to_cow());
}

fn item(element: Element<'_>, writer: &mut Writer) {
    writer.item();
    text(element, writer);
}

fn item_id(id: StreamId, writer: &mut Writer) {
    writer.item();
    writer.text(id.to_string().as_bytes());
}

fn named_id(name: &str, id: StreamId, writer: &mut Writer) {
    writer.name(name);
    writer.text(id.to_string().as_bytes());
}
