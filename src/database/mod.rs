//! Databases: one narrow trait over one dedicated connection, with PostgreSQL
//! and SQLite behind it.
//!
//! Mechanism only. What runs in which order, what is retried and what is
//! recorded when is decided in `execute`.

mod actor;
#[cfg(feature = "cli")]
pub mod backup;
mod distrust;
#[cfg(feature = "cli")]
mod draft;
pub mod engine;
mod error;
#[cfg(test)]
pub mod fake;
mod location;
mod notice;
pub mod postgres;
mod script;
pub mod sqlite;
#[cfg(feature = "cli")]
pub mod stream;
mod watch;

use std::{sync::Arc, time::Duration};

use async_trait::async_trait;

pub use actor::actor;
pub use distrust::Distrust;
#[cfg(feature = "cli")]
pub use draft::{Draft, Use, is_draft, is_left, remove_if_left, sweep, sync_directory, unique};
pub use engine::{Location, connect, script};
pub use error::{
    Action, DatabaseError, FailureKind, IndexDoubt, PlaceKind, SqlFailure, StepError, StepStage,
};
pub use location::{LocationError, without_password};
pub use notice::show_notices;
pub use script::{ScriptHead, ScriptWriter};
pub use watch::{Activity, Advance, Waiting, Watch};

use crate::{
    layout::{ExternalError, ExternalRecords, ExternalTool},
    revision::{LogEntry, LogRow, Observed, RecordChange},
    sql::{ConcurrentIndex, Dialect, Statement},
};

/// How much of the version table to read.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Detail {
    /// Everything but the stored down scripts.
    Brief,
    /// Down scripts too.
    WithScripts,
}

/// Whether a missing SQLite file is made by connecting.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Access {
    /// Reading commands: what is not there is not made.
    Existing,
    /// Writing commands: a missing SQLite file is made, its directory never.
    Create,
}

/// What a connection needs to know beyond its location.
#[derive(Clone, Debug)]
pub struct Settings {
    /// The version table: `name`, or `schema.name` on PostgreSQL.
    pub version_table: String,
    /// `user@host`, for rows and log.
    pub actor: String,
    /// Shown to the server's administrators: `migrator upgrade`.
    pub application_name: String,
    /// PostgreSQL's lock_timeout where a script does not say otherwise.
    pub lock_timeout: Duration,
    /// PostgreSQL's statement_timeout where a script does not say otherwise; zero is none.
    pub statement_timeout: Duration,
    /// How long to wait for a connection, and SQLite's busy timeout.
    pub connect_timeout: Duration,
    /// Whether someone wants to know how long each statement takes. PostgreSQL has to be asked
    /// for the time after each one, which takes some itself.
    pub statement_times: bool,
    /// Whether a step says at the server which of its statements runs, for [`Watch`].
    pub statement_marks: bool,
}

/// What came of one attempt at the lock.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum LockAttempt {
    /// It is ours.
    Acquired,
    /// Someone else has it; who, as far as it can be told.
    Held {
        /// `migrator upgrade (pid 4711, app@10.0.0.7, since 12:31:05 UTC)`
        holder: Option<String>,
    },
}

/// A group of statements that runs in one transaction together with its record.
#[derive(Clone, Copy, Debug)]
pub struct StepRequest<'a> {
    /// What the step is, for the server's administrators: `upgrade 20261122093000`.
    pub label: &'a str,
    /// The script.
    pub text: &'a str,
    /// The statements of it that run.
    pub statements: &'a [Statement],
    /// Modes for BEGIN, as the script's own BEGIN had them; empty without any.
    pub modes: &'a str,
    /// SQLite: whether foreign keys are enforced while the statements run.
    pub foreign_keys: bool,
    /// PostgreSQL: overrides [`Settings::lock_timeout`]; zero is none.
    pub lock_timeout: Option<Duration>,
    /// PostgreSQL: overrides [`Settings::statement_timeout`]; zero is none.
    pub statement_timeout: Option<Duration>,
    /// The highest sequence that the version table must show inside the transaction.
    pub expects: i64,
    /// Written after the statements, in the same transaction.
    pub changes: &'a [RecordChange],
    /// Written after the changes, in the same transaction.
    pub log: &'a [LogEntry],
    /// The session state that the statements leave is for the next step, too (a script
    /// with `transaction = off`); [`Database::reset_session`] ends that.
    pub keep_session: bool,
}

/// An index of the table that a CREATE INDEX CONCURRENTLY names.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TableIndex {
    /// Quoted and with its schema.
    pub name: String,
    /// Whether it can be used; one that a failed or running build has left can't.
    pub is_valid: bool,
    /// Whether the statement gives its index that very name.
    pub is_named_so: bool,
    /// Whether the statement would create one like it.
    pub is_like_it: bool,
    /// Whether some session is building it now.
    pub is_being_built: bool,
}

