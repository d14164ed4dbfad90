use std::{fmt, time::Duration};

use super::Done;
use crate::{
    database::{self, SqlFailure},
    execute::{self, LockError, StepFailure},
    ops,
    plan::PlanProblem,
    project::DirectoryProblem,
    revision::{Direction, ScriptChange, Subject},
};

/// The reason why an operation failed.
///
/// Nothing was changed, unless it is [`Error::Failed`], [`Error::Partway`], or [`Error::Database`]
/// with [`DatabaseErrorKind::OutcomeUnknown`].
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// The scripts are invalid: every problem, by file.
    #[error("{}", lines(.0))]
    Scripts(Vec<Problem>),
    /// The URL names no database.
    #[error("{0}")]
    Url(String),
    /// The version table's name is invalid.
    #[error("`{name}` is not a valid name of a version table: {expected}")]
    VersionTable {
        /// The name as given.
        name: String,
        /// A description of valid names.
        expected: &'static str,
    },
    /// The target cannot be parsed, or matches no revision.
    #[error("{0}")]
    Target(String),
    /// The run cannot be planned: every problem.
    #[error("{}", lines(.0))]
    Plan(Vec<Problem>),
    /// Another run held the lock during the whole wait.
    #[error("timed out after {waited:?} waiting for the lock{}", held(.holder.as_deref()))]
    LockBusy {
        /// The holder, if the database reports it.
        holder: Option<String>,
        /// The time spent waiting.
        waited: Duration,
    },
    /// A request to stop came before anything was done.
    #[error("interrupted")]
    Interrupted,
    /// The database failed or refused.
    #[error(transparent)]
    Database(DatabaseError),
    /// A script failed. It was rolled back, except for the finished statements of a `transaction =
    /// off` script; the scripts before it are done.
    #[error(transparent)]
    Failed(Box<Failure>),
    /// Another error occurred after scripts were done.
    #[error("{error} ({} scripts were done before)", .done.len())]
    Partway {
        /// The scripts that were done before the error.
        done: Vec<Done>,
        /// The error.
        #[source]
        error: Box<Self>,
    },
    /// An error of another kind.
    #[error(transparent)]
    Other(Box<dyn std::error::Error + Send + Sync>),
}

/// A problem of one script or of all scripts.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Problem {
    /// The file, or the directory; `None` when the problem is not in the scripts.
    pub file: Option<String>,
    /// The line and column, from 1, if the problem has a position in the file.
    pub position: Option<(u32, u32)>,
    /// The message.
    pub message: String,
    /// For a script that was changed after it was applied: what was changed, as a unified diff, if
    /// the text that was applied is stored.
    pub diff: Option<String>,
}

impl fmt::Display for Problem {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if let Some(file) = &self.file {
            f.write_str(file)?;
            if let Some((line, column)) = self.position {
                write!(f, ":{line}:{column}")?;
            }
            f.write_str(": ")?;
        }
        f.write_str(&self.message)
    }
}

/// The script that failed.
#[derive(Debug, thiserror::Error)]
#[error("{subject}: {error}")]
#[non_exhaustive]
pub struct Failure {
    /// The revision or repeatable script.
    pub subject: Subject,
    /// The direction of the script.
    pub direction: Direction,
    /// The script's file.
    pub file: String,
    /// The index of the statement that failed, from 0, if a statement failed.
    pub statement: Option<usize>,
    /// Line and column of the statement, from 1.
    pub position: Option<(u32, u32)>,
    /// The error of the database.
    #[source]
    pub error: DatabaseError,
    /// The number of attempts.
    pub attempts: u32,
    /// The scripts that were done before it.
    pub done: Vec<Done>,
    /// The scripts after it, which were not run.
    pub not_run: Vec<Subject>,
}

/// An error of the database, or of the connection to it.
#[derive(Debug, thiserror::Error)]
#[error(transparent)]
pub struct DatabaseError(StepFailure);

/// The kinds of [`DatabaseError`] that programs may handle specially.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum DatabaseErrorKind {
    /// The server cannot be reached, or the file cannot be opened.
    Unreachable,
    /// The server or the directory exists, but not the database.
    Missing,
    /// The user or password is wrong, or the role may not connect.
    Denied,
    /// The database cannot be written, or the role lacks a privilege.
    NotWritable,
    /// Another program keeps the database locked.
    Busy,
    /// A statement failed.
    Statement,
    /// A statement waited longer than `lock_timeout`.
    LockTimeout,
    /// The connection was lost; the script that ran was rolled back.
    ConnectionLost,
    /// The connection was lost during COMMIT, and it is unknown whether the COMMIT took effect.
    OutcomeUnknown,
    /// Another kind of error.
    Other,
}

