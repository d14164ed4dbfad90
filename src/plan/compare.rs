use std::collections::HashSet;

use crate::{
    arrange::Arrange as _,
    revision::{
        AppliedRevision, Direction, History, Observed, Partial, Revision, RevisionId, State,
    },
    sql::Dialect,
};

/// Differences between directory and database.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Drift {
    /// Applied revisions whose up script has changed, by sequence.
    pub edited_up: Vec<RevisionId>,
    /// Applied revisions whose down script has changed, by sequence.
    pub edited_down: Vec<RevisionId>,
    /// Applied revisions that are not in the directory, by sequence.
    pub unknown: Vec<RevisionId>,
    /// The relation that the unknown revisions imply.
    pub relation: Relation,
    /// Revisions that stopped partway.
    pub partial: Vec<(RevisionId, Partial)>,
    /// Unapplied revisions without `revises` that sort before an applied one.
    pub out_of_order: Vec<RevisionId>,
}

/// The relation between directory and database.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Relation {
    /// All applied revisions are in the directory.
    #[default]
    Known,
    /// All revisions of the directory are applied, and the unknown ones are above them: an older
    /// release of the application is running.
    Ahead,
    /// Unknown revisions are not all above those of the directory.
    Diverged,
    /// Revisions are applied, but none of them is in the directory.
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

/// Returns the revisions of the directory that have no record, in order.
pub fn pending<'a>(history: &'a History, observed: &Observed) -> Vec<&'a Revision> {
    let recorded: HashSet<_> = observed.applied.iter().map(|row| &row.revision).collect();
    history
        .in_order()
        .filter(|revision| !recorded.contains(&revision.id))
        .collect()
}

/// Like [`compare`], but ignores down scripts, which an upgrade does not need.
pub(super) fn compare_ups(history: &History, observed: &Observed, dialect: Dialect) -> Drift {
    let mut drift = Drift::default();
    for row in observed.applied.iter() {
        // Statements that have not run may be edited; resuming compares those that have.
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

/// Returns the highest applied ID that is in the directory.
pub(super) fn highest<'a>(history: &History, observed: &'a Observed) -> Option<&'a RevisionId> {
    let mut ids: Vec<_> = observed.applied.iter().map(|row| &row.revision).collect();
    // The IDs are nearly sorted, and few are above the highest known one.
    ids.arrange();
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

/// Returns the relation that unknown revisions imply. There must be at least one.
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
