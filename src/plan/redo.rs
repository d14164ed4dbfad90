use std::collections::HashSet;

use super::{
    Plan, PlanError, PlanProblem, Situation, compare, downgrade,
    upgrade::{mixed_foreign_keys, upgrade_again},
};
use crate::revision::{Direction, Observed, RevisionId, Target};

/// The plan of `redo TARGET`: what `downgrade TARGET` would revert is reverted and applied again, in
/// one plan, so that both halves are checked before either runs.
///
/// # Errors
/// Everything that stands in the way of one of them.
pub fn redo(situation: &Situation<'_>, target: &Target) -> Result<Plan, PlanError> {
    let mut plan = downgrade(situation, target)?;
    let reverted: Vec<RevisionId> = plan
        .steps
        .iter()
        .map(|step| step.revision.clone())
        .collect();
    if reverted.is_empty() {
        return Ok(plan);
    }
    let between = without(situation.observed, &reverted);
    let middle = Situation {
        observed: &between,
        ..*situation
    };
    let mut again = upgrade_again(&middle, &reverted)?;
    all_come_back(&middle, &reverted, &again)?;
    // Numbers that no row had before: a record of the second half is never taken for the one that
    // was there, should the connection break during COMMIT.
    let last = situation.observed.last_sequence();
    let mut expects = between.last_sequence();
    for (step, sequence) in again.steps.iter_mut().zip(last + 1..) {
        step.expects = expects;
        if let Some(row) = &mut step.row {
            row.sequence = sequence;
            expects = sequence;
        }
    }
    plan.steps.append(&mut again.steps);
    plan.warnings.append(&mut again.warnings);
    let mut problems = Vec::new();
    mixed_foreign_keys(&plan, &mut problems);
    if problems.is_empty() {
        Ok(plan)
    } else {
        Err(PlanError(problems))
    }
}

impl Plan {
    /// How many of its first steps go down; in a [`redo`] the others bring that back.
    pub fn downs(&self) -> usize {
        let steps = self.steps.iter();
        steps
            .take_while(|step| step.direction() == Direction::Down)
            .count()
    }
}

/// The state between the halves.
fn without(observed: &Observed, reverted: &[RevisionId]) -> Observed {
    let stays = |id: &RevisionId| !reverted.contains(id);
    let rows = observed.applied.iter().filter(|row| stays(&row.revision));
    Observed {
        applied: rows.cloned().collect(),
        layout: observed.layout,
    }
}

/// What can't be applied again must not be reverted.
fn all_come_back(
    situation: &Situation<'_>,
    reverted: &[RevisionId],
    again: &Plan,
) -> Result<(), PlanError> {
    let back: HashSet<_> = again.steps.iter().map(|step| &step.revision).collect();
    let gone: Vec<_> = reverted.iter().filter(|id| !back.contains(id)).collect();
    if gone.is_empty() {
        return Ok(());
    }
    let foreign = gone
        .into_iter()
        .filter(|id| situation.history.get(id).is_none());
    let foreign: Vec<_> = foreign.cloned().collect();
    Err(PlanError(vec![if foreign.is_empty() {
        let drift = compare(situation.history, situation.observed, situation.dialect);
        PlanProblem::Ahead {
            revisions: drift.unknown,
        }
    } else {
        PlanProblem::Unknown {
            revisions: foreign,
            related: true,
        }
    }]))
}
