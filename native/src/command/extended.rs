//! The arithmetic of INCRBYFLOAT: the 64-bit mantissa of Redis's `long double`, computed in integers, so that every
//! machine gives the digits that Redis gives on a PC.

use super::hexadecimal::{Hexadecimal, parse_exponent};
use crate::status::Status;
use std::cmp::Ordering;

/// Longest text that is read as a number.
const TEXT_BYTES_MAX: usize = 5 * 1024;
/// Numbers from 2 to this power on are infinite.
const EXPONENT_MAX: i64 = 16384;
/// Numbers below 2 to this power are zero.
const EXPONENT_MIN: i64 = -16445;
/// Digits behind the point in a printed number, before trailing zeros go.
const FRACTION_DIGITS: u32 = 17;

/// A finite number: `mantissa * 2^exponent`, the mantissa's top bit set unless the number is zero.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Extended {
    negative: bool,
    mantissa: u64,
    exponent: i64,
}

/// What a text means.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Parsed {
    /// A number.
    Finite(Extended),
    /// `inf` or `-inf`.
    Infinite,
}

/// An unsigned number of any length, the least significant word first, no leading zero words.
#[derive(Clone, Debug, PartialEq, Eq)]
struct Natural(Vec<u32>);

impl Natural {
    fn from(value: u64) -> Natural {
        let mut natural = Natural(vec![value as u32, (value >> 32) as u32]);
        natural.trim();
        natural
    }

    fn trim(&mut self) {
        while self.0.last() == Some(&0) {
            self.0.pop();
        }
    }

    fn mul_add(&mut self, factor: u32, addend: u32) {
        let mut carry = u64::from(addend);
        for word in &mut self.0 {
            let sum = u64::from(*word) * u64::from(factor) + carry;
            *word = sum as u32;
            carry = sum >> 32;
        }
        if carry > 0 {
            self.0.push(carry as u32);
        }
    }

    fn mul_power_of_ten(&mut self, power: u32) {
        for _ in 0..power / 9 {
            self.mul_add(1_000_000_000, 0);
        }
        self.mul_add(10u32.pow(power % 9), 0);
    }

    /// Divides by `divisor` and gives the remainder.
    fn div_small(&mut self, divisor: u32) -> u32 {
        let mut remainder = 0u64;
        for word in self.0.iter_mut().rev() {
            let part = remainder << 32 | u64::from(*word);
            *word = (part / u64::from(divisor)) as u32;
            remainder = part % u64::from(divisor);
        }
        self.trim();
        remainder as u32
    }

    fn bits(&self) -> i64 {
        self.0
            .last()
            .map_or(0, |top| self.0.len() as i64 * 32 - i64::from(top.leading_zeros()))
    }

    fn shift_left(&mut self, bits: i64) {
        let (words, bits) = ((bits / 32) as usize, (bits % 32) as u32);
        if bits > 0 {
            let mut carry = 0;
            for word in &mut self.0 {
                let wide = u64::from(*word) << bits | carry;
                *word = wide as u32;
                carry = wide >> 32;
            }
            if carry > 0 {
                self.0.push(carry as u32);
            }
        }
        self.0.splice(0..0, std::iter::repeat_n(0, words));
    }

    fn compare(&self, other: &Natural) -> Ordering {
        let by_len = self.0.len().cmp(&other.0.len());
        by_len.then_with(|| self.0.iter().rev().cmp(other.0.iter().rev()))
    }

    /// Subtracts a number that is not larger.
    fn subtract(&mut self, other: &Natural) {
        let mut borrow = false;
        for (i, word) in self.0.iter_mut().enumerate() {
            let (part, first) = word.overflowing_sub(other.0.get(i).copied().unwrap_or(0));
            let (part, second) = part.overflowing_sub(u32::from(borrow));
            *word = part;
            borrow = first || second;
        }
        self.trim();
    }

