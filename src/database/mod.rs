//! Databases: small traits over one dedicated connection, with PostgreSQL and
//! SQLite behind them.
//!
//! Mechanism only. What runs in which order, what is retried and what is
//! recorded when is decided in `execute`.

mod actor;
#[cfg(feature = "cli")]
pub mod backup;
#[cfg(feature = "cli")]
mod copy_error;
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
mod survey;
mod traits;
mod watch;

use std::time::Duration;

pub use actor::actor;
#[cfg(feature = "cli")]
pub use copy_error::CopyError;
pub use distrust::Distrust;
#[cfg(feature = "cli")]
pub use draft::{Draft, Use, is_draft, is_left, remove_if_left, sweep, sync_directory, unique};
pub use engine::{Location, connect, script};
pub use error::{
    Action, DatabaseError, FailureKind, PlaceKind, SqlFailure, StepError, StepStage, TlsProblem,
};
pub use location::{LocationError, without_password};
pub use notice::show_notices;
pub use script::{ScriptHead, ScriptStep, ScriptWriter};
pub use survey::Survey;
pub use traits::{Batches, Cancel, Database, Indexes, Ledger, Lock, Records, Replicas, Runner};
pub use watch::{Activity, Advance, Waiting, Watch};

use crate::{
    revision::{LogEntry, RecordChange},
    sql::Statement,
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
    /// Whether someone wants to know how long each statement takes. PostgreSQL must be asked
    /// for the time after each one, which takes some itself.
    pub statement_times: bool,
    /// Settings of the server that are asked for, in the order in which they are set. PostgreSQL only.
    pub session: Vec<(String, String)>,
    /// Whether a step says at the server which of its statements runs, for [`Watch`].
    pub statement_marks: bool,
}

/// The outcome of one attempt at the lock.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum LockAttempt {
    /// It is ours.
    Acquired,
    /// Someone else has it; who, as far as it is known.
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
    /// SQLite: whether foreign keys may match no more afterwards, or not be checked.
    pub unchecked_keys: bool,
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
    /// Time that was spent before, and belongs to what the changes record.
    pub carried: Duration,
    /// The session state that the statements leave is for the next step, too (a script
    /// with `transaction = off`); [`Runner::reset_session`] ends that.
    pub keep_session: bool,
}

/// An index of the table that a CREATE INDEX CONCURRENTLY names.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TableIndex {
    /// Quoted and with its schema.
    pub name: String,
    /// Whether it can be used; one that a failed or running build has left cannot.
    pub is_valid: bool,
    /// Whether the statement gives its index that very name.
    pub is_named_so: bool,
    /// Whether the statement would create one like it.
    pub is_like_it: bool,
    /// Whether some session is building it now.
    pub is_being_built: bool,
}

/// A statement of a step has finished. PostgreSQL describes all that were sent
/// in one message when the last of them is done.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct StatementDone {
    /// Index into [`StepRequest::statements`].
    pub index: usize,
    /// Rows it changed, where the database says.
    pub rows: u64,
    /// The duration.
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