impl DatabaseError {
    /// The kind of the error.
    pub fn kind(&self) -> DatabaseErrorKind {
        use DatabaseErrorKind as Kind;
        use database::DatabaseError as E;
        let Some(error) = self.0.database() else {
            return Kind::Other;
        };
        match error {
            E::Unreachable { .. } => Kind::Unreachable,
            E::Missing { .. } => Kind::Missing,
            E::Denied { .. } => Kind::Denied,
            E::ReadOnly { .. } | E::MissingRights { .. } | E::NotOwner { .. } => Kind::NotWritable,
            E::Busy { .. } => Kind::Busy,
            E::Sql(_) => Kind::Statement,
            E::LockTimeout { .. } => Kind::LockTimeout,
            E::ConnectionLost(_) => Kind::ConnectionLost,
            E::OutcomeUnknown(_) => Kind::OutcomeUnknown,
            _ => Kind::Other,
        }
    }

    /// The SQLSTATE (`23505`), or SQLite's name of the result code (`SQLITE_CONSTRAINT_UNIQUE`), of
    /// a statement that failed.
    pub fn code(&self) -> Option<&str> {
        self.failure().and_then(|failure| failure.code.as_deref())
    }

    /// PostgreSQL's DETAIL.
    pub fn detail(&self) -> Option<&str> {
        self.failure().and_then(|failure| failure.detail.as_deref())
    }

    /// PostgreSQL's HINT.
    pub fn hint(&self) -> Option<&str> {
        self.failure().and_then(|failure| failure.hint.as_deref())
    }

    fn failure(&self) -> Option<&SqlFailure> {
        match self.0.database()? {
            database::DatabaseError::Sql(failure)
            | database::DatabaseError::LockTimeout { failure, .. } => Some(failure),
            _ => None,
        }
    }
}

impl Error {
    pub(super) fn of(error: impl Into<ops::Error>) -> Self {
        use ops::Error as E;
        match error.into() {
            E::Scripts(problems) => Self::Scripts(problems.into_iter().map(Problem::of).collect()),
            E::Url(error) => Self::Url(error.to_string()),
            E::TargetSyntax(error) => Self::Target(error.to_string()),
            E::Target(error) => Self::Target(error.to_string()),
            E::Plan(error) => Self::Plan(error.0.iter().map(Problem::of_plan).collect()),
            E::Lock(LockError::Busy { holder, waited }) => Self::LockBusy { holder, waited },
            E::Lock(LockError::Database(error)) | E::Database(error) => {
                Self::Database(DatabaseError(error.into()))
            }
            E::Lock(LockError::Interrupted) | E::Interrupted => Self::Interrupted,
            // The database of the URL was not touched, and the scratch database is gone.
            E::InScratch(error) => Self::of(*error),
            E::Failed(failure) => Self::Failed(Box::new(Failure::of(*failure))),
            E::Partway { done, error } => Self::Partway {
                done: done.into_iter().map(Done::of).collect(),
                error: Box::new(Self::of(*error)),
            },
            error => Self::Other(Box::new(error)),
        }
    }
}

impl Failure {
    pub(super) fn of(partial: execute::PartialFailure) -> Self {
        let failure = partial.failure;
        let step = failure.step;
        let statement = failure
            .statement
            .and_then(|index| step.statements.get(index));
        Self {
            position: statement.map(|statement| (statement.line, statement.column)),
            direction: step.direction(),
            subject: step.subject,
            file: step.script.file,
            statement: failure.statement,
            error: DatabaseError(failure.error),
            attempts: failure.attempts,
            done: partial.done.into_iter().map(Done::of).collect(),
            not_run: partial.not_run,
        }
    }
}

impl Problem {
    pub(super) fn of(problem: DirectoryProblem) -> Self {
        Self {
            file: Some(problem.place.file),
            position: problem.position.map(|at| (at.line, at.column)),
            message: problem.kind.to_string(),
            diff: None,
        }
    }

    fn of_plan(problem: &PlanProblem) -> Self {
        let span = problem.source_span();
        Self {
            file: span.map(|span| span.file.clone()),
            position: span.map(|span| {
                let at = span.position();
                (at.line, at.column)
            }),
            message: problem.to_string(),
            diff: match problem {
                PlanProblem::Edited { change, .. } => {
                    change.as_ref().and_then(ScriptChange::unified)
                }
                _ => None,
            },
        }
    }
}

fn lines(problems: &[Problem]) -> String {
    let lines: Vec<_> = problems.iter().map(ToString::to_string).collect();
    lines.join("\n")
}

fn held(holder: Option<&str>) -> String {
    holder.map_or_else(String::new, |holder| format!(", held by {holder}"))
}
