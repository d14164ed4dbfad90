use std::collections::{BTreeSet, HashSet};

use super::{
    Plan, PlanContext, PlanError, PlanProblem, Source, Warning,
    build::{self, Frame},
    squashed,
    upgrade::{mixed_foreign_keys, partial},
};
use crate::revision::{
    AppliedRevision, Direction, Resolved, Revision, RevisionId, Script, State, Target,
    applied_descendants,
};

/// Plans `downgrade TARGET`: reverts the applied descendants of the target, dependents included,
/// latest applied first. The stored parents take precedence over those in the files.
///
/// # Errors
/// Returns every problem that prevents the downgrade.
pub fn downgrade(context: &PlanContext<'_>, target: &Target) -> Result<Plan, PlanError> {
    let (plan, exchanges) = squashed::planned(context, |context| down(context, target))?;
    Ok(plan.after(exchanges))
}

/// Plans to revert `revision` and what revises it, but no other revision that was applied later.
///
/// # Errors
/// Returns every problem that prevents this.
#[cfg(feature = "cli")]
pub fn revert(context: &PlanContext<'_>, revision: &RevisionId) -> Result<Plan, PlanError> {
    let applied = &context.observed.applied;
    let Some(row) = applied.iter().find(|row| row.revision == *revision) else {
        return Err(PlanError(vec![PlanProblem::NotApplied {
            revision: revision.clone(),
        }]));
    };
    let mut rows = applied_descendants(applied, std::slice::from_ref(revision));
    rows.push(row);
    down_of(context, rows, EditedUp::Refused)
}

fn down(context: &PlanContext<'_>, target: &Target) -> Result<Plan, PlanError> {
    let rows = reverted(context, target).map_err(|problem| PlanError(vec![problem]))?;
    down_of(context, rows, EditedUp::Refused)
}

/// What becomes of a revision whose up script is not the one that was applied.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum EditedUp {
    /// It is a problem.
    Refused,
    /// It is reverted by the down script that was stored with what was applied.
    Reverted,
}

/// The plan that reverts `rows`, latest first.
pub(super) fn down_of(
    context: &PlanContext<'_>,
    rows: Vec<&AppliedRevision>,
    edited: EditedUp,
) -> Result<Plan, PlanError> {
    let mut problems = in_the_way(context, &rows);
    let mut plan = Plan {
        direction: Direction::Down,
        steps: Vec::new(),
        warnings: Vec::new(),
        one_transaction: context.one_transaction,
        exchanges: Vec::new(),
    };
    let mut sequences: BTreeSet<_> = context.observed.sequences().collect();
    // As in an upgrade, growing would double the memory in use.
    plan.steps.reserve_exact(rows.len());
    for row in rows {
        if matches!(&row.state, State::Partial(state) if state.direction == Direction::Up) {
            continue;
        }
        let expects = sequences.last().copied().unwrap_or(0);
        sequences.remove(&row.sequence);
        match step(context, (row, edited), expects, &mut plan.warnings) {
            Ok(step) => plan.steps.push(step),
            Err(found) => problems.extend(found),
        }
    }
    together(&mut problems);
    mixed_foreign_keys(&plan, &mut problems);
    if problems.is_empty() {
        Ok(plan)
    } else {
        Err(PlanError(problems))
    }
}

/// Merges the problems of revisions without a down script; often no revision has one.
fn together(problems: &mut Vec<PlanProblem>) {
    let (missing, mut others): (Vec<_>, Vec<_>) = std::mem::take(problems)
        .into_iter()
        .partition(|problem| matches!(problem, PlanProblem::NoDown { .. }));
    let revisions: Vec<_> = missing
        .into_iter()
        .flat_map(|problem| match problem {
            PlanProblem::NoDown { revisions } => revisions,
            _ => Vec::new(),
        })
        .collect();
    if !revisions.is_empty() {
        others.push(PlanProblem::NoDown { revisions });
    }
    *problems = others;
}

/// Returns the partially applied revisions, except one whose downgrade is to be resumed.
fn in_the_way(context: &PlanContext<'_>, reverted: &[&AppliedRevision]) -> Vec<PlanProblem> {
    let mut problems = Vec::new();
    for row in context.observed.applied.iter() {
        if let State::Partial(state) = &row.state {
            let goes_on = reverted.iter().any(|other| other.revision == row.revision);
            if state.direction == Direction::Up || !goes_on {
                problems.push(partial(&(row.revision.clone(), (**state).clone())));
            }
        }
    }
    problems
}

