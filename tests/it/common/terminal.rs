//! Commands on a pseudo-terminal.

use std::{
    fs::File,
    io::{Read, Write},
    os::fd::{FromRawFd, OwnedFd},
    process::Command,
};

/// A terminal of 24 lines and 80 columns: what the program sees, and our end of it.
fn open() -> (File, OwnedFd) {
    let (mut ours, mut theirs) = (-1, -1);
    let mut size = libc::winsize {
        ws_row: 24,
        ws_col: 80,
        ws_xpixel: 0,
        ws_ypixel: 0,
    };
    let name = std::ptr::null_mut();
    // SAFETY: all pointers are valid or null, and both descriptors are owned from here on.
    unsafe {
        let opened = libc::openpty(
            &raw mut ours,
            &raw mut theirs,
            name,
            std::ptr::null_mut(),
            &raw mut size,
        );
        assert_eq!(opened, 0, "no pseudo-terminal");
        (File::from_raw_fd(ours), OwnedFd::from_raw_fd(theirs))
    }
}

/// Runs `command` with stdin, stdout and stderr on a terminal; once `prompt` is printed, types `answer`.
/// Gives the exit status and what the terminal showed, the answer included.
pub fn on_terminal(command: &mut Command, prompt: &str, answer: &str) -> (Option<i32>, String) {
    let (mut ours, theirs) = open();
    command.stdin(theirs.try_clone().unwrap());
    command.stdout(theirs.try_clone().unwrap()).stderr(theirs);
    let mut process = command.spawn().unwrap();
    // The command keeps the program's end open otherwise.
    command.stdin(std::process::Stdio::null());
    command.stdout(std::process::Stdio::null());
    command.stderr(std::process::Stdio::null());
    let (mut shown, mut buffer, mut typed) = (Vec::new(), [0; 4096], prompt.is_empty());
    // Linux ends with an error where nobody has the other end open any more.
    while let Ok(length @ 1..) = ours.read(&mut buffer) {
        shown.extend_from_slice(&buffer[..length]);
        if !typed && String::from_utf8_lossy(&shown).contains(prompt) {
            typed = true;
            ours.write_all(answer.as_bytes()).unwrap();
        }
    }
    let text = String::from_utf8(shown).unwrap();
    assert!(typed, "no `{prompt}` in: {text}");
    (process.wait().unwrap().code(), text.replace("\r\n", "\n"))
}
