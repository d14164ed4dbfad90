//! The only module that writes to stdout and stderr.

use std::{
    io::{self, IsTerminal, Write},
    sync::{LazyLock, Mutex, OnceLock, PoisonError},
};

use console::Term;
use indicatif::ProgressBar;

use super::Page;

/// The live line currently on the terminal.
static LIVE: Mutex<Option<ProgressBar>> = Mutex::new(None);

/// The first error of a write to stdout.
static UNWRITTEN: OnceLock<io::Error> = OnceLock::new();

/// The output of a run's progress.
pub trait Screen: Send + Sync {
    /// Prints a finished line to stdout.
    fn print(&self, page: &Page);

    /// Prints a message to stderr.
    fn eprint(&self, page: &Page);

    /// The width of stdout in columns; `None` if it is not a terminal.
    fn columns(&self) -> Option<u16>;

    /// The width of stderr in columns; `None` if it is not a terminal.
    fn err_columns(&self) -> Option<u16>;

    /// Makes the next message overwrite a `^C` printed by the terminal.
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
        columns()
    }

    fn err_columns(&self) -> Option<u16> {
        err_columns()
    }

    fn over_signal(&self) {
        over_signal();
    }

    fn is_live(&self) -> bool {
        Term::stderr().is_term()
    }
}

/// The width of stdout in columns; `None` if it is not a terminal. A terminal may be resized, so it is
/// asked each time; whether it is one never changes.
fn columns() -> Option<u16> {
    static IS_TERMINAL: LazyLock<bool> = LazyLock::new(|| io::stdout().is_terminal());
    IS_TERMINAL.then(|| width(&Term::stdout())).flatten()
}

/// The width of stderr in columns; `None` if it is not a terminal.
fn err_columns() -> Option<u16> {
    static IS_TERMINAL: LazyLock<bool> = LazyLock::new(|| io::stderr().is_terminal());
    IS_TERMINAL.then(|| width(&Term::stderr())).flatten()
}

fn width(terminal: &Term) -> Option<u16> {
    terminal.size_checked().map(|(_, columns)| columns)
}

/// Prints a result to stdout.
pub fn print(page: &Page) {
    print_exact(page.text(columns().map(usize::from)).as_bytes());
}

/// Prints bytes unchanged to stdout: a script, JSON, a manual page.
pub fn print_exact(bytes: &[u8]) {
    let write = || {
        let mut out = io::stdout().lock();
        out.write_all(bytes).and_then(|()| out.flush())
    };
    match beside_live(write) {
        Ok(()) => {}
        // A reader that closed the pipe (`| head`) needs no more output.
        Err(error) if error.kind() == io::ErrorKind::BrokenPipe => {}
        Err(error) => drop(UNWRITTEN.set(error)),
    }
}

/// Prints messages to stderr. Failures are ignored, since they could not be reported.
pub fn eprint(page: &Page) {
    let text = page.text(err_columns().map(usize::from));
    beside_live(|| drop(io::stderr().lock().write_all(text.as_bytes())));
}

/// Starts the next line on stderr where the terminal has printed Ctrl-C as `^C`.
fn over_signal() {
    let is_live = LIVE
        .lock()
        .unwrap_or_else(PoisonError::into_inner)
        .is_some();
    if !is_live && io::stderr().is_terminal() {
        drop(io::stderr().lock().write_all(b"\r"));
    }
}

/// Prints a question to stderr; the answer is typed on the same line.
pub fn ask(question: &str) {
    let text = Page::of(question).to_string();
    let mut err = io::stderr().lock();
    let written = err.write_all(text.trim_end_matches('\n').as_bytes());
    drop(written.and_then(|()| err.flush()));
}

/// Whether stdout is a terminal.
pub fn is_terminal() -> bool {
    io::stdout().is_terminal()
}

/// The first error of writing to stdout.
pub fn unwritten() -> Option<&'static io::Error> {
    UNWRITTEN.get()
}

/// Sets the live line that makes room for text; `None` if there is none any more.
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
