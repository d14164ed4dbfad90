//! Databases: small traits over one dedicated connection, implemented for PostgreSQL and SQLite.
//!
//! This module provides mechanism only. `execute` decides the order of steps, retries and records.

mod actor;
#[cfg(feature = "cli")]
pub mod backup;
mod copy_error;
#[cfg(feature = "cli")]
mod digests;
mod distrust;
mod draft;
pub mod engine;
mod error;
#[cfg(test)]
pub mod fake;
#[cfg(feature = "cli")]
mod glance;
mod location;
mod notice;
pub mod postgres;
pub mod private_directory;
#[cfg(feature = "cli")]
mod roaming;
#[cfg(feature = "cli")]
mod rows;
mod scratch;
mod script;
pub mod sqlite;
#[cfg(feature = "cli")]
pub mod stream;
mod survey;
#[cfg(feature = "cli")]
mod trace;
mod traits;
mod watch;

use std::time::Duration;

pub use actor::actor;
pub use copy_error::CopyError;
#[cfg(feature = "cli")]
pub use digests::{Digests, TableDigests};
pub use distrust::Distrust;
pub use draft::{Draft, Use, is_draft, is_left, remove_if_left, sweep, sync_directory, unique};
#[cfg(feature = "cli")]
pub use engine::file_url;
pub use engine::{Location, connect, script};
pub use engine::{drop_scratch, list_scratch, scratch};
pub use error::{
    Action, DatabaseError, FailureKind, FailureNames, PlaceKind, SqlFailure, StepError, StepStage,
    TlsProblem,
};
#[cfg(feature = "cli")]
pub use glance::{Glance, Known, StateDigest, state_digest};
pub use location::{LocationError, without_password};
pub use notice::show_notices;
#[cfg(feature = "cli")]
pub use roaming::Roaming;
#[cfg(feature = "cli")]
pub use rows::{NamedRows, Rows, Usage};
pub use scratch::{
    Scratch, ScratchEntry, ScratchError, ScratchKind, ScratchRequest, ScratchScope, ScratchUse,
    ScratchWay, TemplateRequest,
};
pub use script::{ScriptHead, ScriptStep, ScriptWriter};
pub use survey::Survey;
#[cfg(feature = "cli")]
pub use trace::{Trace, Tracing};
pub use traits::{
    Batches, Cancel, Database, Indexes, Inspect, Ledger, Lock, Records, Replicas, Runner,
};
pub use watch::{Activity, Advance, Waiting, Watch};

use crate::{
    revision::{LogEntry, RecordChange},
    sql::Statement,
};

/// How much of the version table to read.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Detail {
    /// Everything except the stored scripts.
    Brief,
    /// The same with the down scripts. Up scripts are read by [`Records::scripts`].
    WithScripts,
}

/// Whether connecting creates a missing SQLite file.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Access {
    /// For commands that read: a missing file is not created.
    Existing,
    /// For commands that write: a missing SQLite file is created, but never its directory.
    Create,
}

/// The settings of a connection, apart from its location.
#[derive(Clone, Debug)]
pub struct Settings {
    /// The version table: `name`, or `schema.name` on PostgreSQL.
    pub version_table: String,
    /// The actor recorded in rows and log, such as `user@host`.
    pub actor: String,
    /// The application name shown to the server's administrators, such as `migrator upgrade`.
    pub application_name: String,
    /// PostgreSQL's lock_timeout, unless a script overrides it.
    pub lock_timeout: Duration,
    /// PostgreSQL's statement_timeout, unless a script overrides it; zero means no timeout.
    pub statement_timeout: Duration,
    /// How long to wait for a connection, and SQLite's busy timeout.
    pub connect_timeout: Duration,
    /// Whether to measure the duration of each statement. PostgreSQL must be asked for the time
    /// after each one, which costs time itself.
    pub statement_times: bool,
    /// Requested server settings, in the order in which they are set. PostgreSQL only.
    pub session: Vec<(String, String)>,
    /// Whether a step tells the server which of its statements runs, for [`Watch`].
    pub statement_marks: bool,
    /// The same database without the pooler that its location may lead through. PostgreSQL only.
    pub direct: Option<Location>,
}

