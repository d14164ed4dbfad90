//! Runs plans: lock, steps, retries, records, signals.
//!
//! This module holds the policy of runs, written once for every database. It emits events, never
//! prints, and has no dry-run branch.

mod batch;
mod ended;
mod event;
mod failure;
mod lock;
mod migrate;
mod outcome;
mod pace;
mod record;
mod request;
mod run;
mod script;
mod send;
mod signal;
mod slow;
#[cfg(test)]
mod tests;
mod units;

pub use event::{
    BatchState, Event, EventKind, RetryCause, Sink, SlowStatement, StatementEnd, StatementRef,
    StepRef,
};
pub use failure::{IndexDoubt, StepFailure};
pub use lock::{LockError, lock};
pub use migrate::{
    Aborted, Finish, Known, MigrateOptions, Migrated, final_state, look_early, migrate,
};
pub use outcome::{BatchTotal, Done, Failure, Outcome, PartialFailure};
#[cfg(feature = "cli")]
pub use record::write_copied;
pub use record::{Adopted, exchange, write_adoption, write_repairs, write_stamp};

pub use run::{RunOptions, run};
pub use script::{ScriptError, write_script};
pub(crate) use signal::Hold;
#[cfg(unix)]
pub use signal::hangup_is_ignored;
pub use signal::{Stop, listen, watch};
