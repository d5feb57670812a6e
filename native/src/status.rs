//! Every way a command can fail, and the one table that turns it into Redis's error text.

/// Why a command was refused. A refused command has changed nothing.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Status {
    /// The key holds another type.
    WrongType,
    /// An argument or a value is not a 64-bit integer.
    NotInteger,
    /// An argument or a value is not a finite number.
    NotFloat,
    /// The options do not fit together.
    Syntax,
    /// An increment would leave the 64-bit range.
    Overflow,
    /// An increment would give NaN or an infinity.
    NotFinite,
    /// The index is outside of the list.
    IndexOutOfRange,
    /// An argument is outside of its range.
    OutOfRange,
    /// The key does not exist, where the command needs one.
    NoSuchKey,
    /// A string would become longer than 512 MiB.
    StringTooLong,
    /// The number of arguments does not fit the command of this name (lower case).
    Arity(String),
    /// No command of this name; the text that Redis gives for it.
    UnknownCommand(String),
    /// The expiry is not a valid time for the command of this name (lower case).
    InvalidExpire(&'static str),
    /// Any other refusal: the complete text, with its code (`ERR ...`).
    Text(&'static str),
    /// As [`Status::Text`], where the text depends on the arguments.
    Owned(String),
}

impl Status {
    /// The error line of a reply, without the leading `-`: a code, a space, a sentence.
    pub fn text(&self) -> std::borrow::Cow<'static, str> {
        let fixed = match self {
            Status::WrongType => "WRONGTYPE Operation against a key holding the wrong kind of value",
            Status::NotInteger => "ERR value is not an integer or out of range",
            Status::NotFloat => "ERR value is not a valid float",
            Status::Syntax => "ERR syntax error",
            Status::Overflow => "ERR increment or decrement would overflow",
            Status::NotFinite => "ERR increment would produce NaN or Infinity",
            Status::IndexOutOfRange => "ERR index out of range",
            Status::OutOfRange => "ERR value is out of range, must be positive",
            Status::NoSuchKey => "ERR no such key",
            Status::StringTooLong => "ERR string exceeds maximum allowed size (proto-max-bulk-len)",
            Status::Text(text) => text,
            Status::Arity(name) => {
                return format!("ERR wrong number of arguments for '{name}' command").into();
            }
            Status::InvalidExpire(name) => {
                return format!("ERR invalid expire time in '{name}' command").into();
            }
            Status::UnknownCommand(text) | Status::Owned(text) => return text.clone().into(),
        };
        fixed.into()
    }
}
