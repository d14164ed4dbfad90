use std::{collections::BTreeMap, time::Duration};

use chrono::{DateTime, Utc};

use crate::{
    execute::PartialFailure,
    lint::{LockMode, Size, Work},
    ops::Unlike,
    revision::{RevisionId, Subject},
    schema::{Name, RowChanges},
};

/// The result of `rehearse`.
#[derive(Debug)]
pub struct RehearseReport {
    /// The time of the rehearsal.
    pub at: DateTime<Utc>,
    /// The database.
    pub database: String,
    /// The position of the database.
    pub from: String,
    /// What was copied.
    pub copied: CopySource,
    /// The tables before the first revision; with [`CopySource::Schema`], those of the database itself.
    pub sizes: BTreeMap<Name, Size>,
    /// The revisions that were applied, in order, and the one that failed; then the repeatable scripts.
    pub revisions: Vec<RehearsedRevision>,
    /// All locks on tables that were there before, in the order in which they were taken.
    pub locks: Vec<LockSpan>,
    /// Scripts that were not run since one before failed.
    pub not_run: Vec<Subject>,
    /// What was found when the revisions were reverted.
    pub reverted: Reverted,
    /// The time that the copy took.
    pub copying: Duration,
    /// The duration.
    pub elapsed: Duration,
}

impl RehearseReport {
    /// Whether every script succeeded and the down scripts brought everything back.
    pub fn passed(&self) -> bool {
        !self.has_failure()
            && !matches!(&self.reverted, Reverted::Failed(..))
            && !matches!(&self.reverted, Reverted::Done(findings) if !findings.is_empty())
    }

    /// Whether a script failed.
    pub fn has_failure(&self) -> bool {
        self.revisions.iter().any(|it| it.failure.is_some())
    }

    /// Whether there were rows, so that times and sizes say something about the database.
    pub fn has_rows(&self) -> bool {
        !matches!(self.copied, CopySource::Schema { .. })
    }

    /// The time of all statements.
    pub fn statement_time(&self) -> Duration {
        let statements = self.revisions.iter().flat_map(|it| &it.statements);
        statements.map(|it| it.elapsed).sum()
    }
}

/// What the revisions were applied to.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum CopySource {
    /// A copy of the database with its rows.
    Database,
    /// This backup.
    Backup(String),
    /// A database with the same schema and without rows.
    Schema {
        /// What the copy lacks.
        lacks: Vec<String>,
    },
}

/// What happened when the revisions were reverted.
#[derive(Debug, Default)]
pub enum Reverted {
    /// They were not: this was not asked for, or there was nothing to revert.
    #[default]
    Not,
    /// A revision has no down script.
    NoDown(RevisionId),
    /// A down script failed.
    Failed(RevisionId, Box<PartialFailure>),
    /// All were reverted, and this is not as before.
    Done(Vec<NotRestored>),
}

/// Something that is not as it was before the first revision.
#[derive(Debug)]
pub enum NotRestored {
    /// The schema.
    Schema(Box<Unlike>),
    /// The rows of a table.
    Rows {
        /// The table.
        table: Name,
        /// What differs.
        changes: RowChanges,
    },
    /// The rows of a table that is too large to tell which.
    Values {
        /// The table.
        table: Name,
        /// The number of rows before.
        before: u64,
        /// The number of rows after.
        after: u64,
        /// The columns with other values, if there are as many rows.
        columns: Vec<String>,
    },
}

/// What happened to one revision, or to one repeatable script.
#[derive(Debug)]
pub struct RehearsedRevision {
    /// The revision, or the repeatable script.
    pub subject: Subject,
    /// The message.
    pub message: String,
    /// The file of the script.
    pub file: String,
    /// The statements that were run, in order. A statement that is repeated is one.
    pub statements: Vec<RehearsedStatement>,
    /// How long others wait for tables that were there before, the longest first.
    pub holds: Vec<Hold>,
    /// The time that the revision took.
    pub elapsed: Duration,
    /// By how many bytes the database grew; negative if it shrank.
    pub growth: i64,
    /// The bytes of write-ahead log that the server wrote meanwhile, for this session and for others;
    /// `None` if the database has none.
    pub wal: Option<u64>,
    /// The tables whose numbers of rows are others after it.
    pub rows: Vec<RowCount>,
    /// The failure.
    pub failure: Option<Box<PartialFailure>>,
}

/// The rows of a table before and after a revision.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RowCount {
    /// The table, by its name after the revision if it still exists.
    pub table: Name,
    /// The number of rows before; `None` for a new table.
    pub before: Option<u64>,
    /// The number of rows after; `None` for a table that was dropped.
    pub after: Option<u64>,
}

impl RowCount {
    /// The number of rows that the table has less than before.
    pub fn lost(&self) -> u64 {
        let before = self.before.unwrap_or(0);
        before.saturating_sub(self.after.unwrap_or(0))
    }
}

/// What happened to one statement.
#[derive(Clone, Debug)]
pub struct RehearsedStatement {
    /// Line of the first byte, from 1.
    pub line: u32,
    /// The SQL as the script has it.
    pub sql: String,
    /// When it began, on the clock of [`LockSpan`].
    pub begin: Duration,
    /// The time that it took, in all of its repetitions.
    pub elapsed: Duration,
    /// How often it ran.
    pub times: u64,
    /// The bytes of write-ahead log that the server wrote meanwhile, if the database tells.
    pub wal: Option<u64>,
    /// The work on tables that were there before.
    pub works: Vec<Work>,
    /// Whether it failed.
    pub has_failed: bool,
}

/// A lock on a table that was there before, from when it was taken until its transaction ended or a
/// stronger lock took its place. The clock begins with the first statement and counts nothing but
/// statements.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LockSpan {
    /// The table; `None` for the whole database.
    pub table: Option<Name>,
    /// The mode, if the database has modes.
    pub mode: Option<LockMode>,
    /// What waits for it.
    pub blocks: Blocks,
    /// The revision that takes it, an index of [`RehearseReport::revisions`].
    pub revision: usize,
    /// The statement that takes it, an index of [`RehearsedRevision::statements`].
    pub statement: usize,
    /// When it is taken.
    pub from: Duration,
    /// When it is released.
    pub until: Duration,
}

/// What waits for a lock.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Blocks {
    /// Neither reads nor writes.
    Nothing,
    /// Writes of the same rows.
    Rows,
    /// Writes.
    Writes,
    /// Reads and writes.
    Everything,
}

impl Blocks {
    /// What waits for a lock of this mode.
    pub fn by(mode: LockMode) -> Self {
        match mode {
            mode if mode.blocks_reads() => Self::Everything,
            mode if mode.blocks_writes() => Self::Writes,
            LockMode::RowExclusive => Self::Rows,
            _ => Self::Nothing,
        }
    }

    /// The name in JSON.
    pub fn name(self) -> &'static str {
        match self {
            Self::Nothing => "nothing",
            Self::Rows => "rows",
            Self::Writes => "writes",
            Self::Everything => "reads_and_writes",
        }
    }
}

/// How long others wait for a table that was there before: from the statement that takes the lock to the
/// end of its transaction, in the longest of several transactions.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Hold {
    /// The table; `None` for the whole database.
    pub table: Option<Name>,
    /// The strongest mode, if the database has modes.
    pub mode: Option<LockMode>,
    /// How long writes wait.
    pub writes: Duration,
    /// How long reads wait.
    pub reads: Duration,
    /// The size of the table before the revision.
    pub size: Option<Size>,
    /// The line of the statement that takes the first lock, from 1.
    pub line: u32,
}
