//! HyperLogLog: how many different elements were added, within about 0.81 %, in at most 12 KiB.
//!
//! An element's hash chooses one of 16,384 registers, which keeps the longest run of zeros, plus one, that the rest of a hash
//! has begun with. The bytes are those of Redis, so that either reads what the other has written: 16 bytes of header
//! (`HYLL`, the encoding, three zeros, the cardinality when it was last counted with its top bit set if that is out of date),
//! then the registers: in 6 bits each (dense), or as a list of runs (sparse), which is smaller while most are zero.
//!
//! Nothing here writes the cardinality: counting is a read. It is only marked as out of date, and used where another program
//! has left a valid one.

mod sparse;

/// Number of registers.
pub const REGISTERS: usize = 1 << REGISTER_BITS;
/// Bytes of a dense sketch.
pub const DENSE_BYTES: usize = HEADER_BYTES + REGISTERS * VALUE_BITS / 8;
/// A sparse sketch that would become larger turns dense, if nothing else is said (Redis: `hll-sparse-max-bytes`).
pub const SPARSE_BYTES_MAX: usize = 3000;

const REGISTER_BITS: usize = 14;
const VALUE_BITS: usize = 6;
const HEADER_BYTES: usize = 16;
const ENCODING_AT: usize = 4;
const CARDINALITY_AT: usize = 8;
/// In the cardinality's last byte: out of date.
const STALE: u8 = 0x80;
/// Largest value that a hash can give.
const VALUE_MAX: usize = 64 - REGISTER_BITS + 1;
const SEED: u64 = 0xadc8_3b19;

/// Why bytes are no sketch.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Fault {
    /// They do not look like one.
    Foreign,
    /// They do, but the runs do not make up all registers.
    Corrupt,
}

/// How the registers are written down.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Encoding {
    /// Six bits each.
    Dense,
    /// As runs of equal values.
    Sparse,
}

/// The values of all registers, one to a byte.
pub type Registers = [u8; REGISTERS];

/// The encoding of a sketch, judged by its header and its length.
///
/// # Errors
/// [`Fault::Foreign`].
pub fn encoding(bytes: &[u8]) -> Result<Encoding, Fault> {
    if bytes.len() < HEADER_BYTES || !bytes.starts_with(b"HYLL") {
        return Err(Fault::Foreign);
    }
    match bytes[ENCODING_AT] {
        0 if bytes.len() == DENSE_BYTES => Ok(Encoding::Dense),
        1 => Ok(Encoding::Sparse),
        _ => Err(Fault::Foreign),
    }
}

/// MurmurHash64A.
fn hash(element: &[u8]) -> u64 {
    const FACTOR: u64 = 0xc6a4_a793_5bd1_e995;
    const SHIFT: u32 = 47;
    let mut hash = SEED ^ (element.len() as u64).wrapping_mul(FACTOR);
    let (blocks, rest) = element.as_chunks::<8>();
    for &block in blocks {
        let mut mixed = u64::from_le_bytes(block).wrapping_mul(FACTOR);
        mixed ^= mixed >> SHIFT;
        hash = (hash ^ mixed.wrapping_mul(FACTOR)).wrapping_mul(FACTOR);
    }
    if !rest.is_empty() {
        let mut last = [0; 8];
        last[..rest.len()].copy_from_slice(rest);
        hash = (hash ^ u64::from_le_bytes(last)).wrapping_mul(FACTOR);
    }
    hash ^= hash >> SHIFT;
    hash = hash.wrapping_mul(FACTOR);
    hash ^ hash >> SHIFT
}

/// The register of an element, and the value that it asks for.
pub fn place(element: &[u8]) -> (usize, u8) {
    let hash = hash(element);
    let register = hash as usize % REGISTERS;
    // The bit behind the hash ends a run of zeros only.
    let rest = hash >> REGISTER_BITS | 1 << (64 - REGISTER_BITS);
    (register, rest.trailing_zeros() as u8 + 1)
}

/// The values in four registers, which fill three bytes, the first in the lowest bits.
fn unpack([a, b, c]: [u8; 3]) -> [u8; 4] {
    [a & 63, a >> 6 | (b & 15) << 2, b >> 4 | (c & 3) << 4, c >> 2]
}

