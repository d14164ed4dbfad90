//! Determines which repeatable scripts run, and when.

use std::{
    collections::{HashMap, HashSet},
    sync::Arc,
};

use super::{
    Plan, PlanContext, PlanProblem, Source, Warning,
    build::{self, Frame},
    offline, scripts,
};
use crate::{
    arrange::Arrange as _,
    revision::{
        self, AppliedRepeatable, History, NewRow, Observed, Repeatable, RepeatableId, RevisionId,
    },
    sql::Dialect,
};

/// The state of a repeatable script.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum RepeatableState {
    /// The current script has run.
    Applied,
    /// The script has never run.
    New,
    /// The script has changed since it ran.
    Changed,
    /// A revision was reverted since the script ran, which may have dropped the script's objects.
    Overtaken,
    /// The script has run, but its file is missing.
    Gone,
}

impl RepeatableState {
    /// Returns whether an upgrade to all heads runs the script.
    pub fn is_due(self) -> bool {
        matches!(self, Self::New | Self::Changed | Self::Overtaken)
    }
}

/// A repeatable script of the directory or the database.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RepeatableStatus {
    /// The name of the script in records.
    pub id: RepeatableId,
    /// The message.
    pub message: String,
    /// The script file; `None` if it is missing.
    pub file: Option<String>,
    /// The state of the script.
    pub state: RepeatableState,
}

/// Returns the state of every repeatable script of directory and database, by name.
pub fn repeatables(
    history: &History,
    observed: &Observed,
    dialect: Dialect,
) -> Vec<RepeatableStatus> {
    let scripts = history.repeatables();
    let mut all: Vec<_> = states(scripts, observed, dialect)
        .map(|(script, _, state)| RepeatableStatus {
            id: script.id.clone(),
            message: script.message.clone(),
            file: Some(script.script.file.clone()),
            state,
        })
        .collect();
    all.extend(gone(history, observed).map(|row| RepeatableStatus {
        id: row.id.clone(),
        message: row.message.clone(),
        file: None,
        state: RepeatableState::Gone,
    }));
    all.arrange_by(|a, b| a.id.cmp(&b.id));
    all
}

/// Returns the rows of repeatable scripts whose file is missing.
pub(super) fn gone<'a>(
    history: &'a History,
    observed: &'a Observed,
) -> impl Iterator<Item = &'a AppliedRepeatable> {
    let rows = observed.repeatables.iter();
    rows.filter(|row| history.repeatable(&row.id).is_none())
}

/// Adds the repeatable scripts that are due to an upgrade. They may need any revision, so they only
/// run if no revision remains to be applied.
pub(super) fn add(context: &PlanContext<'_>, plan: &mut Plan, problems: &mut Vec<PlanProblem>) {
    let PlanContext {
        history,
        observed,
        dialect,
        ..
    } = *context;
    let due: Vec<_> = states(history.repeatables(), observed, dialect)
        .filter(|(_, _, state)| state.is_due())
        .collect();
    if due.is_empty() {
        return;
    }
    if !is_complete(context, plan) {
        let scripts = due.iter().map(|(script, ..)| script.id.clone()).collect();
        plan.warnings.push(Warning::RepeatablesWait { scripts });
        return;
    }
    let after = offline::after(observed, plan);
    let heads = revision::applied_heads(&after.applied).into_iter();
    let upon: Vec<RevisionId> = heads.map(|row| row.revision.clone()).collect();
    for ((script, row, _), expects) in due.into_iter().zip(after.last_sequence()..) {
        let frame = Frame {
            subject: script.id.clone().into(),
            message: script.message.clone(),
            source: Source::File,
            expects,
            row: Some(Arc::new(NewRow {
                sequence: expects + 1,
                subject: script.id.clone().into(),
                message: script.message.clone(),
                parents: upon.clone(),
                depends_on: Vec::new(),
                up_checksum: script.script.checksum(dialect),
                down_checksum: None,
                down_script: None,
                up_script: script.script.stored_up(),
            })),
            replaces: row.is_some(),
            partial: None,
        };
        match build::build(context, script.script.clone(), frame) {
            Ok(step) => {
                if scripts::runs_nothing(&step) {
                    plan.warnings.push(Warning::Empty {
                        subject: step.subject.clone(),
                        direction: None,
                        file: step.script.file.clone(),
                    });
                }
                plan.steps.push(step);
            }
            Err(found) => problems.extend(found.into_iter().map(in_repeatable)),
        }
    }
}

