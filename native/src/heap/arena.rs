//! Ranges of addresses that the allocator takes its memory from.
//!
//! Reserving a range takes no memory. The first is there before the first allocation, or the allocator would have reserved one of its
//! own; a larger one follows whenever the last is half used. Where the system allows no more, the allocator goes on by itself.

use super::block::{AHEAD, Advance, BLOCK_BYTES, Block, Blocks, Provider};
use super::settings;
use super::spare::Spare;
use std::ffi::{c_int, c_void};
use std::ptr;
use std::sync::atomic::{AtomicPtr, AtomicU32, AtomicUsize, Ordering};

/// The first range; each one is twice as large as the one before, up to [`RANGE_BYTES_MAX`].
const RANGE_BYTES: usize = 4 << 30;
/// The largest that the allocator can manage as one.
const RANGE_BYTES_MAX: usize = 16 << 30;
/// The smallest pages there are.
const PAGE_BYTES: usize = 4096;
/// What is provided at once, at most, for those who fill memory in bulk: others who map memory wait for so long.
const AT_ONCE_BYTES: usize = 1 << 20;
/// More than a terabyte of ranges.
const RANGES_MAX: usize = 80;

/// Decides over memory of a range: gives it to the allocator (`true`) or takes it back.
type CommitFn = extern "C" fn(bool, *mut c_void, usize, *mut bool, *mut c_void) -> bool;

unsafe extern "C" {
    fn mi_process_init();
    fn mi_manage_memory(
        start: *mut c_void,
        size: usize,
        is_committed: bool,
        is_pinned: bool,
        is_zero: bool,
        numa_node: c_int,
        exclusive: bool,
        commit: CommitFn,
        argument: *mut c_void,
        id: *mut *mut c_void,
    ) -> bool;
}

struct Range {
    base: AtomicUsize,
    bytes: AtomicUsize,
    blocks: AtomicPtr<Block>,
}

static RANGES: [Range; RANGES_MAX] = [const {
    Range {
        base: AtomicUsize::new(0),
        bytes: AtomicUsize::new(0),
        blocks: AtomicPtr::new(ptr::null_mut()),
    }
}; RANGES_MAX];
static COUNT: AtomicUsize = AtomicUsize::new(0);
/// Counts the blocks that were begun. The thread that prepares sleeps on it.
static BELL: AtomicU32 = AtomicU32::new(0);

/// How many fill memory in bulk.
static FILLING: AtomicUsize = AtomicUsize::new(0);

/// Somebody fills memory in bulk for as long as this is held, with all processors: what the allocator begins to use will be touched at
/// once, so the system is asked for it in one call, and nothing is prepared by the way.
#[derive(Debug)]
pub struct Filling(());

impl Filling {
    /// From now on.
    pub fn begin() -> Filling {
        FILLING.fetch_add(1, Ordering::Relaxed);
        Filling(())
    }
}

impl Drop for Filling {
    fn drop(&mut self) {
        FILLING.fetch_sub(1, Ordering::Relaxed);
    }
}

fn is_filling() -> bool {
    FILLING.load(Ordering::Relaxed) > 0
}

/// Addresses that go back to the system, unless they are kept.
pub(super) struct Mapping {
    pub(super) start: usize,
    bytes: usize,
}

impl Mapping {
    fn keep(self) {
        std::mem::forget(self);
    }
}

impl Drop for Mapping {
    fn drop(&mut self) {
        // SAFETY: mapped by `map`, and who has told others of it has kept it.
        unsafe { libc::munmap(self.start as *mut c_void, self.bytes) };
    }
}

/// The system's anonymous memory, zeroed, of which nothing is taken before it is touched.
pub(super) fn map(bytes: usize) -> Option<Mapping> {
    let flags = libc::MAP_PRIVATE | libc::MAP_ANONYMOUS | libc::MAP_NORESERVE;
    // SAFETY: a new mapping at a place of the system's choice.
    let place = unsafe {
        libc::mmap(
            ptr::null_mut(),
            bytes,
            libc::PROT_READ | libc::PROT_WRITE,
            flags,
            -1,
            0,
        )
    };
    (place != libc::MAP_FAILED).then_some(Mapping {
        start: place as usize,
        bytes,
    })
}

