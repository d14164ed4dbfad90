use std::sync::Arc;

use super::{BatchPlace, Halfway, Obstacle};
use crate::{
    revision::{Direction, Interruption, RevisionId, Script, Subject, TargetError},
    sql::{Dialect, LayoutPragma, NoRowChange, PlaceholderFault, SqlProblemKind},
};

/// A place in a script's text.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SourceSpan {
    /// The file as it is shown.
    pub file: String,
    /// The whole script.
    pub text: Arc<str>,
    /// Byte offset of the place.
    pub offset: usize,
}

impl SourceSpan {
    /// The place at byte `offset` of `script`.
    pub fn at(script: &Script, offset: usize) -> Self {
        Self {
            file: script.file.clone(),
            text: Arc::clone(&script.text),
            offset,
        }
    }
}

/// Why there is no plan: everything that was found, nothing was run.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{} problems prevent a plan", .0.len())]
pub struct PlanError(pub Vec<PlanProblem>);

/// One reason why there is no plan.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum PlanProblem {
    /// What the database holds makes a first write a guess.
    #[error(transparent)]
    Occupied(Obstacle),
    /// The target has no meaning here.
    #[error(transparent)]
    Target(TargetError),
    /// `downgrade +1`, `upgrade -1`, `upgrade base`.
    #[error("cannot {verb} `{target}`")]
    WrongWay {
        /// The target as resolved.
        target: String,
        /// The command, as it reads before a target.
        verb: &'static str,
    },
    /// A downgrade to a revision that is not applied.
    #[error("revision {revision} is not applied")]
    NotApplied {
        /// The target.
        revision: RevisionId,
    },
    /// `-N` with less than N applied.
    #[error("cannot revert {asked} revisions: only {applied} are applied")]
    TooFewApplied {
        /// The number of revisions to revert.
        asked: usize,
        /// How many there are.
        applied: usize,
    },
    /// The up script is not the one that was applied.
    #[error("the up script of revision {revision} was changed after it was applied")]
    Edited {
        /// The revision.
        revision: RevisionId,
        /// The file.
        file: String,
    },
    /// Applied revisions that the directory does not know.
    #[error(
        "revisions are applied in the database that are not in this directory: {}",
        join(revisions)
    )]
    Unknown {
        /// The revisions.
        revisions: Vec<RevisionId>,
        /// Whether directory and database have anything in common.
        related: bool,
    },
    /// The same, but all above our heads, with `ahead = "error"`.
    #[error("the database is ahead of this directory: {}", join(revisions))]
    Ahead {
        /// The revisions.
        revisions: Vec<RevisionId>,
    },
    /// A `transaction = off` script stopped partway.
    #[error("revision {revision} is partially {}: {done} of {total} statements are done", past(*direction))]
    Partial {
        /// The revision.
        revision: RevisionId,
        /// The direction of the script.
        direction: Direction,
        /// Statements done.
        done: usize,
        /// Statements in all.
        total: usize,
        /// How the next one was left.
        interruption: Option<Interruption>,
    },
    /// A statement of a partially applied script was changed after it was run.
    #[error(
        "{} of {} {subject} was changed after it was run",
        done_statement(*statement, *done),
        subject.noun()
    )]
    DoneChanged {
        /// The subject of the script.
        subject: Subject,
        /// Which one, from 1; a BEGIN … COMMIT block counts as one. `None` where the record does
        /// not tell.
        statement: Option<usize>,
        /// How many ran.
        done: usize,
        /// Where it stands, or the begin of the script.
        source_span: SourceSpan,
    },
    /// The script of a partially applied revision is to run in one transaction now.
    #[error(
        "the script of {} {subject} no longer has its header `transaction = off`, but {done} of its \
         statements are done",
        subject.noun()
    )]
    OffRemoved {
        /// The subject of the script.
        subject: Subject,
        /// How many ran.
        done: usize,
        /// The begin of the script.
        source_span: SourceSpan,
    },
    /// Nobody knows whether a statement took effect.
    #[error(
        "statement {statement} of {} {subject} was running when the last run ended; whether it took effect is unknown",
        subject.noun()
    )]
    Doubt {
        /// The subject of the script.
        subject: Subject,
        /// Which one, from 1.
        statement: usize,
        /// The place in the script.
        source_span: SourceSpan,
    },
    /// `repair` of a partially applied revision, where there is none.
    #[error("no revision is partially applied")]
    NothingPartial,
    /// `repair --statement N` of another statement than the next one.
    #[error("statement {statement} is not the one that stopped, which is statement {next}")]
    NotInDoubt {
        /// As given.
        statement: usize,
        /// The one after those done.
        next: usize,
    },
    /// Late revisions without `revises`.
    #[error(
        "{} sorts before {before}, which is applied, and does not name its parent",
        join(revisions)
    )]
    OutOfOrder {
        /// The revisions.
        revisions: Vec<RevisionId>,
        /// The highest applied one.
        before: RevisionId,
        /// The file of the first.
        file: String,
    },
    /// There is no down script, neither in the directory nor in the version table.
    #[error("{}", no_downs(revisions))]
    NoDown {
        /// The revisions, latest first.
        revisions: Vec<RevisionId>,
    },
    /// There is none on purpose.
    #[error("revision {revision} is irreversible: {reason}")]
    Irreversible {
        /// The revision.
        revision: RevisionId,
        /// Its header's words.
        reason: String,
    },
    /// A part of what a baseline replaces is applied.
    #[error(
        "the database has applied only some of the revisions that the baseline {} replaces; not applied: {}",
        .0.baseline,
        join(&.0.missing)
    )]
    Halfway(Halfway),
    /// The script cannot be cut into statements.
    #[error("{kind}")]
    Sql {
        /// The place in the script.
        source_span: SourceSpan,
        /// The kind of problem.
        kind: SqlProblemKind,
    },
    /// A placeholder that nothing can take the place of.
    #[error("{fault}")]
    Placeholder {
        /// The place in the script.
        source_span: SourceSpan,
        /// What is wrong.
        fault: PlaceholderFault,
    },
    /// BEGIN, COMMIT, ROLLBACK where they cannot be.
    #[error("{statement} is not allowed here{}", if *off { "" } else { ": the script runs in a transaction" })]
    TransactionControl {
        /// The place in the script.
        source_span: SourceSpan,
        /// The statement's name.
        statement: &'static str,
        /// Whether the script is `transaction = off`.
        off: bool,
    },
    /// SAVEPOINT without RELEASE.
    #[error("the savepoint `{name}` is never released")]
    OpenSavepoint {
        /// The place in the script.
        source_span: SourceSpan,
        /// The name.
        name: String,
    },
    /// RELEASE or ROLLBACK TO without SAVEPOINT.
    #[error("savepoint `{name}` does not exist here")]
    UnknownSavepoint {
        /// The place in the script.
        source_span: SourceSpan,
        /// The name.
        name: String,
    },
    /// BEGIN without COMMIT.
    #[error("this transaction is never committed")]
    OpenTransaction {
        /// The place in the script.
        source_span: SourceSpan,
    },
    /// A statement that cannot run in a transaction.
    #[error("{name} cannot run in a transaction")]
    OutsideTransaction {
        /// The place in the script.
        source_span: SourceSpan,
        /// The statement's name.
        name: &'static str,
    },
    /// A statement that would need `transaction = off`.
    #[error(
        "{name} is not allowed in a repeatable script, which runs in one transaction with its record"
    )]
    NotInRepeatable {
        /// The place in the script.
        source_span: SourceSpan,
        /// The statement's name.
        name: &'static str,
    },
    /// A temporary table and the like in a `transaction = off` script.
    #[error(
        "{name} ends with the session, so a `transaction = off` script could not be resumed after it"
    )]
    SessionObject {
        /// The place in the script.
        source_span: SourceSpan,
        /// What it is.
        name: &'static str,
    },
    /// COPY TO STDOUT.
    #[error("COPY TO STDOUT has nowhere to write its data to in a script")]
    CopyOut {
        /// The place in the script.
        source_span: SourceSpan,
    },
    /// PRAGMA foreign_keys in the middle of a transaction.
    #[error("PRAGMA foreign_keys has no effect in a transaction")]
    ForeignKeysPragma {
        /// The place in the script.
        source_span: SourceSpan,
    },
    /// A setting of a database's file that is written when its tables are there.
    #[error("PRAGMA {} would have no effect: the database has tables by then, the version table at least", pragma.name)]
    LayoutPragma {
        /// Where.
        source_span: SourceSpan,
        /// Which one.
        pragma: LayoutPragma,
    },
    /// `batch` where it is no statement's.
    #[error("`batch` {}", where_it_stands(*place))]
    BatchPlace {
        /// The place in the script.
        source_span: SourceSpan,
        /// What is wrong with that.
        place: BatchPlace,
    },
    /// `batch` above a statement that cannot be repeated.
    #[error("`batch` cannot repeat this statement: {}", why_not(*reason))]
    BatchStatement {
        /// The place in the script.
        source_span: SourceSpan,
        /// The reason.
        reason: NoRowChange,
    },
    /// `batch` above a statement that adds rows, without `max-batches`.
    #[error("nothing limits how often this {verb} is repeated")]
    BatchUnbounded {
        /// The place in the script.
        source_span: SourceSpan,
        /// What the statement does.
        verb: &'static str,
    },
    /// `max-lag` on SQLite.
    #[error("`max-lag` measures the lag of replicas, and {dialect} has none")]
    BatchLag {
        /// The place in the script.
        source_span: SourceSpan,
        /// The dialect of the database.
        dialect: Dialect,
    },
    /// A `transaction = off` script in a run of one transaction.
    #[error(
        "{} {subject} has `transaction = off`, but the whole run is to be one transaction",
        subject.noun()
    )]
    OffInOneTransaction {
        /// The subject of the script.
        subject: Subject,
        /// The file of the script.
        file: String,
    },
    /// Steps of one transaction that disagree on foreign keys.
    #[error("{} {subject} requires foreign keys {}, but other scripts in the same transaction do not", subject.noun(), if *on { "on" } else { "off" })]
    MixedForeignKeys {
        /// The subject of the script.
        subject: Subject,
        /// The file of the script.
        file: String,
        /// What it wants.
        on: bool,
    },
    /// A stored script that this version cannot read.
    #[error("the stored down script of revision {revision} is not valid: {reason}")]
    StoredScript {
        /// The revision.
        revision: RevisionId,
        /// The reason.
        reason: String,
    },
}

