//! Reading of arguments, into places on the stack as long as they are short.

use super::env::{Failure, check};
use crate::keyspace::STRING_BYTES_MAX;
use crate::status::Status;
use napi_sys::{self as sys, napi_env, napi_value};
use smallvec::SmallVec;
use std::cell::Cell;
use std::mem::MaybeUninit;
use std::ptr;

/// Longest word of a request that is read by way of the stack.
const SHORT_BYTES: usize = 256;

/// Largest integer that a double holds exactly with all its neighbours.
pub const SAFE_INTEGER_MAX: f64 = 9_007_199_254_740_991.0;

/// Where an argument's bytes are put: `N` bytes of the stack, or the heap for longer ones.
pub struct Place<const N: usize> {
    stack: [MaybeUninit<u8>; N],
    heap: Vec<u8>,
}

/// Which JavaScript types an argument may have.
#[derive(Clone, Copy, PartialEq, Eq)]
pub enum Accept {
    /// A string or a Uint8Array.
    Bytes,
    /// Those, a number or a bigint.
    Words,
}

impl<const N: usize> Place<N> {
    /// An empty place.
    #[inline]
    pub fn new() -> Place<N> {
        Place {
            stack: [MaybeUninit::uninit(); N],
            heap: Vec::new(),
        }
    }

    /// The argument's bytes. `name` is what a `TypeError` calls it.
    #[inline]
    pub fn read(
        &mut self,
        env: napi_env,
        value: napi_value,
        accept: Accept,
        name: &str,
    ) -> Result<&[u8], Failure> {
        if let Some(len) = self.narrow_short(env, value) {
            return Ok(self.written(len));
        }
        self.heap.clear();
        append_any(env, value, &mut self.heap, accept, name)?;
        Ok(&self.heap)
    }

    /// The bytes of an ASCII string that fits the stack.
    #[inline]
    fn read_short(&mut self, env: napi_env, value: napi_value) -> Option<&[u8]> {
        let len = self.narrow_short(env, value)?;
        Some(self.written(len))
    }

    #[inline]
    fn narrow_short(&mut self, env: napi_env, value: napi_value) -> Option<usize> {
        let (mut wide, mut len) = ([MaybeUninit::<u16>::uninit(); N], 0);
        let start = wide.as_mut_ptr().cast();
        // SAFETY: at most `N` characters are written, the last of them a terminator.
        let status = unsafe { sys::napi_get_value_string_utf16(env, value, start, N, &mut len) };
        if status != sys::Status::napi_ok || len + 1 >= N {
            return None;
        }
        // SAFETY: Node-API wrote `len` characters.
        let wide = unsafe { std::slice::from_raw_parts(start, len) };
        self.narrow(wide).then_some(len)
    }

    /// Puts the low bytes of characters here. Whether they are all ASCII, so that this is their UTF-8.
    ///
    /// Copying two-byte characters and narrowing them is faster than having the engine make UTF-8.
    #[inline]
    fn narrow(&mut self, wide: &[u16]) -> bool {
        let mut all = 0;
        for (place, &character) in self.stack.iter_mut().zip(wide) {
            place.write(character as u8);
            all |= character;
        }
        all < 0x80
    }

    /// Puts a copy of these bytes here.
    #[inline]
    pub fn write(&mut self, bytes: &[u8]) {
        match self.stack.get_mut(..bytes.len()) {
            Some(place) => {
                place.write_copy_of_slice(bytes);
            }
            None => self.heap = bytes.to_vec(),
        }
    }

    /// The first `len` bytes of what [`Place::write`] or [`Place::narrow`] put here.
    #[inline]
    pub fn written(&self, len: usize) -> &[u8] {
        if len > N {
            return &self.heap;
        }
        // SAFETY: `write` or `narrow` initialised as many bytes.
        unsafe { std::slice::from_raw_parts(self.stack.as_ptr().cast(), len) }
    }
}

/// Appends an argument's bytes. `name` is what a `TypeError` calls it.
pub fn append(
    env: napi_env,
    value: napi_value,
    out: &mut Vec<u8>,
    accept: Accept,
    name: &str,
) -> Result<(), Failure> {
    let mut place = Place::<SHORT_BYTES>::new();
    match place.read_short(env, value) {
        Some(bytes) => {
            out.extend_from_slice(bytes);
            Ok(())
        }
        None => append_any(env, value, out, accept, name),
    }
}

