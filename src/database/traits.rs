//! Traits of a database, one per concern. Script writers implement only [`Ledger`] and [`Runner`].

use std::{sync::Arc, time::Duration};

use async_trait::async_trait;

use super::{
    DatabaseError, Detail, LockAttempt, Progress, RecordRows, Replication, StepError, StepRequest,
    Survey, TableIndex, Watch, watch,
};
use crate::{
    layout::{ExternalChoice, ExternalRecords},
    revision::{LogEntry, LogRow, Observed, RecordChange, StoredScripts, Subject},
    schema::{Schema, Scope},
    sql::ConcurrentIndex,
};

/// A database with a version table, over one dedicated connection.
#[async_trait]
pub trait Database: Records + Survey + Ledger + Lock + Runner + Batches + Inspect {
    /// The name of the version table as a configuration could give it; on PostgreSQL with its
    /// schema.
    fn version_table(&self) -> String;

    /// The indexes of the database, if some can be created outside transactions.
    fn indexes(&mut self) -> Option<&mut dyn Indexes> {
        None
    }

    /// The replicas of the server, if this kind of server can have replicas.
    fn replicas(&mut self) -> Option<&mut dyn Replicas> {
        None
    }

    /// The rows of user tables.
    #[cfg(feature = "cli")]
    fn rows(&mut self) -> &mut dyn super::Rows;

    /// What observes statements, if the database can tell what they did.
    #[cfg(feature = "cli")]
    fn tracing(&mut self) -> Option<&mut dyn super::Tracing> {
        None
    }

    /// What goes from schema to schema, if the database has schemas.
    #[cfg(feature = "cli")]
    fn roaming(&mut self) -> Option<&mut dyn super::Roaming> {
        None
    }

    /// [`Lock::try_lock`] and, if that has taken the lock, [`Records::observe`].
    async fn lock_and_observe(
        &mut self,
        detail: Detail,
    ) -> Result<(LockAttempt, Option<Observed>), DatabaseError> {
        lock_then_observe(self, detail).await
    }

    /// Rolls back the transaction of [`Runner::begin_run`].
    async fn rollback_run(&mut self) -> Result<(), DatabaseError>;

    /// A handle that cancels the running statement.
    fn canceller(&self) -> Arc<dyn Cancel>;

    /// A handle that reports what runs. The default implementation reports nothing.
    fn watcher(&self) -> Arc<dyn Watch> {
        Arc::new(watch::Unseen)
    }

    /// Closes the connection cleanly, which also releases the lock.
    async fn close(self: Box<Self>) -> Result<(), DatabaseError>;
}

/// [`Database::lock_and_observe`] in two requests.
pub(super) async fn lock_then_observe<D: Records + Lock + ?Sized>(
    database: &mut D,
    detail: Detail,
) -> Result<(LockAttempt, Option<Observed>), DatabaseError> {
    let attempt = database.try_lock().await?;
    let observed = match attempt {
        LockAttempt::Acquired => Some(database.observe(detail).await?),
        LockAttempt::Held { .. } => None,
    };
    Ok((attempt, observed))
}

/// The migration records of a database and their tables.
#[async_trait]
pub trait Records: Send {
    /// Creates the version table and the log, or upgrades an older layout, in one transaction. The
    /// lock must be held.
    async fn prepare(&mut self) -> Result<(), DatabaseError>;

    /// Reads the version table without writing. A missing table is an empty state.
    async fn observe(&mut self, detail: Detail) -> Result<Observed, DatabaseError>;

    /// Reads the scripts stored in the rows of `subjects`, in any order. Those without a row are
    /// left out.
    async fn scripts(&mut self, subjects: &[Subject]) -> Result<Vec<StoredScripts>, DatabaseError>;

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
    /// Writes changes and log entries in one transaction.
    async fn record(
        &mut self,
        changes: &[RecordChange],
        log: &[LogEntry],
    ) -> Result<(), DatabaseError> {
        self.record_after(Duration::ZERO, changes, log).await
    }

    /// Writes changes and log entries of work that took `carried` before, in one transaction.
    async fn record_after(
        &mut self,
        carried: Duration,
        changes: &[RecordChange],
        log: &[LogEntry],
    ) -> Result<(), DatabaseError>;
}

/// The lock shared by all runs that use the same version table.
#[async_trait]
pub trait Lock: Send {
    /// Makes one attempt to take the lock.
    async fn try_lock(&mut self) -> Result<LockAttempt, DatabaseError>;

