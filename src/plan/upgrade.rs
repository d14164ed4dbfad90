use std::collections::HashSet;

use super::{
    Plan, PlanContext, PlanError, PlanProblem, ScriptFault, Source, Warning,
    build::{self, Frame},
    compare::{self, Drift, Relation, highest},
    repeatable, scripts, squashed,
};
use crate::{
    revision::{
        Ahead, Direction, NewRow, Observed, OutOfOrder, Phase, Resolved, Revision, RevisionId,
        Target,
    },
    sql::Dialect,
};

/// Plans `upgrade TARGET`: applies the unapplied revisions that the target needs, in topological
/// order.
///
/// # Errors
/// Returns every problem that prevents the upgrade.
pub fn upgrade(context: &PlanContext<'_>, target: &Target) -> Result<Plan, PlanError> {
    let (plan, exchanges) = squashed::planned(context, |context| {
        towards(context, || pending(context, target))
    })?;
    Ok(plan.after(exchanges))
}

/// Plans to apply `ids` and the revisions they need.
pub(super) fn upgrade_again(
    context: &PlanContext<'_>,
    ids: &[RevisionId],
) -> Result<Plan, PlanError> {
    towards(context, || Ok(needed(context, ids, usize::MAX)))
}

fn towards<'a>(
    context: &PlanContext<'a>,
    pending: impl FnOnce() -> Result<Pending<'a>, PlanProblem>,
) -> Result<Plan, PlanError> {
    let PlanContext {
        history,
        observed,
        dialect,
        ..
    } = *context;
    let drift = compare::compare_ups(history, observed, dialect);
    let mut plan = Plan {
        direction: Direction::Up,
        steps: Vec::new(),
        warnings: Vec::new(),
        one_transaction: context.one_transaction,
        exchanges: Vec::new(),
    };
    let mut problems = blocking(context, &drift);
    if problems.is_empty() && drift.relation == Relation::Ahead {
        plan.warnings.push(Warning::Ahead {
            unknown: drift.unknown,
        });
        return Ok(plan);
    }
    let pending = match pending() {
        Ok(pending) => pending,
        Err(problem) => {
            problems.push(problem);
            return Err(PlanError(problems));
        }
    };
    if let Err(found) = resumed(context, &drift, &mut plan, &pending.wanted) {
        problems.extend(found);
    }
    if !pending.left.is_empty() {
        let left = pending.left.iter().map(|revision| revision.id.clone());
        plan.warnings.push(Warning::Left {
            revisions: left.collect(),
        });
    }
    let pending = pending.missing;
    late(context, &drift, &pending, &mut plan.warnings, &mut problems);
    let last = observed.last_sequence();
    // With thousands of steps, growing would double the memory in use.
    plan.steps.reserve_exact(pending.len());
    for (revision, expects) in pending.into_iter().zip(last..) {
        let frame = Frame {
            subject: revision.id.clone().into(),
            message: revision.message.clone(),
            source: Source::File,
            expects,
            row: Some(new_row(context.dialect, revision, expects + 1).into()),
            replaces: false,
            partial: None,
        };
        match build::build(context, revision.up.clone(), frame) {
            Ok(step) => {
                if scripts::runs_nothing(&step) && !scripts::may_be_empty(revision) {
                    plan.warnings.push(Warning::Empty {
                        subject: step.subject.clone(),
                        direction: Some(Direction::Up),
                        file: step.script.file.clone(),
                    });
                }
                plan.steps.push(step);
            }
            Err(found) => problems.extend(found),
        }
        if let Some(down) = &revision.down {
            let faults = scripts::of_revision(context, revision, down);
            plan.warnings
                .extend(faults.into_iter().map(|fault| of_down(revision, fault)));
        }
    }
    repeatable::add(context, &mut plan, &mut problems);
    mixed_foreign_keys(&plan, &mut problems);
    if problems.is_empty() {
        Ok(plan)
    } else {
        Err(PlanError(problems))
    }
}

