use std::collections::HashSet;

use crate::{
    revision::{
        AppliedRevision, Direction, History, Observed, Partial, Revision, RevisionId, State,
    },
    sql::Dialect,
};

/// All disagreements between directory and database.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Drift {
    /// Applied revisions whose up script is another now, by sequence.
    pub edited_up: Vec<RevisionId>,
    /// Applied revisions whose down script is another now, by sequence.
    pub edited_down: Vec<RevisionId>,
    /// Applied revisions that the directory does not know, by sequence.
    pub unknown: Vec<RevisionId>,
    /// What the unknown ones mean.
    pub relation: Relation,
    /// Revisions that stopped partway.
    pub partial: Vec<(RevisionId, Partial)>,
    /// Revisions without `revises`, not applied, that sort before an applied one.
    pub out_of_order: Vec<RevisionId>,
}

/// How directory and database are related.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Relation {
    /// All that is applied is known here.
    #[default]
    Known,
    /// Everything here is applied, and the unknown ones are above it: an
    /// older release of the application is running.
    Ahead,
    /// The unknown ones are somewhere else.
    Diverged,
    /// Something is applied, and nothing of it is known here.
    Unrelated,
}

/// Compares directory and database.
pub fn compare(history: &History, observed: &Observed, dialect: Dialect) -> Drift {
    let mut drift = compare_ups(history, observed, dialect);
    for row in observed.applied.iter() {
        if let Some(down) = history
            .get(&row.revision)
            .and_then(|found| found.down.as_ref())
            && row
                .down_checksum
                .as_ref()
                .is_some_and(|known| *known != down.checksum(dialect))
        {
            drift.edited_down.push(row.revision.clone());
        }
    }
    drift
}

/// The revisions of the directory that have no record, in order.
pub fn pending<'a>(history: &'a History, observed: &Observed) -> Vec<&'a Revision> {
    let recorded: HashSet<_> = observed.applied.iter().map(|row| &row.revision).collect();
    history
        .in_order()
        .filter(|revision| !recorded.contains(&revision.id))
        .collect()
}

/// As [`compare`], without a look at down scripts, which no upgrade needs.
pub(super) fn compare_ups(history: &History, observed: &Observed, dialect: Dialect) -> Drift {
    let mut drift = Drift::default();
    for row in observed.applied.iter() {
        // Its script may be fixed beyond what is done; resuming compares that.
        let mut in_middle = false;
        if let State::Partial(partial) = &row.state {
            drift
                .partial
                .push((row.revision.clone(), (**partial).clone()));
            in_middle = partial.direction == Direction::Up;
        }
        match history.get(&row.revision) {
            None => drift.unknown.push(row.revision.clone()),
            Some(revision) => {
                if !in_middle && revision.up.checksum(dialect) != row.up_checksum {
                    drift.edited_up.push(row.revision.clone());
                }
            }
        }
    }
    if !drift.unknown.is_empty() {
        drift.relation = relation(history, observed);
    }
    drift.out_of_order = out_of_order(history, observed);
    drift
}

/// The highest applied id that the directory knows.
pub(super) fn highest<'a>(history: &History, observed: &'a Observed) -> Option<&'a RevisionId> {
    let mut ids: Vec<_> = observed.applied.iter().map(|row| &row.revision).collect();
    // Nearly in order already; of those above the highest known one there are few.
    ids.sort();
    ids.into_iter().rev().find(|id| history.get(id).is_some())
}

fn out_of_order(history: &History, observed: &Observed) -> Vec<RevisionId> {
    let Some(highest) = highest(history, observed) else {
        return Vec::new();
    };
    let applied: HashSet<_> = observed.applied.iter().map(|row| &row.revision).collect();
    history
        .in_order()
        .filter(|revision| revision.implicit_parent && revision.id < *highest)
        .filter(|revision| !applied.contains(&revision.id))
        .map(|revision| revision.id.clone())
        .collect()
}

/// What unknown revisions mean; there is one at least.
fn relation(history: &History, observed: &Observed) -> Relation {
    let is_known = |row: &&AppliedRevision| history.get(&row.revision).is_some();
    let unknown: Vec<_> = observed
        .applied
        .iter()
        .filter(|row| !is_known(row))
        .collect();
    if unknown.len() == observed.applied.len() {
        return Relation::Unrelated;
    }
    let applied: HashSet<_> = observed.applied.iter().map(|row| &row.revision).collect();
    let heads: HashSet<_> = history.heads().into_iter().map(|head| &head.id).collect();
    let is_unknown = |id: &RevisionId| applied.contains(id) && history.get(id).is_none();
    let above = |row: &&AppliedRevision| {
        !row.parents.is_empty()
            && row
                .parents
                .iter()
                .all(|parent| heads.contains(parent) || is_unknown(parent))
    };
    let complete = history
        .in_order()
        .all(|revision| applied.contains(&revision.id));
    if complete && unknown.iter().all(above) {
        Relation::Ahead
    } else {
        Relation::Diverged
    }
}
