//! LZF, the compression of strings inside RDB. The stream is a row of tokens: a run of literal bytes, or a reference
//! to bytes already put out.
//!
//! The compressor keeps its table across calls (most strings are short, and clearing the table would cost more than
//! the work), telling stale entries from live ones by a position that only ever grows.

mod inflater;
mod packed;

pub use inflater::Inflater;
use packed::Repeats;

/// Three bytes of input give at most 264 of output.
pub const EXPANSION_MAX: u64 = 88;

/// The table fits in the nearest cache, and has a place for every position within reach.
const TABLE_BITS: u32 = 13;
/// After so many bytes without a match (as a power of two) the search makes longer steps.
const PATIENCE_BITS: u32 = 5;
/// Between what is known to be repeated, a search in fewer bytes finds too little for the time it takes.
const SEARCHED_MIN: usize = 16;
const LITERALS_MAX: usize = 32;
const DISTANCE_MAX: usize = 1 << 13;
const REFERENCE_MAX: usize = 264;
/// The first allocation for an output, whatever size it is declared to have.
const OUTPUT_RESERVED_MAX: usize = 1 << 16;
/// An expansion that is usual enough for the output to be allocated at once.
const USUAL_EXPANSION: usize = 8;
/// What a copy takes at a time, and room behind the output for the last one to reach into.
const BLOCK: usize = 16;
const SLACK: usize = 32;

/// The bytes that `input` stands for: exactly `length` of them.
pub fn decompress(input: &[u8], length: usize) -> Result<Vec<u8>, &'static str> {
    let mut bytes = Vec::new();
    decompress_into(input, length, &mut bytes)?;
    bytes.truncate(length);
    Ok(bytes)
}

/// As [`decompress`], to the beginning of a buffer that may hold anything, and be longer afterwards.
pub fn decompress_into(input: &[u8], length: usize, bytes: &mut Vec<u8>) -> Result<(), &'static str> {
    // Of a length that is out of proportion, a part is believed at first, and more as bytes come out.
    let believed = length.min(OUTPUT_RESERVED_MAX.max(input.len().saturating_mul(USUAL_EXPANSION)));
    if bytes.len() < believed + SLACK {
        *bytes = vec![0; believed + SLACK];
    }
    let mut output = Buffer { bytes, at: 0, length };
    let mut rest = input;
    while let [control, tail @ ..] = rest {
        rest = token(*control, tail, &mut output).map_err(Fault::reason)?;
    }
    if output.at != length {
        return Err(SHORTER);
    }
    Ok(())
}

pub const SHORTER: &str = "compressed string is shorter than declared";
const LONGER: &str = "compressed string is longer than declared";
const BEFORE_START: &str = "compressed string refers to bytes before its start";

/// Why a token cannot be followed.
#[derive(Clone, Copy, Debug)]
enum Fault {
    /// It may be once more bytes are there.
    Cut(&'static str),
    Bad(&'static str),
}

impl Fault {
    fn reason(self) -> &'static str {
        match self {
            Fault::Cut(reason) | Fault::Bad(reason) => reason,
        }
    }
}

/// Where the bytes of a string come out.
pub trait Output {
    /// Makes room for so many more bytes; false if they are more than the string has.
    fn make_room(&mut self, count: usize) -> bool;
    /// Takes so many bytes, which stand at the beginning of these and for which there is room, as they are.
    fn literals(&mut self, bytes: &[u8], count: usize);
    /// Repeats so many bytes, for which there is room, from so far back; false if that is before the first one.
    fn repeat(&mut self, distance: usize, count: usize) -> bool;
}

/// Follows the token that begins with this byte; gives what stands behind it.
#[inline(always)]
fn token<'a>(control: u8, tail: &'a [u8], output: &mut impl Output) -> Result<&'a [u8], Fault> {
    if control >= 32 {
        return reference(control, tail, output);
    }
    let count = usize::from(control) + 1;
    if !output.make_room(count) {
        return Err(Fault::Bad(LONGER));
    }
    let Some(rest) = tail.get(count..) else {
        return Err(Fault::Cut("compressed string ends inside of a literal run"));
    };
    output.literals(tail, count);
    Ok(rest)
}

#[inline(always)]
fn reference<'a>(control: u8, tail: &'a [u8], output: &mut impl Output) -> Result<&'a [u8], Fault> {
    const CUT: Fault = Fault::Cut("compressed string ends inside of a reference");
    let (mut count, mut tail) = (usize::from(control >> 5), tail);
    if count == 7 {
        let (more, after) = tail.split_first().ok_or(CUT)?;
        count += usize::from(*more);
        tail = after;
    }
    let (low, tail) = tail.split_first().ok_or(CUT)?;
    let distance = (usize::from(control & 31) << 8 | usize::from(*low)) + 1;
    if !output.make_room(count + 2) {
        return Err(Fault::Bad(LONGER));
    }
    if !output.repeat(distance, count + 2) {
        return Err(Fault::Bad(BEFORE_START));
    }
    Ok(tail)
}

