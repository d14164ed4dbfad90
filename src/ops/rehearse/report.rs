use std::time::Duration;

use crate::{
    execute::PartialFailure,
    lint::{LockMode, Size, Work},
    ops::VerifyFinding,
    revision::RevisionId,
    schema::Name,
};

/// The result of `rehearse`.
#[derive(Debug, Default)]
pub struct RehearseReport {
    /// The database.
    pub database: String,
    /// The position of the database.
    pub from: String,
    /// The backup that was loaded, if one was named.
    pub backup: Option<String>,
    /// The revisions that were applied, in order, and the one that failed.
    pub revisions: Vec<RehearsedRevision>,
    /// Revisions that were not run since one before failed.
    pub not_run: Vec<RevisionId>,
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
        let is_fine = |it: &RehearsedRevision| it.failure.is_none();
        self.revisions.iter().all(is_fine)
            && !matches!(&self.reverted, Reverted::Failed(..))
            && !matches!(&self.reverted, Reverted::Done(findings) if !findings.is_empty())
    }
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
    Done(Vec<VerifyFinding>),
}

/// What happened to one revision.
#[derive(Debug)]
pub struct RehearsedRevision {
    /// The revision.
    pub revision: RevisionId,
    /// The message.
    pub message: String,
    /// The file of the up script.
    pub file: String,
    /// The statements that were run, in order. A statement that is repeated is one.
    pub statements: Vec<RehearsedStatement>,
    /// The locks on tables that were there before, the longest first.
    pub holds: Vec<Hold>,
    /// The time that the revision took.
    pub elapsed: Duration,
    /// By how many bytes the tables grew; negative if they shrank.
    pub growth: i64,
    /// The tables whose numbers of rows are others after it: before and after.
    pub rows: Vec<(Name, Option<u64>, Option<u64>)>,
    /// The failure.
    pub failure: Option<Box<PartialFailure>>,
}

/// What happened to one statement.
#[derive(Clone, Debug)]
pub struct RehearsedStatement {
    /// Line of the first byte, from 1.
    pub line: u32,
    /// The SQL.
    pub sql: String,
    /// The time that it took, in all of its repetitions.
    pub elapsed: Duration,
    /// How often it ran.
    pub times: u64,
    /// The work on tables that were there before.
    pub works: Vec<Work>,
}

/// How long others wait for a table that was there before: from the statement that takes the lock to the
/// end of its transaction, in the longest of several transactions.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Hold {
    /// The table.
    pub table: Name,
    /// The strongest mode.
    pub mode: LockMode,
    /// How long writes wait.
    pub writes: Duration,
    /// How long reads wait.
    pub reads: Duration,
    /// The size of the table before the revision.
    pub size: Option<Size>,
    /// The line of the statement that takes the first lock, from 1.
    pub line: u32,
}
