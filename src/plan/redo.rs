use std::{cmp::Reverse, collections::HashSet, sync::Arc};

use super::{
    Plan, PlanContext, PlanError, PlanProblem, compare,
    downgrade::{EditedUp, down_of, is_edited, reverted},
    squashed,
    upgrade::{mixed_foreign_keys, upgrade_again},
};
use crate::{
    arrange::Arrange as _,
    revision::{AppliedRevision, Direction, Observed, RevisionId, Target, applied_descendants},
};

/// What `redo` reverts and applies again.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum RedoExtent<'a> {
    /// What is above the target.
    Above(&'a Target),
    /// The same, although up scripts were edited after they were applied.
    EditedAbove(&'a Target),
    /// Revisions whose up scripts were edited after they were applied, and all that requires them.
    Edited,
}

/// Plans `redo`: reverts the revisions of `extent` and applies them again. Both halves are in one plan,
/// so that both are checked before either runs. The stored down script reverts an edited revision.
///
/// # Errors
/// Returns every problem that prevents either half.
pub fn redo(context: &PlanContext<'_>, extent: RedoExtent<'_>) -> Result<Plan, PlanError> {
    let (plan, exchanges) = squashed::planned(context, |context| again(context, extent))?;
    Ok(plan.after(exchanges))
}

/// The applied revisions that were edited and those that require them, latest first.
fn edited<'a>(context: &PlanContext<'a>) -> Vec<&'a AppliedRevision> {
    let applied = &context.observed.applied;
    let edited = applied.iter().filter(|row| {
        let revision = context.history.get(&row.revision);
        revision.is_some_and(|revision| is_edited(context, revision, row))
    });
    let mut rows: Vec<&AppliedRevision> = Vec::new();
    for row in edited {
        rows.push(row);
        rows.extend(applied_descendants(
            applied,
            std::slice::from_ref(&row.revision),
        ));
    }
    rows.arrange_by_key(|row| Reverse(row.sequence));
    rows.dedup_by_key(|row| row.sequence);
    rows
}