    fn decimal(mut self) -> String {
        let mut groups = Vec::new();
        while !self.0.is_empty() {
            groups.push(self.div_small(1_000_000_000));
        }
        let top = groups.pop().unwrap_or(0).to_string();
        groups
            .iter()
            .rev()
            .fold(top, |text, group| text + &format!("{group:09}"))
    }
}

impl Extended {
    const ZERO: Extended = Extended {
        negative: false,
        mantissa: 0,
        exponent: 0,
    };

    /// The nearest number to `wide * 2^exponent`, ties to even. `inexact`: the true value lies a little above `wide`.
    /// `None` if that is infinite.
    fn round(negative: bool, wide: u128, exponent: i64, inexact: bool) -> Option<Extended> {
        if wide == 0 {
            return Some(Extended {
                negative,
                ..Extended::ZERO
            });
        }
        let shift = 64 - i64::from(wide.leading_zeros());
        if shift <= 0 {
            let mantissa = (wide << -shift) as u64;
            return Some(Extended {
                negative,
                mantissa,
                exponent: exponent + shift,
            });
        }
        let (kept, rest, half) = (wide >> shift, wide & ((1 << shift) - 1), 1u128 << (shift - 1));
        let up = rest > half || (rest == half && (inexact || kept & 1 == 1));
        let rounded = kept + u128::from(up);
        let (mantissa, shift) = if rounded >> 64 != 0 {
            (1 << 63, shift + 1)
        } else {
            (rounded as u64, shift)
        };
        let exponent = exponent + shift;
        (exponent + 64 <= EXPONENT_MAX).then_some(Extended {
            negative,
            mantissa,
            exponent,
        })
    }

    /// The nearest number to `digits * 10^power`.
    fn from_decimal(negative: bool, mut digits: Natural, power: i64) -> Option<Extended> {
        if digits.bits() == 0 {
            return Some(Extended {
                negative,
                ..Extended::ZERO
            });
        }
        let mut divisor = Natural::from(1);
        if power >= 0 {
            digits.mul_power_of_ten(power as u32);
        } else {
            divisor.mul_power_of_ten(-power as u32);
        }
        // Scaled so that the quotient has 66 or 67 bits.
        let scale = 66 - (digits.bits() - divisor.bits());
        if scale >= 0 {
            digits.shift_left(scale)
        } else {
            divisor.shift_left(-scale)
        }
        let mut quotient = 0u128;
        divisor.shift_left(66);
        for _ in 0..=66 {
            quotient <<= 1;
            if digits.compare(&divisor) != Ordering::Less {
                digits.subtract(&divisor);
                quotient |= 1;
            }
            digits.shift_left(1);
        }
        Extended::round(negative, quotient, -scale, digits.bits() > 0)
    }

    /// The sum; `None` if it is infinite.
    pub fn plus(self, other: Extended) -> Option<Extended> {
        let (large, small) = if self.magnitude() >= other.magnitude() {
            (self, other)
        } else {
            (other, self)
        };
        if small.mantissa == 0 {
            return Some(large);
        }
        // 63 bits below the larger mantissa; what of the smaller one lies below those, sticks to the last of them.
        let wide = u128::from(large.mantissa) << 63;
        let distance = large.exponent - small.exponent;
        let aligned = u128::from(small.mantissa) << 63;
        let part = if distance > 126 { 0 } else { aligned >> distance };
        let lost = distance > 126 || part << distance != aligned;
        let exponent = large.exponent - 63;
        if large.negative == small.negative {
            return Extended::round(large.negative, wide + part, exponent, lost);
        }
        let difference = wide - part - u128::from(lost);
        let negative = large.negative && difference > 0;
        Extended::round(negative, difference, exponent, lost)
    }

    /// Orders numbers without regard to their sign.
    fn magnitude(self) -> (bool, i64, u64) {
        (self.mantissa != 0, self.exponent, self.mantissa)
    }

