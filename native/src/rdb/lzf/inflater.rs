//! Decompression of a string whose compressed bytes come in pieces, into the place where it will stay.

use super::{Fault, Output, token};

/// A token has no more bytes.
const TOKEN_BYTES_MAX: usize = 33;

/// What is known between two pieces.
#[derive(Debug, Default)]
pub struct Inflater {
    /// The beginning of a token of which the rest has not come.
    begun: Vec<u8>,
}

impl Inflater {
    /// Follows the next piece. `ends`: no more will come.
    ///
    /// # Errors
    /// Those of [`super::decompress`], but for a string that is too short: how much has come out the output knows.
    pub fn push(&mut self, piece: &[u8], ends: bool, output: &mut impl Output) -> Result<(), &'static str> {
        let mut rest = piece;
        if !self.begun.is_empty() {
            rest = self.go_on(piece, ends, output)?;
        }
        while let [control, tail @ ..] = rest {
            match token(*control, tail, output) {
                Ok(behind) => rest = behind,
                Err(Fault::Cut(_)) if !ends => {
                    self.begun.extend_from_slice(rest);
                    break;
                }
                Err(fault) => return Err(fault.reason()),
            }
        }
        Ok(())
    }

    /// Follows the token that has begun, with bytes of this piece; gives those behind it.
    fn go_on<'a>(
        &mut self,
        piece: &'a [u8],
        ends: bool,
        output: &mut impl Output,
    ) -> Result<&'a [u8], &'static str> {
        let known = self.begun.len();
        let added = piece.len().min(TOKEN_BYTES_MAX - known);
        self.begun.extend_from_slice(&piece[..added]);
        match token(self.begun[0], &self.begun[1..], output) {
            Ok(behind) => {
                let used = added - behind.len();
                self.begun.clear();
                Ok(&piece[used..])
            }
            Err(Fault::Cut(_)) if !ends => Ok(&piece[added..]),
            Err(fault) => Err(fault.reason()),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::random::Rng;
    use crate::rdb::lzf::{Buffer, Compressor, SHORTER, decompress};

    /// As [`decompress`], of pieces of these sizes.
    fn in_pieces(
        input: &[u8],
        length: usize,
        mut size: impl FnMut() -> usize,
    ) -> Result<Vec<u8>, &'static str> {
        let mut bytes = Vec::new();
        let mut output = Buffer {
            bytes: &mut bytes,
            at: 0,
            length,
        };
        let (mut inflater, mut rest) = (Inflater::default(), input);
        while !rest.is_empty() {
            let (piece, behind) = rest.split_at(rest.len().min(size()));
            rest = behind;
            inflater.push(piece, rest.is_empty(), &mut output)?;
        }
        if output.at != length {
            return Err(SHORTER);
        }
        bytes.truncate(length);
        Ok(bytes)
    }

    #[test]
    fn pieces_give_what_the_whole_gives() {
        let mut rng = Rng::new(6);
        let mut compressor = Compressor::default();
        for round in 0..3000 {
            let letters = 1 + round % 40;
            let input: Vec<u8> = (0..round).map(|_| b'a' + rng.below(letters) as u8).collect();
            let Some(packed) = compressor.compress(&input) else {
                continue;
            };
            let mut packed = packed.to_vec();
            let mut length = input.len();
            match round % 4 {
                0 => {}
                1 => packed.truncate(rng.below(packed.len()) + 1),
                2 => {
                    let at = rng.below(packed.len());
                    packed[at] = rng.next_u64() as u8;
                }
                _ => length = rng.below(2 * length) + 1,
            }
            let whole = decompress(&packed, length);
            assert!(round % 4 != 0 || whole.as_ref() == Ok(&input));
            let most = 1 + rng.below(60);
            assert_eq!(in_pieces(&packed, length, || 1 + rng.below(most)), whole);
            assert_eq!(in_pieces(&packed, length, || 1), whole);
        }
    }
}
