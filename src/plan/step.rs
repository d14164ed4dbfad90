use std::{ops::Range, sync::Arc, time::Duration};

use super::{Batch, RowExchange};
use crate::{
    revision::{
        BatchProgress, Checksum, Direction, Interruption, NewRow, RepeatableId, RevisionId, Script,
        Subject,
    },
    sql::{ConcurrentIndex, Expanded, Statement},
};

/// The ordered steps between two states: plain data, printable, executable.
#[derive(Clone, Debug, PartialEq)]
pub struct Plan {
    /// Which way all of its steps go.
    pub direction: Direction,
    /// What runs, in order.
    pub steps: Vec<Step>,
    /// What people should know before it runs.
    pub warnings: Vec<Warning>,
    /// Whether all steps share one transaction.
    pub one_transaction: bool,
    /// What is recorded before the first step: baselines in the place of what they replace.
    pub exchanges: Vec<RowExchange>,
}

/// One revision going up or down, or a repeatable script.
#[derive(Clone, Debug, PartialEq)]
pub struct Step {
    /// The revision or repeatable script.
    pub subject: Subject,
    /// The message.
    pub message: String,
    /// The script that runs.
    pub script: Script,
    /// Where the script is from.
    pub source: Source,
    /// The script with values in the places of its placeholders, where it has the header `vars`.
    pub expanded: Option<Expanded>,
    /// All statements of [`Self::text`], the wrapper's included. Their lines and columns are those of
    /// the script.
    pub statements: Vec<Statement>,
    /// How they run.
    pub execution: Execution,
    /// Modes for BEGIN, as the script's own BEGIN had them.
    pub modes: String,
    /// SQLite: whether foreign keys are enforced while it runs.
    pub foreign_keys: bool,
    /// The highest sequence of the version table before the step.
    pub expects: i64,
    /// The row to write: for an upgrade, and nothing for a downgrade.
    pub row: Option<Arc<NewRow>>,
    /// Whether the row takes the place of an earlier one of a repeatable script.
    pub replaces: bool,
    /// Where a `transaction = off` script continues that stopped partway.
    pub resume: Option<Box<Resume>>,
}

/// How far a `transaction = off` script has come before.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Resume {
    /// Units that are done; their checksums were compared.
    pub done: usize,
    /// What is known of the unit after them.
    pub interruption: Option<Interruption>,
    /// How far that unit has come, where it is still the one that is repeated.
    pub batch: Option<BatchProgress>,
    /// Indexes into [`Step::statements`] of what set the session among those
    /// done: it is run again, since the session is another one now.
    pub replay: Vec<usize>,
}

impl Step {
    /// The direction of its script.
    pub fn direction(&self) -> Direction {
        self.script.direction
    }

    /// What runs.
    pub fn text(&self) -> &Arc<str> {
        let expanded = self.expanded.as_ref();
        expanded.map_or(&self.script.text, |expanded| &expanded.text)
    }

    /// The part of the script that byte `at` of [`Self::text`] stands for: a placeholder, or an
    /// empty range at its place.
    pub fn origin(&self, at: usize) -> Range<usize> {
        let expanded = self.expanded.as_ref();
        expanded.map_or(at..at, |expanded| expanded.origin(at))
    }

    /// Where a statement stands in the script, whose placeholders have no values.
    pub fn span(&self, statement: &Statement) -> Range<usize> {
        origin_of(self.expanded.as_ref(), &statement.span)
    }

    /// A statement as the script has it.
    pub fn written(&self, statement: &Statement) -> &str {
        &self.script.text[self.span(statement)]
    }

    /// The script's own `lock-timeout`.
    pub fn lock_timeout(&self) -> Option<Duration> {
        self.script.headers.lock_timeout
    }

    /// The script's own `statement-timeout`.
    pub fn statement_timeout(&self) -> Option<Duration> {
        self.script.headers.statement_timeout
    }
}

/// Where a step's script is from.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Source {
    /// The directory.
    File,
    /// The version table, since the file is gone.
    Stored,
}

/// How a step's statements run.
#[derive(Clone, Debug, PartialEq)]
pub enum Execution {
    /// These statements in one transaction with the record.
    Transaction(Range<usize>),
    /// Unit by unit, each with its progress.
    Units(Vec<Unit>),
}

/// What a `transaction = off` script does at once.
#[derive(Clone, Debug, PartialEq)]
pub struct Unit {
    /// Indexes into [`Step::statements`], without BEGIN and COMMIT.
    pub statements: Range<usize>,
    /// How it can be run.
    pub kind: UnitKind,
    /// SQLite: whether foreign keys are enforced while it runs.
    pub foreign_keys: bool,
    /// Of its text, in canonical form.
    pub checksum: Checksum,
}

/// How a unit can be run.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum UnitKind {
    /// In a transaction with its progress; with the modes of its BEGIN.
    Shared(String),
    /// Outside of any transaction, so that a crash leaves it in doubt.
    Alone,
    /// A CREATE INDEX CONCURRENTLY: as [`Self::Alone`], but the indexes of its table show what
    /// became of it.
    Index(ConcurrentIndex),
    /// One statement outside of transactions that rebuilds indexes, whose copies stay behind when it
    /// is cancelled.
    Reindex,
    /// Outside of any transaction, and running it again does no harm.
    Repeatable,
    /// The same, and later statements rely on it in the same session.
    Session,
    /// One statement, again and again until it changes no row; each time in a transaction with
    /// its progress.
    Batch(Batch),
}

/// Something people should know about a plan.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Warning {
    /// The down script is not the one that was there when its revision was applied.
    EditedDown {
        /// The revision.
        revision: RevisionId,
        /// The file.
        file: String,
    },
    /// The stored script runs, since the file is gone.
    StoredDown {
        /// The revision.
        revision: RevisionId,
    },
    /// Late revisions that are applied all the same.
    OutOfOrder {
        /// The revisions.
        revisions: Vec<RevisionId>,
        /// The applied revision that they sort before.
        before: RevisionId,
    },
    /// Rows that become the row of the baseline that replaces them.
    Squashes {
        /// The baseline.
        baseline: RevisionId,
        /// How many rows.
        rows: usize,
    },
    /// Repeatable scripts that are to run and do not, since revisions are left to apply.
    RepeatablesWait {
        /// The scripts.
        scripts: Vec<RepeatableId>,
    },
    /// A script without a statement.
    Empty {
        /// Whose script it is.
        subject: Subject,
        /// Which one; `None` for a repeatable script.
        direction: Option<Direction>,
        /// The file.
        file: String,
    },
    /// A down script that can't run, of a revision that is applied now.
    BrokenDown {
        /// The revision.
        revision: RevisionId,
        /// The file.
        file: String,
        /// Line and column in the file, from 1, where it has a place.
        at: Option<(u32, u32)>,
        /// What is wrong.
        reason: String,
    },
    /// `.sql` files in directories below are not read.
    FilesBelow {
        /// The first, relative to the directory.
        first: String,
        /// How many there are.
        count: usize,
    },
    /// The database knows revisions above all of ours.
    Ahead {
        /// The revisions.
        unknown: Vec<RevisionId>,
    },
}

/// The part of the script that `range` of what runs stands for.
pub(super) fn origin_of(expanded: Option<&Expanded>, range: &Range<usize>) -> Range<usize> {
    expanded.map_or_else(|| range.clone(), |expanded| expanded.origin_of(range))
}
