//! Rows of tables as digests of their values, and what differs between two states of them.

use std::collections::{BTreeMap, HashMap};

/// A column whose values are compared.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RowColumn {
    /// The name, as identifiers of the dialect are compared.
    pub name: String,
    /// The type. Values of columns with different types are not compared.
    pub data_type: String,
    /// Whether the column is part of the key that identifies a row.
    pub is_key: bool,
}

/// The digest of a value; `None` for NULL.
pub type Digest = Option<u64>;

/// The rows of one table.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TableRows {
    /// The compared columns.
    pub columns: Vec<RowColumn>,
    /// The digests of the values, row by row, in any order.
    pub rows: Vec<Box<[Digest]>>,
}

/// The rows of one table, summed up. Equal rows in any order have equal sums.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct TableSums {
    /// The number of rows.
    pub rows: u64,
    /// For each column, the sum of digests of its values, each together with the value of the first column of
    /// the key, so that values that change places are noticed.
    pub sums: Vec<i128>,
}

/// What differs between two states of the rows of a table that exists in both.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct RowChanges {
    /// The number of rows that only the first state has.
    pub lost: usize,
    /// The number of rows that only the second state has.
    pub added: usize,
    /// The number of rows with another value, by column.
    pub changed: BTreeMap<String, usize>,
    /// The columns with values that only the first state has.
    pub dropped: Vec<String>,
    /// The columns with another type, whose values are not compared.
    pub retyped: Vec<String>,
}

impl RowChanges {
    /// Whether all rows have the same values in the columns of both states.
    pub fn is_empty(&self) -> bool {
        self.lost == 0 && self.added == 0 && self.changed.is_empty()
    }
}

impl TableRows {
    /// Compares with a later state, without the columns in `left_out`.
    pub fn changes_to(&self, later: &Self, left_out: &[String]) -> RowChanges {
        let mut changes = RowChanges::default();
        let mut common = Vec::new();
        for (old_at, old) in self.columns.iter().enumerate() {
            if left_out.contains(&old.name) {
                continue;
            }
            let new = later.columns.iter().position(|it| it.name == old.name);
            match new {
                Some(at) if later.columns[at].data_type == old.data_type => {
                    let is_key = old.is_key && later.columns[at].is_key;
                    common.push(Common {
                        old: old_at,
                        new: at,
                        is_key,
                    });
                }
                Some(_) => changes.retyped.push(old.name.clone()),
                None if self.rows.iter().any(|row| row[old_at].is_some()) => {
                    changes.dropped.push(old.name.clone());
                }
                None => {}
            }
        }
        let (old, new) = self.unequal(later, &common);
        self.pair(old, new, &common, &mut changes);
        changes
    }

    /// The projections of rows to the common columns that only one state has.
    fn unequal(&self, later: &Self, common: &[Common]) -> (Vec<Projected>, Vec<Projected>) {
        let mut counts: HashMap<Projected, i64> = HashMap::new();
        for row in &self.rows {
            *counts
                .entry(common.iter().map(|it| row[it.old]).collect())
                .or_default() += 1;
        }
        for row in &later.rows {
            *counts
                .entry(common.iter().map(|it| row[it.new]).collect())
                .or_default() -= 1;
        }
        let (mut old, mut new) = (Vec::new(), Vec::new());
        for (row, count) in counts {
            let side = if count > 0 { &mut old } else { &mut new };
            for _ in 0..count.unsigned_abs() {
                side.push(row.clone());
            }
        }
        old.sort_unstable();
        new.sort_unstable();
        (old, new)
    }

    /// Tells changed rows from lost and added ones: by their key, the rest by the most equal values.
    fn pair(
        &self,
        old: Vec<Projected>,
        mut new: Vec<Projected>,
        common: &[Common],
        changes: &mut RowChanges,
    ) {
        let keys: Vec<usize> = (0..common.len()).filter(|at| common[*at].is_key).collect();
        let mut old = old;
        if !keys.is_empty() {
            old.retain(|row| {
                let mut others = new.iter();
                let at = others.position(|other| keys.iter().all(|key| row[*key] == other[*key]));
                if let Some(at) = at {
                    self.count(row, &new.swap_remove(at), common, changes);
                }
                at.is_none()
            });
        }
        for row in old {
            let same = |other: &Projected| row.iter().zip(other).filter(|(a, b)| a == b).count();
            let candidates = new.iter().enumerate().take(MAX_CANDIDATES);
            let best = candidates.max_by_key(|(_, other)| same(other));
            let found = best.filter(|(_, other)| 2 * same(other) >= common.len().max(1));
            match found.map(|(at, _)| at) {
                Some(at) => self.count(&row, &new.swap_remove(at), common, changes),
                None => changes.lost += 1,
            }
        }
        changes.added += new.len();
    }

