//! One entry of a listpack: an encoding, its data, and the length of both, written to be read backwards.

use crate::value::Element;

/// The integer whose canonical decimal text this is: no sign but `-`, no leading zero, no `-0`, within 64 bits.
pub fn canonical_int(text: &[u8]) -> Option<i64> {
    let (negative, digits) = match text {
        [b'-', digits @ ..] => (true, digits),
        digits => (false, digits),
    };
    match digits {
        [] => return None,
        [b'0'] => return (!negative).then_some(0),
        [b'0', ..] => return None,
        _ if digits.len() > 19 => return None,
        _ => {}
    }
    let mut n: i64 = 0;
    for &digit in digits {
        let value = i64::from(digit.wrapping_sub(b'0'));
        if value > 9 {
            return None;
        }
        // Summed as a negative number, because i64::MIN has no positive counterpart.
        n = n.checked_mul(10)?.checked_sub(value)?;
    }
    if negative { Some(n) } else { n.checked_neg() }
}

/// The form in which a listpack holds this text.
pub fn packed_form(text: &[u8]) -> Element<'_> {
    match canonical_int(text) {
        Some(n) => Element::Int(n),
        None => Element::Bytes(text),
    }
}

/// Bytes of the field that repeats an entry's length behind it. The bounds are one below the powers of two, as Redis has them.
pub(super) fn back_length_size(n: usize) -> usize {
    match n {
        0..=127 => 1,
        128..16383 => 2,
        16383..2097151 => 3,
        2097151..268435455 => 4,
        _ => 5,
    }
}

/// Bytes of encoding and data, without the back-length.
pub(super) fn body_size(element: Element<'_>) -> usize {
    match element {
        Element::Bytes(bytes) => {
            bytes.len()
                + match bytes.len() {
                    0..64 => 1,
                    64..4096 => 2,
                    _ => 5,
                }
        }
        Element::Int(0..=127) => 1,
        Element::Int(-4096..=4095) => 2,
        Element::Int(-0x8000..=0x7FFF) => 3,
        Element::Int(-0x80_0000..=0x7F_FFFF) => 4,
        Element::Int(-0x8000_0000..=0x7FFF_FFFF) => 5,
        Element::Int(_) => 9,
    }
}

/// Bytes that this element, in its packed form, takes in a listpack.
pub fn entry_size(element: Element<'_>) -> usize {
    let body = body_size(element);
    body + back_length_size(body)
}

/// An entry up to its back-length. Equal elements have equal entries, since there is one form for each.
pub(super) struct Body<'a> {
    head: [u8; 9],
    head_len: usize,
    data: &'a [u8],
}

impl<'a> Body<'a> {
    pub(super) fn of(element: Element<'a>) -> Body<'a> {
        let mut head = [0; 9];
        let size = body_size(element);
        let n = match element {
            Element::Int(n) => n,
            Element::Bytes(data) => {
                let n = data.len() as u32;
                let head_len = size - data.len();
                match head_len {
                    1 => head[0] = 0x80 | n as u8,
                    2 => head[..2].copy_from_slice(&(0xE000 | n as u16).to_be_bytes()),
                    _ => {
                        head[0] = 0xF0;
                        head[1..5].copy_from_slice(&n.to_le_bytes());
                    }
                }
                return Body { head, head_len, data };
            }
        };
        match size {
            1 => head[0] = n as u8,
            2 => head[..2].copy_from_slice(&(0xC000 | (n as u16 & 0x1FFF)).to_be_bytes()),
            _ => {
                head[0] = match size {
                    3 => 0xF1,
                    4 => 0xF2,
                    5 => 0xF3,
                    _ => 0xF4,
                };
                head[1..].copy_from_slice(&n.to_le_bytes());
            }
        }
        Body {
            head,
            head_len: size,
            data: &[],
        }
    }

    /// Whether an entry with this body begins `bytes`.
    pub(super) fn begins(&self, bytes: &[u8]) -> bool {
        bytes[0] == self.head[0]
            && bytes.starts_with(&self.head[..self.head_len])
            && bytes[self.head_len..].starts_with(self.data)
    }
}

/// Writes the entry into `place`, which is exactly [`entry_size`] long.
pub(super) fn write_entry(place: &mut [u8], element: Element<'_>) {
    let Body { head, head_len, data } = Body::of(element);
    let body = head_len + data.len();
    place[..head_len].copy_from_slice(&head[..head_len]);
    place[head_len..body].copy_from_slice(data);
    let groups = place.len() - body;
    for (i, byte) in place[body..].iter_mut().enumerate() {
        let group = (body >> (7 * (groups - 1 - i))) as u8 & 0x7F;
        *byte = if i == 0 { group } else { group | 0x80 };
    }
}

/// The size of the entry that begins `bytes`, back-length included.
#[inline]
pub(super) fn skip_size(bytes: &[u8]) -> Option<usize> {
    match *bytes.first()? {
        0..=0x7F => Some(2),
        short @ 0x80..=0xBF => Some(2 + usize::from(short & 0x3F)),
        0xC0..=0xDF => Some(3),
        _ => {
            let (_, body) = read_entry(bytes)?;
            Some(body + back_length_size(body))
        }
    }
}

/// The entry that begins `bytes`: the element and the size of its body. `None` if no valid entry begins there.
pub(super) fn read_entry(bytes: &[u8]) -> Option<(Element<'_>, usize)> {
    let first = *bytes.first()?;
    let string = |head: usize, len: usize| {
        let data = bytes.get(head..head.checked_add(len)?)?;
        Some((Element::Bytes(data), head + len))
    };
    let int = |width: usize| {
        let data = bytes.get(1..1 + width)?;
        let mut wide = [if data[width - 1] & 0x80 != 0 { 0xFF } else { 0 }; 8];
        wide[..width].copy_from_slice(data);
        Some((Element::Int(i64::from_le_bytes(wide)), 1 + width))
    };
    match first {
        0..=0x7F => Some((Element::Int(i64::from(first)), 1)),
        0x80..=0xBF => string(1, usize::from(first & 0x3F)),
        0xC0..=0xDF => {
            let raw = i64::from(first & 0x1F) << 8 | i64::from(*bytes.get(1)?);
            Some((Element::Int(if raw >= 4096 { raw - 8192 } else { raw }), 2))
        }
        0xE0..=0xEF => string(2, usize::from(first & 0x0F) << 8 | usize::from(*bytes.get(1)?)),
        0xF0 => {
            let len: [u8; 4] = bytes.get(1..5)?.try_into().ok()?;
            string(5, u32::from_le_bytes(len) as usize)
        }
        0xF1 => int(2),
        0xF2 => int(3),
        0xF3 => int(4),
        0xF4 => int(8),
        _ => None,
    }
}

/// The body size of the entry that ends right before `end`, and the size of its back-length.
pub(super) fn read_back_length(bytes: &[u8], end: usize) -> Option<(usize, usize)> {
    let mut body = 0;
    for i in 0..5 {
        let byte = *bytes.get(end.checked_sub(1 + i)?)?;
        body |= usize::from(byte & 0x7F) << (7 * i);
        if byte & 0x80 == 0 {
            return Some((body, 1 + i));
        }
    }
    None
}
