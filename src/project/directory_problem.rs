//! Problems of a directory of scripts, with their places.

use std::sync::Arc;

use super::{elsewhere::Elsewhere, text::TextProblem};
use crate::{
    arrange::Arrange as _,
    files::Irregular,
    layout::{Layout, LayoutProblem},
    revision::{Place, Problem, ProblemKind},
    sql::{Position, Positions},
};

/// A problem of the directory, of a file in it, or of the history.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{}{}: {kind}", .place.file, .position.map_or(String::new(), |at| format!(":{}:{}", at.line, at.column)))]
pub struct DirectoryProblem {
    /// The file, or the directory itself.
    pub place: Place,
    /// Line and column of the place.
    pub position: Option<Position>,
    /// The text of the file, if known.
    pub text: Option<Arc<str>>,
    /// The kind of problem.
    pub kind: DirectoryProblemKind,
}

impl DirectoryProblem {
    /// Returns the length in bytes of the text at the place: a word, or the rest of its line.
    pub fn length(&self) -> usize {
        let (Some(text), Some(offset)) = (&self.text, self.place.offset) else {
            return 1;
        };
        let rest = text.get(offset..).unwrap_or_default();
        match &self.kind {
            Kind::Layout(LayoutProblem::Unsupported { .. }) => word(rest),
            Kind::Layout(_)
            | Kind::Script(
                ProblemKind::IrreversibleWithDown { .. }
                | ProblemKind::BatchInTransaction
                | ProblemKind::BatchSyntax,
            ) => rest.lines().next().unwrap_or_default().trim_end().len(),
            _ => word(rest),
        }
    }
}

/// Returns the length in bytes of the word at the start of `text`.
fn word(text: &str) -> usize {
    text.find(|c: char| c.is_whitespace() || c == '=' || c == ',')
        .unwrap_or(text.len())
}

/// The kind of problem of a directory of scripts.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum DirectoryProblemKind {
    /// The directory does not exist.
    #[error("directory does not exist")]
    MissingDirectory,
    /// The path is not a directory.
    #[error("not a directory")]
    NotADirectory,
    /// A directory or file cannot be read.
    #[error("cannot read it: {reason}")]
    Unreadable {
        /// The error message of the operating system.
        reason: String,
    },
    /// The name of a `.sql` file is not a script name.
    #[error("this is not a script name; expected ID_NAME.up.sql, ID_NAME.down.sql or R_NAME.sql")]
    Misnamed {
        /// The most likely intended name.
        nearest: Option<String>,
        /// The layout of another tool that uses such names.
        layout: Option<Layout>,
    },
    /// The name of a `.sql` file is not UTF-8.
    #[error("the file's name is not UTF-8")]
    NameNotUnicode,
    /// A directory, socket, pipe or device with a script's name.
    #[error("this has the name of a script, but {0}")]
    NotAFile(Irregular),
    /// The target of a symbolic link does not exist.
    #[error("dangling symbolic link")]
    DanglingLink,
    /// An exchange of files is running or was interrupted.
    #[error("a command that writes scripts in this directory is not finished")]
    UnfinishedRebase,
    /// A script is not text.
    #[error(transparent)]
    Text(TextProblem),
    /// The names match the layouts of several tools.
    #[error("{name} could be a script of {}", list(layouts))]
    AmbiguousLayout {
        /// One of the ambiguous names.
        name: String,
        /// The layouts that it matches.
        layouts: Vec<Layout>,
    },
    /// The directory has no scripts, only files that are read elsewhere or by another tool.
    #[error("there are no scripts in this directory, only {found}")]
    Elsewhere {
        /// The files found instead.
        found: Elsewhere,
    },
    /// A pattern of `leave-out` matches no file.
    #[error("no file matches `{pattern}` of `leave-out`")]
    NothingLeftOut {
        /// The pattern as written.
        pattern: String,
    },
    /// A file has content that its layout cannot express.
    #[error(transparent)]
    Layout(LayoutProblem),
    /// A problem of a script or of the history.
    #[error(transparent)]
    Script(ProblemKind),
}

pub(super) use DirectoryProblemKind as Kind;

/// All problems found.
pub(super) type Problems = Vec<DirectoryProblem>;

/// Creates a problem of a whole file.
pub(super) fn problem(file: String, kind: Kind) -> DirectoryProblem {
    DirectoryProblem {
        place: Place { file, offset: None },
        position: None,
        text: None,
        kind,
    }
}

/// Creates a problem of a script, with its text. [`sorted`] adds its position.
pub(super) fn script_problem(problem: Problem, text: Option<Arc<str>>) -> DirectoryProblem {
    let Place { file, offset } = problem.place;
    located(file, text.as_ref(), offset, Kind::Script(problem.kind))
}

/// Creates a problem at a place in a text. [`sorted`] adds its position.
pub(super) fn located(
    file: String,
    text: Option<&Arc<str>>,
    offset: Option<usize>,
    kind: Kind,
) -> DirectoryProblem {
    DirectoryProblem {
        position: None,
        place: Place { file, offset },
        text: text.cloned(),
        kind,
    }
}

fn list(layouts: &[Layout]) -> String {
    let names: Vec<_> = layouts.iter().map(|layout| layout.as_str()).collect();
    names.join(" or of ")
}

/// Sorts problems by file and place, and adds their positions. Each file is scanned only once.
pub(super) fn sorted(mut problems: Vec<DirectoryProblem>) -> Vec<DirectoryProblem> {
    problems.arrange_by(|a, b| a.place.cmp(&b.place));
    for of_file in problems.chunk_by_mut(same_text) {
        let Some(text) = of_file.first().and_then(|problem| problem.text.clone()) else {
            continue;
        };
        let mut positions = Positions::of(&text);
        for problem in of_file {
            let at = problem.place.offset.map(|offset| positions.at(offset));
            problem.position = problem.position.or(at);
        }
    }
    problems
}

fn same_text(a: &DirectoryProblem, b: &DirectoryProblem) -> bool {
    match (&a.text, &b.text) {
        (Some(a), Some(b)) => Arc::ptr_eq(a, b),
        _ => false,
    }
}