    /// The number with up to 17 digits behind the point, trailing zeros removed.
    pub fn format(self) -> String {
        let mut scaled = Natural::from(0);
        if self.exponent >= 0 {
            scaled = Natural::from(self.mantissa);
            scaled.shift_left(self.exponent);
            scaled.mul_power_of_ten(FRACTION_DIGITS);
        } else if self.exponent > -126 {
            let wide = u128::from(self.mantissa) * 10u128.pow(FRACTION_DIGITS);
            let shift = -self.exponent;
            let (kept, rest, half) = (wide >> shift, wide & ((1 << shift) - 1), 1u128 << (shift - 1));
            let kept = kept + u128::from(rest > half || (rest == half && kept & 1 == 1));
            scaled = Natural::from((kept >> 64) as u64);
            scaled.shift_left(64);
            scaled.trim();
            let low = Natural::from(kept as u64);
            scaled.0.resize(scaled.0.len().max(low.0.len()), 0);
            scaled.0[..low.0.len()].copy_from_slice(&low.0);
        }
        let digits = scaled.decimal();
        let digits = format!("{digits:0>width$}", width = FRACTION_DIGITS as usize + 1);
        let (whole, fraction) = digits.split_at(digits.len() - FRACTION_DIGITS as usize);
        let fraction = fraction.trim_end_matches('0');
        let sign = if self.negative && (whole != "0" || !fraction.is_empty()) {
            "-"
        } else {
            ""
        };
        if fraction.is_empty() {
            format!("{sign}{whole}")
        } else {
            format!("{sign}{whole}.{fraction}")
        }
    }
}

/// Reads a decimal or a hexadecimal number, or an infinity.
///
/// # Errors
/// [`Status::NotFloat`] for anything else, NaN, and numbers too large or too small for the format.
pub fn parse(text: &[u8]) -> Result<Parsed, Status> {
    let (negative, unsigned) = match text {
        [b'-', rest @ ..] => (true, rest),
        [b'+', rest @ ..] => (false, rest),
        _ => (false, text),
    };
    if unsigned.eq_ignore_ascii_case(b"inf") || unsigned.eq_ignore_ascii_case(b"infinity") {
        return Ok(Parsed::Infinite);
    }
    if text.len() >= TEXT_BYTES_MAX {
        return Err(Status::NotFloat);
    }
    if let [b'0', b'x' | b'X', digits @ ..] = unsigned {
        let number = Hexadecimal::parse(digits).ok_or(Status::NotFloat)?;
        let rounded = Extended::round(negative, number.digits, number.exponent, number.inexact);
        return in_range(rounded.ok_or(Status::NotFloat)?);
    }
    let (digits, power) = parse_decimal(unsigned).ok_or(Status::NotFloat)?;
    if digits.bits() == 0 {
        return Ok(Parsed::Finite(Extended {
            negative,
            ..Extended::ZERO
        }));
    }
    // Far outside of the range, where the exact power of ten would only be large.
    if !(-2 * TEXT_BYTES_MAX as i64..=TEXT_BYTES_MAX as i64).contains(&power) {
        return Err(Status::NotFloat);
    }
    in_range(Extended::from_decimal(negative, digits, power).ok_or(Status::NotFloat)?)
}

/// Refuses a number that is infinite, or too small to be told from zero.
fn in_range(number: Extended) -> Result<Parsed, Status> {
    let exponents = EXPONENT_MIN + 1..=EXPONENT_MAX;
    if number.mantissa == 0 || exponents.contains(&(number.exponent + 64)) {
        Ok(Parsed::Finite(number))
    } else {
        Err(Status::NotFloat)
    }
}

