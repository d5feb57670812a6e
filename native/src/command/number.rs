//! Printing of doubles as Redis 7.2 does.

use std::fmt::Write;

/// Integers up to here are printed in full (half of the 64-bit range).
const PLAIN_INTEGER_MAX: f64 = (i64::MAX / 2) as f64;

/// A double as Redis prints scores: an integer without a fraction, else the shortest digits that give the same double
/// back, with an exponent when the number is very large or very small; `inf` and `-inf`.
pub fn format_double(value: f64) -> String {
    if value.is_infinite() {
        return if value > 0.0 { "inf".into() } else { "-inf".into() };
    }
    if value == 0.0 {
        return if value.is_sign_negative() {
            "-0".into()
        } else {
            "0".into()
        };
    }
    if value.abs() <= PLAIN_INTEGER_MAX && value == value.trunc() {
        return itoa::Buffer::new().format(value as i64).into();
    }
    format_shortest(value)
}

fn format_shortest(value: f64) -> String {
    let scientific = format!("{:e}", value.abs());
    let (mantissa, exponent) = scientific.split_once('e').unwrap_or((&scientific, "0"));
    let exponent: i32 = exponent.parse().unwrap_or(0);
    let digits: String = mantissa.chars().filter(char::is_ascii_digit).collect();
    let count = digits.len() as i32;
    // The value is `digits` * 10^scale.
    let scale = exponent - count + 1;
    let mut text = String::with_capacity(32);
    if value < 0.0 {
        text.push('-');
    }
    if scale >= 0 && exponent < count + 7 {
        text.push_str(&digits);
        text.extend(std::iter::repeat_n('0', scale as usize));
    } else if scale < 0 && (scale > -7 || exponent.abs() < 4) {
        push_fraction(&mut text, &digits, count + scale);
    } else {
        text.push_str(&digits[..1]);
        if count > 1 {
            text.push('.');
            text.push_str(&digits[1..]);
        }
        // Writing to a String cannot fail.
        let _ = write!(text, "e{exponent:+}");
    }
    text
}

/// `digits` with the point behind the first `whole` of them.
fn push_fraction(text: &mut String, digits: &str, whole: i32) {
    if whole > 0 {
        text.push_str(&digits[..whole as usize]);
        text.push('.');
        text.push_str(&digits[whole as usize..]);
    } else {
        text.push_str("0.");
        text.extend(std::iter::repeat_n('0', -whole as usize));
        text.push_str(digits);
    }
}

#[cfg(test)]
mod tests {
    use super::format_double;

    #[test]
    fn scores_print_as_in_redis() {
        let cases = [
            (0.0, "0"),
            (-0.0, "-0"),
            (1.0, "1"),
            (-17.0, "-17"),
            (0.1, "0.1"),
            (3.25, "3.25"),
            (-1234.5678, "-1234.5678"),
            (1e17, "100000000000000000"),
            (1e19, "1e+19"),
            (1.5e300, "1.5e+300"),
            (1e-5, "0.00001"),
            (1e-7, "1e-7"),
            (1.234e-9, "1.234e-9"),
            (0.0001234, "1.234e-4"),
            (0.001234, "0.001234"),
            (f64::INFINITY, "inf"),
            (f64::NEG_INFINITY, "-inf"),
            (0.30000000000000004, "0.30000000000000004"),
        ];
        for (value, text) in cases {
            assert_eq!(format_double(value), text);
        }
    }
}
