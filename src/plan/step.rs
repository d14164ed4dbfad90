use std::{ops::Range, sync::Arc, time::Duration};

use super::{Batch, RowExchange};
use crate::{
    revision::{
        BatchProgress, Checksum, Direction, Interruption, NewRow, RepeatableId, RevisionId, Script,
        Subject,
    },
    sql::{ConcurrentIndex, Expanded, Statement},
};

/// An ordered list of steps between two states. It is plain data that can be printed and executed.
#[derive(Clone, Debug, PartialEq)]
pub struct Plan {
    /// The direction of all its steps.
    pub direction: Direction,
    /// The steps, in order.
    pub steps: Vec<Step>,
    /// Warnings to show before the plan runs.
    pub warnings: Vec<Warning>,
    /// Whether all steps share one transaction.
    pub one_transaction: bool,
    /// Exchanges to record before the first step: baselines in place of the revisions they replace.
    pub exchanges: Vec<RowExchange>,
}

/// An upgrade or downgrade of one revision, or a run of a repeatable script.
#[derive(Clone, Debug, PartialEq)]
pub struct Step {
    /// The revision or repeatable script.
    pub subject: Subject,
    /// The message.
    pub message: String,
    /// The script to run.
    pub script: Script,
    /// The origin of the script.
    pub source: Source,
    /// The script with its placeholders replaced, if it has the header `vars`.
    pub expanded: Option<Expanded>,
    /// All statements of [`Self::text`], including the wrapper's. Their lines and columns are those
    /// of the script.
    pub statements: Vec<Statement>,
    /// How the statements run.
    pub execution: Execution,
    /// Transaction modes of the script's own BEGIN.
    pub modes: String,
    /// On SQLite, whether foreign keys are enforced while the step runs.
    pub foreign_keys: bool,
    /// The highest sequence of the version table before the step.
    pub expects: i64,
    /// The row to write; `None` for a downgrade.
    pub row: Option<Arc<NewRow>>,
    /// Whether the row replaces an earlier one of a repeatable script.
    pub replaces: bool,
    /// Where a `transaction = off` script that stopped partway resumes.
    pub resume: Option<Box<Resume>>,
}

/// The progress of a partially applied `transaction = off` script.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Resume {
    /// Number of units that are done; their checksums match.
    pub done: usize,
    /// The outcome of the next unit, if it was interrupted.
    pub interruption: Option<Interruption>,
    /// The progress of the next unit, if it is still the same repeated statement.
    pub batch: Option<BatchProgress>,
    /// Indexes into [`Step::statements`] of completed statements that set session state. They run
    /// again, since the session is new.
    pub replay: Vec<usize>,
}

impl Step {
    /// Returns the direction of the script.
    pub fn direction(&self) -> Direction {
        self.script.direction
    }

    /// Returns the SQL to run.
    pub fn text(&self) -> &Arc<str> {
        let expanded = self.expanded.as_ref();
        expanded.map_or(&self.script.text, |expanded| &expanded.text)
    }

    /// Returns the part of the script that byte `at` of [`Self::text`] comes from: a placeholder,
    /// or an empty range at its place.
    pub fn origin(&self, at: usize) -> Range<usize> {
        let expanded = self.expanded.as_ref();
        expanded.map_or(at..at, |expanded| expanded.origin(at))
    }

    /// Returns the range of a statement in the script, before placeholders are replaced.
    pub fn span(&self, statement: &Statement) -> Range<usize> {
        origin_of(self.expanded.as_ref(), &statement.span)
    }

    /// Returns a statement as written in the script.
    pub fn written(&self, statement: &Statement) -> &str {
        &self.script.text[self.span(statement)]
    }

    /// Returns the script's own `lock-timeout`.
    pub fn lock_timeout(&self) -> Option<Duration> {
        self.script.headers.lock_timeout
    }

    /// Returns the script's own `statement-timeout`.
    pub fn statement_timeout(&self) -> Option<Duration> {
        self.script.headers.statement_timeout
    }
}