fn pack([a, b, c, d]: [u8; 4]) -> [u8; 3] {
    [a | b << 6, b >> 2 | c << 4, c >> 4 | d << 2]
}

/// Raises a register of a dense sketch to `value`, unless it is as high already. Whether that changed anything.
pub fn raise_dense(bytes: &mut [u8], register: usize, value: u8) -> bool {
    let (groups, _) = bytes[HEADER_BYTES..].as_chunks_mut::<3>();
    let group = &mut groups[register / 4];
    let mut values = unpack(*group);
    if values[register % 4] >= value {
        return false;
    }
    values[register % 4] = value;
    *group = pack(values);
    true
}

/// Marks the cardinality in the header as out of date.
pub fn forget_cardinality(bytes: &mut [u8]) {
    bytes[CARDINALITY_AT + 7] |= STALE;
}

/// Raises `registers` to those of a sketch, where these are higher, and gives the sketch's encoding.
///
/// # Errors
/// [`Fault`]; the registers are in no particular state then.
pub fn join(registers: &mut Registers, bytes: &[u8]) -> Result<Encoding, Fault> {
    let encoding = encoding(bytes)?;
    let body = &bytes[HEADER_BYTES..];
    match encoding {
        Encoding::Dense => {
            let (four, _) = registers.as_chunks_mut::<4>();
            for (held, group) in four.iter_mut().zip(body.as_chunks::<3>().0) {
                let values = unpack(*group);
                held.iter_mut()
                    .zip(values)
                    .for_each(|(held, value)| *held = value.max(*held));
            }
        }
        Encoding::Sparse => sparse::join(registers, body)?,
    }
    Ok(encoding)
}

/// How many registers have each value.
type Histogram = [u32; 1 << VALUE_BITS];

fn histogram(bytes: &[u8]) -> Result<Histogram, Fault> {
    let mut histogram = [0; 1 << VALUE_BITS];
    let body = &bytes[HEADER_BYTES..];
    match encoding(bytes)? {
        Encoding::Dense => {
            for group in body.as_chunks::<3>().0 {
                for value in unpack(*group) {
                    histogram[usize::from(value)] += 1;
                }
            }
        }
        Encoding::Sparse => {
            for run in sparse::runs(body)? {
                histogram[usize::from(run.value)] += run.len as u32;
            }
        }
    }
    Ok(histogram)
}

/// The estimated number of different elements: the one in the header if it is up to date.
///
/// # Errors
/// [`Fault`].
pub fn cardinality(bytes: &[u8]) -> Result<u64, Fault> {
    encoding(bytes)?;
    let mut known = [0; 8];
    known.copy_from_slice(&bytes[CARDINALITY_AT..HEADER_BYTES]);
    if known[7] & STALE == 0 {
        return Ok(u64::from_le_bytes(known));
    }
    histogram(bytes).map(|histogram| estimate(&histogram))
}

/// The estimated number of different elements that have raised these registers.
pub fn cardinality_of(registers: &Registers) -> u64 {
    let mut histogram = [0; 1 << VALUE_BITS];
    for &value in registers {
        histogram[usize::from(value) % (1 << VALUE_BITS)] += 1;
    }
    estimate(&histogram)
}

/// Ertl's improved estimator ("New cardinality estimation algorithms for HyperLogLog sketches", 2017, algorithm 6). Only
/// additions, multiplications, divisions and square roots: every machine gives the same number.
fn estimate(histogram: &Histogram) -> u64 {
    const ALPHA: f64 = 0.721_347_520_444_481_7;
    let registers = REGISTERS as f64;
    let full = f64::from(histogram[VALUE_MAX]);
    let mut sum = registers * tau((registers - full) / registers);
    for &count in histogram[1..VALUE_MAX].iter().rev() {
        sum = (sum + f64::from(count)) * 0.5;
    }
    sum += registers * sigma(f64::from(histogram[0]) / registers);
    (ALPHA * registers * registers / sum).round() as u64
}

