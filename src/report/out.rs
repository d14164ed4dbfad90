//! The one way to stdout and stderr.

use std::{
    io::{self, IsTerminal, Write},
    sync::{Mutex, OnceLock, PoisonError},
};

use console::Term;
use indicatif::ProgressBar;

use super::Page;

/// The live line that stands on the terminal now.
static LIVE: Mutex<Option<ProgressBar>> = Mutex::new(None);

/// The first error of a write to stdout.
static UNWRITTEN: OnceLock<io::Error> = OnceLock::new();

/// Where the progress of a run is shown.
pub trait Screen: Send + Sync {
    /// Prints a finished line to stdout.
    fn print(&self, page: &Page);

    /// Prints a message to stderr.
    fn eprint(&self, page: &Page);

    /// Columns of stdout; `None` when it is not a terminal.
    fn columns(&self) -> Option<u16>;

    /// Columns of stderr; `None` when it is not a terminal.
    fn err_columns(&self) -> Option<u16>;

    /// Lets the next message overwrite the `^C` that a terminal has shown.
    fn over_signal(&self);

    /// Whether a live line is drawn on stderr.
    fn is_live(&self) -> bool;
}

/// The process' stdout and stderr.
#[derive(Clone, Copy, Debug)]
pub struct Stdio;

impl Screen for Stdio {
    fn print(&self, page: &Page) {
        print(page);
    }

    fn eprint(&self, page: &Page) {
        eprint(page);
    }

    fn columns(&self) -> Option<u16> {
        Term::stdout().size_checked().map(|(_, columns)| columns)
    }

    fn err_columns(&self) -> Option<u16> {
        Term::stderr().size_checked().map(|(_, columns)| columns)
    }

    fn over_signal(&self) {
        over_signal();
    }

    fn is_live(&self) -> bool {
        Term::stderr().is_term()
    }
}

/// Prints a result to stdout.
pub fn print(page: &Page) {
    let columns = Term::stdout().size_checked().map(|(_, columns)| columns);
    print_exact(page.text(columns.map(usize::from)).as_bytes());
}

/// Prints what is not text for people to stdout, byte by byte: a script, JSON, a page of a manual.
pub fn print_exact(bytes: &[u8]) {
    let write = || {
        let mut out = io::stdout().lock();
        out.write_all(bytes).and_then(|()| out.flush())
    };
    match beside_live(write) {
        Ok(()) => {}
        // A reader that went away (`| head`) has what it wanted.
        Err(error) if error.kind() == io::ErrorKind::BrokenPipe => {}
        Err(error) => drop(UNWRITTEN.set(error)),
    }
}

/// Prints messages to stderr. Nobody could be told that it fails.
pub fn eprint(page: &Page) {
    let columns = Term::stderr().size_checked().map(|(_, columns)| columns);
    let text = page.text(columns.map(usize::from));
    beside_live(|| drop(io::stderr().lock().write_all(text.as_bytes())));
}

/// Has the next line on stderr begin where the terminal has shown Ctrl-C as `^C`.
fn over_signal() {
    let is_live = LIVE
        .lock()
        .unwrap_or_else(PoisonError::into_inner)
        .is_some();
    if !is_live && io::stderr().is_terminal() {
        drop(io::stderr().lock().write_all(b"\r"));
    }
}

/// Asks on stderr; what is typed follows on the same line.
pub fn ask(question: &str) {
    let text = Page::of(question).to_string();
    let mut err = io::stderr().lock();
    let written = err.write_all(text.trim_end_matches('\n').as_bytes());
    drop(written.and_then(|()| err.flush()));
}

/// Whether people look at stdout.
pub fn is_terminal() -> bool {
    io::stdout().is_terminal()
}

/// Why something could not be written to stdout.
pub fn unwritten() -> Option<&'static io::Error> {
    UNWRITTEN.get()
}

/// Says which live line must make room for text; `None` when there is none any more.
pub(super) fn set_live(bar: Option<ProgressBar>) {
    *LIVE.lock().unwrap_or_else(PoisonError::into_inner) = bar;
}

fn beside_live<T>(write: impl FnOnce() -> T) -> T {
    let live = LIVE.lock().unwrap_or_else(PoisonError::into_inner).clone();
    match live {
        Some(bar) => bar.suspend(write),
        None => write(),
    }
}
