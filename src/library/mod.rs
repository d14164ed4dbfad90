//! Migrations from inside a program: a thin layer over `ops`.
//!
//! The library prints nothing, does not end the process, and installs no signal handler or logger.
//! It reports events through a callback and problems as typed errors.

mod error;
mod migrator;
mod report;
mod schema;
mod scratch;
mod session;

pub use error::{DatabaseError, DatabaseErrorKind, Error, Failure, Problem};
pub use migrator::Migrator;
pub use report::{Done, Drift, Plan, PlannedStep, Revision, RunReport, Status};
pub use schema::{Schema, SchemaChange, SchemaDiff, SchemaObject};
pub use scratch::Scratch;
pub use session::Session;
