//! Migrations from inside of a program: the command line's way without its words.
//!
//! Prints nothing, ends no process, installs no signal handler and no logger. What happens is told
//! through a callback, what is wrong through typed errors.

mod error;
mod migrator;
mod session;

pub use error::Error;
pub use migrator::Migrator;
pub use session::{Report, Session, Status};