/// As [`append`], for what is no short ASCII string.
fn append_any(
    env: napi_env,
    value: napi_value,
    out: &mut Vec<u8>,
    accept: Accept,
    name: &str,
) -> Result<(), Failure> {
    let mut kind = 0;
    // SAFETY: `value` is an argument of the running call.
    check(unsafe { sys::napi_typeof(env, value, &mut kind) })?;
    match kind {
        sys::ValueType::napi_string => return append_string(env, value, out),
        sys::ValueType::napi_number | sys::ValueType::napi_bigint if accept == Accept::Words => {
            return append_number(env, value, out);
        }
        sys::ValueType::napi_object if append_array(env, value, out)? => return Ok(()),
        _ => {}
    }
    let kinds = if accept == Accept::Words {
        "a string, a Uint8Array, a number or a bigint"
    } else {
        "a string or a Uint8Array"
    };
    Err(Failure::Type(format!("{name} must be {kinds}")))
}

fn append_string(env: napi_env, value: napi_value, out: &mut Vec<u8>) -> Result<(), Failure> {
    let mut len = 0;
    // SAFETY: no place is given, so only the length is written.
    check(unsafe { sys::napi_get_value_string_utf8(env, value, ptr::null_mut(), 0, &mut len) })?;
    if len > STRING_BYTES_MAX {
        return Err(Status::StringTooLong.into());
    }
    out.reserve(len + 1);
    let mut written = 0;
    // SAFETY: there is room for `len` bytes and the terminator; `written` of them are initialised.
    unsafe {
        let place = out.as_mut_ptr().add(out.len());
        check(sys::napi_get_value_string_utf8(
            env,
            value,
            place.cast(),
            len + 1,
            &mut written,
        ))?;
        out.set_len(out.len() + written);
    }
    Ok(())
}

/// Whether the value is a Uint8Array (or a Buffer). Its bytes are copied at once: another thread may share them.
fn append_array(env: napi_env, value: napi_value, out: &mut Vec<u8>) -> Result<bool, Failure> {
    let (mut kind, mut len, mut data) = (0, 0, ptr::null_mut());
    let (buffer, offset) = (ptr::null_mut(), ptr::null_mut());
    // SAFETY: `value` is an argument of the running call; what is not asked for is null.
    let status =
        unsafe { sys::napi_get_typedarray_info(env, value, &mut kind, &mut len, &mut data, buffer, offset) };
    if status != sys::Status::napi_ok || kind != sys::TypedarrayType::uint8_array {
        return Ok(false);
    }
    if len > STRING_BYTES_MAX {
        return Err(Status::StringTooLong.into());
    }
    if len > 0 {
        out.reserve(len);
        // SAFETY: `data` holds `len` bytes, and `out` has room for them. Bytes that change meanwhile arrive in either form.
        unsafe {
            ptr::copy_nonoverlapping(data.cast::<u8>(), out.as_mut_ptr().add(out.len()), len);
            out.set_len(out.len() + len);
        }
    }
    Ok(true)
}

/// Appends the text that JavaScript gives for a number or a bigint.
fn append_number(env: napi_env, value: napi_value, out: &mut Vec<u8>) -> Result<(), Failure> {
    let mut number = 0.0;
    // SAFETY: `value` is an argument of the running call.
    let status = unsafe { sys::napi_get_value_double(env, value, &mut number) };
    if status == sys::Status::napi_ok && number.trunc() == number && number.abs() <= SAFE_INTEGER_MAX {
        out.extend_from_slice(itoa::Buffer::new().format(number as i64).as_bytes());
        return Ok(());
    }
    let mut text = ptr::null_mut();
    // SAFETY: as above; a string comes out.
    check(unsafe { sys::napi_coerce_to_string(env, value, &mut text) })?;
    append_string(env, text, out)
}

/// A number.
pub fn number(env: napi_env, value: napi_value, name: &str) -> Result<f64, Failure> {
    let mut number = 0.0;
    // SAFETY: `value` is an argument of the running call.
    match unsafe { sys::napi_get_value_double(env, value, &mut number) } {
        sys::Status::napi_ok => Ok(number),
        _ => Err(Failure::Type(format!("{name} must be a number"))),
    }
}

