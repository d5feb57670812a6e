//! The workbench for RDB files: an object for each tool, fed and drained in chunks. An object belongs to the thread that
//! made it.

use super::rdb::{ERR, Refused, corrupt, field, guarded};
use crate::clock;
use crate::rdb::inspect::BIGGEST_KEYS_MAX;
use crate::rdb::json::Form;
use crate::rdb::workbench::{
    Check, Compose, ComposeOptions, Convert, ConvertOptions, Diff, Facts, Failure, Side, Tool,
};
use crate::rdb::{Inspect, InspectOptions, Json, Options, RdbError, Reader, type_name, write};
use napi::bindgen_prelude::{Buffer, Either, Uint8Array};
use napi_derive::napi;
use std::io;
use std::path::PathBuf;

const IO: &str = "IO";
const OUT_OF_RANGE: &str = "ERR_OUT_OF_RANGE";

/// What is wrong with a file.
#[napi(object)]
pub struct RdbFault {
    /// From the file's first byte.
    pub offset: f64,
    /// A clause without a full stop.
    pub reason: String,
}

impl From<&RdbError> for RdbFault {
    fn from(error: &RdbError) -> Self {
        RdbFault {
            offset: error.offset as f64,
            reason: error.reason.clone(),
        }
    }
}

fn io_failure(error: io::Error) -> Refused {
    Refused::new(IO, format!("temporary file: {error}"))
}

fn refused(reason: String) -> Refused {
    Refused::new(ERR, reason)
}

/// A reader with its sink, and what was wrong with the file.
struct Feed<S> {
    reader: Reader,
    sink: S,
    fault: Option<RdbError>,
}

impl<S: Tool> Feed<S> {
    /// For a sink that does not mind keys that come twice, or notices them by itself.
    fn new(sink: S) -> Self {
        Feed::with_options(
            sink,
            Options {
                refuse_duplicate_keys: false,
            },
        )
    }

    fn with_options(sink: S, options: Options) -> Self {
        Feed {
            reader: Reader::new(options),
            sink,
            fault: None,
        }
    }

    /// Gives the number of bytes that belong to the file.
    fn push(&mut self, chunk: &[u8]) -> Result<u32, Refused> {
        guarded(|| match self.reader.push(chunk, &mut self.sink) {
            Ok(taken) => Ok(taken as u32),
            Err(error) => Err(self.refusal(error)),
        })
    }

    fn finish(&mut self) -> Result<(), Refused> {
        self.reader.finish().map_err(|error| self.refusal(error))
    }

    fn refusal(&mut self, error: RdbError) -> Refused {
        match self.sink.failure() {
            Some(Failure::Io(error)) => io_failure(error),
            Some(Failure::Refused(reason)) => refused(reason),
            None => {
                self.fault = Some(error.clone());
                corrupt(error)
            }
        }
    }

    fn fault(&self) -> Option<RdbFault> {
        self.fault.as_ref().map(RdbFault::from)
    }
}

/// Turns a file into JSON.
#[napi]
pub struct RdbJson {
    feed: Feed<Json>,
}

#[napi]
impl RdbJson {
    /// At the beginning of a file.
    #[napi(constructor)]
    pub fn new(canonical: bool, folder: Option<String>) -> Self {
        let form = if canonical { Form::Canonical } else { Form::Plain };
        let folder = folder.map_or_else(std::env::temp_dir, PathBuf::from);
        RdbJson {
            feed: Feed::with_options(Json::with_folder(form, folder), Options::default()),
        }
    }

    /// Takes the next piece; gives the text that is complete.
    #[napi]
    pub fn push(&mut self, chunk: &[u8]) -> Result<Buffer, Refused> {
        self.feed.push(chunk)?;
        Ok(self.feed.sink.take().into())
    }

    /// Checks that the file is complete; gives the next piece of the remaining text, an empty one behind its end.
    #[napi]
    pub fn finish(&mut self) -> Result<Buffer, Refused> {
        self.feed.finish()?;
        let text = self.feed.sink.take();
        match self.feed.sink.take_failure() {
            Some(error) => Err(io_failure(error)),
            None => Ok(text.into()),
        }
    }

