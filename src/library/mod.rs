//! Migrations from inside a program: a thin face of `ops`.
//!
//! Prints nothing, ends no process, installs no signal handler and no logger. What happens is told
//! through a callback, what is wrong through typed errors.

mod migrator;
mod session;

pub use migrator::Migrator;
pub use session::Session;