fn step(
    context: &PlanContext<'_>,
    (row, edited): (&AppliedRevision, EditedUp),
    expects: i64,
    warnings: &mut Vec<Warning>,
) -> Result<super::Step, Vec<PlanProblem>> {
    let revision = context.history.get(&row.revision);
    let edited_up = revision.filter(|revision| is_edited(context, revision, row));
    let found = match (edited_up, edited) {
        (None, _) => script(context, row, revision, warnings),
        (Some(_), EditedUp::Reverted) => stored(context, row),
        (Some(revision), EditedUp::Refused) => Err(PlanProblem::Edited {
            revision: row.revision.clone(),
            file: revision.up.file.clone(),
            change: None,
        }),
    };
    let (script, source) = found.map_err(|problem| vec![problem])?;
    let frame = Frame {
        subject: row.revision.clone().into(),
        message: row.message.clone(),
        source,
        expects,
        row: None,
        replaces: false,
        partial: match &row.state {
            State::Partial(partial) => Some((**partial).clone()),
            State::Applied => None,
        },
    };
    build::build(context, script, frame)
}

/// Returns the script of the file if it exists, otherwise the stored script.
fn script(
    context: &PlanContext<'_>,
    row: &AppliedRevision,
    revision: Option<&Revision>,
    warnings: &mut Vec<Warning>,
) -> Result<(Script, Source), PlanProblem> {
    let id = || row.revision.clone();
    if let Some(down) = revision.and_then(|revision| revision.down.as_ref()) {
        let known = row.down_checksum.as_ref();
        if known.is_some_and(|known| *known != down.checksum(context.dialect)) {
            warnings.push(Warning::EditedDown {
                revision: id(),
                file: down.file.clone(),
            });
        }
        return Ok((down.clone(), Source::File));
    }
    if let Some(reason) = revision.and_then(|revision| revision.up.headers.irreversible.clone()) {
        return Err(PlanProblem::Irreversible {
            revision: id(),
            reason,
        });
    }
    let stored = stored(context, row)?;
    warnings.push(Warning::StoredDown { revision: id() });
    Ok(stored)
}

/// Whether the up script is not the one that was applied.
pub(super) fn is_edited(
    context: &PlanContext<'_>,
    revision: &Revision,
    row: &AppliedRevision,
) -> bool {
    revision.up.checksum(context.dialect) != row.up_checksum
}

/// The down script that was stored when its revision was applied.
fn stored(
    context: &PlanContext<'_>,
    row: &AppliedRevision,
) -> Result<(Script, Source), PlanProblem> {
    let Some(text) = &row.down_script else {
        return Err(PlanProblem::NoDown {
            revisions: vec![row.revision.clone()],
        });
    };
    let file = format!("{} (down script stored in the version table)", row.revision);
    match Script::parse(context.dialect, Direction::Down, file, text.as_str()) {
        Ok(script) => Ok((script, Source::Stored)),
        Err(found) => Err(PlanProblem::StoredScript {
            revision: row.revision.clone(),
            reason: found
                .iter()
                .map(|p| p.kind.to_string())
                .collect::<Vec<_>>()
                .join("; "),
        }),
    }
}

/// The applied revisions that a downgrade to `target` reverts, latest first.
pub(super) fn reverted<'a>(
    context: &PlanContext<'a>,
    target: &Target,
) -> Result<Vec<&'a AppliedRevision>, PlanProblem> {
    let observed = context.observed;
    let resolved = super::resolve(context, target).map_err(PlanProblem::Target)?;
    let latest_first = observed.applied.iter().rev();
    match resolved {
        Resolved::Base => Ok(latest_first.collect()),
        Resolved::Next(count) => Err(PlanProblem::WrongWay {
            target: format!("+{count}"),
            verb: "downgrade to",
        }),
        Resolved::Last(count) => {
            let applied = observed.applied.len();
            if count > applied {
                return Err(PlanProblem::TooFewApplied {
                    asked: count,
                    applied,
                });
            }
            Ok(latest_first.take(count).collect())
        }
        Resolved::Revisions(ids) => above(context, &ids),
    }
}

fn above<'a>(
    context: &PlanContext<'a>,
    ids: &[RevisionId],
) -> Result<Vec<&'a AppliedRevision>, PlanProblem> {
    let observed = context.observed;
    let applied: HashSet<_> = observed.applied.iter().map(|row| &row.revision).collect();
    if let Some(revision) = ids.iter().find(|id| !applied.contains(id)) {
        return Err(PlanProblem::NotApplied {
            revision: revision.clone(),
        });
    }
    Ok(applied_descendants(&observed.applied, ids))
}