    /// What is wrong with the file, if that is why a call failed.
    #[napi(getter)]
    pub fn fault(&self) -> Option<RdbFault> {
        self.feed.fault()
    }
}

/// What to count.
#[napi(object)]
pub struct RdbInspectOptions {
    /// How many of the biggest keys are named.
    pub biggest: u32,
    /// Whether keys are counted by slot.
    pub slots: bool,
}

/// Counts what is in a file.
#[napi]
pub struct RdbInspect {
    feed: Feed<Inspect>,
}

#[napi]
impl RdbInspect {
    /// At the beginning of a file.
    #[napi(constructor)]
    pub fn new(options: RdbInspectOptions) -> Result<Self, Refused> {
        let biggest = options.biggest as usize;
        if biggest > BIGGEST_KEYS_MAX {
            let reason = format!("at most {BIGGEST_KEYS_MAX} of the biggest keys can be named");
            return Err(Refused::new(OUT_OF_RANGE, reason));
        }
        let inspect = Inspect::with_options(InspectOptions {
            now_ms: clock::wall_ms(),
            biggest,
            slots: options.slots,
        });
        Ok(RdbInspect {
            feed: Feed::new(inspect),
        })
    }

    /// Takes the next piece; gives the number of its bytes that belong to the file.
    #[napi]
    pub fn push(&mut self, chunk: &[u8]) -> Result<u32, Refused> {
        self.feed.push(chunk)
    }

    /// Checks that the file is complete; gives the report as JSON.
    #[napi]
    pub fn finish(&mut self) -> Result<String, Refused> {
        self.feed.finish()?;
        Ok(String::from_utf8_lossy(&self.feed.sink.report()).into_owned())
    }

    /// What is wrong with the file, if that is why a call failed.
    #[napi(getter)]
    pub fn fault(&self) -> Option<RdbFault> {
        self.feed.fault()
    }
}

/// What a sound file has.
#[napi(object)]
pub struct RdbChecked {
    /// Whose format it is.
    pub format: String,
    /// Version of the format.
    pub version: u32,
    /// `right`, `disabled` or `none`.
    pub checksum: String,
    /// Keys.
    pub keys: f64,
    /// Those of them that are in another database than 0.
    pub other_databases: f64,
    /// Libraries of functions.
    pub functions: f64,
}

/// Checks a file.
#[napi]
pub struct RdbCheck {
    feed: Feed<Check>,
}

#[napi]
impl RdbCheck {
    /// At the beginning of a file; temporary files go to the folder.
    #[napi(constructor)]
    pub fn new(folder: String) -> Self {
        RdbCheck {
            feed: Feed::new(Check::new(PathBuf::from(folder))),
        }
    }

    /// Takes the next piece; gives the number of its bytes that belong to the file.
    #[napi]
    pub fn push(&mut self, chunk: &[u8]) -> Result<u32, Refused> {
        self.feed.push(chunk)
    }

    /// Checks that the file is complete.
    #[napi]
    pub fn finish(&mut self) -> Result<(), Refused> {
        self.feed.finish()
    }

    /// What has been read.
    #[napi(getter)]
    pub fn counts(&self) -> RdbChecked {
        let counts = self.feed.sink.counts();
        RdbChecked {
            format: crate::rdb::inspect::magic_name(counts.magic).into(),
            version: counts.version,
            checksum: crate::rdb::inspect::checksum_name(counts.checksum).into(),
            keys: counts.keys as f64,
            other_databases: counts.other_databases as f64,
            functions: counts.functions as f64,
        }
    }

    /// What is wrong with the file, if that is why a call failed.
    #[napi(getter)]
    pub fn fault(&self) -> Option<RdbFault> {
        self.feed.fault()
    }
}

/// Finds what differs between two files: one, then the other, then the differences.
#[napi]
pub struct RdbDiff {
    folder: PathBuf,
    feed: Feed<Side>,
    before: Option<Side>,
    diff: Option<Diff>,
}

