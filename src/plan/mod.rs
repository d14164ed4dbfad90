//! Plans: what is compared, decided and prepared before anything runs.
//!
//! Pure: history and observed state come in, an ordered list of steps comes
//! out. Everything a script can be refused for is found here.

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
pub use obstacle::{Accepted, Obstacle, external_records, needs_survey, obstacles};
pub use offline::{after, assumed};
pub use problem::{PlanError, PlanProblem, SourceSpan};
pub use rebase::{FileChange, Moved, Rebase, RebaseProblem, RebaseRequest, rebase};
pub use redo::redo;
pub use repair::{Repair, RepairKind, RepairRequest, repair};
pub use repeatable::{RepeatableState, RepeatableStatus, repeatables};
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

/// Everything a plan is made from, but for its target.
#[derive(Clone, Copy, Debug)]
pub struct PlanContext<'a> {
    /// The directory.
    pub history: &'a History,
    /// The database, down scripts included.
    pub observed: &'a Observed,
    /// The dialect of the scripts.
    pub dialect: Dialect,
    /// What placeholders stand for.
    pub vars: &'a Vars,
    /// Policy for late revisions.
    pub out_of_order: OutOfOrder,
    /// Policy for a database that is ahead of the directory.
    pub ahead: Ahead,
    /// Whether all steps share one transaction.
    pub one_transaction: bool,
}

/// What `target` means. The heads of a project without revisions are none, so that there is
/// nothing to do; as long as nothing is applied that they would stand for.
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
