use std::io;

use super::{Outside, SourceError};
#[cfg(feature = "cli")]
use crate::{
    backup::BackupError,
    layout::Layout,
    plan::{RebaseProblem, SquashProblem},
    project::{
        ConvertError, ExchangeError, GitError, InitError, SlugError, TemplateError, WriteError,
    },
};
use crate::{
    database::{DatabaseError, LocationError, ScratchError},
    execute::{Done, LockError, PartialFailure},
    generate::Refusal,
    plan::{AdoptError, PlanError, PlanProblem},
    project::DirectoryProblem,
    revision::{RepeatableIdError, RevisionId, RevisionIdError, TargetError, TargetSyntaxError},
    schema::Cycle,
};

use super::{AdoptReport, RedoLeft, RedoReport};

/// The reason why an operation failed. Nothing was changed, unless it is [`Error::Failed`],
/// [`Error::Partway`], [`Error::RedoPartway`] or [`Error::AdoptOutdated`].
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// The directory or the embedded scripts are invalid: every problem.
    #[error("{}", lines(.0))]
    Scripts(Vec<DirectoryProblem>),
    /// The URL names no database.
    #[error(transparent)]
    Url(#[from] LocationError),
    /// The target cannot be parsed.
    #[error(transparent)]
    TargetSyntax(#[from] TargetSyntaxError),
    /// The target matches no revision.
    #[error(transparent)]
    Target(#[from] TargetError),
    /// The target is not exactly one revision, where one is needed.
    #[error("`{0}` is not a single revision")]
    NotOneRevision(String),
    /// The revision is applied, but its files are not in the directory.
    #[error("revision {0} is applied, but its files are not in this directory")]
    NoFiles(RevisionId),
    /// The revision lacks the requested down script.
    #[error("revision {revision} has no down script")]
    NoDown {
        /// The revision.
        revision: RevisionId,
        /// The file of its up script.
        up: String,
    },
    /// The plan is blocked: every problem.
    #[error("{}", .0.0.iter().map(problem).collect::<Vec<_>>().join("\n"))]
    Plan(#[from] PlanError),
    /// The lock could not be taken.
    #[error(transparent)]
    Lock(#[from] LockError),
    /// The database failed or refused.
    #[error(transparent)]
    Database(#[from] DatabaseError),
    /// A revision failed. It was rolled back, except for the finished statements of a `transaction
    /// = off` script; the revisions before it are done.
    #[error(transparent)]
    Failed(Box<PartialFailure>),
    /// Another error occurred after revisions were done.
    #[error("{error} ({} revisions were done before)", .done.len())]
    Partway {
        /// The steps done before the error.
        done: Vec<Done>,
        /// The error.
        #[source]
        error: Box<Self>,
    },
    /// A redo failed. The report lists the revisions that were reverted and not applied again.
    #[error("{failure}")]
    RedoFailed {
        /// The state after the error.
        report: Box<RedoReport>,
        /// The state of the database after the failure.
        left: RedoLeft,
        /// The failure.
        #[source]
        failure: Box<PartialFailure>,
    },
    /// The plan of a redo was outdated after some of its steps were done.
    #[error("{reason}")]
    RedoPartway {
        /// The state after the error.
        report: Box<RedoReport>,
        /// The reason.
        #[source]
        reason: DatabaseError,
    },
    /// Records of another tool cannot be adopted.
    #[error(transparent)]
    Adopt(#[from] AdoptError),
    /// Some of the other tool's records are doubtful, and the doubts were not accepted.
    #[error("{} records of {} are in doubt", .0.adoption.doubts.len(), .0.adoption.tool)]
    AdoptDoubts(Box<AdoptReport>),
    /// The other tool's records changed while they were adopted; what was recorded may be outdated.
    #[error("{} changed while it was being adopted", .0.adoption.table)]
    AdoptOutdated(Box<AdoptReport>),
    /// The confirmation was declined.
    #[error("the repair was not confirmed; nothing was changed")]
    Declined,
    /// A signal stopped the operation before it changed anything.
    #[error("interrupted")]
    Interrupted,
    /// The source of a schema cannot be used.
    #[error(transparent)]
    Source(#[from] SourceError),
    /// No scratch database can be created.
    #[error(transparent)]
    Scratch(#[from] ScratchError),
    /// Scripts failed in a scratch database.
    #[error("in a scratch database: {0}")]
    InScratch(#[source] Box<Self>),
    /// SQL files failed in a scratch database. Each name stands for a file.
    #[error("{error}")]
    InFiles {
        /// The names in the error, each with the name of the file for display.
        names: Vec<(String, String)>,
        /// The error.
        #[source]
        error: Box<Self>,
    },
    /// Scripts would change more than a scratch database.
    #[error(transparent)]
    Outside(#[from] Outside),
    /// Nothing can be rehearsed.
    #[cfg(feature = "cli")]
    #[error(transparent)]
    Rehearse(#[from] super::RehearseError),
    /// Objects depend on each other, so that no order of statements creates them.
    #[error(transparent)]
    Cycle(#[from] Cycle),
    /// No statements are known for some changes.
    #[error("{}", .0.iter().map(|it| format!("{}: {}", it.object, it.reason)).collect::<Vec<_>>().join("\n"))]
    NotGenerated(Vec<Refusal>),
    /// No revision was generated.
    #[cfg(feature = "cli")]
    #[error(transparent)]
    Autogenerate(#[from] super::AutogenerateError),
    /// A command over a fleet did not begin.
    #[cfg(feature = "cli")]
    #[error(transparent)]
    Fleet(#[from] super::FleetError),
    /// A file of table sizes cannot be used.
    #[cfg(feature = "cli")]
    #[error(transparent)]
    Sizes(#[from] super::SizesError),
    /// Nothing was fixed.
    #[cfg(feature = "cli")]
    #[error(transparent)]
    Fix(#[from] super::FixError),
    /// The revision is partially applied, so that its schema is unknown.
    #[error("revision {0} is partially applied")]
    PartlyApplied(RevisionId),
    /// The source has no revisions.
    #[error("`{0}` has no revisions")]
    NoRevisionsOf(String),
    /// The ID is invalid.
    #[error(transparent)]
    RevisionId(#[from] RevisionIdError),
    /// The name is invalid for a repeatable script.
    #[error(transparent)]
    RepeatableId(#[from] RepeatableIdError),
    /// The ID of a new revision sorts directly before a revision without `revises`.
    #[error("revision {child} names no parent, and would revise {id}")]
    Reparented {
        /// The id.
        id: RevisionId,
        /// The revision whose parent it would become.
        child: RevisionId,
        /// The file of its up script.
        file: String,
    },
    /// A revision is named more than once.
    #[error("revision {0} is named more than once")]
    NamedTwice(RevisionId),
    /// The signal handlers cannot be installed.
    #[error("cannot listen for signals: {0}")]
    Signals(#[source] io::Error),
    /// A thread or a file cannot be used.
    #[error("{doing}: {error}")]
    System {
        /// The attempted action.
        doing: &'static str,
        /// The error of the operating system.
        #[source]
        error: io::Error,
    },
    /// The plan cannot be expressed as a script.
    #[error(transparent)]
    Offline(#[from] super::OfflineError),
    /// The directory is in another tool's layout, and scripts can be written only in the native
    /// one.
    #[cfg(feature = "cli")]
    #[error(
        "{directory} is in the layout of {layout}, and scripts are written in the native layout only"
    )]
    OtherLayout {
        /// The directory, as named in messages.
        directory: String,
        /// The layout.
        layout: Layout,
    },
    /// The revisions cannot be merged.
    #[cfg(feature = "cli")]
    #[error(transparent)]
    Merge(#[from] super::MergeError),
    /// The files of a commit cannot be read.
    #[cfg(feature = "cli")]
    #[error(transparent)]
    Git(#[from] GitError),
    /// Scripts cannot be converted.
    #[cfg(feature = "cli")]
    #[error(transparent)]
    Convert(#[from] ConvertError),
    /// A project cannot be created.
    #[cfg(feature = "cli")]
    #[error(transparent)]
    Init(#[from] InitError),
    /// The message yields no file name.
    #[cfg(feature = "cli")]
    #[error(transparent)]
    Slug(#[from] SlugError),
    /// A template cannot be rendered.
    #[cfg(feature = "cli")]
    #[error(transparent)]
    Template(#[from] TemplateError),
    /// Scripts cannot be written.
    #[cfg(feature = "cli")]
    #[error(transparent)]
    Write(#[from] WriteError),
    /// Files cannot be exchanged.
    #[cfg(feature = "cli")]
    #[error(transparent)]
    Exchange(#[from] ExchangeError),
    /// A revision cannot be moved.
    #[cfg(feature = "cli")]
    #[error(transparent)]
    Rebase(#[from] RebaseProblem),
    /// Revisions cannot be squashed.
    #[cfg(feature = "cli")]
    #[error("{} problems prevent the squash", .0.len())]
    Squash(Vec<SquashProblem>),
    /// A backup cannot be created, verified or restored.
    #[cfg(feature = "cli")]
    #[error(transparent)]
    Backup(#[from] BackupError),
    /// The backup before a run failed, so nothing was run.
    #[cfg(feature = "cli")]
    #[error("{0}; nothing was run")]
    BackupBefore(#[source] BackupError),
    /// The database was not ready in time.
    #[cfg(feature = "cli")]
    #[error("{} could not be used in time: {}", .0.place, .0.reason)]
    NotReady(Box<super::NotReady>),
}

fn lines(problems: &[DirectoryProblem]) -> String {
    let lines: Vec<_> = problems.iter().map(ToString::to_string).collect();
    lines.join("\n")
}

fn problem(problem: &PlanProblem) -> String {
    match problem.source_span() {
        Some(span) => {
            let at = span.position();
            format!("{}:{}:{}: {problem}", span.file, at.line, at.column)
        }
        None => problem.to_string(),
    }
}

#[cfg(feature = "cli")]
impl From<Vec<SquashProblem>> for Error {
    fn from(problems: Vec<SquashProblem>) -> Self {
        Self::Squash(problems)
    }
}