/// Tells the system something of memory that was mapped here.
pub(super) fn advise(start: usize, bytes: usize, advice: c_int) -> bool {
    // SAFETY: the range belongs to a mapping of `map` that is held or was kept. Only `commit` and the one thread that holds a spare page
    // give advice that changes what is in it.
    unsafe { libc::madvise(start as *mut c_void, bytes, advice) == 0 }
}

impl Range {
    fn blocks(&self) -> Blocks<'_> {
        let count = self.bytes.load(Ordering::Acquire) / BLOCK_BYTES;
        // SAFETY: set before `bytes`, to a mapping of as many blocks, whose zeroes are what fresh blocks are made of.
        Blocks(unsafe { std::slice::from_raw_parts(self.blocks.load(Ordering::Relaxed), count) })
    }

    fn start_of(&self, number: usize) -> usize {
        self.base.load(Ordering::Relaxed) + number * BLOCK_BYTES
    }
}

/// Reserves another range. False if the system or the allocator does not allow it.
fn reserve() -> bool {
    let number = COUNT.load(Ordering::Acquire);
    let Some(range) = RANGES.get(number) else {
        return false;
    };
    let bytes = (RANGE_BYTES << number.min(8)).min(RANGE_BYTES_MAX);
    // As much more as it takes to begin at a block.
    let Some(mapped) = map(bytes + BLOCK_BYTES) else {
        return false;
    };
    let Some(blocks) = map(bytes / BLOCK_BYTES * size_of::<Block>()) else {
        return false;
    };
    let base = mapped.start.next_multiple_of(BLOCK_BYTES);
    advise(base, bytes, libc::MADV_NOHUGEPAGE);
    range.base.store(base, Ordering::Relaxed);
    range.blocks.store(blocks.start as *mut Block, Ordering::Relaxed);
    range.bytes.store(bytes, Ordering::Release);
    let argument = ptr::from_ref(range).cast_mut().cast();
    let mut id = ptr::null_mut();
    // SAFETY: the range is mapped, aligned and zero, and nobody else uses it; `range` lives as long as the process.
    let managed = unsafe {
        mi_manage_memory(
            base as *mut c_void,
            bytes,
            false,
            false,
            true,
            -1,
            false,
            commit,
            argument,
            &mut id,
        )
    };
    if !managed {
        range.bytes.store(0, Ordering::Release);
        return false;
    }
    mapped.keep();
    blocks.keep();
    COUNT.store(number + 1, Ordering::Release);
    true
}

/// Called by the allocator, on any thread, with memory of a range that it begins to use or uses no more. Allocates nothing.
/// Some of what it begins to use may have been in use all along, so nothing is said of whether it is zero.
extern "C" fn commit(
    used: bool,
    start: *mut c_void,
    size: usize,
    _is_zero: *mut bool,
    range: *mut c_void,
) -> bool {
    // SAFETY: what `reserve` has given along.
    let range = unsafe { &*range.cast::<Range>() };
    let from = start as usize - range.base.load(Ordering::Relaxed);
    let blocks = range.blocks();
    if used {
        if blocks.claim(from, from + size) {
            ring();
        }
        if size <= AT_ONCE_BYTES && is_filling() {
            advise(start as usize, size, libc::MADV_POPULATE_WRITE);
        }
        return true;
    }
    let dropped = advise(start as usize, size, libc::MADV_DONTNEED);
    // Who touches it next is a command.
    blocks.release(from, from + size, |number| {
        advise(range.start_of(number), BLOCK_BYTES, libc::MADV_NOHUGEPAGE);
    });
    dropped
}

/// Whether the system counts what is reserved as if it was used.
fn reserving_costs() -> bool {
    let mut mode = [0u8; 1];
    // SAFETY: the path ends with a zero, and the buffer has room for one byte.
    unsafe {
        let file = libc::open(
            c"/proc/sys/vm/overcommit_memory".as_ptr(),
            libc::O_RDONLY | libc::O_CLOEXEC,
        );
        if file >= 0 {
            libc::read(file, mode.as_mut_ptr().cast(), 1);
            libc::close(file);
        }
    }
    mode == *b"2"
}

/// Before anything is allocated: other initializers of the library may do that.
extern "C" fn initialize() {
    // SAFETY: may be called at any time, and again.
    unsafe { mi_process_init() };
    settings::set();
    if !reserving_costs() {
        reserve();
    }
}

#[used]
#[unsafe(link_section = ".init_array.00101")]
static INITIALIZE: extern "C" fn() = initialize;

