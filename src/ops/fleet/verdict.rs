use std::{sync::Arc, time::Duration};

use super::super::{MigrateArgs, Project, line::position, migrate::Migration};
use crate::{
    execute::Sink,
    fleet::{Outcome, TargetLine},
    plan::Warning,
    revision::{Direction, Observed},
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
        Self {
            position: position.into(),
            steps,
            warnings: plan.map(|plan| plan.warnings).unwrap_or_default(),
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