/// Bytes that come out into a buffer. Copies go in blocks, which may reach beyond their end into room that is kept for this.
struct Buffer<'a> {
    bytes: &'a mut Vec<u8>,
    /// Bytes that have come out.
    at: usize,
    /// Bytes that have to come out.
    length: usize,
}

impl Output for Buffer<'_> {
    /// Makes room for a block behind them, too.
    #[inline(always)]
    fn make_room(&mut self, count: usize) -> bool {
        let end = self.at + count;
        if end > self.length {
            return false;
        }
        if end + SLACK > self.bytes.len() {
            let room = self.length.min(2 * self.bytes.len()).max(end);
            self.bytes.resize(room + SLACK, 0);
        }
        true
    }

    #[inline(always)]
    fn literals(&mut self, bytes: &[u8], count: usize) {
        let (to, end) = (self.at, self.at + count);
        match bytes.first_chunk::<LITERALS_MAX>() {
            Some(block) => self.bytes[to..to + LITERALS_MAX].copy_from_slice(block),
            None => self.bytes[to..end].copy_from_slice(&bytes[..count]),
        }
        self.at = end;
    }

    #[inline(always)]
    fn repeat(&mut self, distance: usize, count: usize) -> bool {
        let Some(from) = self.at.checked_sub(distance) else {
            return false;
        };
        let end = self.at + count;
        if distance >= BLOCK {
            for (from, to) in (from..).step_by(BLOCK).zip((self.at..end).step_by(BLOCK)) {
                let mut block = [0; BLOCK];
                block.copy_from_slice(&self.bytes[from..from + BLOCK]);
                self.bytes[to..to + BLOCK].copy_from_slice(&block);
            }
        } else {
            // The ranges overlap: the bytes just copied are copied again.
            for at in from..from + count {
                self.bytes[at + distance] = self.bytes[at];
            }
        }
        self.at = end;
        true
    }
}

/// Compresses strings one after the other.
pub struct Compressor {
    /// Positions (of an imaginary row of all inputs so far) by the hash of the three bytes there.
    table: Box<[u32; 1 << TABLE_BITS]>,
    /// Where the next input begins in that row. Greater than every position in the table.
    base: u32,
    tokens: Tokens,
}

impl Default for Compressor {
    fn default() -> Self {
        Compressor {
            table: Box::new([0; 1 << TABLE_BITS]),
            base: DISTANCE_MAX as u32 + 1,
            tokens: Tokens::default(),
        }
    }
}

impl Compressor {
    /// The compressed form, if it is at least four bytes shorter.
    pub fn compress(&mut self, input: &[u8]) -> Option<&[u8]> {
        let budget = input.len().checked_sub(4)?;
        if input.len() >= (u32::MAX / 2) as usize {
            return None;
        }
        if self.base as usize + input.len() + DISTANCE_MAX > u32::MAX as usize {
            self.table.fill(0);
            self.base = DISTANCE_MAX as u32 + 1;
        }
        let fits = self.run(input, budget).is_some();
        // A gap of the greatest distance keeps references from reaching into an earlier input.
        self.base += (input.len() + DISTANCE_MAX) as u32;
        fits.then_some(&self.tokens.bytes[..self.tokens.at])
    }

    /// Puts out tokens for all of the input; `None` if they take more than the budget.
    fn run(&mut self, input: &[u8], budget: usize) -> Option<()> {
        self.tokens.begin(input.len());
        let mut done = 0;
        if let Some(mut repeats) = Repeats::of(input) {
            while let Some((at, distance)) = repeats.next() {
                if at >= done {
                    done = self.search_long(&input[..at], done, budget)?;
                    let count = matching(input, at - distance, at);
                    self.tokens.put_literals(input, done, at);
                    self.tokens.put_reference(distance, count);
                    done = at + count;
                }
            }
        }
        done = self.search_long(input, done, budget)?;
        self.tokens.put_literals(input, done, input.len());
        (self.tokens.at <= budget).then_some(())
    }

    /// As [`Compressor::search`], if that is worth it.
    #[inline]
    fn search_long(&mut self, input: &[u8], from: usize, budget: usize) -> Option<usize> {
        if input.len() - from < SEARCHED_MIN {
            return (self.tokens.at <= budget).then_some(from);
        }
        self.search(input, from, budget)
    }