#[napi]
impl RdbDiff {
    /// At the beginning of the first file; temporary files go to the folder.
    #[napi(constructor)]
    pub fn new(folder: String) -> Self {
        let folder = PathBuf::from(folder);
        RdbDiff {
            feed: Feed::new(Side::new(folder.clone())),
            folder,
            before: None,
            diff: None,
        }
    }

    /// Takes the next piece; gives the number of its bytes that belong to the file.
    #[napi]
    pub fn push(&mut self, chunk: &[u8]) -> Result<u32, Refused> {
        self.feed.push(chunk)
    }

    /// Ends a file: after the first comes the second, after the second come the differences.
    #[napi]
    pub fn finish(&mut self) -> Result<(), Refused> {
        self.feed.finish()?;
        let next = Feed::new(Side::new(self.folder.clone()));
        let side = std::mem::replace(&mut self.feed, next).sink;
        match self.before.take() {
            None => self.before = Some(side),
            Some(before) => self.diff = Some(Diff::new(before, side).map_err(io_failure)?),
        }
        Ok(())
    }

    /// The next differences, about so many bytes of them; none behind the last.
    #[napi]
    pub fn next(&mut self, bytes_wanted: u32) -> Result<Buffer, Refused> {
        let batch = match &mut self.diff {
            Some(diff) => diff.next_batch(bytes_wanted as usize).map_err(io_failure)?,
            None => Vec::new(),
        };
        Ok(batch.into())
    }

    /// Keys added, removed, changed, equal.
    #[napi(getter)]
    pub fn counts(&self) -> Vec<f64> {
        let counts = self.diff.as_ref().map_or([0; 4], Diff::counts);
        counts.map(|count| count as f64).to_vec()
    }

    /// What is wrong with the file, if that is why a call failed.
    #[napi(getter)]
    pub fn fault(&self) -> Option<RdbFault> {
        self.feed.fault()
    }
}

/// What to make of a file.
#[napi(object)]
pub struct RdbConvertOptions {
    /// Version, 9 to 12.
    pub version: u32,
    /// Whether strings are compressed.
    pub compress: bool,
    /// A pattern for the names of keys.
    pub pattern: Option<Uint8Array>,
    /// Types of keys.
    pub types: Vec<String>,
    /// A database.
    pub db: Option<f64>,
    /// What to put before the names of keys.
    pub prefix: Option<Uint8Array>,
    /// Whether expiries are left out.
    pub strip_ttl: bool,
    /// Whether libraries of functions are left out.
    pub drop_functions: bool,
}

fn check_version(version: u32) -> Result<(), Refused> {
    if write::VERSIONS.contains(&version) {
        return Ok(());
    }
    let reason = format!("RDB version {version} cannot be written");
    Err(Refused::new(OUT_OF_RANGE, reason))
}

/// Makes another file of a file.
#[napi]
pub struct RdbConvert {
    feed: Feed<Convert>,
    /// What is being handed out, and how far.
    written: Vec<u8>,
    read: usize,
}

#[napi]
impl RdbConvert {
    /// At the beginning of a file.
    #[napi(constructor)]
    pub fn new(options: RdbConvertOptions) -> Result<Self, Refused> {
        check_version(options.version)?;
        let convert = Convert::new(ConvertOptions {
            version: options.version,
            compress: options.compress,
            pattern: options.pattern.map(|pattern| pattern.to_vec()),
            types: options.types,
            db: options.db.map(|db| db as u64),
            prefix: options.prefix.map(|prefix| prefix.to_vec()).unwrap_or_default(),
            strip_ttl: options.strip_ttl,
            drop_functions: options.drop_functions,
        });
        Ok(RdbConvert {
            feed: Feed::with_options(convert, Options::default()),
            written: Vec::new(),
            read: 0,
        })
    }

    /// Takes the next piece; gives the number of its bytes that belong to the file.
    #[napi]
    pub fn push(&mut self, chunk: &[u8]) -> Result<u32, Refused> {
        self.feed.push(chunk)
    }