/// Rewrites a problem so that its hint applies to a repeatable script.
pub(super) fn in_repeatable(problem: PlanProblem) -> PlanProblem {
    match problem {
        PlanProblem::OutsideTransaction { source_span, name }
        | PlanProblem::TransactionControl {
            source_span,
            statement: name,
            ..
        } => PlanProblem::NotInRepeatable { source_span, name },
        other => other,
    }
}

/// Returns whether every revision is applied after `plan` has run.
fn is_complete(context: &PlanContext<'_>, plan: &Plan) -> bool {
    let applied = context.observed.applied.iter();
    let planned = plan.steps.iter().filter_map(|step| step.subject.revision());
    let there: HashSet<_> = applied.map(|row| &row.revision).chain(planned).collect();
    context.history.by_id().all(|one| there.contains(&one.id))
}

fn states<'a>(
    scripts: &'a [Repeatable],
    observed: &'a Observed,
    dialect: Dialect,
) -> impl Iterator<
    Item = (
        &'a Repeatable,
        Option<&'a AppliedRepeatable>,
        RepeatableState,
    ),
> {
    // Without repeatable scripts, no lookup is needed.
    let rows = observed.applied.iter().filter(|_| !scripts.is_empty());
    let sequences: HashMap<_, _> = rows.map(|row| (&row.revision, row.sequence)).collect();
    scripts.iter().map(move |script| {
        let mut rows = observed.repeatables.iter();
        let row = rows.find(|row| row.id == script.id);
        let state = match row {
            None => RepeatableState::New,
            Some(row) if row.checksum != script.script.checksum(dialect) => {
                RepeatableState::Changed
            }
            // A revision that was reverted and applied again has a higher sequence.
            Some(row) => {
                let stands = |id| sequences.get(id).is_some_and(|at| *at < row.sequence);
                if row.upon.iter().all(stands) {
                    RepeatableState::Applied
                } else {
                    RepeatableState::Overtaken
                }
            }
        };
        (script, row, state)
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{
        plan::{PlanError, RedoExtent, after, downgrade, redo, upgrade},
        revision::testing::{pair, with_down},
    };

    /// Creates a history with `ids` in a line, and repeatable scripts `name=sql`.
    fn history(ids: &[&str], scripts: &[&str]) -> History {
        let pairs = ids.iter().map(|id| with_down(pair(id, ""))).collect();
        let scripts = scripts.iter().map(|text| {
            let (name, sql) = text.split_once('=').unwrap();
            let id = RepeatableId::of_slug(name).unwrap();
            Repeatable::parse(Dialect::Sqlite, id, format!("R_{name}.sql"), sql).unwrap()
        });
        let history = History::new(pairs).unwrap();
        history.with_repeatables(scripts.collect()).unwrap()
    }

    fn context<'a>(history: &'a History, observed: &'a Observed) -> PlanContext<'a> {
        crate::plan::testing::context(history, observed, Dialect::Sqlite)
    }

    type Planner = fn(&PlanContext<'_>, &crate::revision::Target) -> Result<Plan, PlanError>;

    /// Returns the steps of a plan as `subject:sequence`, and the state after it.
    fn go(
        planner: Planner,
        history: &History,
        observed: &Observed,
        target: &str,
    ) -> (String, Observed) {
        let plan = planner(&context(history, observed), &target.parse().unwrap()).unwrap();
        let steps = plan.steps.iter().map(|step| match &step.row {
            Some(row) => format!("{}:{}", step.subject, row.sequence),
            None => step.subject.to_string(),
        });
        let steps = steps.collect::<Vec<_>>().join(" ");
        (steps, after(observed, &plan))
    }

    fn state(history: &History, observed: &Observed) -> Vec<RepeatableState> {
        let all = repeatables(history, observed, Dialect::Sqlite).into_iter();
        all.map(|one| one.state).collect()
    }

    #[test]
    fn they_run_last_by_name_and_only_when_they_change() {
        use RepeatableState::{Applied, Changed, Gone, New};
        let first = history(&["1", "2"], &["b=SELECT 1", "a=SELECT 2"]);
        let nothing = Observed::default();
        assert_eq!(state(&first, &nothing), [New, New]);
        let (steps, observed) = go(upgrade, &first, &nothing, "head");
        assert_eq!(steps, "1:1 2:2 R_a:3 R_b:4");
        assert_eq!(state(&first, &observed), [Applied, Applied]);
        assert_eq!(go(upgrade, &first, &observed, "head").0, "");
        let next = history(&["1", "2", "3"], &["b=SELECT  1 -- same", "c=SELECT 3"]);
        assert_eq!(state(&next, &observed), [Gone, Applied, New]);
        let (steps, observed) = go(upgrade, &next, &observed, "head");
        assert_eq!(steps, "3:5 R_c:6");
        let edited = history(&["1", "2", "3"], &["b=SELECT 9", "c=SELECT 3"]);
        assert_eq!(state(&edited, &observed), [Gone, Changed, Applied]);
        let (steps, observed) = go(upgrade, &edited, &observed, "head");
        assert_eq!(steps, "R_b:7");
        assert_eq!(observed.repeatables.len(), 3);
        assert_eq!(state(&edited, &observed), [Gone, Applied, Applied]);
    }

    #[test]
    fn they_wait_for_every_revision() {
        let history = history(&["1", "2"], &["a=SELECT 1"]);
        let nothing = Observed::default();
        let at = |target: &str| {
            let target = target.parse().unwrap();
            upgrade(&context(&history, &nothing), &target).unwrap()
        };
        let waits = vec![Warning::RepeatablesWait {
            scripts: vec!["R_a".parse().unwrap()],
        }];
        // The scripts of these revisions are empty.
        let found = |target: &str| {
            let mut plan = at(target);
            let is_other = |it: &Warning| !matches!(it, Warning::Empty { .. });
            plan.warnings.retain(is_other);
            (plan.steps.len(), plan.warnings)
        };
        assert_eq!(found("1"), (1, waits));
        assert_eq!(found("2"), (3, Vec::new()));
    }

    #[test]
    fn they_run_again_after_a_downgrade() {
        let history = history(&["1", "2"], &["a=SELECT 1"]);
        let (_, observed) = go(upgrade, &history, &Observed::default(), "head");
        let (steps, down) = go(downgrade, &history, &observed, "1");
        assert_eq!(steps, "2");
        assert_eq!(state(&history, &down), [RepeatableState::Overtaken]);
        let (steps, again) = go(upgrade, &history, &down, "head");
        assert_eq!(steps, "2:4 R_a:5");
        assert_eq!(state(&history, &again), [RepeatableState::Applied]);
        // Stamped back, or applied by a release without the script.
        let mut other = down.clone();
        other.applied.push(again.applied[1].clone());
        assert_eq!(state(&history, &other), [RepeatableState::Overtaken]);
        let (steps, _) = go(
            |context, target| redo(context, RedoExtent::Above(target)),
            &history,
            &again,
            "-1",
        );
        assert_eq!(steps, "2 2:6 R_a:7");
    }

    #[test]
    fn an_older_release_leaves_them_alone() {
        let newer = history(&["1", "2"], &["a=SELECT 2"]);
        let (_, observed) = go(upgrade, &newer, &Observed::default(), "head");
        let older = history(&["1"], &["a=SELECT 1"]);
        assert_eq!(go(upgrade, &older, &observed, "head").0, "");
    }

    #[test]
    fn what_can_not_share_a_transaction_is_refused() {
        let history = history(&["1"], &["a=VACUUM"]);
        let nothing = Observed::default();
        let target = "head".parse().unwrap();
        let refused = upgrade(&context(&history, &nothing), &target).unwrap_err();
        let [PlanProblem::NotInRepeatable { source_span, .. }] = &refused.0[..] else {
            panic!("{refused:?}");
        };
        assert_eq!(source_span.file, "R_a.sql");
    }
}
