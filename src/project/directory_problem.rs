//! What can be wrong with a directory of scripts, and where.

use std::sync::Arc;

use super::{elsewhere::Elsewhere, text::TextProblem};
use crate::{
    files::Irregular,
    layout::{Layout, LayoutProblem},
    revision::{Place, Problem, ProblemKind},
    sql::{Position, Positions},
};

/// A problem of the directory, of a file in it or of the history they make.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{}{}: {kind}", .place.file, .position.map_or(String::new(), |at| format!(":{}:{}", at.line, at.column)))]
pub struct DirectoryProblem {
    /// The file, or the directory itself.
    pub place: Place,
    /// The place's offset in lines and columns.
    pub position: Option<Position>,
    /// The file's text, where it is known.
    pub text: Option<Arc<str>>,
    /// The kind of problem.
    pub kind: DirectoryProblemKind,
}

impl DirectoryProblem {
    /// Length in bytes of the text at the place: a word, or the rest of its line.
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

/// Length in bytes of the word at the start of `text`.
fn word(text: &str) -> usize {
    text.find(|c: char| c.is_whitespace() || c == '=' || c == ',')
        .unwrap_or(text.len())
}

/// What can be wrong with a directory of scripts.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum DirectoryProblemKind {
    /// The directory is not there.
    #[error("directory does not exist")]
    MissingDirectory,
    /// What is there is no directory.
    #[error("not a directory")]
    NotADirectory,
    /// A directory or file that cannot be read.
    #[error("cannot read it: {reason}")]
    Unreadable {
        /// The operating system's words.
        reason: String,
    },
    /// A `.sql` file that is not called like a script.
    #[error("this is not a script name; expected ID_NAME.up.sql, ID_NAME.down.sql or R_NAME.sql")]
    Misnamed {
        /// The name that was probably meant.
        nearest: Option<String>,
        /// The layout of another tool that has such names.
        layout: Option<Layout>,
    },
    /// A `.sql` file whose name is not UTF-8.
    #[error("the file's name is not UTF-8")]
    NameNotUnicode,
    /// A directory, socket, pipe or device with a script's name.
    #[error("this has the name of a script, but {0}")]
    NotAFile(Irregular),
    /// A symbolic link to nothing.
    #[error("dangling symbolic link")]
    DanglingLink,
    /// Files are being exchanged, or were when the process died.
    #[error("a `migrator rebase` or `squash` of this directory is not finished")]
    UnfinishedRebase,
    /// A script that is not text.
    #[error(transparent)]
    Text(TextProblem),
    /// Names of several tools, and nothing that tells which it is.
    #[error("{name} could be a script of {}", list(layouts))]
    AmbiguousLayout {
        /// One of the names.
        name: String,
        /// Whose it could be.
        layouts: Vec<Layout>,
    },
    /// No scripts, but what is read elsewhere, or by another tool.
    #[error("there are no scripts in this directory, only {found}")]
    Elsewhere {
        /// What there is.
        found: Elsewhere,
    },
    /// What `leave-out` names is not there.
    #[error("no file matches `{pattern}` of `leave-out`")]
    NothingLeftOut {
        /// The pattern as written.
        pattern: String,
    },
    /// What a layout cannot express.
    #[error(transparent)]
    Layout(LayoutProblem),
    /// A problem of a script or of the history.
    #[error(transparent)]
    Script(ProblemKind),
}

pub(super) use DirectoryProblemKind as Kind;

/// All that was found at once.
pub(super) type Problems = Vec<DirectoryProblem>;

/// A problem of a whole file.
pub(super) fn problem(file: String, kind: Kind) -> DirectoryProblem {
    DirectoryProblem {
        place: Place { file, offset: None },
        position: None,
        text: None,
        kind,
    }
}

/// A problem of a script, with its text. Its position is told by [`sorted`].
pub(super) fn script_problem(problem: Problem, text: Option<Arc<str>>) -> DirectoryProblem {
    let Place { file, offset } = problem.place;
    located(file, text.as_ref(), offset, Kind::Script(problem.kind))
}

/// A problem at a place of a text. Its position is told by [`sorted`].
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

/// By file and place, each with its position: a file with thousands of problems is read once.
pub(super) fn sorted(mut problems: Vec<DirectoryProblem>) -> Vec<DirectoryProblem> {
    problems.sort_by(|a, b| a.place.cmp(&b.place));
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
