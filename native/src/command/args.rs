//! Strict parsing of arguments, by Redis's rules.

use super::hexadecimal::Hexadecimal;
use crate::status::Status;
use std::borrow::Cow;

/// Most bytes of a word that is no command's name and no option's, in an error that quotes it.
pub const QUOTED_BYTES_MAX: usize = 128;

/// A word as errors quote it: Redis's are C strings, which end with the first zero byte.
pub fn quoted(word: &[u8]) -> Cow<'_, str> {
    let end = word.iter().position(|&byte| byte == 0).unwrap_or(word.len());
    String::from_utf8_lossy(&word[..end])
}

/// As [`quoted`], up to `max` bytes.
pub fn quoted_start(word: &[u8], max: usize) -> Cow<'_, str> {
    quoted(&word[..word.len().min(max)])
}

/// A 64-bit integer in canonical form: no plus sign, no leading zeros, no spaces, no `-0`.
///
/// # Errors
/// [`Status::NotInteger`].
pub fn int(word: &[u8]) -> Result<i64, Status> {
    let (negative, digits) = match word {
        [b'-', rest @ ..] => (true, rest),
        _ => (false, word),
    };
    match digits {
        [b'0'] if !negative => return Ok(0),
        [] | [b'0', ..] => return Err(Status::NotInteger),
        _ if digits.len() > 19 => return Err(Status::NotInteger),
        _ => {}
    }
    let mut magnitude = 0u64;
    for &digit in digits {
        if !digit.is_ascii_digit() {
            return Err(Status::NotInteger);
        }
        // 19 digits stay below 10^19, which fits.
        magnitude = magnitude * 10 + u64::from(digit - b'0');
    }
    let value = if negative {
        0i64.checked_sub_unsigned(magnitude)
    } else {
        0i64.checked_add_unsigned(magnitude)
    };
    value.ok_or(Status::NotInteger)
}

/// An integer not below `min`, which must not be negative.
///
/// # Errors
/// `refusal` for everything else.
pub fn at_least(word: &[u8], min: usize, refusal: &'static str) -> Result<usize, Status> {
    let number = int(word).ok().and_then(|number| usize::try_from(number).ok());
    number
        .filter(|&number| number >= min)
        .ok_or(Status::Text(refusal))
}

/// As [`at_least`] 0, where 0 stands for no limit, and becomes the largest one.
///
/// # Errors
/// `refusal` for what is no number, or a negative one.
pub fn limit(word: &[u8], refusal: &'static str) -> Result<usize, Status> {
    let limit = at_least(word, 0, refusal)?;
    Ok(if limit == 0 { usize::MAX } else { limit })
}

/// The number that C's `strtod` reads from the whole of a word: decimal or hexadecimal, an infinity or NaN, no spaces. What
/// overflows is infinite, what is too small is zero.
pub fn any_float(word: &[u8]) -> Option<f64> {
    if let Some((negative, digits)) = hexadecimal_digits(word) {
        let value = Hexadecimal::parse(digits)?.double();
        return Some(if negative { -value } else { value });
    }
    std::str::from_utf8(word).ok()?.parse().ok()
}

/// What stands behind a sign and `0x`.
fn hexadecimal_digits(word: &[u8]) -> Option<(bool, &[u8])> {
    let (negative, unsigned) = match word {
        [b'-', rest @ ..] => (true, rest),
        [b'+', rest @ ..] => (false, rest),
        _ => (false, word),
    };
    match unsigned {
        [b'0', b'x' | b'X', digits @ ..] => Some((negative, digits)),
        _ => None,
    }
}

/// A double: decimal or hexadecimal, or an infinity; not NaN, no spaces, nothing that overflows or vanishes.
///
/// # Errors
/// [`Status::NotFloat`].
pub fn float(word: &[u8]) -> Result<f64, Status> {
    let value = any_float(word).ok_or(Status::NotFloat)?;
    let named = word.iter().any(|b| matches!(b, b'i' | b'I'));
    if value.is_nan() || (value.is_infinite() && !named) || (value == 0.0 && !has_only_zeros(word)) {
        return Err(Status::NotFloat);
    }
    Ok(value)
}

