//! Every error of every room as a diagnostic: code, sentence, place, hint.

mod adopt;
mod backup;
mod check;
mod database;
mod ops;
mod plan;
mod project;
mod rebase;
mod redo;
mod run;
mod squash;
mod target;

use std::{ffi::OsString, process::ExitCode};

pub use check::finding;
pub use database::location;
pub use project::config;

use super::{
    args::Args,
    codes::{self, Code},
};
use clap::Parser;

use crate::report::{self, Diagnostic, Json, Page, Snippet};

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

    /// The exit status of the process.
    pub(super) fn code(self) -> ExitCode {
        ExitCode::from(self.status())
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

    /// Many problems, those of one file by line; the first one's code says how the process ends.
    pub fn many(mut diagnostics: Vec<Diagnostic>) -> Self {
        fn file(diagnostic: &Diagnostic) -> Option<&str> {
            Some(diagnostic.place.as_ref()?.file.as_str())
        }
        let same = |a: &Diagnostic, b: &Diagnostic| file(a).is_some() && file(a) == file(b);
        for of_file in diagnostics.chunk_by_mut(same) {
            of_file.sort_by_key(|d| d.place.as_ref().map(Snippet::order));
        }
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
}

/// What the system refused, in the words of who asked.
impl From<anyhow::Error> for Error {
    fn from(error: anyhow::Error) -> Self {
        Self::new(codes::M002, format!("{error:#}"))
    }
}

impl From<Diagnostic> for Error {
    fn from(diagnostic: Diagnostic) -> Self {
        Self::many(vec![diagnostic])
    }
}

/// A diagnostic with a code and a message.
pub(super) fn diagnostic(code: Code, message: impl ToString) -> Diagnostic {
    Diagnostic {
        code: code.id,
        message: message.to_string(),
        ..Diagnostic::default()
    }
}

/// Prints what clap says about `arguments`, which it did not accept as a command.
pub fn usage(error: &clap::Error, arguments: &[OsString]) -> Exit {
    if !error.use_stderr() {
        let text = error.render();
        let text = match console::colors_enabled() {
            true => text.ansi().to_string(),
            false => text.to_string(),
        };
        report::print_exact(text.as_bytes());
        return Exit::Done;
    }
    let mut page = Page::default();
    page.rendered(&usage_text(error, arguments));
    report::eprint(&page);
    Exit::Usage
}

fn usage_text(error: &clap::Error, arguments: &[OsString]) -> String {
    let shown = |text: &clap::builder::StyledStr| match console::colors_enabled_stderr() {
        true => text.ansi().to_string(),
        false => text.to_string(),
    };
    // Without a command there is nothing wrong, but help.
    let lacks_command =
        error.kind() == clap::error::ErrorKind::DisplayHelpOnMissingArgumentOrSubcommand;
    if lacks_command {
        let text = error.render();
        return match text.to_string().contains("Usage: migrator db ") {
            true => text.to_string(),
            false => shown(&Args::overview()),
        };
    }
    // clap puts arguments into its text as they are, so it is asked once more, with arguments that
    // a terminal shows and does not obey.
    let safe = arguments
        .iter()
        .map(|it| report::shown(&it.to_string_lossy()));
    match Args::try_parse_from(safe) {
        Err(error) if error.use_stderr() => as_ours(&shown(&error.render())),
        // Of text that was no Unicode the kind of error says enough.
        _ => as_ours(&format!("error: {}\n", error.kind())),
    }
}

/// What clap prints, with a code and with our word for a hint. Colours may stand before and after.
fn as_ours(text: &str) -> String {
    let code = format!("error[{}]:", codes::M001.id);
    let text = text.replacen("error:", &code, 1);
    let lines = text.split_inclusive('\n').map(|line| {
        let is_tip = console::strip_ansi_codes(line).starts_with("  tip:");
        if is_tip {
            line.replacen("tip:", "help:", 1)
        } else {
            line.to_owned()
        }
    });
    lines.collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::report::Snippet;

    fn at(file: &str, offset: usize) -> Diagnostic {
        Diagnostic {
            place: Some(Snippet {
                file: file.to_owned(),
                text: Some("1\n2\n3\n4\n".into()),
                offset: Some(offset),
                ..Snippet::default()
            }),
            ..Diagnostic::default()
        }
    }

    #[test]
    fn problems_of_one_file_come_by_line() {
        let found = [at("b", 6), at("b", 2), at("a", 4), at("a", 0), at("b", 0)];
        let error = Error::many(found.to_vec());
        let places = error.diagnostics.iter().filter_map(|d| d.place.as_ref());
        let lines: Vec<_> = places
            .map(|place| (place.file.as_str(), place.position().map(|at| at.line)))
            .collect();
        let expected = [("b", 2), ("b", 4), ("a", 1), ("a", 3), ("b", 1)];
        assert_eq!(lines, expected.map(|(file, line)| (file, Some(line))));
    }

    #[test]
    fn usage_errors_look_like_all_others() {
        let check = |text: &str, expected: &str| assert_eq!(as_ours(text), expected);
        check(
            "error: unrecognized\n\n  tip: some\n",
            "error[M001]: unrecognized\n\n  help: some\n",
        );
        check(
            "\u{1b}[1merror:\u{1b}[0m x",
            "\u{1b}[1merror[M001]:\u{1b}[0m x",
        );
    }
}
