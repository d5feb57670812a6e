//! Readers of RDB, one object each, fed in chunks. An object belongs to the thread that made
//! it; the keyspace it names may be any of the process's.

use crate::clock;
use crate::keyspace::registry::{self, Registered};
use crate::rdb::{
    Filter, JoinOptions, Joiner, LoadOptions, Loader, Magic, Options, RdbError, Reader, RequestOptions,
    Requests,
};
use napi::bindgen_prelude::{Buffer, Either, Uint8Array};
use napi_derive::napi;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;

/// A failure with one of the stable codes.
pub(super) type Refused = napi::Error<&'static str>;

pub(super) const CORRUPT: &str = "CORRUPT";
pub(super) const ERR: &str = "ERR";
const CLOSED: &str = "CLOSED";
const FAULTED: &str = "FAULTED";

pub(super) fn corrupt(error: RdbError) -> Refused {
    Refused::new(CORRUPT, error.to_string())
}

pub(super) fn closed(what: &str) -> Refused {
    Refused::new(CLOSED, what.to_string())
}

/// Runs the codec; a broken invariant in it becomes an error instead of the end of the process.
pub(super) fn guarded<T>(run: impl FnOnce() -> Result<T, Refused>) -> Result<T, Refused> {
    catch_unwind(AssertUnwindSafe(run)).unwrap_or_else(|_| {
        Err(Refused::new(
            FAULTED,
            "the RDB codec broke an invariant".to_string(),
        ))
    })
}

pub(super) fn keyspace_of(id: u32) -> Result<Arc<Registered>, Refused> {
    registry::get(id).ok_or_else(|| closed("the keyspace was closed"))
}

/// What to load.
#[napi(object)]
pub struct RdbLoadOptions {
    /// The keys of this database only.
    pub db: Option<u32>,
    /// Bytes of the file, where they are known.
    pub bytes: Option<f64>,
}

/// What was loaded. See `LoadStats`.
#[napi(object)]
pub struct RdbLoadStats {
    /// Keys loaded.
    pub keys: f64,
    /// Keys left out: expired.
    pub expired: f64,
    /// Keys left out: empty.
    pub empty: f64,
    /// Keys left out: of other databases.
    pub other_databases: f64,
    /// Libraries of functions left out.
    pub functions: f64,
}

/// Loads a file into a keyspace.
#[napi]
pub struct RdbLoader {
    target: Arc<Registered>,
    reader: Reader,
    loader: Option<Loader>,
}

#[napi]
impl RdbLoader {
    /// A loader into the keyspace of this id.
    #[napi(constructor)]
    pub fn new(keyspace_id: u32, options: Option<RdbLoadOptions>) -> Result<Self, Refused> {
        let target = keyspace_of(keyspace_id)?;
        let (db, bytes) = options.map_or((None, None), |options| (options.db, options.bytes));
        let wanted = LoadOptions {
            db: db.map(u64::from),
            now_ms: target.keyspace.now_ms(),
        };
        let mut loader = Loader::for_keyspace(wanted, &target.keyspace);
        if let Some(bytes) = bytes {
            loader = loader.of_bytes(bytes as u64);
        }
        Ok(RdbLoader {
            target,
            reader: Reader::new(Options {
                refuse_duplicate_keys: false,
            }),
            loader: Some(loader),
        })
    }

    /// Takes the next piece; gives the number of its bytes that belong to the file.
    #[napi]
    pub fn push(&mut self, chunk: &[u8]) -> Result<u32, Refused> {
        let loader = self.loader.as_mut().ok_or_else(|| closed("the load is over"))?;
        let reader = &mut self.reader;
        guarded(|| {
            reader
                .push(chunk, loader)
                .map(|taken| taken as u32)
                .map_err(corrupt)
        })
    }

    /// Checks that the file is complete.
    #[napi]
    pub fn finish(&mut self) -> Result<RdbLoadStats, Refused> {
        let loader = self.loader.as_mut().ok_or_else(|| closed("the load is over"))?;
        guarded(|| loader.finish().map_err(corrupt))?;
        self.reader.finish().map_err(corrupt)?;
        let stats = loader.stats();
        Ok(RdbLoadStats {
            keys: stats.keys as f64,
            expired: stats.expired as f64,
            empty: stats.empty as f64,
            other_databases: stats.other_databases as f64,
            functions: stats.functions as f64,
        })
    }

    /// The metadata seen so far.
    #[napi]
    pub fn aux(&self) -> Vec<(Buffer, Buffer)> {
        let fields = self.loader.as_ref().map_or(&[][..], Loader::aux);
        fields
            .iter()
            .map(|(key, value)| (key.clone().into(), value.clone().into()))
            .collect()
    }

    /// Puts what was loaded in the place of the keyspace's content.
    #[napi]
    pub fn commit(&mut self) -> Result<(), Refused> {
        self.reader.finish().map_err(corrupt)?;
        let loader = self.loader.take().ok_or_else(|| closed("the load is over"))?;
        guarded(|| {
            loader.commit(&self.target.keyspace);
            Ok(())
        })
    }
}

pub(super) fn field((key, value): (String, Either<String, Uint8Array>)) -> (Vec<u8>, Vec<u8>) {
    (key.into_bytes(), bytes_of(value))
}

fn bytes_of(value: Either<String, Uint8Array>) -> Vec<u8> {
    match value {
        Either::A(text) => text.into_bytes(),
        Either::B(bytes) => bytes.to_vec(),
    }
}

