//! Releases memory. Allocation is configured in `main.rs`.

/// Releases the memory of threads that have ended: the C library keeps an arena per thread for the
/// next one. After a directory of thousands of scripts, this is a fifth of what a run needs.
#[cfg(all(target_os = "linux", target_env = "gnu"))]
pub fn give_back() {
    // SAFETY: it may be called at any time, by any thread.
    unsafe { libc::malloc_trim(0) };
}

/// Other systems release it by themselves.
#[cfg(not(all(target_os = "linux", target_env = "gnu")))]
pub fn give_back() {}
