//! Numbers in C's hexadecimal notation (`0x1.8p3`), which Redis takes wherever it leaves a number to `strtod` or `strtold`.

/// Significant bits of a double.
const DOUBLE_BITS: i64 = f64::MANTISSA_DIGITS as i64;
/// Every double is a multiple of 2 to this power.
const DOUBLE_EXPONENT_MIN: i64 = -1074;
/// 2 to this power is the largest that is a double.
const DOUBLE_EXPONENT_MAX: i64 = 1023;

/// `digits * 2^exponent`, or a little more.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Hexadecimal {
    /// The first 128 significant bits.
    pub digits: u128,
    /// Power of two.
    pub exponent: i64,
    /// Whether bits other than 0 were left out behind `digits`.
    pub inexact: bool,
}

impl Hexadecimal {
    /// Reads what stands behind `0x`: digits, a point among them or not, and a power of two behind a `p`.
    pub fn parse(text: &[u8]) -> Option<Hexadecimal> {
        let (text, exponent) = match text.iter().position(|b| matches!(b, b'p' | b'P')) {
            Some(at) => (&text[..at], parse_exponent(&text[at + 1..])?),
            None => (text, 0),
        };
        let mut number = Hexadecimal {
            digits: 0,
            exponent,
            inexact: false,
        };
        let (mut point, mut any) = (false, false);
        for &byte in text {
            if byte == b'.' && !point {
                point = true;
                continue;
            }
            let digit = char::from(byte).to_digit(16)?;
            any = true;
            if number.digits.leading_zeros() >= 4 {
                number.digits = number.digits << 4 | u128::from(digit);
                number.exponent -= 4 * i64::from(point);
            } else {
                number.inexact |= digit != 0;
                number.exponent += 4 * i64::from(!point);
            }
        }
        any.then_some(number)
    }

    /// The nearest double, ties to even: infinite if it is too large, zero if it is too small.
    pub fn double(self) -> f64 {
        if self.digits == 0 {
            return 0.0;
        }
        let bits = 128 - i64::from(self.digits.leading_zeros());
        // Fewer bits are kept where doubles get sparse, down to none right below the least of them.
        let kept_bits = DOUBLE_BITS.min(bits + self.exponent - DOUBLE_EXPONENT_MIN);
        if kept_bits < 0 {
            return 0.0;
        }
        let shift = (bits - kept_bits).max(0);
        let kept = self.digits.checked_shr(shift as u32).unwrap_or(0);
        let rest = self.digits - kept.checked_shl(shift as u32).unwrap_or(0);
        let half = if shift > 0 { 1 << (shift - 1) } else { u128::MAX };
        let up = rest > half || (rest == half && (self.inexact || kept & 1 == 1));
        // At most 2^53, so neither the conversion nor, but for an overflow, the multiplication rounds.
        (kept + u128::from(up)) as f64 * power_of_two(self.exponent + shift)
    }
}

/// 2 to a power that is not below the least of the doubles.
fn power_of_two(exponent: i64) -> f64 {
    const BIAS: i64 = DOUBLE_EXPONENT_MAX;
    if exponent > DOUBLE_EXPONENT_MAX {
        f64::INFINITY
    } else if exponent > -BIAS {
        f64::from_bits(((exponent + BIAS) as u64) << (DOUBLE_BITS - 1))
    } else {
        f64::from_bits(1 << (exponent - DOUBLE_EXPONENT_MIN))
    }
}

/// A decimal power, behind a sign or not; one that is far out of every range becomes another one.
pub fn parse_exponent(text: &[u8]) -> Option<i64> {
    let (negative, digits) = match text {
        [b'-', rest @ ..] => (true, rest),
        [b'+', rest @ ..] => (false, rest),
        _ => (false, text),
    };
    if digits.is_empty() || !digits.iter().all(u8::is_ascii_digit) {
        return None;
    }
    let value = digits.iter().fold(0i64, |value, digit| {
        (value * 10 + i64::from(digit - b'0')).min(1 << 40)
    });
    Some(if negative { -value } else { value })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::random::Rng;

    fn double(text: &str) -> Option<f64> {
        Hexadecimal::parse(text.as_bytes()).map(Hexadecimal::double)
    }

    #[test]
    fn numbers_are_those_of_c() {
        let cases = [
            ("1p3", 8.0),
            ("10", 16.0),
            ("1.8P1", 3.0),
            (".8", 0.5),
            ("1.p-1", 0.5),
            (".0001p5", 0.00048828125),
            ("0p9999999999", 0.0),
            ("123456789abcdef01", 2.0988295479420645e19),
            ("1.fffffffffffff8p0", 2.0),
            ("1.00000000000008p0", 1.0),
            (
                "1.00000000000008000000000000000000000000000001p0",
                1.0000000000000002,
            ),
            ("1.fffffffffffff7p1023", f64::MAX),
            ("1.fffffffffffff8p1023", f64::INFINITY),
            ("1p99999999999", f64::INFINITY),
            ("1p-1074", 5e-324),
            ("1.8p-1075", 5e-324),
            ("1p-1075", 0.0),
            ("1.0000000000000000000000000000000000000000000001p-1075", 5e-324),
            ("ffffffffffffffffffffffffffffffff1p-1206", 5e-324),
            ("1p-99999999999", 0.0),
        ];
        for (text, value) in cases {
            assert_eq!(double(text), Some(value), "{text}");
        }
        for bad in [
            "", ".", "p1", "1p", "1p+", "1g", "1..2", "1p1.0", "-1", " 1", "1 ",
        ] {
            assert_eq!(double(bad), None, "{bad}");
        }
    }

    #[test]
    fn whole_numbers_round_as_the_machine_does() {
        let mut rng = Rng::new(3);
        for _ in 0..20_000 {
            let number = u128::from(rng.next_u64()) << 64 | u128::from(rng.next_u64());
            let number = number >> rng.below(128);
            assert_eq!(double(&format!("{number:x}")), Some(number as f64));
        }
    }
}