impl Settings {
    /// The settings for sessions whose notices nobody reads.
    pub fn without_notices(mut self) -> Self {
        let setting = ("client_min_messages".to_owned(), "error".to_owned());
        self.session.push(setting);
        self
    }
}

/// The outcome of one attempt to take the lock.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum LockAttempt {
    /// The lock was taken.
    Acquired,
    /// Another session holds the lock.
    Held {
        /// The holder, if known: `migrator upgrade (pid 4711, app@10.0.0.7, since 12:31:05 UTC)`.
        holder: Option<String>,
    },
}

/// A group of statements that run in one transaction together with their record.
#[derive(Clone, Copy, Debug)]
pub struct StepRequest<'a> {
    /// The label shown to the server's administrators, such as `upgrade 20261122093000`.
    pub label: &'a str,
    /// The text of the whole script.
    pub text: &'a str,
    /// The statements of the script to run.
    pub statements: &'a [Statement],
    /// The transaction modes of the script's own BEGIN; empty if there are none.
    pub modes: &'a str,
    /// SQLite: whether foreign keys are enforced while the statements run.
    pub foreign_keys: bool,
    /// SQLite: whether foreign keys may be mismatched or unchecked afterwards.
    pub unchecked_keys: bool,
    /// PostgreSQL: overrides [`Settings::lock_timeout`]; zero means no timeout.
    pub lock_timeout: Option<Duration>,
    /// PostgreSQL: overrides [`Settings::statement_timeout`]; zero means no timeout.
    pub statement_timeout: Option<Duration>,
    /// The highest sequence that the version table must have inside the transaction.
    pub expects: i64,
    /// The changes written after the statements, in the same transaction.
    pub changes: &'a [RecordChange],
    /// The log entries written after the changes, in the same transaction.
    pub log: &'a [LogEntry],
    /// Time spent earlier that is added to the recorded duration.
    pub carried: Duration,
    /// Whether to keep the session state for the next step (a script with `transaction = off`);
    /// [`Runner::reset_session`] resets it.
    pub keep_session: bool,
}

/// An index of the table named by a CREATE INDEX CONCURRENTLY.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TableIndex {
    /// The quoted name with its schema.
    pub name: String,
    /// Whether the index is usable. A failed or running build leaves an invalid one.
    pub is_valid: bool,
    /// Whether the statement gives its index exactly this name.
    pub is_named_so: bool,
    /// Whether the statement would create an equivalent index.
    pub is_like_it: bool,
    /// Whether a session is building the index now.
    pub is_being_built: bool,
}

/// A finished statement of a step. PostgreSQL reports all statements sent in one message when the
/// last of them is done.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct StatementDone {
    /// The index into [`StepRequest::statements`].
    pub index: usize,
    /// The number of rows changed, if the database reports it.
    pub rows: u64,
    /// The duration.
    pub elapsed: Duration,
    /// Whether the duration was measured for this statement. PostgreSQL does not measure it without
    /// [`Settings::statement_times`] or in a step of more than a thousand statements.
    pub is_timed: bool,
}

/// Receives progress while a step runs.
pub type Progress<'a> = &'a mut (dyn FnMut(StatementDone) + Send);

/// The records written after a batch, in its transaction.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct BatchRecord {
    /// The changes, as in [`StepRequest::changes`].
    pub changes: Vec<RecordChange>,
    /// The log entries, as in [`StepRequest::log`].
    pub log: Vec<LogEntry>,
}

/// Derives the records of a batch from the number of rows it changed. Called at most once per
/// attempt.
pub type RecordRows<'a> = &'a mut (dyn FnMut(u64) -> BatchRecord + Send);

/// The replication state of a PostgreSQL server.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Replication {
    /// The number of replicas whose state is hidden, since the role lacks pg_monitor.
    pub hidden: u64,
    /// The longest lag measured by the server.
    pub lag: Duration,
    /// The bytes of WAL written by this server.
    pub written: u64,
    /// The bytes of WAL replayed by the slowest replica; `None` if no replica reports it.
    pub replayed: Option<u64>,
}
