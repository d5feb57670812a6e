//! Sizes of allocations.
//!
//! Multiples of 8 up to 64, then four steps per doubling. These are the steps of the allocator itself, so what is accounted is
//! what is used, and a buffer that grows by them costs O(1) for each byte that is added.

/// Bytes up to which every multiple of eight is a class.
const FINE_BYTES_MAX: usize = 64;
const FINE_CLASSES: u8 = (FINE_BYTES_MAX / 8) as u8;
const FINE_BITS: u32 = FINE_BYTES_MAX.ilog2();

/// The smallest class of at least so many bytes, in bytes.
pub fn size_class(bytes: usize) -> usize {
    if bytes <= FINE_BYTES_MAX {
        return bytes.next_multiple_of(8);
    }
    let step = 1usize << ((bytes - 1).ilog2() - 2);
    bytes.next_multiple_of(step)
}

/// A class by its number, for where one byte has to say how large an allocation is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct SizeClass(u8);

impl SizeClass {
    /// The smallest class of at least so many bytes.
    pub fn of(bytes: usize) -> SizeClass {
        if bytes <= FINE_BYTES_MAX {
            return SizeClass(bytes.div_ceil(8) as u8);
        }
        let bits = (bytes - 1).ilog2();
        let fifths = bytes.div_ceil(1 << (bits - 2)) as u8;
        SizeClass(FINE_CLASSES + 4 * (bits - FINE_BITS) as u8 + fifths - 4)
    }

    /// Bytes of an allocation of this class.
    pub fn bytes(self) -> usize {
        let Some(steps) = self.0.checked_sub(FINE_CLASSES + 1) else {
            return usize::from(self.0) * 8;
        };
        (usize::from(steps % 4) + 5) << (u32::from(steps / 4) + FINE_BITS - 2)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn classes_hold_what_they_say_and_waste_at_most_a_quarter() {
        for bytes in 1..10_000 {
            let class = size_class(bytes);
            assert!(class >= bytes && class.is_multiple_of(8));
            assert!(bytes < 32 || (class - bytes) * 4 <= bytes, "{bytes} -> {class}");
            assert_eq!(size_class(class), class);
        }
    }

    #[test]
    fn numbers_stand_for_the_same_classes() {
        let large = (3..33).flat_map(|bits| (0..3).map(move |by| (1usize << bits) + by - 1));
        for bytes in (0..10_000).chain(large) {
            assert_eq!(SizeClass::of(bytes).bytes(), size_class(bytes), "{bytes}");
        }
    }
}
