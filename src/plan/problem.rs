use std::sync::Arc;

use super::{BatchPlace, Halfway, Obstacle};
use crate::{
    revision::{Direction, Interruption, RevisionId, Script, Subject, TargetError},
    sql::{Dialect, NoRowChange, PlaceholderFault, SqlProblemKind},
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
#[error("{} problems stand in the way", .0.len())]
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
        /// As resolved.
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
    #[error("{asked} revisions should be reverted but only {applied} are applied")]
    TooFewApplied {
        /// N.
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
        "the database has revisions applied that this directory does not have: {}",
        join(revisions)
    )]
    Unknown {
        /// They.
        revisions: Vec<RevisionId>,
        /// Whether directory and database have anything in common.
        related: bool,
    },
    /// The same, but all above our heads, with `ahead = "error"`.
    #[error("the database is ahead of this directory: {}", join(revisions))]
    Ahead {
        /// They.
        revisions: Vec<RevisionId>,
    },
    /// A `transaction = off` script stopped in its middle.
    #[error("revision {revision} is partly {}: {done} of {total} statements are done", past(*direction))]
    Partial {
        /// The revision.
        revision: RevisionId,
        /// Which of its scripts.
        direction: Direction,
        /// Statements done.
        done: usize,
        /// Statements in all.
        total: usize,
        /// How the next one was left.
        interruption: Option<Interruption>,
    },
    /// A statement of a partially applied script was changed after it ran.
    #[error(
        "{} of {} {subject} was changed after it ran",
        done_statement(*statement, *done),
        subject.noun()
    )]
    DoneChanged {
        /// Whose script it is.
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
        "the script of {} {subject} has lost its header `transaction = off`, and {done} of its \
         statements are done",
        subject.noun()
    )]
    OffRemoved {
        /// Whose script it is.
        subject: Subject,
        /// How many ran.
        done: usize,
        /// The begin of the script.
        source_span: SourceSpan,
    },
    /// Nobody knows whether a statement took effect.
    #[error(
        "statement {statement} of {} {subject} was running when the last run ended, and nobody knows whether it took effect",
        subject.noun()
    )]
    Doubt {
        /// Whose script it is.
        subject: Subject,
        /// Which one, from 1.
        statement: usize,
        /// Where it stands.
        source_span: SourceSpan,
    },
    /// `repair` of a revision in its middle, where there is none.
    #[error("no revision is partially applied")]
    NothingPartial,
    /// `repair --statement N` of another statement than the next one.
    #[error("statement {statement} is not the one that stopped; that is statement {next}")]
    NotInDoubt {
        /// As given.
        statement: usize,
        /// The one after those done.
        next: usize,
    },
    /// Late revisions without `revises`.
    #[error(
        "{} sorts before {before}, which is applied, and names no parent",
        join(revisions)
    )]
    OutOfOrder {
        /// They.
        revisions: Vec<RevisionId>,
        /// The highest applied one.
        before: RevisionId,
        /// The file of the first.
        file: String,
    },
    /// There is no down script, neither in the directory nor in the version table.
    #[error("revision {revision} has no down script")]
    NoDown {
        /// The revision.
        revision: RevisionId,
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
        "the database is in the middle of what the baseline {} replaces; not applied: {}",
        .0.baseline,
        join(&.0.missing)
    )]
    Halfway(Halfway),
    /// The script can't be cut into statements.
    #[error("{kind}")]
    Sql {
        /// Where.
        source_span: SourceSpan,
        /// What is wrong.
        kind: SqlProblemKind,
    },
    /// A placeholder that nothing can take the place of.
    #[error("{fault}")]
    Placeholder {
        /// Where.
        source_span: SourceSpan,
        /// What is wrong.
        fault: PlaceholderFault,
    },
    /// BEGIN, COMMIT, ROLLBACK where they can't be.
    #[error("{statement} can't stand here{}", if *off { "" } else { ": the script runs in a transaction" })]
    TransactionControl {
        /// Where.
        source_span: SourceSpan,
        /// The statement's name.
        statement: &'static str,
        /// Whether the script is `transaction = off`.
        off: bool,
    },
    /// SAVEPOINT without RELEASE.
    #[error("the savepoint `{name}` is never released")]
    OpenSavepoint {
        /// Where.
        source_span: SourceSpan,
        /// Its name.
        name: String,
    },
    /// RELEASE or ROLLBACK TO without SAVEPOINT.
    #[error("there is no savepoint `{name}` here")]
    UnknownSavepoint {
        /// Where.
        source_span: SourceSpan,
        /// Its name.
        name: String,
    },
    /// BEGIN without COMMIT.
    #[error("this transaction is never committed")]
    OpenTransaction {
        /// Where.
        source_span: SourceSpan,
    },
    /// A statement that can't run in a transaction.
    #[error("{name} can't run in a transaction")]
    OutsideTransaction {
        /// Where.
        source_span: SourceSpan,
        /// The statement's name.
        name: &'static str,
    },
    /// A statement that would need `transaction = off`.
    #[error("{name} can't stand in a repeatable script, which is one transaction with its record")]
    NotInRepeatable {
        /// Where.
        source_span: SourceSpan,
        /// The statement's name.
        name: &'static str,
    },
    /// A temporary table and the like in a `transaction = off` script.
    #[error(
        "{name} dies with the session, so a `transaction = off` script could not be resumed after it"
    )]
    SessionObject {
        /// Where.
        source_span: SourceSpan,
        /// What it is.
        name: &'static str,
    },
    /// COPY TO STDOUT.
    #[error("COPY TO STDOUT has nowhere to write to in a script")]
    CopyOut {
        /// Where.
        source_span: SourceSpan,
    },
    /// PRAGMA foreign_keys in the middle of a transaction.
    #[error("PRAGMA foreign_keys does nothing inside of a transaction")]
    ForeignKeysPragma {
        /// Where.
        source_span: SourceSpan,
    },
    /// `batch` where it is no statement's.
    #[error("`batch` {}", where_it_stands(*place))]
    BatchPlace {
        /// Where.
        source_span: SourceSpan,
        /// What is wrong with that.
        place: BatchPlace,
    },
    /// `batch` above a statement that can't be repeated.
    #[error("`batch` can't repeat this: {}", why_not(*reason))]
    BatchStatement {
        /// Where.
        source_span: SourceSpan,
        /// Why.
        reason: NoRowChange,
    },
    /// `batch` above a statement that adds rows, without `max-batches`.
    #[error("nothing would stop this {verb} if it never ended")]
    BatchUnbounded {
        /// Where.
        source_span: SourceSpan,
        /// What the statement does.
        verb: &'static str,
    },
    /// `max-lag` on SQLite.
    #[error("`max-lag` asks replicas how far they are behind, and {dialect} has none")]
    BatchLag {
        /// Where.
        source_span: SourceSpan,
        /// Of which database.
        dialect: Dialect,
    },
    /// A `transaction = off` script in a run of one transaction.
    #[error(
        "{} {subject} has `transaction = off`, but the whole run was to be one transaction",
        subject.noun()
    )]
    OffInOneTransaction {
        /// Whose script it is.
        subject: Subject,
        /// Its script.
        file: String,
    },
    /// Steps of one transaction that disagree on foreign keys.
    #[error("{} {subject} wants foreign keys {} while others of the same transaction don't", subject.noun(), if *on { "on" } else { "off" })]
    MixedForeignKeys {
        /// Whose script it is.
        subject: Subject,
        /// Its script.
        file: String,
        /// What it wants.
        on: bool,
    },
    /// A stored script that this version can't read.
    #[error("the stored down script of revision {revision} can't be read: {reason}")]
    StoredScript {
        /// The revision.
        revision: RevisionId,
        /// Why.
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
            | Self::ForeignKeysPragma { source_span } => Some(source_span),
            _ => None,
        }
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
        BatchPlace::Twice => "is given twice for one statement",
        BatchPlace::NotAbove => "stands on a line of its own, right above its statement",
        BatchPlace::InBlock => {
            "commits again and again, so that BEGIN … COMMIT can't hold its statement"
        }
    }
}

fn why_not(reason: NoRowChange) -> &'static str {
    match reason {
        NoRowChange::OtherStatement => "it is no INSERT, UPDATE, DELETE or MERGE",
        NoRowChange::WithinQuery => "it counts the rows of a query, and not those it changes",
        NoRowChange::UnknownTable => "the table that it changes can't be told",
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