/// Has the system provide a block, as one page if it can.
///
/// Told to populate memory (`MADV_POPULATE_WRITE`), it makes all who map memory meanwhile wait, the engine's collector
/// for one; for a touch it does not.
pub(super) fn provide(start: usize) -> bool {
    let advised = advise(start, BLOCK_BYTES, libc::MADV_HUGEPAGE);
    if advised {
        (start..start + BLOCK_BYTES).step_by(PAGE_BYTES).for_each(touch);
    }
    advised
}

/// Writes what is there already, as one step for all threads.
fn touch(place: usize) {
    #[cfg(target_arch = "x86_64")]
    // SAFETY: the place is mapped for good, and what is there stays, whoever else writes to it at the time.
    unsafe {
        std::arch::asm!("lock or byte ptr [{place}], 0", place = in(reg) place, options(nostack));
    }
    #[cfg(target_arch = "aarch64")]
    // SAFETY: as above: the store fails if anybody has written in between.
    unsafe {
        std::arch::asm!(
            "2: ldxrb {byte:w}, [{place}]",
            "stxrb {failed:w}, {byte:w}, [{place}]",
            "cbnz {failed:w}, 2b",
            place = in(reg) place, byte = out(reg) _, failed = out(reg) _, options(nostack)
        );
    }
}

/// Provides blocks of a range.
struct RangeProvider<'a> {
    range: &'a Range,
    spare: &'a mut Spare,
}

impl Provider for RangeProvider<'_> {
    fn make_ready(&mut self) {
        self.spare.fill();
    }

    fn provide(&mut self, number: usize) -> bool {
        self.spare.give_up();
        provide(self.range.start_of(number))
    }
}

/// Prepares what is likely to be needed next in all ranges, and sees to it that there is another range in time.
pub fn advance(spare: &mut Spare) -> Advance {
    let mut all = Advance::default();
    let count = COUNT.load(Ordering::Acquire);
    // Whoever fills memory in bulk is faster than this, and needs the processors.
    let ahead = if is_filling() { 0 } else { AHEAD };
    for (number, range) in RANGES[..count].iter().enumerate() {
        let blocks = range.blocks();
        let advance = blocks.advance(ahead, &mut RangeProvider { range, spare });
        all.overtaken |= advance.overtaken;
        all.failed |= advance.failed;
        all.begun_up_to = all.begun_up_to.max(advance.begun_up_to);
        // Without one, the allocator goes on by itself.
        if number + 1 == count && advance.begun_up_to > blocks.0.len() / 2 {
            reserve();
        }
    }
    all
}

/// Wakes the thread that prepares.
pub fn ring() {
    BELL.fetch_add(1, Ordering::Release);
    // SAFETY: wakes who waits at an address that is always there.
    unsafe {
        libc::syscall(
            libc::SYS_futex,
            BELL.as_ptr(),
            libc::FUTEX_WAKE | libc::FUTEX_PRIVATE_FLAG,
            1,
        )
    };
}

/// How often the bell has rung.
pub fn rung() -> u32 {
    BELL.load(Ordering::Acquire)
}

/// Sleeps until the bell has rung since it had rung so often. May wake without a reason.
pub fn sleep(since: u32) {
    let no_limit = ptr::null::<libc::timespec>();
    // SAFETY: waits at an address that is always there.
    unsafe {
        libc::syscall(
            libc::SYS_futex,
            BELL.as_ptr(),
            libc::FUTEX_WAIT | libc::FUTEX_PRIVATE_FLAG,
            since,
            no_limit,
        )
    };
}

#[cfg(test)]
pub(super) mod tests {
    use super::*;
    use crate::heap::Ahead;
    use std::thread;

    fn is_ours(place: usize) -> bool {
        RANGES[..COUNT.load(Ordering::Acquire)].iter().any(|range| {
            let base = range.base.load(Ordering::Relaxed);
            (base..base + range.bytes.load(Ordering::Relaxed)).contains(&place)
        })
    }

    #[test]
    fn what_is_allocated_stands_in_a_range() {
        let small = Box::new(7u64);
        let large = vec![1u8; 3 << 20];
        assert!(is_ours(ptr::from_ref(&*small) as usize));
        assert!(is_ours(large.as_ptr() as usize));
        let here = 0u8;
        assert!(!is_ours(&raw const here as usize));
    }