/// The digits without the point, and the power of ten they are multiplied with.
fn parse_decimal(text: &[u8]) -> Option<(Natural, i64)> {
    let (mantissa, exponent) = match text.iter().position(|b| matches!(b, b'e' | b'E')) {
        Some(at) => (&text[..at], parse_exponent(&text[at + 1..])?),
        None => (text, 0),
    };
    let (mut digits, mut power, mut point, mut any) = (Natural(Vec::new()), exponent, false, false);
    for &byte in mantissa {
        match byte {
            b'0'..=b'9' => {
                any = true;
                digits.mul_add(10, u32::from(byte - b'0'));
                power -= i64::from(point);
            }
            b'.' if !point => point = true,
            _ => return None,
        }
    }
    any.then_some((digits, power))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn finite(text: &str) -> Extended {
        match parse(text.as_bytes()) {
            Ok(Parsed::Finite(number)) => number,
            other => panic!("{text}: {other:?}"),
        }
    }

    fn sum(a: &str, b: &str) -> String {
        finite(a).plus(finite(b)).unwrap().format()
    }

    #[test]
    fn sums_have_the_digits_of_a_64_bit_mantissa() {
        let cases = [
            ("10.50", "0.1", "10.6"),
            ("5.0e3", "2.0e2", "5200"),
            ("0.1", "0.2", "0.3"),
            ("3", "-3", "0"),
            ("-0.5", "0.25", "-0.25"),
            ("1", "1e-18", "1"),
            ("0", "1e20", "100000000000000000000"),
            ("1e300", "0", ""),
        ];
        for (a, b, expected) in cases {
            let got = sum(a, b);
            assert!(got == expected || expected.is_empty(), "{a} + {b} = {got}");
        }
    }

    #[test]
    fn powers_of_two_are_exact() {
        for power in 0..200u32 {
            let number = Extended {
                negative: false,
                mantissa: 1 << 63,
                exponent: i64::from(power) - 63,
            };
            if power < 127 {
                assert_eq!(number.format(), (1u128 << power).to_string());
            }
            assert_eq!(finite(&number.format()), number);
        }
    }

    #[test]
    fn doubles_of_moderate_size_agree_with_exact_arithmetic() {
        // Sums of multiples of 2^-10 are exact in both formats and have at most ten digits behind the point.
        for i in -2000i64..2000 {
            let (a, b) = (i as f64 / 1024.0, (i * 37 % 5000) as f64 / 1024.0);
            let expected = format!("{}", a + b);
            let expected = if expected == "-0" { "0".into() } else { expected };
            assert_eq!(sum(&a.to_string(), &b.to_string()), expected);
        }
    }

    #[test]
    fn hexadecimal_text_is_a_number() {
        for (text, number) in [
            ("0x10", "16"),
            ("-0XfF", "-255"),
            ("0x.8", "0.5"),
            ("0x1.8p1", "3"),
            ("0x1p-2", "0.25"),
            ("0x0", "0"),
            ("0x00000000000000000000000000000000000000001", "1"),
            ("0x8000000000000001", "9223372036854775809"),
            ("0x80000000000000008", "147573952589676412928"),
        ] {
            let got = finite(text).format();
            assert_eq!(got, number, "{text}");
        }
        assert_eq!(
            finite("0x10000000000000000000000000000000000000001"),
            finite("0x1p160")
        );
        assert_eq!(
            finite("0x10000000000000001000000000000000000000001"),
            finite("0x1.0000000000000002p160")
        );
    }

    #[test]
    fn what_is_no_number_is_refused() {
        for bad in [
            "",
            ".",
            "-",
            "1e",
            "1 ",
            " 1",
            "nan",
            "1.2.3",
            "0x",
            "0x.",
            "0xg",
            "0x1p",
            "0x1.2.3",
            "0x1p16384",
            "0x1p-16500",
            "1e5000",
            "1e-6000",
            "--1",
        ] {
            assert_eq!(parse(bad.as_bytes()), Err(Status::NotFloat), "{bad}");
        }
        assert_eq!(parse(b"-inf"), Ok(Parsed::Infinite));
        assert_eq!(parse(&[b'1'; 6000]), Err(Status::NotFloat));
        assert!(finite("1e4931").plus(finite("1e4931")).is_some());
        assert!(finite("1e4932").plus(finite("1e4932")).is_none());
    }
}
