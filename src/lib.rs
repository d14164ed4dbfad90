//! Database migrations for SQLite and PostgreSQL.
//!
//! The `migrator` command is built on this library, and so can a program be that brings its
//! database up to date by itself. The scripts are those of the command, read from a directory or
//! compiled in; version table, locks and guarantees are the same.
//!
//! ```
//! use migrator::{Error, Migrator};
//!
//! const SCRIPTS: [(&str, &str); 2] = [
//!     ("1_create_users.up.sql", "CREATE TABLE users (id INTEGER PRIMARY KEY);"),
//!     ("1_create_users.down.sql", "DROP TABLE users;"),
//! ];
//!
//! # #[tokio::main(flavor = "current_thread")]
//! # async fn main() -> Result<(), Error> {
//! let mut session = Migrator::embedded(SCRIPTS).connect("sqlite::memory:").await?;
//! let report = session.upgrade("head").await?;
//! assert_eq!(report.done.len(), 1);
//! assert!(session.status().await?.pending.is_empty());
//!
//! session.downgrade("base").await?;
//! assert!(session.current().await?.is_empty());
//! session.close().await
//! # }
//! ```
//!
//! [`Migrator`] has the settings, [`Session`] what can be done. It works in any tokio runtime with
//! time and I/O enabled, prints nothing and changes nothing of its process. Programs need none of
//! the command's dependencies: `default-features = false`.

// A room's face is whole, whoever uses it.
#![cfg_attr(not(feature = "internals"), allow(unused_imports))]
// Much of the rooms is the command's.
#![cfg_attr(not(feature = "cli"), allow(dead_code))]

mod arrange;
#[cfg(feature = "cli")]
mod backup;
#[cfg(feature = "cli")]
mod cli;
mod database;
mod execute;
mod files;
#[cfg(feature = "cli")]
mod fleet;
mod generate;
mod layout;
mod library;
#[cfg(feature = "cli")]
mod lint;
#[cfg(feature = "cli")]
mod model;
mod nearest;
#[cfg(feature = "cli")]
mod online;
mod ops;
mod plan;
mod project;
#[cfg(feature = "cli")]
mod report;
mod revision;
mod schema;
#[cfg(feature = "cli")]
mod seed;
mod sql;

#[cfg(feature = "cli")]
#[doc(hidden)]
pub use cli::main as command;
pub use database::{Advance, Waiting};
pub use execute::{
    BatchState, Event, EventKind, RetryCause, SlowStatement, StatementEnd, StatementRef, StepRef,
    Stop,
};
pub use layout::{Layout, UnknownLayout};
pub use library::{
    DatabaseError, DatabaseErrorKind, Done, Drift, Error, Failure, Migrator, Plan, PlannedStep,
    Problem, Revision, RunReport, Schema, SchemaChange, SchemaDiff, SchemaObject, Scratch, Session,
    Status,
};
pub use plan::Warning;
pub use revision::{
    Ahead, Direction, OutOfOrder, RepeatableId, RepeatableIdError, RevisionId, RevisionIdError,
    Subject,
};

/// The rooms, for the tests, benchmarks and fuzz targets of this package. They change with every
/// version.
#[cfg(feature = "internals")]
#[doc(hidden)]
pub mod internals {
    #[cfg(feature = "cli")]
    pub mod backup {
        pub use crate::backup::*;
    }
    #[cfg(feature = "cli")]
    pub mod cli {
        pub use crate::cli::*;
    }
    pub mod database {
        pub use crate::database::*;
    }
    pub mod execute {
        pub use crate::execute::*;
    }
    pub mod files {
        pub use crate::files::*;
    }
    #[cfg(feature = "cli")]
    pub mod fleet {
        pub use crate::fleet::*;
    }
    pub mod generate {
        pub use crate::generate::*;
    }
    pub mod layout {
        pub use crate::layout::*;
    }
    #[cfg(feature = "cli")]
    pub mod lint {
        pub use crate::lint::*;
    }
    #[cfg(feature = "cli")]
    pub mod model {
        pub use crate::model::*;
    }
    #[cfg(feature = "cli")]
    pub mod online {
        pub use crate::online::*;
    }
    pub mod ops {
        pub use crate::ops::*;
    }
    pub mod plan {
        pub use crate::plan::*;
    }
    pub mod project {
        pub use crate::project::*;
    }
    #[cfg(feature = "cli")]
    pub mod report {
        pub use crate::report::*;
    }
    pub mod revision {
        pub use crate::revision::*;
    }
    pub mod schema {
        pub use crate::schema::*;
    }
    #[cfg(feature = "cli")]
    pub mod seed {
        pub use crate::seed::*;
    }
    pub mod sql {
        pub use crate::sql::*;
    }
}