    /// Releases the lock. Does nothing if the lock is not held.
    async fn unlock(&mut self) -> Result<(), DatabaseError>;
}

/// Runs the statements of scripts.
#[async_trait]
pub trait Runner: Send {
    /// Runs the statements and writes the record in one atomic transaction. Inside a run (after
    /// [`Self::begin_run`]) the step joins the run's transaction. Session state left by the
    /// statements is reset before this returns, unless [`StepRequest::keep_session`] is set.
    async fn run_step(
        &mut self,
        step: &StepRequest<'_>,
        progress: Progress<'_>,
    ) -> Result<(), StepError>;

    /// Runs one statement outside any transaction, without changing the session before or after it.
    /// The step must hold exactly this statement; its changes and log entries are not written.
    ///
    /// On PostgreSQL, the session's lock_timeout applies only if the step or the script sets one,
    /// since a timeout during CREATE INDEX CONCURRENTLY leaves an invalid index. A connection lost
    /// meanwhile is [`DatabaseError::OutcomeUnknown`].
    async fn run_alone(
        &mut self,
        step: &StepRequest<'_>,
        progress: Progress<'_>,
    ) -> Result<(), StepError>;

    /// Resets the session state left by [`Self::run_alone`] and by steps with
    /// [`StepRequest::keep_session`].
    async fn reset_session(&mut self) -> Result<(), DatabaseError>;

    /// Begins one transaction for all following steps. Their records may be written as late as
    /// [`Self::commit_run`], unless a script could notice that they are missing.
    async fn begin_run(&mut self, foreign_keys: bool) -> Result<(), DatabaseError>;

    /// Commits the transaction of [`Self::begin_run`].
    async fn commit_run(&mut self) -> Result<(), DatabaseError>;
}

/// Runs repeated statements.
#[async_trait]
pub trait Batches: Send {
    /// Runs the one statement of `step` and writes the record that `record` derives from the number
    /// of changed rows, in one transaction. The database counts the rows changed by the statement
    /// itself. The step's changes and log entries are not written, and its session state is kept.
    async fn run_batch(
        &mut self,
        step: &StepRequest<'_>,
        record: RecordRows<'_>,
    ) -> Result<(), StepError>;

    /// Counts the rows of a table named as in a script, in the current session.
    async fn count_rows(&mut self, table: &str) -> Result<u64, DatabaseError>;
}

/// Reads what a database contains.
#[async_trait]
pub trait Inspect: Send {
    /// Reads the facts of all objects in `scope`, in one snapshot. Left out are system objects, the
    /// members of extensions, temporary objects, the version table with its log, and the tables in
    /// which other migration tools keep their records. Writes nothing.
    async fn inspect(&mut self, scope: &Scope) -> Result<Schema, DatabaseError>;

    /// Whether the database is certain to be empty but for the version table and its log, with nothing
    /// else that scripts can make, whether there are facts of it or not.
    async fn is_bare(&mut self) -> Result<bool, DatabaseError> {
        Ok(false)
    }

    /// Tells that this session will read the facts again and again, so that it pays to prepare for it.
    fn expect_inspections(&mut self) {}
}

/// The replicas of a server.
#[async_trait]
pub trait Replicas: Send {
    /// The replication lag. A server without replicas has no lag.
    async fn replication(&mut self) -> Result<Replication, DatabaseError>;
}

/// Indexes that are created and dropped without blocking writers.
#[async_trait]
pub trait Indexes: Send {
    /// The indexes of the table named by a CREATE INDEX CONCURRENTLY, in the current session.
    async fn of_table(
        &mut self,
        created: &ConcurrentIndex,
    ) -> Result<Vec<TableIndex>, DatabaseError>;

    /// The invalid index copies of every REINDEX CONCURRENTLY in the database, running or
    /// cancelled.
    async fn unfinished(&mut self) -> Result<Vec<TableIndex>, DatabaseError>;

    /// Drops an index returned by [`Self::of_table`] or [`Self::unfinished`].
    async fn drop_index(&mut self, name: &str) -> Result<(), DatabaseError>;
}

/// Cancels the running statement from another task.
#[async_trait]
pub trait Cancel: Send + Sync {
    /// Asks the database to cancel the running statement, which fails with
    /// [`DatabaseError::Interrupted`]. If no statement runs, this does nothing, except that a step
    /// between two statements must not start the next one.
    async fn cancel(&self);
}
