use crate::{
    database::{DatabaseError, LocationError},
    execute::{Done, LockError, PartialFailure},
    plan::{PlanError, PlanProblem},
    project::DirectoryProblem,
    revision::TargetSyntaxError,
    sql::position,
};

/// Why something was not done. Unless it is [`Error::Failed`] or [`Error::Partway`], nothing was
/// changed.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// The directory or the compiled-in scripts are not in order: everything that is wrong.
    #[error("{}", lines(.0))]
    Scripts(Vec<DirectoryProblem>),
    /// The URL names no database.
    #[error(transparent)]
    Url(#[from] LocationError),
    /// The version table's name can't be one.
    #[error("`{name}` can't be the name of a version table: {expected}")]
    VersionTable {
        /// As given.
        name: String,
        /// What would be one.
        expected: &'static str,
    },
    /// The target is none.
    #[error(transparent)]
    Target(#[from] TargetSyntaxError),
    /// There is no plan: everything that stands in its way.
    #[error("{}", .0.0.iter().map(problem).collect::<Vec<_>>().join("\n"))]
    Plan(#[from] PlanError),
    /// The lock could not be had.
    #[error(transparent)]
    Lock(#[from] LockError),
    /// The database failed.
    #[error(transparent)]
    Database(#[from] DatabaseError),
    /// A revision failed. It was rolled back, but for what a `transaction = off` script had done;
    /// those before it are done.
    #[error(transparent)]
    Failed(Box<PartialFailure>),
    /// Something else went wrong after revisions were done.
    #[error("{error} ({} revisions were done before)", .done.len())]
    Partway {
        /// They.
        done: Vec<Done>,
        /// What went wrong.
        #[source]
        error: Box<Self>,
    },
}

fn lines(problems: &[DirectoryProblem]) -> String {
    let lines: Vec<_> = problems.iter().map(ToString::to_string).collect();
    lines.join("\n")
}

fn problem(problem: &PlanProblem) -> String {
    match problem.spot() {
        Some(spot) => {
            let at = position(&spot.text, spot.offset);
            format!("{}:{}:{}: {problem}", spot.file, at.line, at.column)
        }
        None => problem.to_string(),
    }
}
