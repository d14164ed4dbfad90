//! Migrations from inside a program: a thin face of `ops`.
//!
//! Prints nothing, ends no process, installs no signal handler and no logger. What happens is told
//! through a callback, what is wrong through typed errors.

mod error;
mod migrator;
mod report;
mod session;

pub use error::{DatabaseError, DatabaseErrorKind, Error, Failure, Problem};
pub use migrator::Migrator;
pub use report::{Done, Drift, Plan, PlannedStep, Revision, RunReport, Status};
pub use session::Session;
