//! Values of modules: a row of tagged pieces, which can be walked without knowing the module.

use super::say;
use crate::rdb::cursor::{Cursor, Parsed};
use crate::rdb::event::{Event, ModuleEvent, Sink};
use crate::rdb::format;

const PIECE_END: u64 = 0;
const PIECE_INT: u64 = 1;
const PIECE_UINT: u64 = 2;
const PIECE_FLOAT: u64 = 3;
const PIECE_DOUBLE: u64 = 4;
const PIECE_TEXT: u64 = 5;

const NAME_CHARACTERS: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";

/// A module's value, or its metadata, being read.
#[derive(Debug)]
pub struct ModuleBody {
    /// Whether the module's id is still to be read.
    at_id: bool,
}

impl ModuleBody {
    /// At the id in front of a value.
    pub fn begin() -> Self {
        ModuleBody { at_id: true }
    }

    /// Behind everything but the pieces.
    pub fn begin_pieces() -> Self {
        ModuleBody { at_id: false }
    }

    /// Reads the head of a module's metadata, and tells whose it is.
    pub fn begin_aux<S: Sink + ?Sized>(cursor: &mut Cursor<'_>, sink: &mut S) -> Parsed<Self> {
        let from = cursor.offset();
        let (name, version) = module_name(cursor.length()?);
        if cursor.length()? != PIECE_UINT {
            return cursor.bad("metadata of a module does not say when it was written");
        }
        let when = cursor.length()?;
        if !matches!(
            when,
            format::MODULE_AUX_BEFORE_KEYS | format::MODULE_AUX_BEHIND_KEYS
        ) {
            return cursor.bad(format!("metadata of a module written at an unknown time {when}"));
        }
        say(sink, from, Event::ModuleAux { name: &name, version })?;
        Ok(ModuleBody::begin_pieces())
    }

    /// Reads the next piece; true when the value is complete.
    pub fn step<S: Sink + ?Sized>(&mut self, cursor: &mut Cursor<'_>, sink: &mut S) -> Parsed<bool> {
        let from = cursor.offset();
        if self.at_id {
            let (name, version) = module_name(cursor.length()?);
            self.at_id = false;
            say(
                sink,
                from,
                Event::Module(ModuleEvent::Begin { name: &name, version }),
            )?;
            return Ok(false);
        }
        let piece = match cursor.length()? {
            PIECE_END => return Ok(true),
            PIECE_INT => ModuleEvent::Int(cursor.length()? as i64),
            PIECE_UINT => ModuleEvent::Uint(cursor.length()?),
            PIECE_FLOAT => ModuleEvent::Float(cursor.f32()?),
            PIECE_DOUBLE => ModuleEvent::Double(cursor.f64()?),
            PIECE_TEXT => {
                let text = cursor.text()?;
                say(sink, from, Event::Module(ModuleEvent::Text(text.element())))?;
                return Ok(false);
            }
            other => return cursor.bad(format!("unknown piece {other} in a module's value")),
        };
        say(sink, from, Event::Module(piece))?;
        Ok(false)
    }

    /// As [`ModuleBody::step`], telling nobody.
    pub fn skip(&mut self, cursor: &mut Cursor<'_>) -> Parsed<bool> {
        struct Nobody;
        impl Sink for Nobody {
            fn event(&mut self, _event: Event<'_>) -> Result<(), String> {
                Ok(())
            }
        }
        self.step(cursor, &mut Nobody)
    }
}

/// The name (nine characters of six bits) and the version (ten bits) in a module's id.
fn module_name(id: u64) -> (String, u16) {
    let characters = (0..9).map(|i| NAME_CHARACTERS[(id >> (58 - 6 * i) & 63) as usize] as char);
    (characters.collect(), (id & 1023) as u16)
}