/// Returns the warning for a down script that cannot run; it would be stored for emergencies.
fn of_down(revision: &Revision, fault: ScriptFault) -> Warning {
    match fault {
        ScriptFault::Empty {
            subject,
            direction,
            file,
        } => Warning::Empty {
            subject,
            direction,
            file,
        },
        ScriptFault::Problem(problem) => {
            let span = problem.source_span();
            Warning::BrokenDown {
                revision: revision.id.clone(),
                file: span.map_or_else(String::new, |span| span.file.clone()),
                at: span.map(|span| {
                    let at = span.position();
                    (at.line, at.column)
                }),
                reason: problem.to_string(),
            }
        }
    }
}

/// Returns the problems that prevent every upgrade.
fn blocking(context: &PlanContext<'_>, drift: &Drift) -> Vec<PlanProblem> {
    let mut problems = Vec::new();
    let edited = |id: &RevisionId| {
        let file = context
            .history
            .get(id)
            .map(|revision| revision.up.file.clone());
        PlanProblem::Edited {
            revision: id.clone(),
            file: file.unwrap_or_default(),
            change: None,
        }
    };
    problems.extend(drift.edited_up.iter().map(edited));
    let revisions = drift.unknown.clone();
    match drift.relation {
        Relation::Known => {}
        Relation::Ahead if context.ahead == Ahead::Warn => {}
        Relation::Ahead => problems.push(PlanProblem::Ahead { revisions }),
        Relation::Diverged => problems.push(PlanProblem::Unknown {
            revisions,
            related: true,
        }),
        Relation::Unrelated => problems.push(PlanProblem::Unknown {
            revisions,
            related: false,
        }),
    }
    problems
}

pub(super) fn partial((revision, partial): &(RevisionId, crate::revision::Partial)) -> PlanProblem {
    PlanProblem::Partial {
        revision: revision.clone(),
        direction: partial.direction,
        done: partial.statements_done,
        total: partial.statements_total,
        interruption: partial.interruption.clone(),
    }
}

/// Returns the step that resumes a partially applied revision; it runs first.
fn resumed(
    context: &PlanContext<'_>,
    drift: &Drift,
    plan: &mut Plan,
    wanted: &HashSet<&RevisionId>,
) -> Result<(), Vec<PlanProblem>> {
    for found in &drift.partial {
        let (id, state) = found;
        let revision = context.history.get(id);
        let row = context
            .observed
            .applied
            .iter()
            .find(|row| row.revision == *id);
        let (Some(revision), Some(row), Direction::Up, true) =
            (revision, row, state.direction, wanted.contains(id))
        else {
            return Err(vec![partial(found)]);
        };
        let frame = Frame {
            subject: id.clone().into(),
            message: revision.message.clone(),
            source: Source::File,
            expects: context.observed.last_sequence(),
            row: Some(new_row(context.dialect, revision, row.sequence).into()),
            replaces: false,
            partial: Some(state.clone()),
        };
        plan.steps
            .push(build::build(context, revision.up.clone(), frame)?);
    }
    Ok(())
}

/// The revisions that a target requires.
struct Pending<'a> {
    /// All revisions that it needs.
    wanted: HashSet<&'a RevisionId>,
    /// Those without a row, in order.
    missing: Vec<&'a Revision>,
    /// Those that stay without a row since the phase of one is contract, in order.
    left: Vec<&'a Revision>,
}

fn pending<'a>(context: &PlanContext<'a>, target: &Target) -> Result<Pending<'a>, PlanProblem> {
    let wrong_way = |target: String| {
        Err(PlanProblem::WrongWay {
            target,
            verb: "upgrade to",
        })
    };
    let resolve = |target| super::resolve(context, target).map_err(PlanProblem::Target);
    let (ids, limit) = match resolve(target)? {
        Resolved::Base => return wrong_way("base".to_owned()),
        Resolved::Last(count) => return wrong_way(format!("-{count}")),
        Resolved::Revisions(ids) => (ids, usize::MAX),
        Resolved::Next(count) => match resolve(&Target::Head)? {
            Resolved::Revisions(ids) => (ids, count),
            _ => (Vec::new(), count),
        },
    };
    Ok(needed(context, &ids, limit))
}

