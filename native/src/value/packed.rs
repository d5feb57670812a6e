//! What the packed forms of hashes and sets have in common.

use crate::structure::listpack::{Listpack, Position};

/// Removes the `width` elements at `at` and puts the last `width` elements in their place, as a table form does, so that
/// the order of a collection depends on its history but not on its form.
pub(super) fn swap_remove(pack: &mut Listpack, at: Position, width: usize) {
    let last = pack.seek(pack.len() - width);
    match last.filter(|&last| last != at) {
        None => {
            pack.remove_run(at, width);
        }
        Some(last) => {
            let tail = pack.split_off(last);
            pack.remove_run(at, width);
            tail.iter()
                .rev()
                .for_each(|element| pack.insert_packed(at, element));
        }
    }
}