impl PlanProblem {
    /// Where in a script it is, for those that are in one.
    pub fn source_span(&self) -> Option<&SourceSpan> {
        match self {
            Self::Sql { source_span, .. }
            | Self::Placeholder { source_span, .. }
            | Self::TransactionControl { source_span, .. }
            | Self::OpenSavepoint { source_span, .. }
            | Self::UnknownSavepoint { source_span, .. }
            | Self::OpenTransaction { source_span }
            | Self::OutsideTransaction { source_span, .. }
            | Self::NotInRepeatable { source_span, .. }
            | Self::SessionObject { source_span, .. }
            | Self::CopyOut { source_span }
            | Self::DoneChanged { source_span, .. }
            | Self::OffRemoved { source_span, .. }
            | Self::Doubt { source_span, .. }
            | Self::BatchPlace { source_span, .. }
            | Self::BatchStatement { source_span, .. }
            | Self::BatchUnbounded { source_span, .. }
            | Self::BatchLag { source_span, .. }
            | Self::LayoutPragma { source_span, .. }
            | Self::ForeignKeysPragma { source_span } => Some(source_span),
            _ => None,
        }
    }

    /// The file of a problem that concerns a script as a whole.
    pub fn file(&self) -> Option<&str> {
        match self {
            Self::Edited { file, .. }
            | Self::OutOfOrder { file, .. }
            | Self::OffInOneTransaction { file, .. }
            | Self::MixedForeignKeys { file, .. } => Some(file),
            _ => None,
        }
    }
}