    /// Counts the values that differ between two states of a row.
    fn count(&self, old: &Projected, new: &Projected, common: &[Common], to: &mut RowChanges) {
        for (old, (new, column)) in old.iter().zip(new.iter().zip(common)) {
            if old != new {
                let name = self.columns[column.old].name.clone();
                *to.changed.entry(name).or_default() += 1;
            }
        }
    }
}

/// How many rows are compared with one whose counterpart is searched for.
const MAX_CANDIDATES: usize = 1_000;

/// A column of both states.
struct Common {
    old: usize,
    new: usize,
    is_key: bool,
}

type Projected = Vec<Digest>;

#[cfg(test)]
mod tests {
    use super::*;

    fn rows(columns: &[(&str, &str, bool)], rows: &[&[u64]]) -> TableRows {
        let digest = |value: &u64| (*value != 0).then_some(*value);
        TableRows {
            columns: columns
                .iter()
                .map(|(name, data_type, is_key)| RowColumn {
                    name: (*name).to_owned(),
                    data_type: (*data_type).to_owned(),
                    is_key: *is_key,
                })
                .collect(),
            rows: rows
                .iter()
                .map(|row| row.iter().map(digest).collect())
                .collect(),
        }
    }

    const KEYED: &[(&str, &str, bool)] = &[("id", "int", true), ("a", "text", false)];

    #[test]
    fn equal_rows_do_not_differ_in_any_order() {
        let before = rows(KEYED, &[&[1, 10], &[2, 0], &[3, 30]]);
        let after = rows(KEYED, &[&[3, 30], &[1, 10], &[2, 0]]);
        assert_eq!(before.changes_to(&after, &[]), RowChanges::default());
    }

    #[test]
    fn changed_rows_are_found_by_their_key() {
        let before = rows(KEYED, &[&[1, 10], &[2, 20], &[3, 30]]);
        let after = rows(KEYED, &[&[1, 11], &[3, 30], &[4, 40], &[5, 50]]);
        let found = before.changes_to(&after, &[]);
        assert_eq!((found.lost, found.added), (1, 2));
        assert_eq!(found.changed, BTreeMap::from([("a".to_owned(), 1)]));
    }

    #[test]
    fn a_row_with_another_key_is_found_by_its_values() {
        let before = rows(KEYED, &[&[7, 10], &[9, 20]]);
        let after = rows(KEYED, &[&[1, 10], &[2, 20]]);
        let found = before.changes_to(&after, &[]);
        assert_eq!((found.lost, found.added), (0, 0));
        assert_eq!(found.changed, BTreeMap::from([("id".to_owned(), 2)]));
    }

    #[test]
    fn without_a_key_the_most_similar_row_counts() {
        let columns = &[
            ("a", "int", false),
            ("b", "int", false),
            ("c", "int", false),
        ];
        let before = rows(columns, &[&[1, 2, 3], &[1, 2, 3], &[7, 8, 9]]);
        let after = rows(columns, &[&[1, 2, 3], &[1, 2, 4]]);
        let found = before.changes_to(&after, &[]);
        assert_eq!((found.lost, found.added), (1, 0));
        assert_eq!(found.changed, BTreeMap::from([("c".to_owned(), 1)]));
    }

    #[test]
    fn only_columns_of_both_states_are_compared() {
        let before = rows(
            &[
                ("id", "int", true),
                ("gone", "int", false),
                ("n", "int", false),
            ],
            &[&[1, 10, 5], &[2, 0, 6]],
        );
        let after = rows(
            &[
                ("id", "int", true),
                ("n", "text", false),
                ("new", "int", false),
            ],
            &[&[1, 50, 1], &[2, 60, 1]],
        );
        let found = before.changes_to(&after, &[]);
        assert!(found.is_empty());
        assert_eq!(found.dropped, ["gone"]);
        assert_eq!(found.retyped, ["n"]);
        let back = rows(
            &[
                ("id", "int", true),
                ("gone", "int", false),
                ("n", "int", false),
            ],
            &[&[1, 0, 5], &[2, 0, 6]],
        );
        let found = before.changes_to(&back, &["gone".to_owned()]);
        assert_eq!(found, RowChanges::default());
        let found = before.changes_to(&back, &[]);
        assert_eq!(found.changed, BTreeMap::from([("gone".to_owned(), 1)]));
    }

    #[test]
    fn rows_without_common_columns_are_counted() {
        let before = rows(&[("a", "int", false)], &[&[1], &[2]]);
        let after = rows(&[("b", "int", false)], &[&[1]]);
        let found = before.changes_to(&after, &[]);
        assert_eq!((found.lost, found.added), (1, 0));
        assert_eq!(found.dropped, ["a"]);
    }
}
