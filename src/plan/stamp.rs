use std::collections::HashSet;

use super::{
    PlanContext, PlanError, PlanProblem, RowExchange, squashed,
    upgrade::{new_row, partial},
};
use crate::revision::{NewRow, Resolved, RevisionId, State, Target};

/// Changes to the records that `stamp` makes; the schema never changes.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct StampPlan {
    /// Rows to delete, latest applied first.
    pub delete: Vec<RevisionId>,
    /// Rows to insert, in topological order.
    pub insert: Vec<NewRow>,
    /// Exchanges to record first: baselines in place of the revisions they replace.
    pub exchanges: Vec<RowExchange>,
}

/// Plans `stamp TARGET...`: afterwards, exactly the targets and the revisions they need are
/// recorded. With `purge`, every row is rewritten, including those of unknown and partially applied
/// revisions.
///
/// # Errors
/// Returns every problem that prevents the stamp.
pub fn stamp(
    context: &PlanContext<'_>,
    targets: &[Target],
    purge: bool,
) -> Result<StampPlan, PlanError> {
    // Discarded rows need no order.
    if purge {
        return all(context, targets, purge);
    }
    let (plan, exchanges) = squashed::planned(context, |context| all(context, targets, purge))?;
    Ok(StampPlan { exchanges, ..plan })
}

fn all(context: &PlanContext<'_>, targets: &[Target], purge: bool) -> Result<StampPlan, PlanError> {
    let PlanContext {
        history, observed, ..
    } = *context;
    let mut problems = Vec::new();
    let mut ids = Vec::new();
    for target in targets {
        match meant(context, target) {
            Ok(found) => ids.extend(found),
            Err(problem) => problems.push(problem),
        }
    }
    if !purge {
        problems.extend(unfit(context));
    }
    if !problems.is_empty() {
        return Err(PlanError(problems));
    }
    let wanted = history.closure(&ids);
    let wanted_ids: HashSet<_> = wanted.iter().map(|revision| &revision.id).collect();
    let (kept, gone): (Vec<_>, Vec<_>) = observed
        .applied
        .iter()
        .rev()
        .partition(|row| !purge && wanted_ids.contains(&row.revision));
    let kept: HashSet<_> = kept.into_iter().map(|row| &row.revision).collect();
    let gone_ids: HashSet<_> = gone.iter().map(|row| &row.revision).collect();
    // Repeatable scripts keep their records: it is unknown whether their objects exist.
    let remaining = observed.applied.iter();
    let remaining = remaining.filter(|row| !gone_ids.contains(&row.revision));
    let repeatables = observed.repeatables.iter().map(|row| row.sequence);
    let remaining = remaining.map(|row| row.sequence).chain(repeatables);
    let last = remaining.max().unwrap_or(0);
    let new = wanted
        .into_iter()
        .filter(|revision| !kept.contains(&revision.id));
    Ok(StampPlan {
        exchanges: Vec::new(),
        insert: new
            .zip(last + 1..)
            .map(|(revision, at)| new_row(context.dialect, revision, at))
            .collect(),
        delete: gone.into_iter().map(|row| row.revision.clone()).collect(),
    })
}

fn meant(context: &PlanContext<'_>, target: &Target) -> Result<Vec<RevisionId>, PlanProblem> {
    let wrong_way = |target| PlanProblem::WrongWay {
        target,
        verb: "stamp",
    };
    match super::resolve(context, target) {
        Ok(Resolved::Base) => Ok(Vec::new()),
        Ok(Resolved::Revisions(ids)) => Ok(ids),
        Ok(Resolved::Next(count)) => Err(wrong_way(format!("+{count}"))),
        Ok(Resolved::Last(count)) => Err(wrong_way(format!("-{count}"))),
        Err(error) => Err(PlanProblem::Target(error)),
    }
}

/// Returns the problems of rows that only `--purge` may discard.
fn unfit(context: &PlanContext<'_>) -> Vec<PlanProblem> {
    let PlanContext {
        history, observed, ..
    } = *context;
    let mut problems = Vec::new();
    for row in observed.applied.iter() {
        if let State::Partial(state) = &row.state {
            problems.push(partial(&(row.revision.clone(), (**state).clone())));
        }
    }
    let unknown: Vec<_> = observed
        .applied
        .iter()
        .filter(|row| history.get(&row.revision).is_none())
        .map(|row| row.revision.clone())
        .collect();
    if !unknown.is_empty() {
        let related = unknown.len() < observed.applied.len();
        problems.push(PlanProblem::Unknown {
            revisions: unknown,
            related,
        });
    }
    problems
}
