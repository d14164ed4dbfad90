//! Assumed database states, for generating SQL without a connection.

use std::collections::HashMap;

use chrono::DateTime;

use super::{Plan, PlanContext, PlanError, stamp};
use crate::revision::{
    AppliedRepeatable, AppliedRevision, LAYOUT, NewRow, Observed, Row, State, Subject, Target,
};

/// Returns the state of a database that this directory has upgraded from base to `start`. The
/// observed state in `context` must be empty.
///
/// # Errors
/// Returns an error if `start` cannot be resolved in the directory.
pub fn assumed(context: &PlanContext<'_>, start: &Target) -> Result<Observed, PlanError> {
    let rows = stamp(context, std::slice::from_ref(start), false)?.insert;
    Ok(match rows.is_empty() {
        true => Observed::default(),
        false => Observed::of(rows.into_iter().map(applied), LAYOUT),
    })
}

/// Returns the state after `plan` has run on `observed`.
pub fn after(observed: &Observed, plan: &Plan) -> Observed {
    let steps = || plan.steps.iter().enumerate();
    // If a revision has several steps, the last one counts.
    let last: HashMap<&Subject, usize> = steps().map(|(at, step)| (&step.subject, at)).collect();
    let mut state = observed.clone();
    let stays = |subject: Subject| !last.contains_key(&subject);
    state
        .applied
        .retain(|row| stays(row.revision.clone().into()));
    state.repeatables.retain(|row| stays(row.id.clone().into()));
    for (at, step) in steps() {
        if last.get(&step.subject) != Some(&at) {
            continue;
        }
        match step.row.as_deref().cloned().map(applied) {
            Some(Row::Revision(row)) => state.applied.push(row),
            Some(Row::Repeatable(row)) => state.repeatables.push(row),
            None => {}
        }
    }
    state
}

/// Returns the row as read back; its time and user are not used.
fn applied(row: NewRow) -> Row {
    let revision = match row.subject {
        Subject::Revision(id) => id,
        Subject::Repeatable(id) => {
            return Row::Repeatable(AppliedRepeatable {
                sequence: row.sequence,
                id,
                message: row.message,
                upon: row.parents,
                checksum: row.up_checksum,
                started_at: DateTime::UNIX_EPOCH,
                applied_at: DateTime::UNIX_EPOCH,
                duration_ms: 0,
                applied_by: String::new(),
                tool_version: String::new(),
            });
        }
    };
    Row::Revision(AppliedRevision {
        sequence: row.sequence,
        revision,
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
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{
        plan::{downgrade, upgrade},
        revision::{
            Direction, History,
            testing::{pair, with_down},
        },
        sql::Dialect,
    };

    /// 1 - 2 - 4 and 1 - 3 - 4; 5 is a separate root and depends on 3.
    fn history() -> History {
        let pairs = [
            ("1", ""),
            ("2", "revises = 1"),
            ("3", "revises = 1"),
            ("4", "revises = 2, 3"),
            ("5", "revises = base; depends-on = 3"),
        ];
        let pairs = pairs.map(|(id, headers)| with_down(pair(id, headers)));
        History::new(pairs.into()).unwrap()
    }

    fn context<'a>(history: &'a History, observed: &'a Observed) -> PlanContext<'a> {
        crate::plan::testing::context(history, observed, Dialect::Sqlite)
    }

    fn shown(observed: &Observed) -> String {
        let rows = observed.applied.iter();
        let rows = rows.map(|row| format!("{}:{}", row.sequence, row.revision));
        rows.collect::<Vec<_>>().join(" ")
    }

    #[test]
    fn a_start_is_all_that_it_needs() {
        let history = history();
        let check = |start: &str, expected: &str| {
            let nothing = Observed::default();
            let state = assumed(&context(&history, &nothing), &start.parse().unwrap()).unwrap();
            assert_eq!(shown(&state), expected, "{start}");
            assert_eq!(state.layout.is_some(), !expected.is_empty(), "{start}");
        };
        check("base", "");
        check("1", "1:1");
        check("3", "1:1 2:3");
        check("4", "1:1 2:2 3:3 4:4");
        check("5", "1:1 2:3 3:5");
        check("heads", "1:1 2:2 3:3 4:4 5:5");
    }

    #[test]
    fn a_plan_leads_to_a_state() {
        let history = history();
        let check = |start: &str, direction, target: &str, expected: &str| {
            let nothing = Observed::default();
            let state = assumed(&context(&history, &nothing), &start.parse().unwrap()).unwrap();
            let (context, target) = (context(&history, &state), target.parse().unwrap());
            let plan = match direction {
                Direction::Up => upgrade(&context, &target),
                Direction::Down => downgrade(&context, &target),
            };
            let state = after(&state, &plan.unwrap());
            assert_eq!(shown(&state), expected, "{start} to {target}");
        };
        check("base", Direction::Up, "heads", "1:1 2:2 3:3 4:4 5:5");
        check("3", Direction::Up, "4", "1:1 2:3 3:2 4:4");
        check("heads", Direction::Down, "2", "1:1 2:2 3:3 5:5");
        check("5", Direction::Down, "base", "");
        check("2", Direction::Up, "2", "1:1 2:2");
    }
}
