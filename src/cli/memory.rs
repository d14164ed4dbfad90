//! How memory is given back. How it is asked for is set before this room runs: see `main.rs`.

/// Gives back what threads that have ended held: each has memory of its own in the C library, which
/// keeps it for the next one. After a directory of thousands of scripts that is a fifth of what a
/// run needs.
#[cfg(all(target_os = "linux", target_env = "gnu"))]
pub fn give_back() {
    // SAFETY: it may be called at any time, by any thread.
    unsafe { libc::malloc_trim(0) };
}

/// Others do so by themselves.
#[cfg(not(all(target_os = "linux", target_env = "gnu")))]
pub fn give_back() {}