fn again(context: &PlanContext<'_>, extent: RedoExtent<'_>) -> Result<Plan, PlanError> {
    let above = |target| reverted(context, target).map_err(|problem| PlanError(vec![problem]));
    let mut plan = match extent {
        RedoExtent::Above(target) => down_of(context, above(target)?, EditedUp::Refused),
        RedoExtent::EditedAbove(target) => down_of(context, above(target)?, EditedUp::Reverted),
        RedoExtent::Edited => down_of(context, edited(context), EditedUp::Reverted),
    }?;
    let reverted: Vec<RevisionId> = plan
        .steps
        .iter()
        .filter_map(|step| step.subject.revision().cloned())
        .collect();
    if reverted.is_empty() {
        return Ok(plan);
    }
    let between = without(context.observed, &reverted);
    let middle = PlanContext {
        observed: &between,
        ..*context
    };
    let mut again = upgrade_again(&middle, &reverted)?;
    all_come_back(&middle, &reverted, &again)?;
    // Sequences that no row has used. If the connection breaks during COMMIT, a new record cannot
    // be mistaken for an old one.
    let last = context.observed.last_sequence();
    let mut expects = between.last_sequence();
    for (step, sequence) in again.steps.iter_mut().zip(last + 1..) {
        step.expects = expects;
        if let Some(row) = &mut step.row {
            Arc::make_mut(row).sequence = sequence;
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
    /// Returns the number of leading downgrade steps; in a [`redo`] the other steps apply them
    /// again.
    pub fn downs(&self) -> usize {
        let steps = self.steps.iter();
        steps
            .take_while(|step| step.direction() == Direction::Down)
            .count()
    }
}

/// Returns the state between the halves.
fn without(observed: &Observed, reverted: &[RevisionId]) -> Observed {
    let stays = |id: &RevisionId| !reverted.contains(id);
    let rows = observed.applied.iter().filter(|row| stays(&row.revision));
    Observed {
        applied: rows.cloned().collect(),
        repeatables: observed.repeatables.clone(),
        layout: observed.layout,
    }
}

/// Checks that every reverted revision can be applied again.
fn all_come_back(
    context: &PlanContext<'_>,
    reverted: &[RevisionId],
    again: &Plan,
) -> Result<(), PlanError> {
    let steps = again.steps.iter();
    let back: HashSet<_> = steps.filter_map(|step| step.subject.revision()).collect();
    let gone: Vec<_> = reverted.iter().filter(|id| !back.contains(id)).collect();
    if gone.is_empty() {
        return Ok(());
    }
    let unknown = gone
        .into_iter()
        .filter(|id| context.history.get(id).is_none());
    let unknown: Vec<_> = unknown.cloned().collect();
    Err(PlanError(vec![if unknown.is_empty() {
        let drift = compare(context.history, context.observed, context.dialect);
        PlanProblem::Ahead {
            revisions: drift.unknown,
        }
    } else {
        PlanProblem::Unknown {
            revisions: unknown,
            related: true,
        }
    }]))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{
        plan::{Source, after, upgrade},
        revision::{Direction, History, Script, ScriptPair},
        sql::Dialect,
    };

    fn history(ids: &[&str]) -> History {
        let script = |id: &str, direction: Direction| {
            let file = format!("{id}_x.{direction}.sql");
            Script::parse(Dialect::Sqlite, direction, file, "SELECT 1;").unwrap()
        };
        let pair = |id: &&str| ScriptPair {
            id: id.parse().unwrap(),
            slug: "x".to_owned(),
            up: script(id, Direction::Up),
            down: Some(script(id, Direction::Down)),
        };
        History::new(ids.iter().map(pair).collect()).unwrap()
    }

    /// The same, of which some up scripts are others now.
    fn with_edited(ids: &[&str], edited: &[&str]) -> History {
        let script = |direction: Direction, id: &str| {
            let is_edited = direction == Direction::Up && edited.contains(&id);
            let text = if is_edited { "SELECT 2;" } else { "SELECT 1;" };
            let file = format!("{id}_x.{direction}.sql");
            Script::parse(Dialect::Sqlite, direction, file, text).unwrap()
        };
        let pairs = ids.iter().map(|id| ScriptPair {
            id: id.parse().unwrap(),
            slug: "x".to_owned(),
            up: script(Direction::Up, id),
            down: Some(script(Direction::Down, id)),
        });
        History::new(pairs.collect()).unwrap()
    }

    #[test]
    fn what_was_edited_goes_down_as_it_was_and_comes_back_as_it_is() {
        let observed = applied(&history(&["1", "2", "3"]));
        let check = |edited: &[&str], extent, expected: &str| {
            let history = with_edited(&["1", "2", "3"], edited);
            let found = match redo(&context(&history, &observed), extent) {
                Err(error) => format!("refused: {}", error.0[0]),
                Ok(plan) => {
                    let steps = plan.steps.iter().map(|step| {
                        let stored = if step.source == Source::Stored {
                            " stored"
                        } else {
                            ""
                        };
                        format!("{} {}{stored}", step.direction(), step.subject)
                    });
                    steps.collect::<Vec<_>>().join(", ")
                }
            };
            assert_eq!(found, expected, "{edited:?} {extent:?}");
        };
        let last = Target::Relative(-1);
        check(&[], RedoExtent::Edited, "");
        check(&["3"], RedoExtent::Edited, "down 3 stored, up 3");
        check(
            &["2"],
            RedoExtent::Edited,
            "down 3, down 2 stored, up 2, up 3",
        );
        check(
            &["3"],
            RedoExtent::EditedAbove(&last),
            "down 3 stored, up 3",
        );
        let refused = "refused: the up script of revision 3 was changed after it was applied";
        check(&["3"], RedoExtent::Above(&last), refused);
        let refused = "refused: the up script of revision 2 was changed after it was applied";
        check(&["2"], RedoExtent::EditedAbove(&last), refused);
    }

    #[test]
    fn what_was_stored_without_a_down_script_is_not_guessed() {
        let mut observed = applied(&history(&["1"]));
        observed.applied[0].down_script = None;
        let history = with_edited(&["1"], &["1"]);
        let refused = redo(&context(&history, &observed), RedoExtent::Edited).unwrap_err();
        assert!(
            matches!(&refused.0[..], [PlanProblem::NoDown { .. }]),
            "{refused:?}"
        );
    }

    fn context<'a>(history: &'a History, observed: &'a Observed) -> PlanContext<'a> {
        crate::plan::testing::context(history, observed, Dialect::Sqlite)
    }

    /// Returns a database with everything applied, as recorded by an upgrade.
    fn applied(history: &History) -> Observed {
        let nothing = Observed::default();
        let plan = upgrade(&context(history, &nothing), &Target::Head).unwrap();
        after(&nothing, &plan)
    }

    #[test]
    fn what_goes_down_comes_back_with_new_numbers() {
        let history = history(&["1", "2", "3"]);
        let observed = applied(&history);
        let plan = redo(
            &context(&history, &observed),
            RedoExtent::Above(&Target::Relative(-2)),
        )
        .unwrap();
        assert_eq!(plan.downs(), 2);
        let steps: Vec<_> = plan
            .steps
            .iter()
            .map(|step| {
                let row = step.row.as_ref().map(|row| row.sequence);
                (step.subject.as_str(), step.expects, row)
            })
            .collect();
        let expected = [
            ("3", 3, None),
            ("2", 2, None),
            ("2", 1, Some(4)),
            ("3", 4, Some(5)),
        ];
        assert_eq!(steps, expected);
    }

    #[test]
    fn what_can_not_come_back_stays() {
        let observed = applied(&history(&["1", "2", "3"]));
        let older = history(&["1", "2"]);
        let refused = redo(
            &context(&older, &observed),
            RedoExtent::Above(&Target::Relative(-1)),
        )
        .unwrap_err();
        assert!(
            matches!(&refused.0[..], [PlanProblem::Unknown { revisions, .. }] if revisions[0].as_str() == "3"),
            "{refused:?}"
        );
    }
}
