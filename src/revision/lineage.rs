//! The graph of applied revisions, by the parents and dependencies in the version table. Files that
//! were added or edited later do not affect it.

use std::collections::{HashMap, HashSet};

use super::{AppliedRevision, RevisionId};
use crate::arrange::Arrange as _;

/// Returns the applied revisions that no applied revision revises, in the order of `rows`.
///
/// Partial rows count as applied.
pub fn applied_heads(rows: &[AppliedRevision]) -> Vec<&AppliedRevision> {
    let revised: HashSet<_> = rows.iter().flat_map(|row| &row.parents).collect();
    rows.iter()
        .filter(|row| !revised.contains(&row.revision))
        .collect()
}

/// Returns the applied revisions that revise `ids` or depend on them, transitively, without `ids`
/// themselves, latest applied first. Revisions that one of `ids` needs are excluded as well, even
/// if they are above another one.
///
/// Partial rows count as applied.
pub fn applied_descendants<'a>(
    rows: &'a [AppliedRevision],
    ids: &[RevisionId],
) -> Vec<&'a AppliedRevision> {
    let mut after: HashMap<&RevisionId, Vec<&AppliedRevision>> = HashMap::new();
    for row in rows {
        for before in row.parents.iter().chain(&row.depends_on) {
            after.entry(before).or_default().push(row);
        }
    }
    let mut reached: HashSet<&RevisionId> = ids.iter().collect();
    let mut waiting: Vec<&RevisionId> = ids.iter().collect();
    let mut found = Vec::new();
    while let Some(id) = waiting.pop() {
        for row in after.get(id).into_iter().flatten() {
            if reached.insert(&row.revision) {
                waiting.push(&row.revision);
                found.push(*row);
            }
        }
    }
    if ids.len() > 1 {
        let needed = needed(rows, ids);
        found.retain(|row| !needed.contains(&row.revision));
    }
    found.arrange_by_key(|row| std::cmp::Reverse(row.sequence));
    found
}

/// Returns the ancestors and dependencies of `ids`, transitively.
fn needed<'a>(rows: &'a [AppliedRevision], ids: &'a [RevisionId]) -> HashSet<&'a RevisionId> {
    let applied: HashMap<_, _> = rows.iter().map(|row| (&row.revision, row)).collect();
    let mut needed: HashSet<&RevisionId> = HashSet::new();
    let mut waiting: Vec<&RevisionId> = ids.iter().collect();
    while let Some(id) = waiting.pop() {
        let edges = applied
            .get(id)
            .map(|row| row.parents.iter().chain(&row.depends_on));
        for id in edges.into_iter().flatten() {
            if needed.insert(id) {
                waiting.push(id);
            }
        }
    }
    needed
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::revision::testing::{ids, row};

    fn shown(rows: &[&AppliedRevision]) -> String {
        let ids: Vec<_> = rows.iter().map(|row| row.revision.to_string()).collect();
        ids.join(" ")
    }

    /// 1 - 2 - 4 - 5 and 1 - 3 - 5; 6 is a separate root and depends on 3.
    fn rows() -> Vec<AppliedRevision> {
        vec![
            row(1, "1", "", ""),
            row(2, "3", "1", ""),
            row(3, "2", "01", ""),
            row(4, "6", "", "3"),
            row(5, "4", "2", ""),
            row(6, "5", "3 4", ""),
        ]
    }

    #[test]
    fn heads_by_stored_parents() {
        let rows = rows();
        let check = |count, expected: &str| {
            assert_eq!(
                shown(&applied_heads(&rows[..count])),
                expected,
                "{count} rows"
            );
        };
        check(0, "");
        check(1, "1");
        check(3, "3 2");
        check(4, "3 2 6");
        check(6, "6 5");
    }

    #[test]
    fn descendants_by_stored_parents_and_dependencies() {
        let check = |of: &str, expected: &str| {
            let rows = rows();
            assert_eq!(
                shown(&applied_descendants(&rows, &ids(of))),
                expected,
                "of {of}"
            );
        };
        check("", "");
        check("1", "5 4 6 2 3");
        check("0001", "5 4 6 2 3");
        check("2", "5 4");
        check("3", "5 6");
        check("2 3", "5 4 6");
        check("1 2 3", "5 4 6");
        check("5", "");
        check("77", "");
        check("6 5", "");
        check("2 5", "");
        check("3 5", "6");
    }

    proptest! {
        #[test]
        fn descendants_are_closed_even_in_nonsense(
            edges in prop::collection::vec((0..9u32, 0..9u32, any::<bool>()), 0..20),
            of in 0..9u32,
        ) {
            let mut rows: Vec<_> = (0..9).map(|n| row(n, &n.to_string(), "", "")).collect();
            for (from, to, parent) in edges {
                let row = &mut rows[from as usize];
                let list = if parent { &mut row.parents } else { &mut row.depends_on };
                list.extend(ids(&to.to_string()));
            }
            let of = ids(&of.to_string());
            let found: Vec<_> = applied_descendants(&rows, &of).into_iter().cloned().collect();
            for row in &rows {
                let before: Vec<_> = row.parents.iter().chain(&row.depends_on).collect();
                let above = |id: &RevisionId| of.contains(id) || found.iter().any(|f| f.revision == *id);
                let expected = !of.contains(&row.revision) && before.iter().any(|id| above(id));
                prop_assert_eq!(found.contains(row), expected);
            }
            prop_assert!(found.is_sorted_by(|a, b| a.sequence > b.sequence));
        }
    }
}