/// A statement of a step has finished. PostgreSQL tells of all that were sent
/// in one message when the last of them is done.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct StatementDone {
    /// Index into [`StepRequest::statements`].
    pub index: usize,
    /// Rows it changed, where the database says.
    pub rows: u64,
    /// How long it took.
    pub elapsed: Duration,
    /// Whether that is the time of this statement. Otherwise nobody took it: PostgreSQL, without
    /// [`Settings::statement_times`] or in a step of more than a thousand statements.
    pub is_timed: bool,
}

/// Receives progress while a step runs.
pub type Progress<'a> = &'a mut (dyn FnMut(StatementDone) + Send);

/// What is written once a batch has run, in its transaction.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct BatchRecord {
    /// As [`StepRequest::changes`].
    pub changes: Vec<RecordChange>,
    /// As [`StepRequest::log`].
    pub log: Vec<LogEntry>,
}

/// Tells what is written of a batch, from the rows that it changed. Asked at most once an attempt.
pub type RecordRows<'a> = &'a mut (dyn FnMut(u64) -> BatchRecord + Send);

/// How far the replicas of a PostgreSQL server are.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Replication {
    /// Replicas of which the server shows nothing, for want of the role pg_monitor.
    pub hidden: u64,
    /// The longest lag that the server itself has measured.
    pub lag: Duration,
    /// The bytes of WAL that this server has written.
    pub written: u64,
    /// How many of them the last of the replicas has replayed; `None` without any that tells.
    pub replayed: Option<u64>,
}

/// Stops the statement that runs, from another task.
#[async_trait]
pub trait Cancel: Send + Sync {
    /// Asks the database to stop what it is doing; what was running fails with
    /// [`DatabaseError::Interrupted`]. Does nothing when nothing runs, but a step that is
    /// between two statements must not begin the next.
    async fn cancel(&self);
}

/// A database with a version table, over one dedicated connection.
#[async_trait]
pub trait Database: Send {
    /// Whose rules scripts follow.
    fn dialect(&self) -> Dialect;

    /// Where it is, for people; never with a password.
    fn place(&self) -> String;

    /// The version table as the configuration could name it: on PostgreSQL with its schema.
    fn version_table(&self) -> String;

    /// Reads the version table. Writes nothing; no table is an empty state.
    async fn observe(&mut self, detail: Detail) -> Result<Observed, DatabaseError>;

    /// Reads the log, oldest first.
    async fn log(&mut self) -> Result<Vec<LogRow>, DatabaseError>;

    /// Reads what another tool has recorded here: `tool`, or the only one that has. Writes nothing.
    async fn external_records(
        &mut self,
        tool: Option<ExternalTool>,
    ) -> Result<ExternalRecords, DatabaseError> {
        Err(ExternalError::None(tool).into())
    }

    /// Tries once for the lock that all runs against this version table share.
    async fn try_lock(&mut self) -> Result<LockAttempt, DatabaseError>;

    /// Gives the lock back. Harmless without it.
    async fn unlock(&mut self) -> Result<(), DatabaseError>;

    /// Makes the version table and the log, or brings an older layout up to
    /// date, in one transaction. Call it with the lock held.
    async fn prepare(&mut self) -> Result<(), DatabaseError>;

    /// Runs statements and record as one transaction: all of it, or nothing.
    /// Inside of a run (after [`Self::begin_run`]) it joins the run's transaction.
    /// Session state that the statements leave is reset before it returns, unless
    /// [`StepRequest::keep_session`] is set.
    async fn run_step(
        &mut self,
        step: &StepRequest<'_>,
        progress: Progress<'_>,
    ) -> Result<(), StepError>;

    /// Runs one statement outside of any transaction, in the session as it is, and leaves that
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

    /// How far the replicas are. A database without any has none that is behind.
    async fn replication(&mut self) -> Result<Replication, DatabaseError>;

    /// Resets the session state that steps with [`StepRequest::keep_session`]
    /// and [`Self::run_alone`] have left.
    async fn reset_session(&mut self) -> Result<(), DatabaseError>;

    /// Writes changes and log in one transaction of their own.
    async fn record(
        &mut self,
        changes: &[RecordChange],
        log: &[LogEntry],
    ) -> Result<(), DatabaseError>;

    /// The indexes of the table that a CREATE INDEX CONCURRENTLY names, in the session as it is.
    /// A database without such statements has none.
    async fn indexes(
        &mut self,
        created: &ConcurrentIndex,
    ) -> Result<Vec<TableIndex>, DatabaseError>;

    /// Drops an index that [`Self::indexes`] has named, without keeping writers out.
    async fn drop_index(&mut self, name: &str) -> Result<(), DatabaseError>;

    /// Begins one transaction for all steps that follow. What records them may be written as late as
    /// by [`Self::commit_run`], unless a script could see that it is not there yet.
    async fn begin_run(&mut self, foreign_keys: bool) -> Result<(), DatabaseError>;

    /// Commits it.
    async fn commit_run(&mut self) -> Result<(), DatabaseError>;

    /// Rolls it back.
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