    /// Puts out tokens for the input from there on, and gives the end of the last reference; `None` if with what follows they
    /// take more than the budget.
    fn search(&mut self, input: &[u8], from: usize, budget: usize) -> Option<usize> {
        let (mut at, mut literals_from) = (from, from);
        while let Some(word) = three(input, at) {
            let position = self.base + at as u32;
            let distance = (position - std::mem::replace(&mut self.table[slot(word)], position)) as usize;
            let is_found = distance <= at.min(DISTANCE_MAX) && three(input, at - distance) == Some(word);
            if !is_found {
                at += 1 + ((at - literals_from) >> PATIENCE_BITS);
                continue;
            }
            let count = matching(input, at - distance, at);
            self.tokens.put_literals(input, literals_from, at);
            self.tokens.put_reference(distance, count);
            at += count;
            literals_from = at;
            if self.tokens.at > budget {
                return None;
            }
            self.remember_end_of_match(input, at);
        }
        (self.tokens.at + input.len() - literals_from <= budget).then_some(literals_from)
    }

    fn remember_end_of_match(&mut self, input: &[u8], end: usize) {
        for at in [end - 2, end - 1] {
            if let Some(word) = three(input, at) {
                self.table[slot(word)] = self.base + at as u32;
            }
        }
    }
}

/// Eight bytes as a number, unless fewer follow.
#[inline]
fn word_of(input: &[u8], at: usize) -> Option<u64> {
    input
        .get(at..)?
        .first_chunk()
        .map(|bytes| u64::from_le_bytes(*bytes))
}

/// Three bytes as a number, unless fewer follow.
#[inline]
fn three(input: &[u8], at: usize) -> Option<u32> {
    let rest = &input[at.min(input.len())..];
    match rest {
        [a, b, c, d, ..] => Some(u32::from_be_bytes([*a, *b, *c, *d]) >> 8),
        [a, b, c] => Some(u32::from_be_bytes([0, *a, *b, *c])),
        _ => None,
    }
}

#[inline]
fn slot(word: u32) -> usize {
    (word.wrapping_mul(0x9e37_79b1) >> (32 - TABLE_BITS)) as usize
}

/// How many bytes from `at` on are equal to those from `earlier` on.
#[inline]
fn matching(input: &[u8], earlier: usize, at: usize) -> usize {
    let limit = REFERENCE_MAX.min(input.len() - at);
    let (old, new) = (&input[earlier..earlier + limit], &input[at..at + limit]);
    let ((old_words, old_rest), (new_words, new_rest)) = (old.as_chunks(), new.as_chunks());
    for (number, (a, b)) in old_words.iter().zip(new_words).enumerate() {
        let differences = u64::from_le_bytes(*a) ^ u64::from_le_bytes(*b);
        if differences != 0 {
            return 8 * number + differences.trailing_zeros() as usize / 8;
        }
    }
    let rest = old_rest.iter().zip(new_rest).take_while(|(a, b)| a == b).count();
    8 * old_words.len() + rest
}

/// Tokens put out. The room for them is kept from one input to the next.
#[derive(Default)]
struct Tokens {
    bytes: Vec<u8>,
    /// Bytes of them that count.
    at: usize,
}

impl Tokens {
    /// Begins anew, with room for the tokens of so many bytes: literals grow by a byte in 32, and a reference is no longer than
    /// what it stands for. A block may reach beyond the last one.
    fn begin(&mut self, input_bytes: usize) {
        let room = input_bytes + input_bytes / LITERALS_MAX + 3 * LITERALS_MAX;
        if self.bytes.len() < room {
            self.bytes.resize(room, 0);
        }
        self.at = 0;
    }

    /// Puts out what stands between these places as it is.
    #[inline(always)]
    fn put_literals(&mut self, input: &[u8], mut from: usize, to: usize) {
        while from < to {
            let count = LITERALS_MAX.min(to - from);
            let place = &mut self.bytes[self.at..];
            place[0] = count as u8 - 1;
            // A block of fixed size is copied faster than the few bytes that are wanted.
            match input[from..].first_chunk::<LITERALS_MAX>() {
                Some(block) => place[1..][..LITERALS_MAX].copy_from_slice(block),
                None => place[1..][..count].copy_from_slice(&input[from..from + count]),
            }
            self.at += 1 + count;
            from += count;
        }
    }