/// Whether no digit of a number, up to its exponent, is another than 0.
fn has_only_zeros(word: &[u8]) -> bool {
    let (digits, mark) = match hexadecimal_digits(word) {
        Some((_, digits)) => (digits, b'p'),
        None => (word, b'e'),
    };
    let mantissa = digits.split(|b| b.eq_ignore_ascii_case(&mark)).next();
    !mantissa
        .unwrap_or_default()
        .iter()
        .any(|b| b.is_ascii_hexdigit() && *b != b'0')
}

/// The text of a number where Redis leaves it to C's `strtod` alone: it ends at a zero byte, white space before it does not
/// count, and nothing at all stands for 0.
pub fn lenient(text: &[u8]) -> &[u8] {
    let end = memchr::memchr(0, text).unwrap_or(text.len());
    let text = &text[..end];
    if text.is_empty() {
        b"0"
    } else {
        text.trim_ascii_start()
    }
}

/// Whether `word` is this option. `option` is in upper case; the word may be in any.
pub fn is_option(word: &[u8], option: &str) -> bool {
    word.eq_ignore_ascii_case(option.as_bytes())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn integers_are_canonical() {
        for good in [0, 1, -1, 42, i64::MAX, i64::MIN, 1_000_000_000_000_000_000] {
            assert_eq!(int(good.to_string().as_bytes()), Ok(good));
        }
        for bad in [
            "",
            "-",
            "+1",
            "01",
            "-0",
            " 1",
            "1 ",
            "1.0",
            "9223372036854775808",
            "-9223372036854775809",
        ] {
            assert_eq!(int(bad.as_bytes()), Err(Status::NotInteger), "{bad}");
        }
        assert_eq!(int(b"99999999999999999999"), Err(Status::NotInteger));
    }

    #[test]
    fn numbers_with_a_least_one() {
        let refusal = "ERR too small";
        assert_eq!(at_least(b"1", 1, refusal), Ok(1));
        assert_eq!(
            at_least(b"9223372036854775807", 1, refusal),
            Ok(i64::MAX as usize)
        );
        for word in [&b"0"[..], b"-1", b"x", b"", b"9223372036854775808"] {
            assert_eq!(at_least(word, 1, refusal), Err(Status::Text(refusal)));
        }
        assert_eq!(
            (limit(b"0", refusal), limit(b"7", refusal)),
            (Ok(usize::MAX), Ok(7))
        );
        assert_eq!(limit(b"-1", refusal), Err(Status::Text(refusal)));
    }

    #[test]
    fn floats_refuse_what_is_no_number() {
        for (text, value) in [
            ("1", 1.0),
            ("-0.5", -0.5),
            (".5", 0.5),
            ("5.", 5.0),
            ("+3e2", 300.0),
            ("0e5", 0.0),
            ("0x1p3", 8.0),
            ("-0X.8", -0.5),
            ("+0x10", 16.0),
            ("0x0.00p-99999", 0.0),
        ] {
            assert_eq!(float(text.as_bytes()), Ok(value));
        }
        for text in ["inf", "+inf", "INF", "infinity"] {
            assert_eq!(float(text.as_bytes()), Ok(f64::INFINITY));
        }
        assert_eq!(float(b"-inf"), Ok(f64::NEG_INFINITY));
        for bad in [
            "",
            " 1",
            "1 ",
            "nan",
            "-nan",
            "1e400",
            "1e-400",
            "abc",
            "1,5",
            "e5",
            ".",
            "0x",
            "0xp1",
            "0x1p",
            "0x1g",
            " 0x1",
            "0x1p2000",
            "0x1p-1080",
            "0xap-2000",
            "--0x1",
        ] {
            assert_eq!(float(bad.as_bytes()), Err(Status::NotFloat), "{bad}");
        }
    }

    #[test]
    fn lenient_numbers() {
        assert_eq!(lenient(b""), b"0");
        assert_eq!(lenient(b" \t5"), b"5");
        assert_eq!(lenient(b"5 "), b"5 ");
        assert_eq!((lenient(b"\0\x08"), lenient(b"1\x002")), (&b"0"[..], &b"1"[..]));
        assert_eq!(float(lenient(b" ")), Err(Status::NotFloat));
    }

    #[test]
    fn options_ignore_case() {
        assert!(is_option(b"wIthScores", "WITHSCORES") && !is_option(b"WITHSCORE", "WITHSCORES"));
    }
}