/// A number that is a safe integer.
pub fn integer(env: napi_env, value: napi_value, name: &str) -> Result<i64, Failure> {
    let number = number(env, value, name)?;
    if number.trunc() == number && number.abs() <= SAFE_INTEGER_MAX {
        return Ok(number as i64);
    }
    Err(Failure::Range(format!("{name} must be a safe integer")))
}

/// Calls `visit` with every element of an array.
pub fn each_element(
    env: napi_env,
    array: napi_value,
    name: &str,
    mut visit: impl FnMut(napi_value) -> Result<(), Failure>,
) -> Result<(), Failure> {
    let (mut is_array, mut len) = (false, 0);
    // SAFETY: `array` is a value of the running call.
    check(unsafe { sys::napi_is_array(env, array, &mut is_array) })?;
    if !is_array {
        return Err(Failure::Type(format!("{name} must be an array")));
    }
    // SAFETY: it is an array.
    check(unsafe { sys::napi_get_array_length(env, array, &mut len) })?;
    for i in 0..len {
        // SAFETY: as above.
        visit(super::env::make(|out| unsafe {
            sys::napi_get_element(env, array, i, out)
        })?)?;
    }
    Ok(())
}

/// Requests read from JavaScript: all their bytes in one piece.
#[derive(Default)]
pub struct Requests {
    bytes: Vec<u8>,
    /// Where each word ends.
    ends: Vec<usize>,
    /// How many words lie before the end of each request.
    requests: Vec<usize>,
}

/// The words of requests.
pub type Words<'a> = SmallVec<[&'a [u8]; 16]>;

thread_local! {
    /// Requests that are read next, with room from those before.
    static SPARE: Cell<Requests> = Cell::default();
}

/// A thread keeps no more room than this for its next requests.
const SPARE_BYTES_MAX: usize = 64 * 1024;

impl Requests {
    /// Calls `body` with empty requests that need no memory of their own in most cases.
    pub fn with<R>(body: impl FnOnce(&mut Requests) -> R) -> R {
        let mut requests = SPARE.take();
        let result = body(&mut requests);
        if requests.bytes.capacity() + requests.ends.capacity() * size_of::<usize>() <= SPARE_BYTES_MAX {
            requests.bytes.clear();
            requests.ends.clear();
            requests.requests.clear();
            SPARE.set(requests);
        }
        result
    }

    /// Reads an array of words.
    pub fn read(&mut self, env: napi_env, words: napi_value, name: &str) -> Result<(), Failure> {
        each_element(env, words, name, |word| self.push(env, word))?;
        self.requests.push(self.ends.len());
        Ok(())
    }

    /// Reads words that are arguments, or one argument that is an array of words.
    pub fn read_arguments(&mut self, env: napi_env, arguments: &[napi_value]) -> Result<(), Failure> {
        if let [only] = *arguments {
            let mut is_array = false;
            // SAFETY: an argument of the running call.
            check(unsafe { sys::napi_is_array(env, only, &mut is_array) })?;
            if is_array {
                return self.read(env, only, "words");
            }
        }
        for &word in arguments {
            self.push(env, word)?;
        }
        self.requests.push(self.ends.len());
        Ok(())
    }

    fn push(&mut self, env: napi_env, word: napi_value) -> Result<(), Failure> {
        append(env, word, &mut self.bytes, Accept::Words, "each word")?;
        self.ends.push(self.bytes.len());
        Ok(())
    }

    /// All words, of all requests.
    pub fn words(&self) -> Words<'_> {
        let starts = std::iter::once(&0).chain(&self.ends);
        starts
            .zip(&self.ends)
            .map(|(&start, &end)| &self.bytes[start..end])
            .collect()
    }

    /// The words of each request.
    pub fn split<'a, 'b>(&self, words: &'b [&'a [u8]]) -> Vec<&'b [&'a [u8]]> {
        let starts = std::iter::once(&0).chain(&self.requests);
        starts
            .zip(&self.requests)
            .map(|(&start, &end)| &words[start..end])
            .collect()
    }
}
