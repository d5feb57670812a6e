//! Bytes as JSON strings.

const HEX: &[u8; 16] = b"0123456789abcdef";

/// Each byte as the code point of its number, everything but printable ASCII escaped.
pub fn escape_bytes(bytes: &[u8], out: &mut Vec<u8>) {
    out.push(b'"');
    for byte in bytes {
        match byte {
            b'"' | b'\\' | ..=0x1f | 0x7f.. => escape_one(*byte, out),
            _ => out.push(*byte),
        }
    }
    out.push(b'"');
}

/// As text if it is UTF-8, else as [`escape_bytes`].
pub fn escape_readable(bytes: &[u8], out: &mut Vec<u8>) {
    if std::str::from_utf8(bytes).is_err() {
        return escape_bytes(bytes, out);
    }
    out.push(b'"');
    for byte in bytes {
        match byte {
            b'"' | b'\\' | ..=0x1f | 0x7f => escape_one(*byte, out),
            _ => out.push(*byte),
        }
    }
    out.push(b'"');
}

fn escape_one(byte: u8, out: &mut Vec<u8>) {
    let short = match byte {
        b'"' | b'\\' => byte,
        b'\n' => b'n',
        b'\r' => b'r',
        b'\t' => b't',
        0x08 => b'b',
        0x0c => b'f',
        _ => {
            let digits = [HEX[usize::from(byte >> 4)], HEX[usize::from(byte & 15)]];
            out.extend_from_slice(b"\\u00");
            return out.extend_from_slice(&digits);
        }
    };
    out.extend_from_slice(&[b'\\', short]);
}
