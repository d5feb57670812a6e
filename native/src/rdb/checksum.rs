//! The CRC-64 of the format (Jones polynomial, start value 0).

use crc_fast::{CrcParams, Digest};
use std::sync::OnceLock;

const POLYNOMIAL: u64 = 0xad93_d235_94c9_35a9;
const CHECK: u64 = 0xe9c6_d914_c4b8_d9ca;

fn params() -> CrcParams {
    static PARAMS: OnceLock<CrcParams> = OnceLock::new();
    *PARAMS.get_or_init(|| CrcParams::new("CRC-64/REDIS", 64, POLYNOMIAL, 0, true, 0, CHECK))
}

/// A checksum over bytes that come in pieces.
pub struct Checksum(Digest);

impl Default for Checksum {
    fn default() -> Self {
        Checksum(Digest::new_with_params(params()))
    }
}

impl Checksum {
    /// The checksum of one piece.
    pub fn of(bytes: &[u8]) -> u64 {
        crc_fast::checksum_with_params(params(), bytes)
    }

    /// Takes in the next piece.
    pub fn update(&mut self, bytes: &[u8]) {
        self.0.update(bytes);
    }

    /// The checksum of everything taken in so far.
    pub fn value(&self) -> u64 {
        self.0.finalize()
    }
}

impl std::fmt::Debug for Checksum {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Checksum({:016x})", self.value())
    }
}

#[cfg(test)]
mod tests {
    use super::Checksum;

    #[test]
    fn known_values() {
        assert_eq!(Checksum::of(b""), 0);
        assert_eq!(Checksum::of(b"123456789"), 0xe9c6_d914_c4b8_d9ca);
        assert_eq!(
            Checksum::of(&(0..=255).collect::<Vec<u8>>()),
            0x88bf_a574_e806_500e
        );
        assert_eq!(Checksum::of(&[b'a'; 1000]), 0x549d_daca_5f0e_e8fb);
        assert_eq!(Checksum::of(b"REDIS0010\xff"), 0xeb7e_a789_fe37_fda9);
    }

    #[test]
    fn pieces_give_the_checksum_of_the_whole() {
        let bytes: Vec<u8> = (0..5000u32).map(|i| (i * 7 % 251) as u8).collect();
        for size in [1, 3, 64, 999] {
            let mut checksum = Checksum::default();
            bytes.chunks(size).for_each(|piece| checksum.update(piece));
            assert_eq!(checksum.value(), Checksum::of(&bytes));
        }
    }
}
