//! The `migrator` command.

use std::process::ExitCode;

fn main() -> ExitCode {
    set_up_memory();
    migrator::cli::main(std::env::args_os())
}

/// Settings of the process, which have to be made while it has only one thread.
fn set_up_memory() {
    use rusqlite::ffi::{SQLITE_CONFIG_MEMSTATUS, sqlite3_config};

    // SQLite keeps no account of its memory, which takes a lock with every allocation.
    // SAFETY: there is no other thread, SQLite is not initialized, and the option takes one integer.
    unsafe { sqlite3_config(SQLITE_CONFIG_MEMSTATUS, 0) };
    // The C library asks for 1 MiB at a time, in place of a page or two.
    // SAFETY: there is no other thread.
    #[cfg(all(target_os = "linux", target_env = "gnu"))]
    unsafe {
        libc::mallopt(libc::M_TOP_PAD, 1024 * 1024)
    };
}