    /// Whether the system has taken memory for a page.
    pub(in crate::heap) fn is_provided(place: usize) -> bool {
        let page = place / PAGE_BYTES * PAGE_BYTES;
        let mut seen = 0u8;
        // SAFETY: asks about one page that is mapped, and is told in one byte.
        let told = unsafe { libc::mincore(page as *mut c_void, PAGE_BYTES, &mut seen) };
        assert_eq!(told, 0);
        seen & 1 == 1
    }

    #[test]
    fn a_block_is_there_once_it_is_provided_and_keeps_what_was_in_it() {
        let mapping = map(4 * BLOCK_BYTES).expect("address space");
        let base = mapping.start.next_multiple_of(BLOCK_BYTES);
        let last = base + BLOCK_BYTES - PAGE_BYTES;
        // SAFETY: mapped above, and nobody else's.
        unsafe { (base as *mut u64).write(42) };
        assert!(!is_provided(last));
        assert!(provide(base));
        assert!(is_provided(last) && !is_provided(last + BLOCK_BYTES));
        // SAFETY: as above.
        assert_eq!(unsafe { (base as *const u64).read() }, 42);
    }

    #[test]
    fn what_is_begun_while_somebody_fills_memory_is_provided_at_once() {
        let held: Vec<Block> = (0..4).map(|_| Block::default()).collect();
        let mapping = map(5 * BLOCK_BYTES).expect("address space");
        let base = mapping.start.next_multiple_of(BLOCK_BYTES);
        advise(base, 4 * BLOCK_BYTES, libc::MADV_NOHUGEPAGE);
        let range = Range {
            base: AtomicUsize::new(base),
            bytes: AtomicUsize::new(held.len() * BLOCK_BYTES),
            blocks: AtomicPtr::new(held.as_ptr().cast_mut()),
        };
        let begin = |start, bytes| {
            let range = ptr::from_ref(&range).cast_mut().cast();
            assert!(commit(true, start as *mut c_void, bytes, ptr::null_mut(), range));
        };
        let filling = Filling::begin();
        begin(base, AT_ONCE_BYTES);
        assert!(is_provided(base + AT_ONCE_BYTES - PAGE_BYTES));
        begin(base + BLOCK_BYTES, AT_ONCE_BYTES + PAGE_BYTES);
        assert!(
            !is_provided(base + BLOCK_BYTES + AT_ONCE_BYTES),
            "others would wait for so much"
        );
        drop(filling);
    }

    #[test]
    fn a_mapping_that_is_not_kept_goes_back() {
        const BYTES: usize = 64 << 20;
        // Others may map some of it again, but not all.
        let is_mapped = |start: usize| {
            let mut pages = vec![0u8; BYTES / PAGE_BYTES];
            // SAFETY: the system is asked about any addresses, and given a byte for each page.
            unsafe { libc::mincore(start as *mut c_void, BYTES, pages.as_mut_ptr()) == 0 }
        };
        let (kept, dropped) = (
            map(BYTES).expect("address space"),
            map(BYTES).expect("address space"),
        );
        let (first, second) = (kept.start, dropped.start);
        kept.keep();
        drop(dropped);
        assert!(is_mapped(first) && !is_mapped(second));
        drop(Mapping {
            start: first,
            bytes: BYTES,
        });
    }

    /// Threads fill memory, look at it and give it back, in pieces of all sizes, faster than it can be prepared.
    #[test]
    fn nothing_is_lost_while_memory_is_prepared() {
        const THREADS: u64 = 3;
        const ROUNDS: u64 = 6;
        let ahead = Ahead::start();
        thread::scope(|scope| {
            for seed in 0..THREADS {
                scope.spawn(move || {
                    for round in 0..ROUNDS {
                        let filled: Vec<Vec<u64>> = (0..4000u64)
                            .map(|i| vec![seed ^ (round << 8) ^ (i << 16); (i * 7 % 1500) as usize + 1])
                            .collect();
                        for (i, words) in filled.iter().enumerate() {
                            let expected = seed ^ (round << 8) ^ ((i as u64) << 16);
                            assert!(words.iter().all(|&word| word == expected));
                        }
                    }
                });
            }
        });
        let rung = rung();
        drop(ahead);
        assert_ne!(rung, self::rung(), "the thread was woken to end");
    }
}