/// Revisions that a sentence names.
const LISTED: usize = 20;

fn no_downs(revisions: &[RevisionId]) -> String {
    match revisions {
        [only] => format!("revision {only} has no down script"),
        [first @ .., _] if revisions.len() > LISTED => format!(
            "{} revisions have no down script: {}, … and {} more",
            revisions.len(),
            join(&first[..LISTED]),
            revisions.len() - LISTED
        ),
        all => format!("{} revisions have no down script: {}", all.len(), join(all)),
    }
}

fn join(ids: &[RevisionId]) -> String {
    ids.iter()
        .map(ToString::to_string)
        .collect::<Vec<_>>()
        .join(", ")
}

fn where_it_stands(place: BatchPlace) -> &'static str {
    match place {
        BatchPlace::End => "has no statement below it",
        BatchPlace::Twice => "is specified more than once for one statement",
        BatchPlace::NotAbove => "must be on a line of its own, directly above its statement",
        BatchPlace::InBlock => {
            "commits repeatedly, so its statement cannot be inside BEGIN … COMMIT"
        }
    }
}

fn why_not(reason: NoRowChange) -> &'static str {
    match reason {
        NoRowChange::OtherStatement => "it is not an INSERT, UPDATE, DELETE or MERGE",
        NoRowChange::WithinQuery => "it counts the rows of a query instead of the rows it changes",
        NoRowChange::UnknownTable => "the table that it changes cannot be determined",
    }
}

fn past(direction: Direction) -> &'static str {
    match direction {
        Direction::Up => "applied",
        Direction::Down => "reverted",
    }
}

/// The subject of a sentence on a statement that ran.
fn done_statement(statement: Option<usize>, done: usize) -> String {
    match statement {
        Some(number) => format!("statement {number}"),
        None => format!("one of the first {done} statements"),
    }
}
