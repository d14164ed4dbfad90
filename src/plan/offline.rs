//! States that no database was asked for: what a script leads from and to.

use chrono::DateTime;

use super::{Plan, PlanError, Situation, stamp};
use crate::revision::{AppliedRevision, Direction, NewRow, Observed, State, Target};

/// The state of a database that was brought to `start` from base by this directory. What
/// `situation` has observed has to be empty.
///
/// # Errors
/// When `start` has no meaning in the directory.
pub fn assumed(situation: &Situation<'_>, start: &Target) -> Result<Observed, PlanError> {
    let rows = stamp(situation, start, false)?.insert;
    Ok(Observed {
        layout: (!rows.is_empty()).then_some(1),
        applied: rows.into_iter().map(applied).collect(),
    })
}

/// The state after `plan` has run on `observed`.
pub fn after(observed: &Observed, plan: &Plan) -> Observed {
    let mut state = observed.clone();
    for step in &plan.steps {
        match (plan.direction, &step.row) {
            (Direction::Up, Some(row)) => state.applied.push(applied(row.clone())),
            _ => state.applied.retain(|row| row.revision != step.revision),
        }
    }
    state
}

/// Nobody looks at when it was applied and by whom.
fn applied(row: NewRow) -> AppliedRevision {
    AppliedRevision {
        sequence: row.sequence,
        revision: row.revision,
        kind: row.kind,
        message: row.message,
        parents: row.parents,
        depends_on: row.depends_on,
        up_checksum: row.up_checksum,
        down_checksum: row.down_checksum,
        down_script: row.down_script,
        state: State::Applied,
        started_at: DateTime::UNIX_EPOCH,
        applied_at: Some(DateTime::UNIX_EPOCH),
        duration_ms: 0,
        applied_by: String::new(),
        tool_version: String::new(),
    }
}
