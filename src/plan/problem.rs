use std::sync::Arc;

use super::{BatchPlace, Halfway, Obstacle};
use crate::{
    revision::{Direction, Interruption, RevisionId, Script, ScriptChange, Subject, TargetError},
    sql::{
        Dialect, LayoutPragma, NoRowChange, PlaceholderFault, Position, SqlProblemKind, position,
    },
};

/// A place in a script's text.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SourceSpan {
    /// The file name to display.
    pub file: String,
    /// The whole script.
    pub text: Arc<str>,
    /// Byte offset of the place.
    pub offset: usize,
}

impl SourceSpan {
    /// Returns the place at byte `offset` of `script`.
    pub fn at(script: &Script, offset: usize) -> Self {
        Self {
            file: script.file.clone(),
            text: Arc::clone(&script.text),
            offset,
        }
    }

    /// The line and column of the position.
    pub fn position(&self) -> Position {
        position(&self.text, self.offset)
    }
}

/// The error for a plan that cannot be created: every problem found. Nothing was run.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{} problems prevent a plan", .0.len())]
pub struct PlanError(pub Vec<PlanProblem>);

/// A problem that prevents a plan.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum PlanProblem {
    /// It is unclear which revisions the database has applied.
    #[error(transparent)]
    Occupied(Obstacle),
    /// The target cannot be resolved.
    #[error(transparent)]
    Target(TargetError),
    /// The command does not support the target: `downgrade +1`, `upgrade -1`, `upgrade base`.
    #[error("cannot {verb} `{target}`")]
    WrongWay {
        /// The resolved target.
        target: String,
        /// The command, as displayed before a target.
        verb: &'static str,
    },
    /// The target of a downgrade is not applied.
    #[error("revision {revision} is not applied")]
    NotApplied {
        /// The target.
        revision: RevisionId,
    },
    /// `-N` exceeds the number of applied revisions.
    #[error("cannot revert {asked} revisions: only {applied} are applied")]
    TooFewApplied {
        /// The number of revisions to revert.
        asked: usize,
        /// Number of applied revisions.
        applied: usize,
    },
    /// The up script was changed after it was applied.
    #[error("the up script of revision {revision} was changed after it was applied")]
    Edited {
        /// The revision.
        revision: RevisionId,
        /// The file.
        file: String,
        /// What was changed, if the text that was applied has been read.
        change: Option<ScriptChange>,
    },
    /// Applied revisions are not in the directory.
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
    /// Applied revisions are above all heads of the directory, and `ahead = "error"` is set.
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
        /// Number of statements done.
        done: usize,
        /// Total number of statements.
        total: usize,
        /// The outcome of the next statement, if it was interrupted.
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
        /// Number of the statement, from 1; a BEGIN … COMMIT block counts as one. `None` if the
        /// record does not identify it.
        statement: Option<usize>,
        /// Number of statements that ran.
        done: usize,
        /// The place of the statement, or the start of the script.
        source_span: SourceSpan,
    },
    /// The script of a partially applied revision would now run in one transaction.
    #[error(
        "the script of {} {subject} no longer has its header `transaction = off`, but {done} of its \
         statements are done",
        subject.noun()
    )]
    OffRemoved {
        /// The subject of the script.
        subject: Subject,
        /// Number of statements that ran.
        done: usize,
        /// The start of the script.
        source_span: SourceSpan,
    },
    /// It is unknown whether a statement took effect.
    #[error(
        "statement {statement} of {} {subject} was running when the last run ended; whether it took effect is unknown",
        subject.noun()
    )]
    Doubt {
        /// The subject of the script.
        subject: Subject,
        /// Number of the statement, from 1.
        statement: usize,
        /// The place in the script.
        source_span: SourceSpan,
    },
    /// `repair` was called for a partially applied revision, but there is none.
    #[error("no revision is partially applied")]
    NothingPartial,
    /// `repair --statement N` names a statement other than the next one.
    #[error("statement {statement} is not the one that stopped, which is statement {next}")]
    NotInDoubt {
        /// The number that was given.
        statement: usize,
        /// Number of the statement after those done.
        next: usize,
    },
    /// Revisions without `revises` are out of order.
    #[error(
        "{} sorts before {before}, which is applied, and does not name its parent",
        join(revisions)
    )]
    OutOfOrder {
        /// The revisions.
        revisions: Vec<RevisionId>,
        /// The highest applied one.
        before: RevisionId,
        /// The script file of the first revision.
        file: String,
    },
    /// Neither the directory nor the version table has a down script.
    #[error("{}", no_downs(revisions))]
    NoDown {
        /// The revisions, latest first.
        revisions: Vec<RevisionId>,
    },
    /// The revision is declared irreversible.
    #[error("revision {revision} is irreversible: {reason}")]
    Irreversible {
        /// The revision.
        revision: RevisionId,
        /// The reason given in its header.
        reason: String,
    },
    /// Only some of the revisions that a baseline replaces are applied.
    #[error(
        "the database has applied only some of the revisions that the baseline {} replaces; not applied: {}",
        .0.baseline,
        join(&.0.missing)
    )]
    Halfway(Halfway),
    /// The script cannot be split into statements.
    #[error("{kind}")]
    Sql {
        /// The place in the script.
        source_span: SourceSpan,
        /// The kind of problem.
        kind: SqlProblemKind,
    },
    /// A placeholder cannot be replaced.
    #[error("{fault}")]
    Placeholder {
        /// The place in the script.
        source_span: SourceSpan,
        /// The fault in the placeholder.
        fault: PlaceholderFault,
    },
    /// BEGIN, COMMIT or ROLLBACK is not allowed in this place.
    #[error("{statement} is not allowed here{}", if *off { "" } else { ": the script runs in a transaction" })]
    TransactionControl {
        /// The place in the script.
        source_span: SourceSpan,
        /// The statement's name.
        statement: &'static str,
        /// Whether the script is `transaction = off`.
        off: bool,
    },
    /// A SAVEPOINT has no RELEASE.
    #[error("the savepoint `{name}` is never released")]
    OpenSavepoint {
        /// The place in the script.
        source_span: SourceSpan,
        /// The name.
        name: String,
    },
    /// A RELEASE or ROLLBACK TO has no SAVEPOINT.
    #[error("savepoint `{name}` does not exist here")]
    UnknownSavepoint {
        /// The place in the script.
        source_span: SourceSpan,
        /// The name.
        name: String,
    },
    /// A BEGIN has no COMMIT.
    #[error("this transaction is never committed")]
    OpenTransaction {
        /// The place in the script.
        source_span: SourceSpan,
    },
    /// The statement cannot run in a transaction.
    #[error("{name} cannot run in a transaction")]
    OutsideTransaction {
        /// The place in the script.
        source_span: SourceSpan,
        /// The statement's name.
        name: &'static str,
    },
    /// The statement requires `transaction = off`.
    #[error(
        "{name} is not allowed in a repeatable script, which runs in one transaction with its record"
    )]
    NotInRepeatable {
        /// The place in the script.
        source_span: SourceSpan,
        /// The statement's name.
        name: &'static str,
    },
    /// A `transaction = off` script creates an object that lasts for the session, such as a
    /// temporary table.
    #[error(
        "{name} ends with the session, so a `transaction = off` script could not be resumed after it"
    )]
    SessionObject {
        /// The place in the script.
        source_span: SourceSpan,
        /// The kind of object.
        name: &'static str,
    },
    /// COPY TO STDOUT is not supported.
    #[error("COPY TO STDOUT has nowhere to write its data to in a script")]
    CopyOut {
        /// The place in the script.
        source_span: SourceSpan,
    },
    /// PRAGMA foreign_keys is used in a transaction.
    #[error("PRAGMA foreign_keys has no effect in a transaction")]
    ForeignKeysPragma {
        /// The place in the script.
        source_span: SourceSpan,
    },
    /// A PRAGMA for the file layout is used when tables already exist.
    #[error("PRAGMA {} would have no effect: the database has tables by then, the version table at least", pragma.name)]
    LayoutPragma {
        /// The place in the script.
        source_span: SourceSpan,
        /// The pragma.
        pragma: LayoutPragma,
    },
    /// A `batch` directive does not belong to a statement.
    #[error("`batch` {}", where_it_stands(*place))]
    BatchPlace {
        /// The place in the script.
        source_span: SourceSpan,
        /// The wrong place.
        place: BatchPlace,
    },
    /// A `batch` directive is above a statement that cannot be repeated.
    #[error("`batch` cannot repeat this statement: {}", why_not(*reason))]
    BatchStatement {
        /// The place in the script.
        source_span: SourceSpan,
        /// The reason.
        reason: NoRowChange,
    },
    /// A `batch` directive without `max-batches` is above a statement that adds rows.
    #[error("nothing limits how often this {verb} is repeated")]
    BatchUnbounded {
        /// The place in the script.
        source_span: SourceSpan,
        /// The statement's verb.
        verb: &'static str,
    },
    /// `max-lag` is used on SQLite.
    #[error("`max-lag` measures the lag of replicas, and {dialect} has none")]
    BatchLag {
        /// The place in the script.
        source_span: SourceSpan,
        /// The dialect of the database.
        dialect: Dialect,
    },
    /// A `transaction = off` script is part of a run in one transaction.
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
    /// Steps in one transaction need different foreign key settings.
    #[error("{} {subject} requires foreign keys {}, but other scripts in the same transaction do not", subject.noun(), if *on { "on" } else { "off" })]
    MixedForeignKeys {
        /// The subject of the script.
        subject: Subject,
        /// The file of the script.
        file: String,
        /// Whether the script needs foreign keys on.
        on: bool,
    },
    /// A stored script cannot be parsed by this version.
    #[error("the stored down script of revision {revision} is not valid: {reason}")]
    StoredScript {
        /// The revision.
        revision: RevisionId,
        /// The reason.
        reason: String,
    },
}

impl PlanProblem {
    /// Returns the place in a script, if the problem has one.
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

    /// Returns the file of a problem that concerns a whole script.
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

/// The maximum number of revisions listed in a message.
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

/// Returns the subject of a message about a statement that ran.
fn done_statement(statement: Option<usize>, done: usize) -> String {
    match statement {
        Some(number) => format!("statement {number}"),
        None => format!("one of the first {done} statements"),
    }
}