/// The origin of a step's script.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Source {
    /// The directory.
    File,
    /// The version table, because the file is missing.
    Stored,
}

/// How a step's statements run.
#[derive(Clone, Debug, PartialEq)]
pub enum Execution {
    /// These statements run in one transaction with the record.
    Transaction(Range<usize>),
    /// The units run one by one, each with its progress.
    Units(Vec<Unit>),
}

/// A part of a `transaction = off` script that runs at once.
#[derive(Clone, Debug, PartialEq)]
pub struct Unit {
    /// Indexes into [`Step::statements`], without BEGIN and COMMIT.
    pub statements: Range<usize>,
    /// How it can be run.
    pub kind: UnitKind,
    /// On SQLite, whether foreign keys are enforced while the unit runs.
    pub foreign_keys: bool,
    /// The checksum of the canonical form of its text.
    pub checksum: Checksum,
}

/// How a unit can be run.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum UnitKind {
    /// Runs in a transaction with its progress, with the modes of its BEGIN.
    Shared(String),
    /// Runs outside any transaction, so that a crash leaves the outcome unknown.
    Alone,
    /// A CREATE INDEX CONCURRENTLY: like [`Self::Alone`], but the indexes of its table show the
    /// outcome.
    Index(ConcurrentIndex),
    /// A single statement that rebuilds indexes outside a transaction. Cancelling it leaves copies
    /// of the indexes behind.
    Reindex,
    /// Runs outside any transaction and can safely run again.
    Repeatable,
    /// Like [`Self::Repeatable`], but later statements in the same session depend on it.
    Session,
    /// A single statement that is repeated until it changes no row, each time in a transaction with
    /// its progress.
    Batch(Batch),
}

/// A warning about a plan.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Warning {
    /// The down script has changed since its revision was applied.
    EditedDown {
        /// The revision.
        revision: RevisionId,
        /// The file.
        file: String,
    },
    /// The stored script runs because the file is missing.
    StoredDown {
        /// The revision.
        revision: RevisionId,
    },
    /// Out-of-order revisions are applied.
    OutOfOrder {
        /// The revisions.
        revisions: Vec<RevisionId>,
        /// The applied revision that they sort before.
        before: RevisionId,
    },
    /// Revisions stay pending since they are of the contract phase, or need one that is.
    Left {
        /// The revisions, in order.
        revisions: Vec<RevisionId>,
    },
    /// Rows are replaced by the row of their baseline.
    Squashes {
        /// The baseline.
        baseline: RevisionId,
        /// Number of rows.
        rows: usize,
    },
    /// Repeatable scripts that are due do not run, because revisions remain to be applied.
    RepeatablesWait {
        /// The scripts.
        scripts: Vec<RepeatableId>,
    },
    /// A script has no statement.
    Empty {
        /// The subject of the script.
        subject: Subject,
        /// The direction of the script; `None` for a repeatable script.
        direction: Option<Direction>,
        /// The file.
        file: String,
    },
    /// The down script of a revision that is being applied cannot run.
    BrokenDown {
        /// The revision.
        revision: RevisionId,
        /// The file.
        file: String,
        /// Line and column in the file, from 1, if the problem has a place.
        at: Option<(u32, u32)>,
        /// The problem.
        reason: String,
    },
    /// `.sql` files in subdirectories are not read.
    FilesBelow {
        /// The first file, relative to the directory.
        first: String,
        /// Number of files.
        count: usize,
    },
    /// Publications replicate the version table.
    Replicated {
        /// The publications.
        publications: Vec<String>,
    },
    /// The database has revisions above all heads of the directory.
    Ahead {
        /// The revisions.
        unknown: Vec<RevisionId>,
    },
}

/// Returns the part of the script that `range` of the text to run comes from.
pub(super) fn origin_of(expanded: Option<&Expanded>, range: &Range<usize>) -> Range<usize> {
    expanded.map_or_else(|| range.clone(), |expanded| expanded.origin_of(range))
}
