//! How memory is asked for, and given back.

use crate::database::sqlite;

/// Settings of the process. Comes first, while there is no other thread.
pub fn prepare() {
    in_large_pieces();
    // SAFETY: there is no other thread.
    unsafe { sqlite::without_statistics() };
}

/// Has the C library ask for 1 MiB at a time. By itself each thread asks for a page or two whenever
/// it needs more, which thousands of scripts make thousands of system calls. It also stops its habit
/// of keeping more for later the more it was asked for, a tenth of what such a run needs.
#[cfg(all(target_os = "linux", target_env = "gnu"))]
fn in_large_pieces() {
    // SAFETY: it is called before there is another thread.
    unsafe { libc::mallopt(libc::M_TOP_PAD, 1024 * 1024) };
}

/// Others do so by themselves.
#[cfg(not(all(target_os = "linux", target_env = "gnu")))]
fn in_large_pieces() {}

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
