//! The patterns of `KEYS`, `SCAN ... MATCH` and `PSUBSCRIBE`.
//!
//! `*` any bytes, `?` one byte, `[a-z0]` one of these, `[^a-z]` none of these, `\` takes the next byte literally. A class
//! that is not closed ends with the pattern. Matching takes at most pattern times text steps: a star that did not work
//! out is tried one byte further on, and only the last star has to be remembered.

/// Whether the whole text fits the pattern.
pub fn matches(pattern: &[u8], text: &[u8]) -> bool {
    let (mut p, mut t) = (0, 0);
    // Behind the last star seen, and where its match of the text ends for now.
    let mut star: Option<(usize, usize)> = None;
    loop {
        if pattern.get(p) == Some(&b'*') {
            p += 1;
            star = Some((p, t));
            if p == pattern.len() {
                return true;
            }
            continue;
        }
        let Some(&byte) = text.get(t) else {
            return p == pattern.len();
        };
        match (step(&pattern[p..], byte), &mut star) {
            (Some(used), _) => {
                p += used;
                t += 1;
            }
            (None, Some((behind, end))) => {
                *end += 1;
                (p, t) = (*behind, *end);
            }
            (None, None) => return false,
        }
    }
}

/// The length of the pattern's first part, which is no star, if it fits the byte.
fn step(pattern: &[u8], byte: u8) -> Option<usize> {
    match *pattern {
        [] => None,
        [b'?', ..] => Some(1),
        [b'[', ref class @ ..] => {
            let (fits, len) = class_fits(class, byte);
            fits.then_some(1 + len)
        }
        [b'\\', literal, ..] => (literal == byte).then_some(2),
        [literal, ..] => (literal == byte).then_some(1),
    }
}

/// Whether the class, given without its opening bracket, has the byte, and how long it is with the closing one.
fn class_fits(class: &[u8], byte: u8) -> (bool, usize) {
    let negated = class.first() == Some(&b'^');
    let mut at = usize::from(negated);
    let mut found = false;
    loop {
        match class[at..] {
            [] => break,
            [b'\\', literal, ..] => {
                found |= literal == byte;
                at += 2;
            }
            [b']', ..] => {
                at += 1;
                break;
            }
            [a, b'-', b, ..] => {
                found |= (a.min(b)..=a.max(b)).contains(&byte);
                at += 3;
            }
            [literal, ..] => {
                found |= literal == byte;
                at += 1;
            }
        }
    }
    (found != negated, at)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(pattern: &str, fitting: &[&str], others: &[&str]) {
        for text in fitting {
            assert!(
                matches(pattern.as_bytes(), text.as_bytes()),
                "{pattern} fits {text}"
            );
        }
        for text in others {
            assert!(
                !matches(pattern.as_bytes(), text.as_bytes()),
                "{pattern} does not fit {text}"
            );
        }
    }

    #[test]
    fn documented_patterns() {
        check("h?llo", &["hello", "hallo", "hxllo"], &["hllo", "heello"]);
        check("h*llo", &["hllo", "heeeello"], &["hell", "ello"]);
        check("h[ae]llo", &["hello", "hallo"], &["hillo", "hllo"]);
        check("h[^e]llo", &["hallo", "hbllo"], &["hello"]);
        check("h[a-b]llo", &["hallo", "hbllo"], &["hcllo"]);
    }

    #[test]
    fn stars() {
        check("", &[""], &["a"]);
        check("*", &["", "a", "abc"], &[]);
        check("**", &["", "abc"], &[]);
        check("a*", &["a", "ab"], &["", "ba"]);
        check("*a", &["a", "ba", "aa"], &["", "ab"]);
        check("a*b*c", &["abc", "axxbxbxc", "abcbc"], &["acb", "abcx"]);
        check("user:*:name", &["user:1:name", "user::name"], &["user:1:names"]);
    }

    #[test]
    fn escapes() {
        check(r"\*", &["*"], &["a", r"\*"]);
        check(r"\[a]", &["[a]"], &["a"]);
        check("a\\", &["a\\"], &["a"]);
        check(r"[\]]", &["]"], &["\\", "a"]);
        check(r"[\-a]", &["-", "a"], &["\\"]);
    }

    #[test]
    fn odd_classes() {
        check("[z-a]", &["a", "m", "z"], &["-"]);
        check("[a-]", &["a", "]", "^"], &["-", "b"]);
        check("[]", &[], &["", "]", "a"]);
        check("[^]", &["a", "]"], &[""]);
        check("[ab", &["a", "b"], &["c", "ab"]);
        check("[", &[], &["[", "a"]);
    }

    #[test]
    fn many_stars_stay_fast() {
        let pattern = b"a*".repeat(200);
        let text = vec![b'a'; 20_000];
        assert!(matches(&pattern, &text));
        let mut hopeless = pattern.clone();
        hopeless.push(b'b');
        assert!(!matches(&hopeless, &text));
    }
}