/// Which keys. See `Filter`.
#[napi(object)]
#[derive(Default)]
pub struct RdbFilter {
    /// A pattern that they fit.
    pub pattern: Option<Either<String, Uint8Array>>,
    /// Names of types.
    pub types: Option<Vec<String>>,
    /// Their database.
    pub db: Option<u32>,
}

impl From<RdbFilter> for Filter {
    fn from(wanted: RdbFilter) -> Filter {
        Filter {
            pattern: wanted.pattern.map(bytes_of),
            types: wanted.types.unwrap_or_default(),
            db: wanted.db.map(u64::from),
        }
    }
}

/// What requests are for. See `RequestOptions`.
#[napi(object)]
#[derive(Default)]
pub struct RdbRequestOptions {
    /// Which keys.
    pub filter: Option<RdbFilter>,
    /// Put before every key.
    pub prefix: Option<Either<String, Uint8Array>>,
    /// The newest version that the receiver reads.
    pub version: Option<u32>,
    /// Whether keys that cannot be sent become records.
    pub names_refused: Option<bool>,
    /// Whether the receiver may know modules.
    pub has_modules: Option<bool>,
}

/// What was made of a file's keys. See `RequestStats`.
#[napi(object)]
pub struct RdbRequestStats {
    /// Requests.
    pub keys: f64,
    /// Left out: expired.
    pub expired: f64,
    /// Left out: empty.
    pub empty: f64,
    /// Left out: not wanted.
    pub unwanted: f64,
    /// Cannot be sent.
    pub refused: f64,
    /// Libraries of functions, not sent.
    pub functions: f64,
    /// Records of what modules keep, not sent.
    pub module_data: f64,
}

/// Turns a file into `RESTORE` requests.
#[napi]
pub struct RdbRequests {
    reader: Reader,
    requests: Requests,
}

#[napi]
impl RdbRequests {
    /// At the beginning of a file.
    #[napi(constructor)]
    pub fn new(options: Option<RdbRequestOptions>) -> Self {
        let options = options.unwrap_or_default();
        RdbRequests {
            reader: Reader::default(),
            requests: Requests::with(RequestOptions {
                now_ms: clock::wall_ms(),
                filter: options.filter.unwrap_or_default().into(),
                prefix: options.prefix.map(bytes_of).unwrap_or_default(),
                version: options.version,
                names_refused: options.names_refused.unwrap_or(false),
                has_modules: options.has_modules.unwrap_or(false),
            }),
        }
    }

    /// Takes the next piece; gives the records that are complete.
    #[napi]
    pub fn push(&mut self, chunk: &[u8]) -> Result<Buffer, Refused> {
        let (reader, requests) = (&mut self.reader, &mut self.requests);
        guarded(|| {
            reader.push(chunk, requests).map_err(corrupt)?;
            Ok(requests.take().into())
        })
    }

    /// What was made of the keys so far.
    #[napi]
    pub fn stats(&self) -> RdbRequestStats {
        let stats = self.requests.stats();
        RdbRequestStats {
            keys: stats.keys as f64,
            expired: stats.expired as f64,
            empty: stats.empty as f64,
            unwanted: stats.unwanted as f64,
            refused: stats.refused as f64,
            functions: stats.functions as f64,
            module_data: stats.module_data as f64,
        }
    }

    /// Checks that the file is complete; gives what was made of its keys.
    #[napi]
    pub fn finish(&mut self) -> Result<RdbRequestStats, Refused> {
        self.reader.finish().map_err(corrupt)?;
        Ok(self.stats())
    }
}

/// How files are joined. See `JoinOptions`.
#[napi(object)]
pub struct RdbJoinOptions {
    /// Whether the files are Valkey's own.
    pub is_valkey: bool,
    /// The newest of their versions.
    pub version: u32,
    /// Metadata.
    pub aux: Vec<(String, Either<String, Uint8Array>)>,
    /// Which keys.
    pub filter: Option<RdbFilter>,
}

/// Makes one file of several.
#[napi]
pub struct RdbJoin {
    reader: Reader,
    joiner: Joiner,
}

#[napi]
impl RdbJoin {
    /// Before the first file.
    #[napi(constructor)]
    pub fn new(options: RdbJoinOptions) -> Self {
        let magic = if options.is_valkey {
            Magic::Valkey
        } else {
            Magic::Redis
        };
        RdbJoin {
            reader: Reader::default(),
            joiner: Joiner::new(JoinOptions {
                magic,
                version: options.version,
                aux: options.aux.into_iter().map(field).collect(),
                filter: options.filter.unwrap_or_default().into(),
            }),
        }
    }

    /// Takes the next piece of the file at hand; gives the bytes of the joined file that are complete.
    #[napi]
    pub fn push(&mut self, chunk: &[u8]) -> Result<Buffer, Refused> {
        let (reader, joiner) = (&mut self.reader, &mut self.joiner);
        guarded(|| {
            reader.push(chunk, joiner).map_err(corrupt)?;
            Ok(joiner.take().into())
        })
    }

    /// Checks that the file at hand is complete. The next piece begins another.
    #[napi]
    pub fn next_file(&mut self) -> Result<(), Refused> {
        self.reader.finish().map_err(corrupt)?;
        self.reader = Reader::default();
        Ok(())
    }

    /// The last bytes of the joined file.
    #[napi]
    pub fn finish(&mut self) -> Buffer {
        self.joiner.finish().into()
    }

    /// Keys written so far.
    #[napi(getter)]
    pub fn keys(&self) -> f64 {
        self.joiner.keys() as f64
    }
}
