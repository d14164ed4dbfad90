//! What can be asked of a database, one trait a concern. Writers of scripts implement [`Ledger`] and
//! [`Runner`] alone.

use std::{sync::Arc, time::Duration};

use async_trait::async_trait;

use super::{
    DatabaseError, Detail, LockAttempt, Progress, RecordRows, Replication, StepError, StepRequest,
    Survey, TableIndex, Watch, watch,
};
use crate::{
    layout::{ExternalChoice, ExternalRecords},
    revision::{LogEntry, LogRow, Observed, RecordChange},
    sql::ConcurrentIndex,
};

/// A database with a version table, over one dedicated connection.
#[async_trait]
pub trait Database: Records + Survey + Ledger + Lock + Runner + Batches {
    /// The version table as the configuration could name it: on PostgreSQL with its schema.
    fn version_table(&self) -> String;

    /// The indexes of its tables, where some are created outside transactions.
    fn indexes(&mut self) -> Option<&mut dyn Indexes> {
        None
    }

    /// The replicas of its server, where servers of its kind can have some.
    fn replicas(&mut self) -> Option<&mut dyn Replicas> {
        None
    }

    /// Rolls back what [`Runner::begin_run`] has begun.
    async fn rollback_run(&mut self) -> Result<(), DatabaseError>;

    /// A handle that stops what runs.
    fn canceller(&self) -> Arc<dyn Cancel>;

    /// A handle that tells what runs. Of itself it does nothing.
    fn watcher(&self) -> Arc<dyn Watch> {
        Arc::new(watch::Unseen)
    }

    /// Leaves in good order; the lock goes with the connection.
    async fn close(self: Box<Self>) -> Result<(), DatabaseError>;
}

/// What is recorded in the database, and the tables for it.
#[async_trait]
pub trait Records: Send {
    /// Makes the version table and the log, or brings an older layout up to
    /// date, in one transaction. Call it with the lock held.
    async fn prepare(&mut self) -> Result<(), DatabaseError>;

    /// Reads the version table. Writes nothing; no table is an empty state.
    async fn observe(&mut self, detail: Detail) -> Result<Observed, DatabaseError>;

    /// Reads the log, oldest first.
    async fn log(&mut self) -> Result<Vec<LogRow>, DatabaseError>;

    /// Reads what another tool has recorded here: the one that is wanted, or the only one that has.
    /// Writes nothing.
    async fn external_records(
        &mut self,
        wanted: &ExternalChoice,
    ) -> Result<ExternalRecords, DatabaseError>;
}

/// Writes records.
#[async_trait]
pub trait Ledger: Send {
    /// Writes changes and log in one transaction of their own.
    async fn record(
        &mut self,
        changes: &[RecordChange],
        log: &[LogEntry],
    ) -> Result<(), DatabaseError> {
        self.record_after(Duration::ZERO, changes, log).await
    }

    /// The same, of what took `carried` before.
    async fn record_after(
        &mut self,
        carried: Duration,
        changes: &[RecordChange],
        log: &[LogEntry],
    ) -> Result<(), DatabaseError>;
}

/// The lock that all runs against one version table share.
#[async_trait]
pub trait Lock: Send {
    /// Tries for it once.
    async fn try_lock(&mut self) -> Result<LockAttempt, DatabaseError>;

    /// Gives the lock back. Harmless without it.
    async fn unlock(&mut self) -> Result<(), DatabaseError>;
}

/// Runs what scripts hold.
#[async_trait]
pub trait Runner: Send {
    /// Runs statements and record as one transaction: all of it, or nothing.
    /// Inside of a run (after [`Self::begin_run`]) it joins the run's transaction.
    /// Session state that the statements leave is reset before it returns, unless
    /// [`StepRequest::keep_session`] is set.
    async fn run_step(
        &mut self,
        step: &StepRequest<'_>,
        progress: Progress<'_>,
    ) -> Result<(), StepError>;

    /// Runs one statement outside any transaction, in the session as it is, and leaves that
    /// as the statement does. The step holds exactly this statement; its changes and log are
    /// not written.
    ///
    /// PostgreSQL: with the session's lock_timeout only where the step or the script sets one,
    /// since one that fires on CREATE INDEX CONCURRENTLY leaves an invalid index. A connection that is
    /// lost meanwhile is [`DatabaseError::OutcomeUnknown`].
    async fn run_alone(
        &mut self,
        step: &StepRequest<'_>,
        progress: Progress<'_>,
    ) -> Result<(), StepError>;

    /// Resets the session state that steps with [`StepRequest::keep_session`]
    /// and [`Self::run_alone`] have left.
    async fn reset_session(&mut self) -> Result<(), DatabaseError>;

    /// Begins one transaction for all steps that follow. What records them may be written as late as
    /// by [`Self::commit_run`], unless a script could see that it is not there yet.
    async fn begin_run(&mut self, foreign_keys: bool) -> Result<(), DatabaseError>;

    /// Commits it.
    async fn commit_run(&mut self) -> Result<(), DatabaseError>;
}

/// Runs statements that are repeated.
#[async_trait]
pub trait Batches: Send {
    /// Runs the one statement of `step` and the record that `record` makes of the rows it changed,
    /// as one transaction: both, or nothing. The rows are those that the database counts for the
    /// statement itself. Changes and log of the step are not written; its session is kept.
    async fn run_batch(
        &mut self,
        step: &StepRequest<'_>,
        record: RecordRows<'_>,
    ) -> Result<(), StepError>;

    /// The rows of a table as a script names it, in the session as it is.
    async fn count_rows(&mut self, table: &str) -> Result<u64, DatabaseError>;
}

/// The replicas of a server.
#[async_trait]
pub trait Replicas: Send {
    /// How far they are. A server without any has none that is behind.
    async fn replication(&mut self) -> Result<Replication, DatabaseError>;
}

/// Indexes that are created and dropped without keeping writers out.
#[async_trait]
pub trait Indexes: Send {
    /// The indexes of the table that a CREATE INDEX CONCURRENTLY names, in the session as it is.
    async fn of_table(
        &mut self,
        created: &ConcurrentIndex,
    ) -> Result<Vec<TableIndex>, DatabaseError>;

    /// The invalid copies of indexes that a REINDEX CONCURRENTLY makes, in all of the database: of one
    /// that runs, or that was cancelled.
    async fn unfinished(&mut self) -> Result<Vec<TableIndex>, DatabaseError>;

    /// Drops an index that [`Self::of_table`] or [`Self::unfinished`] has named.
    async fn drop_index(&mut self, name: &str) -> Result<(), DatabaseError>;
}

/// Stops the statement that runs, from another task.
#[async_trait]
pub trait Cancel: Send + Sync {
    /// Asks the database to stop what it is doing; what was running fails with
    /// [`DatabaseError::Interrupted`]. Does nothing when nothing runs, but a step that is
    /// between two statements must not begin the next.
    async fn cancel(&self);
}
