use std::{
    sync::{Arc, OnceLock},
    time::Duration,
};

use super::super::{MigrateArgs, Project, line::position, migrate::Migration};
use crate::{
    database::engine,
    execute::Sink,
    fleet::{Outcome, TargetLine},
    plan::{Execution, Plan, Warning},
    revision::{Direction, LAYOUT, Observed},
    sql::Dialect,
};

/// What a run would do in a state.
#[derive(Clone, Debug)]
pub(super) struct Verdict {
    /// The position of the database.
    pub position: Arc<str>,
    /// The number of steps; `None` if only a session can tell.
    pub steps: Option<usize>,
    /// The notes of the plan.
    pub warnings: Vec<Warning>,
    /// The plan, if it can be run over a connection that goes from schema to schema.
    pub plan: Option<Plan>,
    /// The position after the plan has been run to its end; the first target tells it.
    pub after: OnceLock<Arc<str>>,
}

impl Verdict {
    /// Plans a run in a state. A plan that is refused is left to the run, which says why.
    pub fn of(
        project: &Project,
        dialect: Dialect,
        direction: Direction,
        args: &MigrateArgs,
        observed: &Observed,
    ) -> Self {
        let migration = Migration::of(project, dialect, direction, args);
        let position = match project.ups(dialect) {
            Ok(history) => position(&history, observed),
            Err(_) => String::new(),
        };
        let plan = migration.plan(observed, None, &Sink::silent()).ok();
        // An exchange of records is a change, too.
        let steps = plan
            .as_ref()
            .and_then(|plan| match plan.exchanges.is_empty() {
                true => Some(plan.steps.len()),
                false => None,
            });
        let warnings = plan.as_ref().map(|plan| plan.warnings.clone());
        // Tables that do not exist cannot be seen to be as they should be.
        let is_known = direction == Direction::Up && observed.layout == Some(LAYOUT);
        Self {
            position: position.into(),
            steps,
            warnings: warnings.unwrap_or_default(),
            plan: plan.filter(|plan| is_known && may_roam(plan, dialect)),
            after: OnceLock::new(),
        }
    }

    /// Whether there is nothing to do.
    pub fn is_current(&self) -> bool {
        self.steps == Some(0)
    }

    /// The line of a target in which there is nothing to do.
    pub fn line(&self, target: usize, elapsed: Duration) -> TargetLine {
        TargetLine {
            outcome: Outcome::Current,
            from: Some(Arc::clone(&self.position)),
            to: Some(Arc::clone(&self.position)),
            elapsed,
            ..TargetLine::not_started(target)
        }
    }
}

/// Whether every step is one transaction that leaves the meaning of names without a schema alone.
fn may_roam(plan: &Plan, dialect: Dialect) -> bool {
    let has_work = !plan.steps.is_empty() && plan.exchanges.is_empty() && !plan.one_transaction;
    has_work
        && plan.steps.iter().all(|step| {
            matches!(step.execution, Execution::Transaction(_))
                && engine::may_roam(dialect, step.text())
        })
}