fn needed<'a>(context: &PlanContext<'a>, ids: &[RevisionId], limit: usize) -> Pending<'a> {
    let applied = applied_ids(context.observed);
    let wanted = context.history.closure(ids);
    let missing = wanted
        .iter()
        .filter(|revision| !applied.contains(&revision.id));
    let (left, missing) = match context.expand_only {
        true => divided(missing.copied()),
        false => (Vec::new(), missing.copied().collect()),
    };
    let wanted = wanted.iter().map(|revision| &revision.id);
    let is_left = |id: &&RevisionId| left.iter().any(|revision| revision.id == **id);
    Pending {
        wanted: wanted.filter(|id| !is_left(id)).collect(),
        missing: missing.into_iter().take(limit).collect(),
        left,
    }
}

/// The pending revisions of the contract phase with those that need them, and the others. Both are in
/// order.
fn divided<'a>(
    pending: impl Iterator<Item = &'a Revision>,
) -> (Vec<&'a Revision>, Vec<&'a Revision>) {
    let mut left: HashSet<&RevisionId> = HashSet::new();
    pending.partition(|revision| {
        let mut needed = revision.parents.iter().chain(&revision.depends_on);
        let is_contract = revision.up.headers.phase == Some(Phase::Contract);
        let is_left = is_contract || needed.any(|id| left.contains(id));
        if is_left {
            left.insert(&revision.id);
        }
        is_left
    })
}

fn applied_ids(observed: &Observed) -> HashSet<&RevisionId> {
    observed.applied.iter().map(|row| &row.revision).collect()
}

fn late(
    context: &PlanContext<'_>,
    drift: &Drift,
    pending: &[&Revision],
    warnings: &mut Vec<Warning>,
    problems: &mut Vec<PlanProblem>,
) {
    let late: HashSet<_> = drift.out_of_order.iter().collect();
    let late: Vec<_> = pending
        .iter()
        .filter(|revision| late.contains(&revision.id))
        // They are meant to be applied later.
        .filter(|revision| revision.up.headers.phase != Some(Phase::Contract))
        .collect();
    let (Some(first), Some(before)) = (late.first(), highest(context.history, context.observed))
    else {
        return;
    };
    let revisions = late.iter().map(|revision| revision.id.clone()).collect();
    let before = before.clone();
    match context.out_of_order {
        OutOfOrder::Allow => {}
        OutOfOrder::Warn => warnings.push(Warning::OutOfOrder { revisions, before }),
        OutOfOrder::Error => problems.push(PlanProblem::OutOfOrder {
            revisions,
            before,
            file: first.up.file.clone(),
        }),
    }
}

pub(super) fn new_row(dialect: Dialect, revision: &Revision, sequence: i64) -> NewRow {
    NewRow {
        sequence,
        subject: revision.id.clone().into(),
        message: revision.message.clone(),
        parents: revision.parents.clone(),
        depends_on: revision.depends_on.clone(),
        up_checksum: revision.up.checksum(dialect),
        down_checksum: revision.down.as_ref().map(|down| down.checksum(dialect)),
        down_script: revision.down.as_ref().map(|down| down.alone().to_string()),
        up_script: revision.up.stored_up(),
    }
}

/// Checks that all steps agree on foreign keys: the pragma has no effect inside a transaction.
pub(super) fn mixed_foreign_keys(plan: &Plan, problems: &mut Vec<PlanProblem>) {
    let Some(first) = plan.steps.first().filter(|_| plan.one_transaction) else {
        return;
    };
    let others = plan
        .steps
        .iter()
        .filter(|step| step.foreign_keys != first.foreign_keys);
    problems.extend(others.map(|step| PlanProblem::MixedForeignKeys {
        subject: step.subject.clone(),
        file: step.script.file.clone(),
        on: step.foreign_keys,
    }));
}
