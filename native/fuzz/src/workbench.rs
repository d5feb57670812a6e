//! The tools of the workbench on one file.

use holdfast::rdb::Reader;
use holdfast::rdb::workbench::{Check, Convert, ConvertOptions, Diff, Facts, Side};

/// The file as one of this version; refused where that has no form for something.
fn converted(file: &[u8], version: u32, piece: usize) -> Option<Vec<u8>> {
    let mut convert = Convert::new(ConvertOptions::all(version));
    let (mut reader, mut out) = (Reader::default(), Vec::new());
    for piece in file.chunks(piece) {
        reader.push(piece, &mut convert).ok()?;
        out.extend(convert.take());
    }
    reader.finish().ok()?;
    out.extend(convert.finish());
    Some(out)
}

fn side(file: &[u8]) -> Side {
    let mut side = Side::new(std::env::temp_dir());
    let mut reader = Reader::default();
    reader.push(file, &mut side).expect("is sound");
    reader.finish().expect("is complete");
    side
}

/// What is sound and holds no member twice comes out of a conversion as it was.
pub fn work_on(file: &[u8], piece: usize) {
    let _ = Reader::default().push(file, &mut Facts::new(1 << 20));
    let (mut check, mut reader) = (Check::new(std::env::temp_dir()), Reader::default());
    let is_sound = reader.push(file, &mut check).is_ok() && reader.finish().is_ok();
    if let Some(other) = converted(file, 12, piece)
        && is_sound
    {
        let mut diff = Diff::new(side(file), side(&other)).expect("is read");
        assert!(diff.next_batch(1).expect("is read").is_empty());
    }
}
