//! Converts every error to a diagnostic with code, message, location and hint.

mod adopt;
mod autogenerate;
mod backup;
mod check;
mod database;
mod fleet;
mod lint;
mod ops;
mod plan;
mod project;
mod rebase;
mod redo;
mod rehearse;
mod run;
mod schema;
mod squash;
mod target;
mod verify;

use std::{borrow::Cow, fmt::Display};

pub use autogenerate::model_drift;
pub use check::finding;
pub use database::{direct_url, location};
pub use fleet::fleet_failed;
pub use lint::{lint_errors, lint_finding, lint_problems, lint_weight};
pub use ops::or_without_database;
pub use project::config;
pub use rehearse::{rehearsed_failure, rehearsed_finding};
pub use schema::{drift, incomplete, not_dropped, not_seeded, pattern, schema_file};
pub use verify::{
    not_verified, row_changes, script_name, unverified, verify_finding, verify_findings,
    verify_repeatable,
};

use super::{
    codes::{self, Code},
    exit::Exit,
};
use crate::{
    arrange::Arrange as _,
    report::{Diagnostic, Json, Snippet},
};

/// The error of a failed command.
#[derive(Debug)]
pub struct Error {
    /// The problems.
    pub diagnostics: Vec<Diagnostic>,
    /// The exit status of the process.
    pub exit: Exit,
    /// The result before the failure, for JSON.
    pub result: Option<Json>,
}

impl Error {
    /// An error with one problem.
    pub fn new(code: Code, message: impl Into<String>) -> Self {
        Self::from(Diagnostic {
            code: code.id,
            message: message.into(),
            ..Diagnostic::default()
        })
    }

    /// An error with many problems, sorted by line within each file. The code of the first one
    /// determines the exit status.
    pub fn many(mut diagnostics: Vec<Diagnostic>) -> Self {
        fn file(diagnostic: &Diagnostic) -> Option<&str> {
            Some(diagnostic.place.as_ref()?.file.as_str())
        }
        let same = |a: &Diagnostic, b: &Diagnostic| file(a).is_some() && file(a) == file(b);
        for of_file in diagnostics.chunk_by_mut(same) {
            of_file.arrange_by_key(|d| d.place.as_ref().map(Snippet::order));
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

    /// Adds a note.
    pub fn note(mut self, note: impl Into<String>) -> Self {
        if let Some(diagnostic) = self.diagnostics.last_mut() {
            diagnostic.notes.push(note.into());
        }
        self
    }

    /// Sets the exit status of a command that had changed something before it failed.
    fn after_changes(mut self) -> Self {
        if matches!(self.exit, Exit::Failed | Exit::Busy) {
            self.exit = Exit::Partway;
        }
        self
    }

    /// Sets the hint.
    pub fn hint(mut self, hint: impl Into<String>) -> Self {
        if let Some(diagnostic) = self.diagnostics.last_mut() {
            diagnostic.hint = Some(hint.into());
        }
        self
    }
}

/// The error of a command that failed after it had created a project.
pub fn after_init(error: Error) -> Error {
    error
        .after_changes()
        .note("the project was created; its baseline is not recorded as applied")
}

/// An error of the system, with the context of the caller.
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

/// A code, and the hint for the error.
type Advice = (Code, Option<Cow<'static, str>>);

/// A code with a hint.
fn hinted(code: Code, hint: impl Into<Cow<'static, str>>) -> Advice {
    (code, Some(hint.into()))
}

/// A code without a hint.
fn plain(code: Code) -> Advice {
    (code, None)
}

/// A code with the nearest known name as its hint, if there is one.
fn nearest(code: Code, name: Option<impl Display>) -> Advice {
    let hint = name.map(|name| format!("did you mean `{name}`?").into());
    (code, hint)
}

/// A diagnostic with a code, a message and a hint.
fn advised((code, hint): Advice, message: impl Display) -> Diagnostic {
    Diagnostic {
        hint: hint.map(Cow::into_owned),
        ..diagnostic(code, message)
    }
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
}