    /// Copies the next bytes of what has been written, and says how many these are: 0 behind the last.
    #[napi]
    pub fn read(&mut self, mut target: Uint8Array) -> u32 {
        if self.read == self.written.len() {
            self.feed.sink.take_into(&mut self.written);
            self.read = 0;
        }
        // SAFETY: the bytes are the caller's, who is in this call and reads them behind it.
        let target = unsafe { target.as_mut() };
        let rest = &self.written[self.read..];
        let count = rest.len().min(target.len());
        target[..count].copy_from_slice(&rest[..count]);
        self.read += count;
        count as u32
    }

    /// Checks that the file is complete; gives the end of the other one.
    #[napi]
    pub fn finish(&mut self) -> Result<Buffer, Refused> {
        self.feed.finish()?;
        Ok(self.feed.sink.finish().into())
    }

    /// Keys written, keys left out, bytes written.
    #[napi(getter)]
    pub fn counts(&self) -> Vec<f64> {
        self.feed.sink.counts().map(|count| count as f64).to_vec()
    }

    /// What is wrong with the file, if that is why a call failed.
    #[napi(getter)]
    pub fn fault(&self) -> Option<RdbFault> {
        self.feed.fault()
    }
}

/// Says what a file says.
#[napi]
pub struct RdbFacts {
    feed: Feed<Facts>,
}

#[napi]
impl RdbFacts {
    /// At the beginning of a file. Values of modules that are longer are not handed out.
    #[napi(constructor)]
    pub fn new(module_bytes_max: f64) -> Self {
        RdbFacts {
            feed: Feed::with_options(Facts::new(module_bytes_max as u64), Options::default()),
        }
    }

    /// Takes the next piece; gives the number of its bytes that belong to the file.
    #[napi]
    pub fn push(&mut self, chunk: &[u8]) -> Result<u32, Refused> {
        self.feed.push(chunk)
    }

    /// What has been said since the last call.
    #[napi]
    pub fn take(&mut self) -> Buffer {
        self.feed.sink.take().into()
    }

    /// Checks that the file is complete.
    #[napi]
    pub fn finish(&mut self) -> Result<(), Refused> {
        self.feed.finish()
    }

    /// What is wrong with the file, if that is why a call failed.
    #[napi(getter)]
    pub fn fault(&self) -> Option<RdbFault> {
        self.feed.fault()
    }
}

/// How to write.
#[napi(object)]
pub struct RdbComposeOptions {
    /// Version, 9 to 12.
    pub version: u32,
    /// Whether strings are compressed.
    pub compress: bool,
    /// Metadata.
    pub aux: Vec<(String, Either<String, Uint8Array>)>,
    /// Where temporary files go.
    pub folder: String,
}

/// Writes a file from what somebody else says.
#[napi]
pub struct RdbCompose {
    compose: Compose,
}

#[napi]
impl RdbCompose {
    /// A file without keys.
    #[napi(constructor)]
    pub fn new(options: RdbComposeOptions) -> Result<Self, Refused> {
        check_version(options.version)?;
        Ok(RdbCompose {
            compose: Compose::new(ComposeOptions {
                version: options.version,
                compress: options.compress,
                aux: options.aux.into_iter().map(field).collect(),
                folder: PathBuf::from(options.folder),
            }),
        })
    }

    /// Takes whole facts; gives the bytes of the file that are complete.
    #[napi]
    pub fn push(&mut self, facts: &[u8]) -> Result<Buffer, Refused> {
        guarded(|| self.compose.push(facts).map(Buffer::from).map_err(refused))
    }

    /// The end of the file.
    #[napi]
    pub fn finish(&mut self) -> Result<Buffer, Refused> {
        guarded(|| self.compose.finish().map(Buffer::from).map_err(refused))
    }

    /// Keys and bytes written.
    #[napi(getter)]
    pub fn counts(&self) -> Vec<f64> {
        self.compose.counts().map(|count| count as f64).to_vec()
    }
}

/// What `TYPE` would answer for a value of this type byte; null for none.
#[napi]
pub fn rdb_type_name(rdb_type: u8) -> Option<String> {
    type_name(rdb_type).map(str::to_string)
}
