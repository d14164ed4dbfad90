//! Every error of every room as a diagnostic: code, sentence, place, hint.

mod database;
mod plan;
mod project;
mod run;
mod target;

use std::process::ExitCode;

pub use database::location;
pub use project::{config, directory};

use super::codes::{self, Code};
use crate::report::{Diagnostic, Json};

/// How the process ends.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Exit {
    /// 0: done.
    Done,
    /// 1: failed, nothing changed.
    Failed,
    /// 2: wrong usage or configuration.
    Usage,
    /// 3: a check says no.
    CheckFailed,
    /// 4: some steps are done.
    Partway,
    /// 5: the lock was busy.
    Busy,
    /// 130: interrupted by a signal.
    Interrupted,
}

impl Exit {
    /// The number the shell sees.
    pub fn status(self) -> u8 {
        match self {
            Self::Done => 0,
            Self::Failed => 1,
            Self::Usage => 2,
            Self::CheckFailed => 3,
            Self::Partway => 4,
            Self::Busy => 5,
            Self::Interrupted => 130,
        }
    }
}

impl From<Exit> for ExitCode {
    fn from(exit: Exit) -> Self {
        Self::from(exit.status())
    }
}

/// A command that failed.
#[derive(Debug)]
pub struct Error {
    /// What is wrong, one or many.
    pub diagnostics: Vec<Diagnostic>,
    /// How the process ends.
    pub exit: Exit,
    /// What was done before, for JSON.
    pub result: Option<Json>,
}

impl Error {
    /// One problem.
    pub fn new(code: Code, message: impl Into<String>) -> Self {
        Self::from(Diagnostic {
            code: code.id,
            message: message.into(),
            ..Diagnostic::default()
        })
    }

    /// Many problems; the first one's code says how the process ends.
    pub fn many(diagnostics: Vec<Diagnostic>) -> Self {
        let first = diagnostics.first().map_or("", |diagnostic| diagnostic.code);
        let exit = codes::CODES
            .iter()
            .find(|code| code.id == first)
            .map_or(Exit::Failed, |c| c.exit);
        Self {
            diagnostics,
            exit,
            result: None,
        }
    }

    /// The same with a hint.
    pub fn hint(mut self, hint: impl Into<String>) -> Self {
        if let Some(diagnostic) = self.diagnostics.last_mut() {
            diagnostic.hint = Some(hint.into());
        }
        self
    }

    /// The system refused to start something.
    pub fn runtime(error: std::io::Error) -> Self {
        Self::new(codes::M002, format!("can't start: {error}"))
    }
}

impl From<Diagnostic> for Error {
    fn from(diagnostic: Diagnostic) -> Self {
        Self::many(vec![diagnostic])
    }
}

/// A diagnostic with a code and a message.
fn diagnostic(code: Code, message: impl ToString) -> Diagnostic {
    Diagnostic {
        code: code.id,
        message: message.to_string(),
        ..Diagnostic::default()
    }
}

/// Prints what clap says about the command line.
pub fn usage(error: &clap::Error) -> Exit {
    // A closed terminal can't be told anything.
    if !error.use_stderr() {
        let _ = error.print();
        return Exit::Done;
    }
    let text = error.render().ansi().to_string();
    let plain = error.render().to_string();
    if !plain.starts_with("error:") {
        let _ = error.print();
        return Exit::Usage;
    }
    if console::colors_enabled_stderr() {
        eprint!(
            "{}",
            text.replacen("error:", &format!("error[{}]:", codes::M001.id), 1)
        );
    } else {
        eprint!(
            "{}",
            plain.replacen("error:", &format!("error[{}]:", codes::M001.id), 1)
        );
    }
    Exit::Usage
}
