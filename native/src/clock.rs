//! The two clocks of the process, and what it has used of the processors. Nothing else in the crate reads the time.

fn read(clock: libc::clockid_t) -> libc::timespec {
    let mut time = libc::timespec {
        tv_sec: 0,
        tv_nsec: 0,
    };
    // SAFETY: `time` is a valid place for one timespec, and all these clocks exist on every supported system.
    unsafe { libc::clock_gettime(clock, &mut time) };
    time
}

/// Nanoseconds of the lease clock: monotonic, and running on while the host is suspended (CONSENSUS M3).
pub fn boottime_ns() -> u64 {
    #[cfg(any(target_os = "linux", target_os = "android"))]
    let time = read(libc::CLOCK_BOOTTIME);
    // On macOS the monotonic clock counts sleep.
    #[cfg(not(any(target_os = "linux", target_os = "android")))]
    let time = read(libc::CLOCK_MONOTONIC);
    nanoseconds(time)
}

fn nanoseconds(time: libc::timespec) -> u64 {
    time.tv_sec as u64 * 1_000_000_000 + time.tv_nsec as u64
}

/// Nanoseconds that processors have spent on this thread.
pub fn thread_cpu_ns() -> u64 {
    nanoseconds(read(libc::CLOCK_THREAD_CPUTIME_ID))
}

/// Nanoseconds that processors have spent on all threads of the process.
pub fn process_cpu_ns() -> u64 {
    nanoseconds(read(libc::CLOCK_PROCESS_CPUTIME_ID))
}

/// Milliseconds since the Unix epoch.
pub fn wall_ms() -> i64 {
    let time = read(libc::CLOCK_REALTIME);
    time.tv_sec * 1000 + time.tv_nsec / 1_000_000
}
