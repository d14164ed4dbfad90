//! Plans: the comparisons, decisions and preparations made before anything runs.
//!
//! This module is pure: it turns a history and an observed state into an ordered list of steps.
//! Every reason to refuse a script is found here.

mod adopt;
mod batch;
mod build;
mod check;
mod compare;
mod control;
mod downgrade;
mod joined;
mod obstacle;
mod offline;
mod problem;
mod rebase;
mod redo;
mod repair;
mod repeatable;
mod scripts;
mod squash;
mod squashed;
mod stamp;
mod step;
#[cfg(test)]
pub(crate) mod testing;
mod upgrade;

pub use adopt::{AdoptDoubt, AdoptError, Adoption, adopt};
pub use batch::{Batch, BatchPlace};
pub use check::{CheckRequest, Finding, check};
pub use compare::{Drift, Relation, compare, pending};
pub use downgrade::downgrade;
#[cfg(feature = "cli")]
pub use downgrade::revert;
pub use obstacle::{Accepted, Obstacle, external_records, needs_survey, obstacles};
pub use offline::{after, assumed};
pub use problem::{PlanError, PlanProblem, SourceSpan};
pub use rebase::{FileChange, Moved, Rebase, RebaseProblem, RebaseRequest, rebase};
pub use redo::{RedoExtent, redo};
pub use repair::{Repair, RepairKind, RepairRequest, repair};
pub use repeatable::{RepeatableState, RepeatableStatus, repeatables};
#[cfg(feature = "cli")]
pub use scripts::up_step;
pub use scripts::{ScriptFault, script_faults};
pub use squash::{Squash, SquashProblem, squash};
pub use squashed::{Halfway, RowExchange, exchanges, halfway, seen};
pub use stamp::{StampPlan, stamp};
pub use step::{Execution, Plan, Resume, Source, Step, Unit, UnitKind, Warning};
pub use upgrade::upgrade;

use crate::{
    revision::{Ahead, History, Observed, OutOfOrder, Resolved, Target, TargetError},
    sql::{Dialect, Vars},
};

/// Inputs of a plan, except its target.
#[derive(Clone, Copy, Debug)]
pub struct PlanContext<'a> {
    /// The directory.
    pub history: &'a History,
    /// The state of the database, down scripts included.
    pub observed: &'a Observed,
    /// The dialect of the scripts.
    pub dialect: Dialect,
    /// Values of placeholders.
    pub vars: &'a Vars,
    /// Policy for out-of-order revisions.
    pub out_of_order: OutOfOrder,
    /// Policy for a database that is ahead of the directory.
    pub ahead: Ahead,
    /// Whether all steps share one transaction.
    pub one_transaction: bool,
    /// Whether revisions of the contract phase, and those that need them, stay pending.
    pub expand_only: bool,
}

/// Resolves `target`. Without any revision, the heads resolve to an empty list, provided that no
/// revision is applied.
fn resolve(context: &PlanContext<'_>, target: &Target) -> Result<Resolved, TargetError> {
    let rows = &context.observed.applied;
    match context.history.resolve(target, rows) {
        Err(TargetError::NoRevisions)
            if rows.is_empty() && matches!(target, Target::Head | Target::Heads) =>
        {
            Ok(Resolved::Revisions(Vec::new()))
        }
        resolved => resolved,
    }
}
