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
//!
//! The rooms, from the ground up; imports go down only:
//! [`sql`], [`files`] · [`revision`] · [`layout`] · [`plan`], [`project`], [`database`] · [`backup`], [`execute`] · [`ops`] · [`library`], [`report`] · [`cli`].

#[cfg(feature = "cli")]
pub mod backup;
#[cfg(feature = "cli")]
pub mod cli;
pub mod database;
pub mod execute;
pub mod files;
pub mod layout;
pub mod library;
pub mod ops;
pub mod plan;
pub mod project;
#[cfg(feature = "cli")]
pub mod report;
pub mod revision;
pub mod sql;

pub use execute::{Event, EventKind, Stop};
pub use layout::Layout;
pub use library::{Migrator, Session};
pub use ops::{Error, RunReport, StatusReport};
pub use plan::Plan;
pub use revision::{Direction, RevisionId, Subject};