    /// Puts out a reference, in two bytes or in three. Which ones cannot be foreseen, so there is no branch.
    #[inline(always)]
    fn put_reference(&mut self, distance: usize, count: usize) {
        let (distance, count) = (distance - 1, count - 2);
        let (high, low) = ((distance >> 8) as u8, distance as u8);
        let is_long = count >= 7;
        let place = &mut self.bytes[self.at..][..3];
        place[0] = (count.min(7) as u8) << 5 | high;
        place[1] = if is_long { (count - 7) as u8 } else { low };
        place[2] = low;
        self.at += 2 + usize::from(is_long);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::random::Rng;
    use crate::structure::listpack::Listpack;

    fn sample(rng: &mut Rng, length: usize, letters: usize) -> Vec<u8> {
        (0..length).map(|_| b'a' + rng.below(letters) as u8).collect()
    }

    #[test]
    fn what_is_compressed_comes_back() {
        let mut rng = Rng::new(1);
        let mut compressor = Compressor::default();
        for round in 0..2000 {
            let input = sample(&mut rng, round % 700, 1 + round % 5);
            if let Some(packed) = compressor.compress(&input) {
                assert!(packed.len() + 4 <= input.len());
                assert_eq!(decompress(packed, input.len()).as_deref(), Ok(&input[..]));
                assert_eq!(lzf::decompress(packed, input.len()).as_deref(), Ok(&input[..]));
            }
        }
    }

    fn listpack(rng: &mut Rng, entries: usize) -> Vec<u8> {
        let text = |rng: &mut Rng, n: usize| match rng.below(12) {
            0 => rng.below(1 << 20).to_string(),
            1 => "x".repeat(rng.below(300)),
            _ => format!("{}{}:{}", ["field", "value"][n % 2], n / 2, rng.below(1 << 20)),
        };
        let texts: Vec<_> = (0..entries).map(|n| text(rng, n).into_bytes()).collect();
        Listpack::from_elements(texts.iter().map(Vec::as_slice))
            .as_bytes()
            .to_vec()
    }

    #[test]
    fn listpacks_come_back_whole_or_damaged() {
        let mut rng = Rng::new(3);
        let mut compressor = Compressor::default();
        for round in 0..3000 {
            let mut input = listpack(&mut rng, round % 90);
            for _ in 0..round % 4 {
                // The size stays: it tells a listpack.
                let at = 4 + rng.below(input.len() - 5);
                input[at] = rng.next_u64() as u8;
            }
            if let Some(packed) = compressor.compress(&input) {
                assert!(packed.len() + 4 <= input.len());
                assert_eq!(decompress(packed, input.len()).as_deref(), Ok(&input[..]));
                assert_eq!(lzf::decompress(packed, input.len()).as_deref(), Ok(&input[..]));
            }
        }
    }

    #[test]
    fn listpacks_shrink_as_by_a_search() {
        let mut rng = Rng::new(4);
        let (mut known, mut searched) = (0, 0);
        let mut compressor = Compressor::default();
        for _ in 0..300 {
            let mut input = listpack(&mut rng, 20);
            known += compressor.compress(&input).map_or(input.len(), <[u8]>::len);
            // With another size it is any bytes.
            input[0] ^= 1;
            searched += compressor.compress(&input).map_or(input.len(), <[u8]>::len);
        }
        assert!(known * 100 < searched * 107, "{known} {searched}");
    }

    #[test]
    fn reads_what_the_reference_compressor_writes() {
        let mut rng = Rng::new(2);
        for length in (30..20_000).step_by(173) {
            let input = sample(&mut rng, length, 3);
            if let Ok(packed) = lzf::compress(&input) {
                assert_eq!(decompress(&packed, length).as_deref(), Ok(&input[..]));
            }
        }
    }

    #[test]
    fn long_runs_shrink_to_the_greatest_ratio() {
        let input = vec![0; 264 * 100];
        let mut compressor = Compressor::default();
        let packed = compressor
            .compress(&input)
            .map(<[u8]>::to_vec)
            .expect("compresses");
        assert!(input.len() as u64 <= packed.len() as u64 * EXPANSION_MAX);
        assert!(packed.len() < 320);
    }

    #[test]
    fn refuses_what_is_cut_or_lies() {
        let input = b"abcabcabcabcabcabcabcabcabc!";
        let mut compressor = Compressor::default();
        let packed = compressor
            .compress(input)
            .map(<[u8]>::to_vec)
            .expect("compresses");
        assert!(decompress(&packed, input.len() - 1).is_err());
        assert!(decompress(&packed, input.len() + 1).is_err());
        for cut in 0..packed.len() {
            assert!(decompress(&packed[..cut], input.len()).is_err());
        }
        assert!(
            decompress(&[0x20, 0x05], 3).is_err(),
            "a reference before the start"
        );
    }
}