/// The share of registers that are still zero, brought to the scale of the sum.
fn sigma(mut x: f64) -> f64 {
    if x == 1.0 {
        return f64::INFINITY;
    }
    let (mut factor, mut sum) = (1.0, x);
    loop {
        let before = sum;
        x *= x;
        sum += x * factor;
        factor += factor;
        if sum == before {
            return sum;
        }
    }
}

/// The share of registers that have the highest value, brought to the scale of the sum.
fn tau(mut x: f64) -> f64 {
    if x == 0.0 || x == 1.0 {
        return 0.0;
    }
    let (mut factor, mut sum) = (1.0, 1.0 - x);
    loop {
        let before = sum;
        x = x.sqrt();
        factor *= 0.5;
        sum -= (1.0 - x) * (1.0 - x) * factor;
        if sum == before {
            return sum / 3.0;
        }
    }
}

/// A sketch that may change its encoding.
#[derive(Clone, Debug)]
pub struct Sketch {
    bytes: Vec<u8>,
    /// A run of a sparse sketch and its first register, from where on the next search begins: registers come in ascending
    /// order when sketches are merged.
    hint: (usize, usize),
    /// A sparse sketch that would become larger turns dense.
    sparse_bytes: usize,
}

impl Default for Sketch {
    fn default() -> Self {
        Sketch::new()
    }
}

impl Sketch {
    /// A sketch without elements: sparse.
    pub fn new() -> Sketch {
        let mut bytes = vec![0; HEADER_BYTES];
        bytes[..4].copy_from_slice(b"HYLL");
        bytes[ENCODING_AT] = 1;
        sparse::push_zeros(&mut bytes, REGISTERS);
        Sketch {
            bytes,
            hint: sparse::START,
            sparse_bytes: SPARSE_BYTES_MAX,
        }
    }

    /// A sketch to change, from its bytes.
    ///
    /// # Errors
    /// [`Fault`].
    pub fn read(bytes: &[u8]) -> Result<Sketch, Fault> {
        if encoding(bytes)? == Encoding::Sparse {
            sparse::runs(&bytes[HEADER_BYTES..]).map(drop)?;
        }
        Ok(Sketch {
            bytes: bytes.to_vec(),
            hint: sparse::START,
            sparse_bytes: SPARSE_BYTES_MAX,
        })
    }

    /// The sketch with another limit than [`SPARSE_BYTES_MAX`].
    pub fn limited(self, sparse_bytes: usize) -> Sketch {
        Sketch { sparse_bytes, ..self }
    }

    /// The bytes to store.
    pub fn bytes(&self) -> &[u8] {
        &self.bytes
    }

    fn is_sparse(&self) -> bool {
        self.bytes[ENCODING_AT] == 1
    }

    /// Adds an element. Whether that changed anything.
    pub fn add(&mut self, element: &[u8]) -> bool {
        let (register, value) = place(element);
        self.raise(register, value)
    }

    /// Raises a register to `value`, unless it is as high already. Whether that changed anything.
    pub fn raise(&mut self, register: usize, value: u8) -> bool {
        if self.is_sparse() {
            match sparse::raise(
                &mut self.bytes,
                &mut self.hint,
                (register, value),
                self.sparse_bytes,
            ) {
                sparse::Raised::No => return false,
                sparse::Raised::Yes => return true,
                sparse::Raised::TooLarge => self.make_dense(),
            }
        }
        raise_dense(&mut self.bytes, register, value)
    }

    /// Marks the cardinality in the header as out of date.
    pub fn forget_cardinality(&mut self) {
        forget_cardinality(&mut self.bytes);
    }

    /// Turns the sketch dense.
    pub fn make_dense(&mut self) {
        if !self.is_sparse() {
            return;
        }
        let mut registers = [0; REGISTERS];
        let joined = join(&mut registers, &self.bytes);
        debug_assert!(joined.is_ok(), "a sketch is sound from the start");
        self.bytes.truncate(HEADER_BYTES);
        self.bytes[ENCODING_AT] = 0;
        let four = registers.as_chunks::<4>().0;
        self.bytes.extend(four.iter().flat_map(|values| pack(*values)));
    }
}

#[cfg(test)]
mod tests;
