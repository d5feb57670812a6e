//! What the allocator puts off: it is not to fall on a command.
//!
//! By itself, the allocator tidies up by the way, on whichever thread allocates. It looks through all memory that the thread
//! has begun to use, which has been seen to take 20 ms beside a million small hashes, and gives free memory back to the
//! system, which took 7 ms when four million strings had been deleted. What is found by looking is found as well when
//! the last of it is freed or the next is needed. And giving back is for threads in the background ([`GivesBack`]),
//! which do it even when nobody allocates.

use parking_lot::Mutex;
use std::ffi::{c_int, c_long};

/// An option of the allocator, which has a number, and what it is unless the environment says something else.
struct Setting {
    option: c_int,
    usual: c_long,
    ours: c_long,
}

/// `mi_option_generic_collect`: after so many allocations that are not the simplest, it looks. This is the most there is.
const LOOKS: Setting = Setting {
    option: 34,
    usual: 10_000,
    ours: 1_000_000,
};

/// `mi_option_purge_delay`: so many milliseconds after memory became free, whoever comes by gives it back.
const PURGES: Setting = Setting {
    option: 15,
    usual: 1_000,
    ours: 3_600_000,
};

unsafe extern "C" {
    fn mi_option_get(option: c_int) -> c_long;
    fn mi_option_set(option: c_int, value: c_long);
    fn mi_collect(force: bool);
}

impl Setting {
    fn change(&self, from: c_long, to: c_long) {
        // SAFETY: the option is one of a number, which is read and written as a whole.
        unsafe {
            if mi_option_get(self.option) == from {
                mi_option_set(self.option, to);
            }
        }
    }
}

/// To be called once, before anything is allocated.
pub fn set() {
    LOOKS.change(LOOKS.usual, LOOKS.ours);
}

/// Gives memory that is free back to the system. Takes milliseconds for each gigabyte of it, and next to nothing if there is
/// none.
pub fn give_back() {
    // SAFETY: may be called at any time, on any thread.
    unsafe { mi_collect(true) };
}

/// Held by a thread that gives memory back now and then: meanwhile nobody else does by the way.
#[derive(Debug)]
pub struct GivesBack(());

/// How many there are: one may begin before the last has ended.
static HOLDERS: Mutex<usize> = Mutex::new(0);

impl GivesBack {
    /// From now on.
    pub fn begin() -> GivesBack {
        let mut holders = HOLDERS.lock();
        *holders += 1;
        PURGES.change(PURGES.usual, PURGES.ours);
        GivesBack(())
    }
}

impl Drop for GivesBack {
    fn drop(&mut self) {
        let mut holders = HOLDERS.lock();
        *holders -= 1;
        if *holders == 0 {
            PURGES.change(PURGES.ours, PURGES.usual);
            // What is free by now would stay as long as it was told to.
            give_back();
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::heap::arena::tests::is_provided;
    use std::thread;
    use std::time::{Duration, Instant};

    fn get(setting: &Setting) -> c_long {
        // SAFETY: the option is one of a number.
        unsafe { mi_option_get(setting.option) }
    }

    #[test]
    fn the_allocator_knows_the_options_by_these_numbers() {
        assert_eq!(get(&LOOKS), LOOKS.ours);
        assert!([PURGES.usual, PURGES.ours].contains(&get(&PURGES)));
    }

    #[test]
    fn nobody_gives_back_by_the_way_while_somebody_does_it() {
        // Keyspaces of other tests do as well.
        let (first, second) = (GivesBack::begin(), GivesBack::begin());
        assert_eq!(get(&PURGES), PURGES.ours);
        drop(first);
        assert_eq!(get(&PURGES), PURGES.ours);
        drop(second);
        let holders = HOLDERS.lock();
        let expected = if *holders == 0 { PURGES.usual } else { PURGES.ours };
        assert_eq!(get(&PURGES), expected);
    }

    #[test]
    fn what_is_free_goes_back_on_demand() {
        let bytes = vec![1u8; 8 << 20];
        let place = bytes.as_ptr() as usize;
        let middle = place + bytes.len() / 2;
        assert!(is_provided(middle));
        drop(bytes);
        // Another thread may be giving back at the time, and another test may get the place.
        let started = Instant::now();
        while is_provided(middle) {
            assert!(started.elapsed() < Duration::from_secs(20));
            give_back();
            thread::yield_now();
        }
    }
}
